import { expect, test } from 'vitest'
import { conditionsFrom, insteadText, junitText, mismatchesOf, wantedText } from '../../../../src/plugins/event/expectation.js'
import { aRecord } from './records.js'

const order = (data: unknown) =>
  aRecord({ data: Buffer.from(JSON.stringify(data)).toString('base64'), attributes: { specversion: '1.0', region: 'eu', count: 3 } })
const matches = (flags: Parameters<typeof conditionsFrom>[0], record = order({ order: { id: 42, items: [{ sku: 'a', price: '1' }] } })) =>
  mismatchesOf(record, conditionsFrom(flags)).length === 0

test.each([
  ['$.order.id=42', true],
  ['.order.id=42', true],
  ['order.id=42', true],
  ['{.order.id}=42', true],
  ['$.order.id=43', false],
  ['$.order.nope=42', false],
  ['$.order.items[0].sku=a', true],
  ['$.order.items[?(@.sku=="a")].price=1', true],
])('--data %s', (word, expected) => {
  expect(matches({ data: [word] })).toBe(expected)
})

test('all that is asked for has to hold', () => {
  expect(matches({ type: 'order.paid', source: '/shop', broker: 'default', extension: ['region=eu', 'count=3'] })).toBe(true)
  expect(matches({ type: 'order.paid', extension: ['region=us'] })).toBe(false)
  expect(matches({ subject: 'x' })).toBe(false)
  expect(matches({ extension: ['constructor=x'] })).toBe(false)
})

test('data that is no JSON meets no condition', () => {
  expect(matches({ data: ['$.a=1'] }, aRecord({ data: Buffer.from('{').toString('base64') }))).toBe(false)
  expect(matches({ data: ['$.a=1'] }, aRecord())).toBe(false)
})

test('words without a value and paths that are none are refused', () => {
  expect(() => conditionsFrom({ data: ['$.a'] })).toThrow('--data takes JSONPATH=VALUE, given $.a')
  expect(() => conditionsFrom({ data: ['$.a[=1'] })).toThrow('--data takes JSONPATH=VALUE, given $.a[=1')
  expect(() => conditionsFrom({ extension: ['region'] })).toThrow('--extension takes NAME=VALUE, given region')
})

test('what came instead is told with what was wrong, the nearest first', () => {
  const conditions = conditionsFrom({ type: 'order.payd', source: '/shop' })
  const far = aRecord({ id: 'far', type: 'x', source: '/y' }, {}, 'e0000000002')
  expect(insteadText([far, aRecord()], conditions, 10)).toBe(`What came:
- a1: type order.paid, source /shop, Accepted (e0000000001)
    not type=order.payd: it has 'order.paid'
- far: type x, source /y, Accepted (e0000000002)
    not type=order.payd: it has 'x'
    not source=/shop: it has '/y'
`)
  expect(insteadText([far, aRecord()], conditions, 1)).toContain('… and 1 more\n')
  expect(insteadText([], conditions, 1)).toBe('No event came at all.\n')
})

test('what is wanted is one sentence', () => {
  expect(wantedText(conditionsFrom({ type: 'a' }), 1)).toBe('1 event with type=a')
  expect(wantedText([], 0)).toBe('no event')
  expect(wantedText([], 3)).toBe('3 events')
})

test('a JUnit report is XML whatever the events say', () => {
  const failed = junitText({ name: 'a "b" <c>', seconds: 1.5, failure: { message: 'm & n', details: 'bell\u0007' } })
  expect(failed).toContain('<testcase classname="kn.event.expect" name="a &quot;b&quot; &lt;c&gt;" time="1.500">')
  expect(failed).toContain('<failure message="m &amp; n">bell\ufffd</failure>')
  expect(failed).toContain('tests="1" failures="1"')
  expect(junitText({ name: 'x', seconds: 0, failure: undefined })).toContain('failures="0"')
})
