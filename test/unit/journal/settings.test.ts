import { expect, test } from 'vitest'
import { JOURNAL_DEFAULTS, journalSettings } from '../../../src/journal/settings.js'

test('without a word the journal keeps 100,000 events, 256 MB, 24 hours and whole payloads', () => {
  expect(journalSettings(undefined)).toEqual({
    maxEvents: 100_000,
    maxBytes: 268_435_456,
    retentionMs: 86_400_000,
    payloadBytes: Number.POSITIVE_INFINITY,
  })
})

test('every limit can be set', () => {
  expect(
    journalSettings({
      'event-journal-max-events': '10',
      'event-journal-max-bytes': ' 1000 ',
      'event-journal-retention': '1h30m',
      'event-journal-payload': '1024',
    }),
  ).toEqual({ maxEvents: 10, maxBytes: 1000, retentionMs: 5_400_000, payloadBytes: 1024 })
  expect(journalSettings({ 'event-journal-payload': 'off' }).payloadBytes).toBe(0)
  expect(journalSettings({ 'event-journal-payload': 'on' }).payloadBytes).toBe(Number.POSITIVE_INFINITY)
})

test('what cannot be read is told, and the default counts', () => {
  const problems: string[] = []
  const data = {
    'event-journal-max-events': '0',
    'event-journal-max-bytes': '1e9',
    'event-journal-retention': '-1h',
    'event-journal-payload': 'some',
  }
  expect(journalSettings(data, (key, value) => problems.push(`${key}=${value}`))).toEqual(JOURNAL_DEFAULTS)
  expect(problems).toEqual(Object.entries(data).map(([key, value]) => `${key}=${value}`))
})
