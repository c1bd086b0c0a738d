import { expect, test } from 'vitest'
import type { AttributeValue } from '../../../src/cloudevents/event.js'
import { eventText } from '../../../src/images/event-text.js'

function textOf(attributes: Record<string, AttributeValue>, data?: string | Buffer, options?: { isBase64?: boolean }): string {
  const all = { specversion: '1.0', id: 'i', source: '/s', type: 't', ...attributes }
  return eventText({ attributes: new Map(Object.entries(all)), ...(data !== undefined && { data: Buffer.from(data) }) }, options).toString()
}
const jsonOf = (json: string): string => textOf({ datacontenttype: 'application/json; charset=utf-8' }, json).split('Data,\n')[1]!

test('attributes come in the order of Knative’s SDK, extensions by name, the time in UTC', () => {
  const attributes = { time: '2026-01-02T04:04:05.120+01:00', subject: 'sub', dataschema: 'http://d', datacontenttype: 'text/plain' }
  expect(textOf({ zeta: true, ...attributes, alpha: 42 }, 'line 1\nline 2')).toBe(
    [
      'Context Attributes,',
      '  specversion: 1.0',
      '  type: t',
      '  source: /s',
      '  subject: sub',
      '  id: i',
      '  time: 2026-01-02T03:04:05.12Z',
      '  dataschema: http://d',
      '  datacontenttype: text/plain',
      'Extensions,',
      '  alpha: 42',
      '  zeta: true',
      'Data,',
      '  line 1',
      'line 2',
      '',
    ].join('\n'),
  )
})

test('an event without data ends after its attributes, and one of 0.3 shows its schemaurl', () => {
  expect(textOf({ specversion: '0.3', schemaurl: '/schema' })).toBe(
    'Context Attributes,\n  specversion: 0.3\n  type: t\n  source: /s\n  id: i\n  schemaurl: /schema\n',
  )
})

test('JSON is indented, and no number, escape or order of members changes', () => {
  expect(jsonOf('{"b":1.0,"a":12345678901234567890,"1":"\\u00e9 {\\"x\\": [1]}","n":null,"e":{ },"l":[ ],"d":{"k":[true,{"z":-0}]}}')).toBe(
    `  {
    "b": 1.0,
    "a": 12345678901234567890,
    "1": "\\u00e9 {\\"x\\": [1]}",
    "n": null,
    "e": {},
    "l": [],
    "d": {
      "k": [
        true,
        {
          "z": -0
        }
      ]
    }
  }
`,
  )
  expect(jsonOf(' [1] \n')).toBe('  [\n    1\n  ] \n\n')
  expect(jsonOf('"text"')).toBe('  "text"\n')
})

test('what says it is JSON and is not, and JSON under another type, are shown as they came', () => {
  expect(jsonOf('{"a":')).toBe('  {"a":\n')
  expect(textOf({ datacontenttype: 'application/problem+json' }, '{"a":1}')).toMatch(/Data,\n {2}\{"a":1\}\n$/)
})

test('bytes stay bytes, and data that came as base64 is called binary', () => {
  const bytes = Buffer.from([0xff, 0x00, 0x0a])
  const attributes = new Map(Object.entries({ specversion: '1.0', id: 'i', source: '/s', type: 't' }))
  expect(eventText({ attributes, data: bytes }).subarray(-4)).toEqual(Buffer.from([0xff, 0x00, 0x0a, 0x0a]))
  expect(textOf({}, 'x', { isBase64: true })).toMatch(/\nData \(binary\),\n {2}x\n$/)
})
