import { expect, test } from 'vitest'
import { storyOf, storyText, type TriggerThere, VERDICT_CODES } from '../../../../src/plugins/event/story.js'
import { aHop, aRecord, TIME } from './records.js'

const aTrigger = (name: string, rest: Partial<TriggerThere> = {}): TriggerThere => ({
  name,
  isReady: true,
  reason: '',
  createdMs: Date.parse('2026-01-01T11:00:00Z'),
  ...rest,
})
const delivered = (name: string) =>
  aHop(name, 'Delivered', {
    attempts: [{ time: TIME, number: 1, destination: 'http://sink', statusCode: 202, took: '3ms' }],
    attemptCount: 1,
    delivered: { time: TIME, destination: 'http://sink', statusCode: 202 },
  })
const filtered = (name: string, rest: object = {}) =>
  aHop(name, 'Filtered', {
    filtered: { time: TIME, clause: 'filters[0].exact.type', expected: 'order.payd', actual: 'order.paid', ...rest },
  })
const failed = aHop('bill', 'Failed', {
  attempts: [
    { time: TIME, number: 1, destination: 'http://bill', statusCode: 503, took: '12ms', retryIn: '200ms' },
    { time: TIME, number: 2, destination: 'http://bill', error: 'connect ECONNREFUSED', took: '1ms' },
  ],
  attemptCount: 2,
  dropped: { time: TIME, why: 'there is no dead letter sink' },
})

test.each([
  ['delivered', 0, [delivered('a'), filtered('b')]],
  ['unmatched', 3, [filtered('b')]],
  ['unmatched', 3, []],
  ['failed', 4, [delivered('a'), failed]],
  ['failed', 4, [aHop('a', 'DeadLettered', { deadLetter: { time: TIME, destination: 'http://dls', statusCode: 202 } })]],
  ['failed', 4, [aHop('a', 'Dropped', { dropped: { time: TIME, why: 'gone' } })]],
  ['pending', 4, [delivered('a'), aHop('b', 'Pending')]],
] as const)('the verdict %s has exit code %i', (verdict, code, hops) => {
  const story = storyOf(aRecord({}, { hops: [...hops] }), [])
  expect(story.verdict).toBe(verdict)
  expect(VERDICT_CODES[story.verdict]).toBe(code)
})

test('a trigger that was there and has nothing on record is pending; one made later does not count', () => {
  const late = aTrigger('late', { createdMs: Date.parse('2026-01-01T12:00:01Z') })
  const story = storyOf(aRecord({}, { hops: [delivered('a')] }), [aTrigger('a'), aTrigger('slow'), late])
  expect(story.parts.map(({ at, outcome }) => [at.name, outcome])).toEqual([
    ['a', 'Delivered'],
    ['slow', 'Pending'],
    ['late', 'TooLate'],
  ])
  expect(story.verdict).toBe('pending')
  expect(storyOf(aRecord({}, { hops: [delivered('a')] }), [late]).verdict).toBe('delivered')
})

test('a trigger that is not ready is waited for, with its reason', () => {
  const text = storyText(storyOf(aRecord(), [aTrigger('a', { isReady: false, reason: 'BrokerDoesNotExist' })]), '5s')
  expect(text).toContain("Trigger 'a': pending\n  waits for the trigger to become ready (BrokerDoesNotExist)\n")
})

test('the text names the clause with both values and a hint, each attempt, and how it ended', () => {
  const text = storyText(storyOf(aRecord({ subject: '42' }, { hops: [filtered('typo'), failed] }), []), '5s')
  expect(text).toBe(`Event 'a1'
  type order.paid, source /shop, subject 42
  taken by Broker 'default' in namespace 'default' at 2026-01-01T12:00:00.250Z (5s ago), record e0000000001

Trigger 'typo': filtered out
  filters[0].exact.type: expected 'order.payd', got 'order.paid'
  hint: one character differs: the event has "i", the filter "y"

Trigger 'bill': failed
  attempt 1 to http://bill: 503 after 12ms, the next one 200ms later
  attempt 2 to http://bill: connect ECONNREFUSED after 1ms
  given up: there is no dead letter sink

Failed: not every trigger that wanted it got it.
`)
})

test('a clause on what the event lacks, and one that asks for no value, say so', () => {
  const lacking = { clause: 'filter.attributes.subject', expected: 'x', actual: undefined }
  const cesql = {
    clause: 'filters[0].cesql',
    expected: 'subject = "a"',
    actual: undefined,
    reason: 'the expression fails: the event has no subject',
  }
  const text = storyText(storyOf(aRecord({}, { hops: [filtered('a', lacking), filtered('b', cesql)] }), []), '5s')
  expect(text).toContain("  filter.attributes.subject: expected 'x', got nothing\n")
  expect(text).toContain('  filters[0].cesql: subject = "a": the expression fails: the event has no subject\n')
})

test('a prefix filter is hinted at by its own rules', () => {
  const hop = filtered('a', { clause: 'filters[0].prefix.type', expected: 'Order.', actual: 'order.paid' })
  expect(storyOf(aRecord({}, { hops: [hop] }), []).parts[0]!.hint).toBe('the two differ in upper and lower case only')
})

test('replies are named with their records, both ways', () => {
  const reply = { time: TIME, id: 'b1', source: '/mail', type: 'mail.sent', record: 'e0000000002', statusCode: 202 }
  expect(storyText(storyOf(aRecord({}, { hops: [{ ...delivered('mail'), reply }] }), []), '5s')).toContain(
    "  reply 'b1' of type mail.sent: record e0000000002\n",
  )
  const replyOf = {
    at: { kind: 'Trigger', namespace: 'default', name: 'mail' },
    origin: { kind: 'Broker', namespace: 'default', name: 'default', offset: 0 },
    record: 'e0000000001',
  }
  expect(storyText(storyOf(aRecord({ replyOf }), []), '5s')).toContain("  the answer of Trigger 'mail' to record e0000000001\n")
})

test('an event that goes round in circles is told with its way, and counts as delivered', () => {
  const looped = { time: TIME, cycle: ['Trigger default/a', 'Trigger default/b', 'Trigger default/a'] }
  const story = storyOf(aRecord({}, { hops: [{ ...delivered('a'), looped }] }), [])
  expect(story.verdict).toBe('delivered')
  expect(storyText(story, '5s')).toContain(
    '  goes round: Trigger default/a → Trigger default/b → Trigger default/a; it is delivered again and again until its TTL is used up\n',
  )
})

test('a broker without triggers has nobody who could want the event', () => {
  expect(storyText(storyOf(aRecord(), []), '5s')).toContain(
    "Broker 'default' has nobody who could want it.\n\nUnmatched: no trigger wanted it.\n",
  )
})

test('of more attempts than are on record the earlier ones are counted', () => {
  const hop = aHop('a', 'Pending', {
    attempts: [{ time: TIME, number: 70, destination: 'http://sink', statusCode: 503, took: '1ms', retryIn: '1m0s' }],
    attemptCount: 70,
  })
  expect(storyText(storyOf(aRecord({}, { hops: [hop] }), []), '5s')).toContain('  69 earlier attempts\n  attempt 70 ')
})

test('an attempt tells what its status alone does not', () => {
  const note = 'answered 200 with a body that is no event'
  const hop = aHop('bill', 'Failed', {
    attempts: [{ time: TIME, number: 1, destination: 'http://bill', statusCode: 502, note, took: '3ms' }],
    attemptCount: 1,
  })
  const text = storyText(storyOf(aRecord({}, { hops: [hop] }), []), '5s')
  expect(text).toContain("Trigger 'bill': failed\n  attempt 1 to http://bill: 502 (answered 200 with a body that is no event) after 3ms\n")
})
