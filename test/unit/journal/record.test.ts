import { expect, test } from 'vitest'
import type { Hop } from '../../../src/journal/hop.js'
import { addHop, addReply, type JournalRecord, outcomeOf, recordFor, recordText, stateOf, stepsOf } from '../../../src/journal/record.js'
import { accepted, aHop, delivered, identity, START_MS, trigger } from './hops.js'

const folded = (...hops: Hop[]) => {
  const record = recordFor(hops[0]!)
  for (const hop of hops) addHop(record, hop)
  return record
}
const attempt = (statusCode: number | undefined, rest: { retryInMs?: number; error?: string; attempt?: number } = {}): Hop =>
  aHop('attempted', 'a', 0, {
    at: trigger('paid'),
    destination: 'http://sink',
    attempt: 1,
    tookMs: 5,
    ...(statusCode !== undefined && { statusCode }),
    ...rest,
  })
const filtered = (name: string): Hop =>
  aHop('filtered', 'a', 0, { at: trigger(name), clause: 'type', expected: 'order.made', actual: 'order.paid' })

test('an event that nothing is known of is accepted', () => {
  const record = folded(accepted('a', 0, { data: Buffer.from('12345') }))
  expect(record).toMatchObject({ identity: identity('a'), offset: 0, atMs: START_MS, dataBytes: 5, steps: [] })
  expect(stateOf(record)).toBe('Accepted')
})

test('an event that every trigger filtered is filtered, with the clause and both values', () => {
  const record = folded(accepted('a', 0), filtered('one'), filtered('two'))
  expect(stateOf(record)).toBe('Filtered')
  expect(record.steps[0]).toMatchObject({ at: trigger('one'), filtered: { clause: 'type', expected: 'order.made', actual: 'order.paid' } })
})

test('a clause on an attribute that the event lacks has no actual value', () => {
  const record = folded(aHop('filtered', 'a', 0, { at: trigger('one'), clause: 'subject', expected: 'x', actual: undefined }))
  expect(record.steps[0]!.filtered).not.toHaveProperty('actual')
})

test('an event is delivered once one trigger has it and the others filtered it', () => {
  const record = folded(accepted('a', 0), filtered('other'), ...delivered('a', 0))
  expect(stateOf(record)).toBe('Delivered')
  expect(record.steps[1]).toMatchObject({
    attemptCount: 1,
    attempts: [{ number: 1, statusCode: 200, tookMs: 3, destination: 'http://sink' }],
    delivered: { statusCode: 200, destination: 'http://sink' },
  })
})

const givenUp = (): Hop => aHop('dropped', 'a', 0, { at: trigger('paid'), why: 'there is no dead letter sink' })

test('a failed attempt is pending while another one or the dead letter is due, and a failure when it is given up', () => {
  expect(stateOf(folded(accepted('a', 0), attempt(503, { retryInMs: 200 })))).toBe('Delivering')
  expect(stateOf(folded(accepted('a', 0), attempt(503, { retryInMs: 200 }), attempt(503)))).toBe('Delivering')
  expect(stateOf(folded(accepted('a', 0), attempt(503, { retryInMs: 200 }), attempt(503), givenUp()))).toBe('Failed')
  expect(stateOf(folded(accepted('a', 0), attempt(undefined, { error: 'ECONNREFUSED' }), givenUp()))).toBe('Failed')
})

test('a retry that succeeds makes the event delivered, and keeps what was tried before', () => {
  const record = folded(accepted('a', 0), attempt(503, { retryInMs: 200 }), ...delivered('a', 0))
  expect(stateOf(record)).toBe('Delivered')
  expect(record.steps[0]!.attempts.map(({ statusCode }) => statusCode)).toEqual([503, 200])
})

test('a dead letter that arrived is DeadLettered; one that did not is a failure', () => {
  const dead = (rest: { statusCode?: number; error?: string }): Hop =>
    aHop('dead-lettered', 'a', 0, { at: trigger('paid'), destination: 'http://dls', ...rest })
  expect(stateOf(folded(accepted('a', 0), attempt(500), dead({ statusCode: 202 })))).toBe('DeadLettered')
  expect(stateOf(folded(accepted('a', 0), attempt(500), dead({ statusCode: 500 })))).toBe('Failed')
  expect(stateOf(folded(accepted('a', 0), attempt(500), dead({ error: 'refused' })))).toBe('Failed')
})

test('one trigger that failed makes the whole event failed, whatever the others did', () => {
  const record = folded(accepted('a', 0), ...delivered('a', 0, 'good'), attempt(500), givenUp())
  expect(record.steps.map(outcomeOf)).toEqual(['Delivered', 'Failed'])
  expect(stateOf(record)).toBe('Failed')
})

test('a reply that nobody took is a failure, one that was taken is not', () => {
  const replied = (statusCode: number): Hop =>
    aHop('replied', 'a', 0, { at: trigger('paid'), destination: 'http://broker', reply: identity('b'), statusCode })
  expect(stateOf(folded(accepted('a', 0), ...delivered('a', 0), replied(202)))).toBe('Delivered')
  expect(stateOf(folded(accepted('a', 0), ...delivered('a', 0), replied(500)))).toBe('Delivering')
  expect(stateOf(folded(accepted('a', 0), ...delivered('a', 0), replied(500), givenUp()))).toBe('Failed')
})

test('the link to the reply is there whichever is heard of first', () => {
  const replied = aHop('replied', 'a', 0, { at: trigger('paid'), destination: 'http://broker', reply: identity('b'), statusCode: 202 })
  const early = folded(accepted('a', 0))
  addReply(early, trigger('paid'), { record: 'e0000000002', event: identity('b'), atMs: START_MS })
  addHop(early, replied)
  const late = folded(accepted('a', 0), replied)
  addReply(late, trigger('paid'), { record: 'e0000000002', event: identity('b'), atMs: START_MS })
  expect(early.steps[0]!.reply).toEqual(late.steps[0]!.reply)
  expect(early.steps[0]!.reply).toMatchObject({ record: 'e0000000002', destination: 'http://broker', statusCode: 202 })
})

test('an event that was dropped says why', () => {
  const record = folded(accepted('a', 0), aHop('dropped', 'a', 0, { at: trigger('paid'), why: 'its Trigger was deleted' }))
  expect(stateOf(record)).toBe('Dropped')
  expect(record.steps[0]!.dropped).toMatchObject({ why: 'its Trigger was deleted' })
})

test('an event that was given up while a retry was due has failed; a remark before an attempt is none', () => {
  const dropped = aHop('dropped', 'a', 0, { at: trigger('paid'), why: 'x' })
  expect(stateOf(folded(accepted('a', 0), attempt(503, { retryInMs: 200 }), dropped))).toBe('Failed')
  expect(stateOf(folded(accepted('a', 0), dropped, attempt(503, { retryInMs: 200 })))).toBe('Delivering')
  expect(stateOf(folded(accepted('a', 0), dropped, ...delivered('a', 0)))).toBe('Delivered')
})

test('an event that comes round again says which way, and is delivered all the same', () => {
  const cycle = ['Trigger default/paid', 'Trigger default/paid']
  const looped = aHop('looped', 'a', 0, { at: trigger('paid'), cycle })
  expect(stateOf(folded(accepted('a', 0), looped))).toBe('Delivering')
  const record = folded(accepted('a', 0), looped, ...delivered('a', 0))
  expect(stateOf(record)).toBe('Delivered')
  expect(record.steps[0]!.looped).toEqual({ atMs: START_MS, cycle })
})

test('places that an event was not for are told in one list, and stand with the others when it is read', () => {
  const miss = (name: string) => ({ at: trigger(name), clause: 'filter.attributes.type', expected: name, actual: undefined })
  const misses = [miss('audit'), miss('paid'), miss('__proto__')]
  const missed = (list = misses): Hop => aHop('missed', 'a', 0, { misses: list })
  expect(stateOf(folded(accepted('a', 0), missed()))).toBe('Filtered')
  const record = folded(accepted('a', 0), missed(), ...delivered('a', 0), missed([miss('late')]))
  expect(stateOf(record)).toBe('Delivered')
  for (const read of [record, JSON.parse(recordText(record)) as JournalRecord]) {
    expect(stepsOf(read).map((step) => [step.at.name, outcomeOf(step), step.filtered?.expected])).toEqual([
      ['paid', 'Delivered', undefined],
      ['audit', 'Filtered', 'audit'],
      ['__proto__', 'Filtered', '__proto__'],
      ['late', 'Filtered', 'late'],
    ])
  }
})

test('of a thousand attempts the newest fifty are kept, and all are counted', () => {
  const hops = Array.from({ length: 1000 }, (_, index) => attempt(503, { retryInMs: 1, attempt: index + 1 }))
  const [step] = folded(accepted('a', 0), ...hops).steps
  expect(step).toMatchObject({ attemptCount: 1000 })
  expect(step!.attempts).toHaveLength(50)
  expect(step!.attempts.at(-1)).toMatchObject({ number: 1000 })
})
