import { describe, expect, test } from 'vitest'
import type { AttributeValue } from '../../../src/cloudevents/event.js'
import { attributesFilter, type FilterSpec, filterFrom, nearMiss, triggerFilter } from '../../../src/cloudevents/filters.js'
import { anEvent } from './support.js'

const PASS: FilterSpec = { exact: { type: 'dev.example.paid' } }
const FAIL: FilterSpec = { exact: { type: 'other' } }
const NONE: FilterSpec = {}
const CRASH: FilterSpec = { cesql: '1 + 1' }

function result(filters: FilterSpec[], attributes: Record<string, AttributeValue | undefined> = {}) {
  const filter = filterFrom(filters)
  const event = anEvent(attributes)
  expect(filter.explain(event).result).toBe(filter.test(event))
  return filter.test(event)
}

describe('filter.attributes', () => {
  test.each([
    [{}, 'pass'],
    [{ type: 'dev.example.paid', source: '/shop' }, 'pass'],
    [{ type: 'dev.example.paid', source: '/other' }, 'fail'],
    [{ type: 'Dev.example.paid' }, 'fail'],
    [{ type: '' }, 'pass'],
    [{ subject: '' }, 'fail'],
    [{ empty: '' }, 'fail'],
    [{ missing: 'x' }, 'fail'],
    [{ n: '42', b: 'true' }, 'pass'],
    [{ n: '42.0' }, 'fail'],
    [{ constructor: '' }, 'fail'],
    [{ time: '' }, 'pass'],
    [{ time: '0001-01-01T00:00:00Z' }, 'pass'],
    [{ datamediatype: 'text/plain' }, 'pass'],
    [{ datacontenttype: 'text/plain;charset=utf-8' }, 'pass'],
    [{ datacontentencoding: '' }, 'fail'],
  ] as const)('%j: %s', (attributes, expected) => {
    const event = anEvent({ empty: '', n: 42, b: true, datacontenttype: 'text/plain;charset=utf-8' })
    const filter = attributesFilter(attributes)
    expect([filter.test(event), filter.explain(event).result]).toEqual([expected, expected])
  })

  test('without attributes there is no filter', () => {
    expect(attributesFilter(undefined).test(anEvent())).toBe('none')
  })
})

test('time is compared as RFC 3339 in UTC', () => {
  const time = { time: '2026-01-02T03:04:05.500+01:00' }
  expect(result([{ exact: { time: '2026-01-02T02:04:05.5Z' } }], time)).toBe('pass')
  expect(result([{ prefix: { time: '2026-01-02T02' } }], time)).toBe('pass')
  expect(result([{ prefix: { time: '0001-' } }])).toBe('pass')
})

test('dataschema answers to schemaurl as well, and in 0.3 the other way round', () => {
  expect(result([{ exact: { schemaurl: 'http://x/' } }], { dataschema: 'http://x/' })).toBe('pass')
  expect(result([{ exact: { dataschema: 'x' } }], { specversion: '0.3', schemaurl: 'x' })).toBe('pass')
})

test.each([
  ['exact', [{ exact: { type: 'dev.example.paid', source: '/shop' } }], 'pass'],
  ['exact, one of two', [{ exact: { type: 'dev.example.paid', source: '/x' } }], 'fail'],
  ['prefix', [{ prefix: { type: 'dev.' } }], 'pass'],
  ['prefix of what is shorter', [{ prefix: { type: 'dev.example.paid.more' } }], 'fail'],
  ['prefix of what is absent', [{ prefix: { subject: 'x' } }], 'fail'],
  ['suffix', [{ suffix: { type: '.paid' } }], 'pass'],
  ['suffix in other case', [{ suffix: { type: '.Paid' } }], 'fail'],
  ['no entries', [], 'none'],
  ['an empty entry', [NONE], 'none'],
  ['an empty value', [{ exact: { type: '' } }], 'none'],
  ['one empty value of two', [{ prefix: { type: 'dev', source: '' } }], 'none'],
  ['an expression that does not parse', [{ cesql: '(((' }], 'none'],
  ['entries are ANDed', [PASS, FAIL], 'fail'],
  ['unusable entries are left out', [PASS, NONE], 'pass'],
  ['all', [{ all: [PASS, PASS] }], 'pass'],
  ['all with a fail', [{ all: [PASS, FAIL, PASS] }], 'fail'],
  ['all of nothing usable', [{ all: [NONE] }], 'none'],
  ['all with an inner none at its end', [{ all: [PASS, { not: NONE }] }], 'none'],
  ['all with an inner none before its end', [{ all: [{ not: NONE }, PASS] }], 'pass'],
  ['any', [{ any: [FAIL, PASS] }], 'pass'],
  ['any of fails', [{ any: [FAIL, FAIL] }], 'fail'],
  ['any with a none at its end', [{ any: [FAIL, { not: NONE }] }], 'none'],
  ['any with a none before its end', [{ any: [{ not: NONE }, FAIL] }], 'fail'],
  ['any with a left-out entry at its end', [{ any: [FAIL, NONE] }], 'fail'],
  ['any of nothing usable', [{ any: [NONE] }], 'none'],
  ['not of a pass', [{ not: PASS }], 'fail'],
  ['not of a fail', [{ not: FAIL }], 'pass'],
  ['not of nothing', [{ not: NONE }], 'none'],
  ['not of not', [{ not: { not: PASS } }], 'pass'],
  ['cesql', [{ cesql: "type LIKE 'dev.%'" }], 'pass'],
  ['cesql false', [{ cesql: "type = 'x'" }], 'fail'],
  ['cesql with an error', [{ cesql: "subject = 'x' OR TRUE" }], 'fail'],
  ['cesql that comes to no boolean', [CRASH], 'fail'],
  ['not of an expression that comes to no boolean', [{ not: CRASH }], 'fail'],
  ['any with a pass before such an expression', [{ any: [PASS, CRASH] }], 'pass'],
  ['any with a pass behind such an expression', [{ any: [CRASH, PASS] }], 'fail'],
  ['the first dialect of several: exact', [{ exact: { type: 'x' }, any: [PASS] }], 'fail'],
  ['an empty map is no dialect', [{ exact: {}, prefix: { type: 'dev' } }], 'pass'],
  ['the first dialect of several: not before cesql', [{ not: PASS, cesql: 'TRUE' }], 'fail'],
] as [string, FilterSpec[], string][])('%s', (_name, filters, expected) => {
  expect(result(filters)).toBe(expected)
})

test('a Trigger looks at spec.filters first, then at spec.filter', () => {
  const filter = { attributes: { type: 'other' } }
  expect(triggerFilter({ filters: [PASS], filter }).test(anEvent())).toBe('pass')
  expect(triggerFilter({ filters: [], filter }).test(anEvent())).toBe('fail')
  expect(triggerFilter({ filter: {} }).test(anEvent())).toBe('none')
})

describe('explain names the clause that decided', () => {
  const verdict = (filters: FilterSpec[], attributes = {}) => filterFrom(filters).explain(anEvent(attributes))

  test('deep inside', () => {
    const filters = [{ all: [PASS, { exact: { source: '/shop', type: 'dev.example.pald' } }] }, PASS]
    expect(verdict(filters)).toEqual({
      result: 'fail',
      clause: 'filters[0].all[1].exact.type',
      expected: 'dev.example.pald',
      actual: 'dev.example.paid',
      reason: 'type is "dev.example.paid", not "dev.example.pald"',
      hint: 'one character differs: the event has "i", the filter "l"',
    })
  })

  test('of an attribute that is not there, and one that is nearly called so', () => {
    expect(verdict([{ prefix: { orderid: 'x' } }], { ordrid: 'x1' })).toEqual({
      result: 'fail',
      clause: 'filters[0].prefix.orderid',
      expected: 'x',
      reason: 'the event has no orderid',
      hint: 'the event has ordrid',
    })
  })

  test('of any and not, with what is inside', () => {
    expect(verdict([{ any: [FAIL, { suffix: { source: 'x' } }] }])).toMatchObject({
      result: 'fail',
      clause: 'filters[0].any',
      reason: 'none of its 2 conditions holds',
      because: [{ clause: 'filters[0].any[0].exact.type' }, { clause: 'filters[0].any[1].suffix.source' }],
    })
    expect(verdict([{ not: { prefix: { type: 'dev.' } } }])).toMatchObject({
      result: 'fail',
      clause: 'filters[0].not',
      reason: 'what it excludes holds: type "dev.example.paid" begins with "dev."',
    })
  })

  test('of an expression, with its value or its error', () => {
    expect(verdict([{ cesql: "type = 'x'" }])).toMatchObject({ expected: "type = 'x'", actual: 'false', reason: 'the expression is false' })
    expect(verdict([{ cesql: "subject = 'x'" }])).toEqual({
      result: 'fail',
      clause: 'filters[0].cesql',
      expected: "subject = 'x'",
      reason: 'the expression fails: the event has no subject (missingAttribute)',
    })
    expect(verdict([{ any: [{ cesql: 'type' }] }])).toMatchObject({
      clause: 'filters[0].any[0].cesql',
      reason: 'the expression is "dev.example.paid", neither true nor false',
      crash: true,
    })
    expect(verdict([{ not: { cesql: "SUBSTRING('abc', 1, -1) = 'a'" } }])).toMatchObject({ result: 'fail', crash: true })
  })

  test('of attributes', () => {
    const filter = attributesFilter({ type: 'dev.example.paid', source: '' })
    expect(filter.explain(anEvent())).toMatchObject({ result: 'pass', clause: 'filter.attributes' })
    expect(filter.explain(anEvent({ source: '' }))).toMatchObject({ result: 'fail', clause: 'filter.attributes.source' })
  })
})

test.each([
  ['paid', 'paid ', 'the two differ in white space only'],
  ['dev.paid', 'dev.Paid', 'the two differ in upper and lower case only'],
  ['dev.paid', 'dev.payd', 'one character differs: the event has "y", the filter "i"'],
  ['dev.paid', 'dev.paidd', 'the event\'s value has one character more: "d"'],
  ['dev.paid', 'dev.pad', 'the event\'s value lacks one character: "i"'],
  ['dev.paid', 'dev.piad', 'two characters are swapped: the event has "ia", the filter "ai"'],
  ['dev.example', 'dev.example.paid', "the event's value begins with it: a prefix filter would match"],
  ['paid', 'dev.example.paid', "the event's value ends with it: a suffix filter would match"],
  ['example', 'dev.example.paid', "it is inside the event's value: LIKE '%example%' in cesql would match"],
  ['dev.example.paid.v1', 'dev.example', "the event's value is only the beginning of it"],
  ['dev.*', 'dev.example', 'a filter has no wildcards here: use prefix, suffix, or LIKE in cesql'],
  ['paid', 'shipped', undefined],
  ['paid', 'paid', undefined],
])('%s for %s: %s', (expected, actual, hint) => {
  expect(nearMiss(expected, actual)).toBe(hint)
})

test('a prefix and a suffix that were mixed up are told from a slip', () => {
  expect(nearMiss('.paid', 'dev.paid', 'prefix')).toBe("the event's value ends with it: a suffix filter would match")
  expect(nearMiss('dev.', 'dev.paid', 'suffix')).toBe("the event's value begins with it: a prefix filter would match")
  expect(nearMiss('Dev.', 'dev.paid', 'prefix')).toBe('the two differ in upper and lower case only')
  expect(nearMiss('.pald', 'dev.paid', 'suffix')).toBe('one character differs: the event has "i", the filter "l"')
})
