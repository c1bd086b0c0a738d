import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createLogger, createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { eventRecordsFrom, followJournalSettings } from '../../../src/emulator/event-records.js'
import { createJournal, type Journal } from '../../../src/journal/journal.js'
import { JOURNAL_DEFAULTS } from '../../../src/journal/settings.js'
import type { EventRecord } from '../../../src/kinds/emulator/eventrecord/schema.js'
import { loadSqlite } from '../../../src/store/sqlite-engine.js'
import { accepted, aHop, broker, delivered, START_MS, trigger } from '../journal/hops.js'

let directory: string
let journal: Journal
const clock = createVirtualClock({ startMs: START_MS })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kn-records-'))
  journal = createJournal({
    open: loadSqlite(),
    path: join(directory, 'journal.db'),
    clock,
    realClock: clock,
    random: createSeededRandom(1),
    log: createSilentLogger(),
    settings: () => JOURNAL_DEFAULTS,
  })
})

afterEach(() => {
  journal.close()
  rmSync(directory, { recursive: true, force: true })
})

const page = (fields: Parameters<ReturnType<typeof eventRecordsFrom>['page']>[0]['fields'] = [], namespace?: string) =>
  eventRecordsFrom(journal).page({ namespace, fields, after: undefined, upToVersion: journal.version(), limit: 10 })

test('a record is an object with the event, its payload, and each hop in words and RFC 3339', () => {
  journal.record(accepted('a', 7, { data: Buffer.from('hi'), event: { id: 'a', source: '/shop', type: 'order.paid', subject: '42' } }))
  journal.record(
    aHop('attempted', 'a', 7, {
      at: trigger('mail'),
      destination: 'http://mail',
      attempt: 1,
      statusCode: 503,
      tookMs: 12,
      retryInMs: 1500,
    }),
  )
  journal.record(aHop('filtered', 'a', 7, { at: trigger('audit'), clause: 'filter.attributes.type', expected: 'x', actual: 'order.paid' }))
  expect(page()).toEqual([
    {
      apiVersion: 'emulator.kn-local.dev/v1alpha1',
      kind: 'EventRecord',
      metadata: {
        name: 'e0000000001',
        namespace: 'default',
        uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        resourceVersion: '2',
        creationTimestamp: '2026-01-01T00:00:00Z',
        labels: { 'eventing.knative.dev/broker': 'default' },
      },
      spec: {
        id: 'a',
        source: '/shop',
        type: 'order.paid',
        subject: '42',
        attributes: { specversion: '1.0', id: 'a', source: '/shop', type: 'order.paid', subject: '42' },
        data: 'aGk=',
        dataBytes: 2,
        acceptedAt: '2026-01-01T00:00:00.000Z',
        origin: { ...broker, offset: 7 },
      },
      status: {
        state: 'Delivering',
        hops: [
          {
            at: trigger('mail'),
            outcome: 'Pending',
            attempts: [
              {
                time: '2026-01-01T00:00:00.000Z',
                number: 1,
                destination: 'http://mail',
                statusCode: 503,
                took: '12ms',
                retryIn: '1.5s',
              },
            ],
            attemptCount: 1,
          },
          {
            at: trigger('audit'),
            outcome: 'Filtered',
            filtered: { time: '2026-01-01T00:00:00.000Z', clause: 'filter.attributes.type', expected: 'x', actual: 'order.paid' },
          },
        ],
      },
    },
  ])
})

test('records of channels carry no label of a broker', () => {
  journal.record(accepted('a', 0, { origin: { ...broker, kind: 'InMemoryChannel' } }))
  expect(page()[0]!.metadata).not.toHaveProperty('labels')
})

test('terms of a field selector narrow what is read; what contradicts itself finds nothing', () => {
  journal.record(accepted('a', 0))
  journal.record(accepted('b', 1))
  const is = (field: string, value: string, operator: '=' | '!=' = '=') => ({ field, operator, value })
  const ids = (...fields: Parameters<typeof is>[]) => page(fields.map((field) => is(...field))).map(({ spec }) => spec.id)
  expect(ids(['spec.id', 'a'])).toEqual(['a'])
  expect(ids(['spec.id', 'a'], ['spec.id', 'b'])).toEqual([])
  // The API server looks again: what the journal does not look for itself is left to it.
  expect(ids(['spec.id', 'a', '!='])).toEqual(['b', 'a'])
  expect(ids(['spec.subject', ''])).toEqual(['b', 'a'])
  expect(ids(['constructor', 'x'])).toEqual(['b', 'a'])
  expect(page([is('metadata.namespace', 'other')], 'default')).toEqual([])
})

test('a watch tells which state a record was in before, and a deletion of what it was', async () => {
  const seen: [string, EventRecord, EventRecord | undefined][] = []
  eventRecordsFrom(journal).watch({ fromVersion: 1 }, ({ type, object, previous }) => seen.push([type, object, previous]))
  journal.record(accepted('a', 0))
  await clock.advance(50)
  for (const hop of delivered('a', 0)) journal.record(hop)
  await clock.advance(25 * 3_600_000)
  expect(journal.version()).toBe(4)
  expect(seen.map(([type, object, previous]) => [type, object.status.state, previous?.status.state])).toEqual([
    ['ADDED', 'Accepted', undefined],
    ['MODIFIED', 'Delivered', 'Accepted'],
    ['DELETED', 'Delivered', 'Delivered'],
  ])
})

test('settings follow the ConfigMap, and what cannot be read in it is said once', () => {
  const lines: string[] = []
  let data: Record<string, string> | undefined
  const settings = followJournalSettings(() => data, createLogger({ clock, write: (line) => lines.push(line), format: 'text' }))
  expect(settings()).toEqual(JOURNAL_DEFAULTS)
  data = { 'event-journal-max-events': '5', 'event-journal-payload': 'maybe' }
  expect(settings()).toEqual({ ...JOURNAL_DEFAULTS, maxEvents: 5 })
  settings()
  expect(lines).toEqual([expect.stringContaining('key=event-journal-payload value=maybe')])
  data = undefined
  expect(settings()).toEqual(JOURNAL_DEFAULTS)
})
