import { expect, test } from 'vitest'
import { decodeBatch, decodeMessage, encodeBatch, encodeBinary, encodeStructured } from '../../../src/cloudevents/http.js'
import { anEvent, attributesOf, ceHeaders } from './support.js'

const STRUCTURED = ['Content-Type', 'application/cloudevents+json']
const NO_BODY = Buffer.alloc(0)

function decoded(headers: readonly string[], body: string | Buffer = NO_BODY) {
  const result = decodeMessage(headers, Buffer.from(body))
  if (!('event' in result)) throw new Error(JSON.stringify(result))
  return result
}

function problemOf(headers: readonly string[], body: string | Buffer = NO_BODY): string {
  const result = decodeMessage(headers, Buffer.from(body))
  return 'problem' in result ? result.problem : `no problem: ${JSON.stringify(result)}`
}

const structured = (members: string) => `{"specversion":"1.0","id":"i1","source":"/shop","type":"dev.example.paid"${members}}`

test('a binary message is its ce- headers in any case, its content type and its body', () => {
  const body = Buffer.from('{ "a" : 1 }')
  const headers = [
    'Host',
    'x',
    'Ce-Specversion',
    '1.0',
    'CE-ID',
    'i1',
    'ce-source',
    '/shop',
    'Ce-Type',
    't',
    'Content-Type',
    'application/json',
  ]
  const { event, mode } = decoded([...headers, 'Ce-MyExt', 'V'], body)

  expect(mode).toBe('binary')
  expect(attributesOf(event)).toEqual({
    specversion: '1.0',
    id: 'i1',
    source: '/shop',
    type: 't',
    myext: 'V',
    datacontenttype: 'application/json',
  })
  expect(event.data).toEqual(body)
})

test('an empty body is no data', () => {
  expect(decoded(ceHeaders()).event).not.toHaveProperty('data')
})

test('the first of two headers counts', () => {
  expect(decoded([...ceHeaders({ 'ce-a': 'one' }), 'Ce-A', 'two']).event.attributes.get('a')).toBe('one')
})

test('id, source, type and subject are without white space around them, an empty optional attribute is none', () => {
  const headers = ceHeaders({ 'ce-id': ' i1 ', 'ce-subject': '  ', 'ce-dataschema': '', 'ce-time': '', 'content-type': '', 'ce-ext': '' })
  expect(attributesOf(decoded(headers).event)).toEqual({ specversion: '1.0', id: 'i1', source: '/shop', type: 'dev.example.paid', ext: '' })
})

test('structured mode is told by its media type, whatever its case and parameters, and wins over ce- headers', () => {
  for (const contentType of ['application/cloudevents+json', 'Application/CloudEvents+JSON; charset=utf-8']) {
    const { event, mode } = decoded(['content-type', contentType, ...ceHeaders({ 'ce-id': 'other' })], structured(''))
    expect({ mode, id: event.attributes.get('id') }).toEqual({ mode: 'structured', id: 'i1' })
  }
})

test('what neither has ce-specversion nor is structured is no event, and no problem by itself', () => {
  const headers = [...ceHeaders().slice(2), 'content-type', 'application/cloudevents+xml']
  expect(decodeMessage(headers, Buffer.from('x'))).toEqual({
    none: true,
    why: 'there is no ce-specversion, and the content type is not application/cloudevents+json',
  })
})

test('a version that nobody knows is no event', () => {
  for (const version of ['19.0', '9000.1', '', '1', '1.0.0']) {
    expect(decodeMessage(ceHeaders({ 'ce-specversion': version }), NO_BODY)).toMatchObject({
      none: true,
      why: expect.stringContaining(`"${version}"`),
    })
  }
})

test('0.3 stays 0.3', () => {
  const { event } = decoded(ceHeaders({ 'ce-specversion': '0.3', 'ce-schemaurl': 'relative' }))
  expect(attributesOf(event)).toMatchObject({ specversion: '0.3', schemaurl: 'relative' })
})

test('a batch is refused where one event is taken', () => {
  expect(problemOf(['content-type', 'application/cloudevents-batch+json', ...ceHeaders()], '[]')).toContain('batch')
})

test.each([
  [{ 'ce-id': ' ' }, 'id is missing or empty'],
  [{ 'ce-source': '' }, 'source is missing or empty'],
  [{ 'ce-type': '' }, 'type is missing or empty'],
  [{ 'ce-source': 'http://h/%zz' }, 'source has a % that starts no escape, so it is no URI reference'],
  [{ 'ce-source': 'http://h:port/' }, 'source has a port that is not a number, so it is no URI reference'],
  [{ 'ce-source': '1a:b' }, 'source has a colon in its first segment, so it is no URI reference'],
  [{ 'ce-source': ':' }, 'source lacks a scheme before its colon, so it is no URI reference'],
  [{ 'ce-source': 'http://a b/' }, 'source has a character in its host that no host has, so it is no URI reference'],
  [{ 'ce-source': 'http://[::1/' }, 'source has an opening bracket in its host that is not closed, so it is no URI reference'],
  [{ 'ce-time': 'yesterday' }, 'time "yesterday" is no RFC 3339 timestamp'],
  [{ 'ce-time': '2026-02-29T00:00:00Z' }, 'time "2026-02-29T00:00:00Z" is no RFC 3339 timestamp'],
  [{ 'content-type': 'text/' }, 'datacontenttype "text/" is no media type'],
  [{ 'content-type': 'text/plain; a=1; A=2' }, 'datacontenttype "text/plain; a=1; A=2" is no media type'],
  [{ 'ce-dataschema': 'relative' }, 'dataschema "relative" is no absolute URI'],
  [{ 'ce-my-ext': 'x' }, '"ce-my-ext" names no attribute: letters and digits only'],
  [{ 'ce-': 'x' }, '"ce-" names no attribute: letters and digits only'],
  [{ 'ce-data': 'x' }, '"ce-data" names no attribute: letters and digits only'],
  [{ 'ce-ext': '\xff' }, 'the value of ce-ext is not UTF-8'],
])('a binary message with %j is refused: %s', (headers, problem) => {
  expect(problemOf(ceHeaders(headers as Record<string, string>))).toBe(problem)
})

test.each(['urn:a:b', 'http://u:p@h:80/p?q=%#f', '//h/p', '/a b', 'a/b:c', '#', 'http://[::1]:8080/x', 'mailto:a%zz', 'é'])(
  'the source %s is taken as it is',
  (source) => {
    expect(decoded(ceHeaders({ 'ce-source': Buffer.from(source).toString('latin1') })).event.attributes.get('source')).toBe(source)
  },
)

test.each(['text/plain', 'text/plain;', 'text/plain; charset="a\\"b" ; q=1', 'json', 'application/vnd.a.b+json;v=1'])(
  'the content type %s is taken as it is',
  (contentType) => {
    expect(decoded(ceHeaders({ 'content-type': contentType })).event.attributes.get('datacontenttype')).toBe(contentType)
  },
)

test('header values come and go raw, as UTF-8: an escape is three characters', () => {
  const wire = Buffer.from('Grüße 世界 100%20 "x"').toString('latin1')
  const { event } = decoded(ceHeaders({ 'ce-subject': wire }))
  expect(event.attributes.get('subject')).toBe('Grüße 世界 100%20 "x"')
  expect(encodeBinary(event).headers).toContainEqual(['ce-subject', wire])
})

test('a control character, which no header can carry, is percent-encoded', () => {
  expect(encodeBinary(anEvent({ subject: 'a\r\nx-evil: 1\tb\x7f' })).headers).toContainEqual(['ce-subject', 'a%0D%0Ax-evil: 1\tb%7F'])
})

test('by the HTTP binding, header values are percent-encoded and decoded once', () => {
  const options = { headerValues: 'percent' } as const
  const subject = 'Euro € "100%" 😀\n'
  const { headers } = encodeBinary(anEvent({ subject }), options)
  expect(headers).toContainEqual(['ce-subject', 'Euro%20%E2%82%AC%20%22100%25%22%20%F0%9F%98%80%0A'])
  expect(decodeMessage(headers.flat(), NO_BODY, options)).toMatchObject({
    event: { attributes: new Map([...anEvent({ subject }).attributes].map(([k, v]) => [k, k === 'subject' ? subject.trim() : v])) },
  })

  const read = (value: string) => decodeMessage(ceHeaders({ 'ce-ext': value }), NO_BODY, options)
  expect(read('"a \\"quoted\\" %2520"')).toMatchObject({
    event: { attributes: expect.toSatisfy((map: Map<string, string>) => map.get('ext') === 'a "quoted" %20') },
  })
  expect(read('50%')).toHaveProperty('event')
  expect(read('%C3%28')).toEqual({ problem: 'the value of ce-ext is not UTF-8' })
})

test('binary mode writes the required attributes first, the content type as a header, other types as text and time in UTC', () => {
  const event = anEvent({ n: 42, b: true, time: '2026-01-02T03:04:05.123456780+02:00', datacontenttype: 'text/plain' }, 'hi')
  expect(encodeBinary(event)).toEqual({
    headers: [
      ['ce-specversion', '1.0'],
      ['ce-id', 'i1'],
      ['ce-source', '/shop'],
      ['ce-type', 'dev.example.paid'],
      ['ce-n', '42'],
      ['ce-b', 'true'],
      ['ce-time', '2026-01-02T01:04:05.12345678Z'],
      ['content-type', 'text/plain'],
    ],
    body: Buffer.from('hi'),
  })
})

test('JSON data is cut out byte for byte, white space, order and numbers included', () => {
  const data = '{ "b":1.10,\n "a":[1e400, "\\u00e9", 12345678901234567890] }'
  for (const body of [
    structured(`,"data": ${data} `),
    `{"data":${data},"datacontenttype":"application/x+json","type":"t","source":"s","id":"1","specversion":"1.0"}`,
  ]) {
    expect(decoded(STRUCTURED, body).event.data?.toString()).toBe(data)
  }
})

test('data of another type is a string, of which the text is the payload', () => {
  const body = structured(',"datacontenttype":"text/plain; charset=utf-8","data":"a\\n\\u00fc\\ud83d\\ude00\\ud800"')
  expect(decoded(STRUCTURED, body).event.data?.toString()).toBe('a\nü😀\ufffd')
  expect(problemOf(STRUCTURED, structured(',"datacontenttype":"text/xml","data":{}'))).toBe('data of text/xml is no string')
})

test('data_base64 is decoded, and null is no data', () => {
  expect(decoded(STRUCTURED, structured(',"data_base64":"AAH\\/"')).event.data).toEqual(Buffer.from([0, 1, 255]))
  expect(decoded(STRUCTURED, structured(',"data_base64":null')).event).not.toHaveProperty('data')
  for (const bad of ['"AAH"', '"A?=="', '12', '"AB-_"']) {
    expect(problemOf(STRUCTURED, structured(`,"data_base64":${bad}`))).toBe('data_base64 is no string in base64')
  }
})

test('of data and data_base64, and of a member that is there twice, the last counts', () => {
  expect(decoded(STRUCTURED, structured(',"data":1,"data_base64":"Mg=="')).event.data?.toString()).toBe('2')
  expect(decoded(STRUCTURED, structured(',"data_base64":"Mg==","data":1,"id":"i2"')).event).toMatchObject({ data: Buffer.from('1') })
  expect(decoded(STRUCTURED, structured(',"id":"i2"')).event.attributes.get('id')).toBe('i2')
  expect(problemOf(STRUCTURED, structured(',"specversion":"1.0"'))).toBe('specversion is there twice')
  expect(problemOf(STRUCTURED, structured(',"datacontenttype":"a/b","datacontenttype":"a/b"'))).toBe('datacontenttype is there twice')
})

test('extensions in JSON keep their type, fractions are cut off, null members are dropped, names are in lower case', () => {
  const members = ',"s":"x","n":-42,"f":1.9,"z":-0,"b":false,"nothing":null,"subject":null,"MyExt":"y","constructor":"c","toString":"t"'
  expect(attributesOf(decoded(STRUCTURED, structured(members)).event)).toEqual({
    ...Object.fromEntries(anEvent().attributes),
    s: 'x',
    n: -42,
    f: 1,
    z: 0,
    b: false,
    myext: 'y',
    constructor: 'c',
    tostring: 't',
  })
})

test.each([
  ['', 'the body is not a JSON object'],
  ['[]', 'the body is not a JSON object'],
  ['null', 'the body is not a JSON object'],
  ['{}', 'specversion is missing'],
  [structured('}'), 'the body is not JSON: unexpected at byte 74'],
  [structured(',}'), 'the body is not JSON: unexpected at byte 74'],
  [structured(',"a":01'), 'the body is not JSON: unexpected at byte 79'],
  [structured(',"a":"\n"'), 'the body is not JSON: unexpected at byte 79'],
  [structured(',"a":nul'), 'the body is not JSON: unexpected at byte 78'],
  [structured(',"a":"\\x"'), 'the body is not JSON: unexpected at byte 80'],
  [structured(',"a":{}'), 'a is neither string, number nor boolean'],
  [structured(',"a":2147483648'), 'a is no 32 bit integer'],
  [structured(',"a_b":1'), '"a_b" is no attribute name: letters and digits only'],
  [structured(',"":1'), '"" is no attribute name: letters and digits only'],
  [structured(',"Data":1'), '"Data" is no attribute name: letters and digits only'],
  [structured(',"Type":"x"'), '"Type" is written type'],
  [structured(',"id":1'), 'id is no string'],
  [structured(',"id":""'), 'id is missing or empty'],
  [structured(',"subject":" "'), 'subject is blank'],
  ['{"specversion":"19.0"}', 'specversion "19.0" is neither 1.0 nor 0.3'],
  [Buffer.from(structured(',"a":"\xff"'), 'latin1'), 'the body is not UTF-8'],
  [`\ufeff${structured('')}`, 'the body is not a JSON object'],
])('the structured body %s is refused: %s', (body, problem) => {
  expect(problemOf(STRUCTURED, body)).toBe(problem)
})

test('nesting is taken as deep as Go takes it, and costs no stack', () => {
  const deep = (levels: number) => structured(`,"data":${'['.repeat(levels)}${']'.repeat(levels)}`)
  expect(decoded(STRUCTURED, deep(10_000)).event.data).toHaveLength(20_000)
  expect(problemOf(STRUCTURED, deep(10_001))).toContain('the body is not JSON')
  expect(problemOf(STRUCTURED, structured(`,"data":${'{"a":'.repeat(1_000_000)}`))).toContain('the body is not JSON')
})

test('structured 0.3 carries bytes as datacontentencoding base64, both ways', () => {
  const body =
    '{"specversion":"0.3","id":"i1","source":"/shop","type":"t","datacontenttype":"image/png","datacontentencoding":"base64","data":"AP8="}'
  const { event } = decoded(STRUCTURED, body)
  expect(event.data).toEqual(Buffer.from([0, 255]))
  expect(event.attributes.has('datacontentencoding')).toBe(false)
  expect(JSON.parse(encodeStructured(event).body.toString())).toEqual(JSON.parse(body))
  expect(problemOf(STRUCTURED, body.replace('"base64"', '"rot13"'))).toBe('datacontentencoding "rot13" is not base64')
})

test('structured mode writes members in the order of the SDK, JSON as it is, extensions sorted and with their type', () => {
  const event = anEvent(
    { z: 1, a: true, time: '2026-01-02T03:04:05+01:00', subject: 's"', datacontenttype: 'application/json' },
    '{ "x" : 1.0 }',
  )
  expect(encodeStructured(event)).toEqual({
    headers: [['content-type', 'application/cloudevents+json']],
    body: Buffer.from(
      '{"specversion":"1.0","id":"i1","source":"/shop","type":"dev.example.paid","subject":"s\\"","datacontenttype":"application/json",' +
        '"time":"2026-01-02T02:04:05Z","data":{ "x" : 1.0 },"a":true,"z":1}',
    ),
  })
})

test.each([
  ['text/plain', Buffer.from('ü"'), '"data":"ü\\""'],
  ['text/plain', Buffer.from([0xff]), '"data_base64":"/w=="'],
  ['application/json', Buffer.from('{broken'), '"data_base64":"e2Jyb2tlbg=="'],
  ['application/json', Buffer.from(' [1] '), '"data": [1] '],
  ['application/x+json; v=1', Buffer.from('null'), '"data":null'],
  [undefined, Buffer.from('1'), '"data":1'],
  [undefined, Buffer.from('hello'), '"data_base64":"aGVsbG8="'],
])('structured mode writes a payload of type %s, %j, as %s', (datacontenttype, data, member) => {
  expect(encodeStructured(anEvent({ datacontenttype }, data)).body.toString()).toContain(`,${member}}`)
})

test('a batch is an array of events, and may be empty', () => {
  const events = [anEvent({}, '{"a":1}'), anEvent({ id: 'i2', datacontenttype: 'text/plain' }, 'x')]
  const { headers, body } = encodeBatch(events)
  expect(headers).toEqual([['content-type', 'application/cloudevents-batch+json']])
  expect(decodeBatch(headers.flat(), body)).toEqual({ events })
  expect(decodeBatch(headers.flat(), encodeBatch([]).body)).toEqual({ events: [] })
})

test('a batch with one bad event says which', () => {
  const batch = (body: string) => decodeBatch(['Content-Type', 'application/cloudevents-batch+json'], Buffer.from(body))
  expect(batch(`[${structured('')},{}]`)).toEqual({ problem: 'event 1: specversion is missing' })
  expect(batch(`[${structured('')},]`)).toEqual({ problem: 'the body is not JSON: unexpected at byte 76' })
  expect(batch('{}')).toEqual({ problem: 'the body is not a JSON array' })
  expect(decodeBatch(STRUCTURED, Buffer.from('[]'))).toMatchObject({ none: true })
})

test('64 KiB and more pass', () => {
  const data = Buffer.from(JSON.stringify('x'.repeat(100_000)))
  const { event } = decoded(STRUCTURED, encodeStructured(anEvent({}, data)).body)
  expect(event.data?.equals(data)).toBe(true)
})
