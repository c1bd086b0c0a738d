import { expect, test } from 'vitest'
import { createSeededRandom } from '../../../../src/base/random.js'
import { builtText, eventFromFlags } from '../../../../src/plugins/event/built-event.js'
import { dataFrom, dataText } from '../../../../src/plugins/event/data-fields.js'

const NOW = Date.parse('2026-01-02T03:04:05.678Z')
const built = (flags: Partial<Parameters<typeof eventFromFlags>[0]> = {}) =>
  eventFromFlags({ type: 'order.paid', id: '1', source: '/shop', ...flags }, { nowMs: NOW, random: createSeededRandom(1) })
const json = (fields: string[], rawFields: string[] = []) => dataText(dataFrom({ fields, rawFields }))

test('fields become nested objects with their members in order', () => {
  expect(json(['order.id=42', 'order.a.b=x', 'all=true'])).toBe('{"all":true,"order":{"a":{"b":"x"},"id":42}}')
  expect(json([])).toBe('{}')
})

test.each([
  ['true', 'true'],
  ['True', '"True"'],
  ['42', '42'],
  ['-7', '-7'],
  ['007', '"007"'],
  ['+1', '"+1"'],
  ['-0', '"-0"'],
  ['1.500000', '1.5'],
  ['2345.40', '"2345.40"'],
  ['2.5', '"2.5"'],
  ['1e3', '"1e3"'],
  ['', '""'],
  ['a=b', '"a=b"'],
])('the value %s of a field becomes %s', (value, text) => {
  expect(json([`x=${value}`])).toBe(`{"x":${text}}`)
})

test('raw fields are texts, and come after all others', () => {
  expect(json(['x=1'], ['x=2', 'y=true'])).toBe('{"x":"2","y":"true"}')
})

test('a path through a value is refused in the words of the plugin', () => {
  expect(() => json(['a=1', 'a.b=2'])).toThrow('can\'t set field: "a.b" path in conflict with value 1')
  expect(() => json(['a'])).toThrow('--field takes PATH=VALUE, given a')
})

test('names that mean something to JavaScript are names like others', () => {
  expect(json(['__proto__.x=1', 'constructor=2', 'a.toString=3'])).toBe('{"__proto__":{"x":1},"a":{"toString":3},"constructor":2}')
})

test('data is JSON as Go writes it', () => {
  expect(json(['x=<a&b>'])).toBe('{"x":"\\u003ca\\u0026b\\u003e"}')
})

test('an event for people is printed as Go prints it', async () => {
  expect(await builtText(built({ field: ['order.id=42'] }), 'human')).toBe(`☁️  cloudevents.Event
Validation: valid
Context Attributes,
  specversion: 1.0
  type: order.paid
  source: /shop
  id: 1
  time: 2026-01-02T03:04:05.678Z
  datacontenttype: application/json
Data,
  {
    "order": {
      "id": 42
    }
  }
`)
})

test('an event as JSON has the order of the SDK, as YAML its keys sorted', async () => {
  const text = await builtText(built({ field: ['x=1'] }), 'json')
  expect(text).toBe(`{
  "specversion": "1.0",
  "id": "1",
  "source": "/shop",
  "type": "order.paid",
  "datacontenttype": "application/json",
  "time": "2026-01-02T03:04:05.678Z",
  "data": {
    "x": 1
  }
}
`)
  expect(await builtText(built(), 'yaml')).toMatch(/^data: \{\}\ndatacontenttype: application\/json\nid: "1"\n/)
})

test('an id is made where none is given, and the source is the plugin', () => {
  const { event } = eventFromFlags({ type: 't' }, { nowMs: NOW, random: createSeededRandom(1) })
  expect(event.attributes.get('id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-/)
  expect(event.attributes.get('source')).toMatch(/^kn-event\//)
})

test('flags that make no event are refused', () => {
  expect(() => built({ type: '' })).toThrow('these flags make no event: type is missing or empty')
})
