import { expect, test } from 'vitest'
import { eventFromJson } from '../../../../src/cloudevents/structured.js'
import { lineFrom, linesOf } from '../../../../src/plugins/event/json-lines.js'
import { edited, eventOf } from '../../../../src/plugins/event/recorded-event.js'
import { selectorFrom } from '../../../../src/plugins/event/records.js'
import { aRecord } from './records.js'

const withData = (bytes: Buffer, rest: object = {}) => aRecord({ data: bytes.toString('base64'), dataBytes: bytes.length, ...rest })

test('an event is had back as it was sent: its bytes, and without what brokers add', () => {
  const attributes = {
    specversion: '1.0',
    id: 'a1',
    source: '/shop',
    type: 'order.paid',
    count: 3,
    knativearrivaltime: 'x',
    knativebrokerttl: '255',
  }
  const event = eventOf(withData(Buffer.from([0, 255, 13, 10]), { attributes }))
  expect(event.data).toEqual(Buffer.from([0, 255, 13, 10]))
  expect([...event.attributes.keys()]).toEqual(['specversion', 'id', 'source', 'type', 'count'])
  expect(event.attributes.get('count')).toBe(3)
})

test('what a channel took is left as it is', () => {
  const origin = { kind: 'InMemoryChannel', namespace: 'default', name: 'c', offset: 0 }
  const attributes = { specversion: '1.0', id: 'a1', source: '/shop', type: 'order.paid', knativebrokerttl: '254' }
  expect(eventOf(aRecord({ origin, attributes })).attributes.get('knativebrokerttl')).toBe('254')
})

test('an event that was not kept whole is not sent again', () => {
  expect(() => eventOf(aRecord({ data: Buffer.from('ab').toString('base64'), dataBytes: 9 }))).toThrow(
    "the journal has 2 of the 9 bytes that event 'a1' (e0000000001) carried",
  )
  const { attributes: _, ...spec } = aRecord().spec
  expect(() => eventOf({ ...aRecord(), spec })).toThrow('but not the event itself')
})

test('attributes and data can be changed and taken away', () => {
  const event = edited(eventOf(withData(Buffer.from('old'))), ['type=order.made', 'Region=eu', 'data=new=1'])
  expect(Object.fromEntries(event.attributes)).toMatchObject({ type: 'order.made', region: 'eu' })
  expect(event.data!.toString()).toBe('new=1')
  expect(edited(event, ['region=', 'data=']).attributes.has('region')).toBe(false)
  expect(edited(event, ['data=']).data).toBeUndefined()
})

test.each([
  ['type', '--edit takes NAME=VALUE, given type'],
  ['=x', '--edit takes NAME=VALUE, given =x'],
  ['my-attr=x', '"my-attr" names no attribute: letters and digits only'],
  ['id=', 'these changes make no event: id is missing or empty'],
])('the change %s is refused', (word, message) => {
  expect(() => edited(eventOf(aRecord()), [word])).toThrow(message)
})

test.each([
  ['JSON with white space of its own', 'application/json', '{\n  "a": 1\r\n}'],
  ['JSON on one line', 'application/json', '{"b":1,"a":[ 2]}'],
  ['text with line ends', 'text/plain', 'one\ntwo\r\n'],
  ['bytes', 'application/octet-stream', '\u0000\u0001'],
])('%s keeps its bytes on a line', (_, datacontenttype, data) => {
  const attributes = { specversion: '1.0', id: 'a1', source: '/shop', type: 'order.paid', datacontenttype }
  const event = eventOf(withData(Buffer.from(data), { attributes }))
  const line = lineFrom(event)
  expect(line).not.toMatch(/[\r\n]/)
  const back = eventFromJson(Buffer.from(line))
  expect('event' in back && back.event.data!.toString()).toBe(data)
})

test('empty lines are passed over, and the others keep their numbers', () => {
  expect(linesOf('{}\n\n  \n{"a":1}\r\n')).toEqual([
    { number: 1, line: '{}' },
    { number: 4, line: '{"a":1}\r' },
  ])
})

test('values of a selector are escaped', () => {
  expect(selectorFrom({ type: 'a,b=c\\d', broker: 'x', state: 'Failed' })).toBe(
    'spec.type=a\\,b\\=c\\\\d,spec.origin.kind=Broker,spec.origin.name=x,status.state=Failed',
  )
  expect(selectorFrom({})).toBe('')
})
