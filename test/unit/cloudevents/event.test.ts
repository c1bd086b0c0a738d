import { expect, test } from 'vitest'
import { forwarded } from '../../../src/cloudevents/event.js'
import { timestampFrom } from '../../../src/cloudevents/values.js'
import { anEvent, attributesOf } from './support.js'

test.each([
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
  ['2026-01-02T03:04:05.000000001Z', '2026-01-02T03:04:05.000000001Z'],
  ['2026-01-02T03:04:05.120000000Z', '2026-01-02T03:04:05.12Z'],
  ['2026-01-02T03:04:05.1234567899Z', '2026-01-02T03:04:05.123456789Z'],
  ['2026-01-02T03:04:05.000+00:00', '2026-01-02T03:04:05Z'],
  ['2025-12-31T23:30:00.5-01:45', '2026-01-01T01:15:00.5Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
  ['0099-03-01T00:30:00+01:00', '0099-02-28T23:30:00Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
  ['2026-01-02t03:04:05z', undefined],
  ['2026-01-02 03:04:05Z', undefined],
  ['2026-13-02T03:04:05Z', undefined],
  ['1900-02-29T00:00:00Z', undefined],
  ['2026-01-02T24:00:00Z', undefined],
  ['2026-01-02T03:04:60Z', undefined],
  ['2026-01-02T03:04:05', undefined],
  ['0000-01-01T00:00:00+01:00', undefined],
])('the timestamp %s reads as %s', (text, expected) => {
  expect(timestampFrom(text)).toBe(expected)
})

test('what a broker hands on has text for extensions and its time in UTC', () => {
  const event = anEvent({ n: 42, b: false, time: '2026-01-02T03:04:05+02:00' }, 'x')
  const handedOn = forwarded(event)
  expect(attributesOf(handedOn)).toMatchObject({ n: '42', b: 'false', time: '2026-01-02T01:04:05Z' })
  expect(handedOn.data).toBe(event.data)
  expect(forwarded(handedOn)).toBe(handedOn)
})
