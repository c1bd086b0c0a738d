import { isUtf8 } from 'node:buffer'
import type { AttributeValue, CloudEvent } from './event.js'
import { eachItem, isJson, isString, textOf } from './json-scan.js'
import { attributeName, attributesProblem } from './validate.js'
import { isJsonContent, timestampFrom } from './values.js'

const MAX_INT_32 = 2 ** 31 - 1
const MIN_INT_32 = -(2 ** 31)

/** The attributes of the specification; they are strings, and without a value when empty. */
const STRINGS = new Set(['id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema'])
/** The ones whose white space at either end Knative's SDK drops. */
const TRIMMED = new Set(['id', 'source', 'type', 'subject'])
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** A value in the text, from its first byte to behind its last. */
interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The event that a JSON text is, or a sentence about what it lacks. JSON data is cut out of the text byte for byte. Of a member that
 * comes twice the last one counts, but `specversion` and `datacontenttype` may come once only.
 * @see cloudevents/spec cloudevents/formats/json-format.md
 * @see cloudevents/sdk-go v2/event/event_unmarshal.go
 */
export function eventFromJson(text: Buffer): { event: CloudEvent } | { problem: string } {
  if (!isUtf8(text)) return { problem: 'the body is not UTF-8' }
  const attributes = new Map<string, AttributeValue>()
  const once = new Set<string>()
  let data: (Span & { isBase64: boolean }) | undefined
  let problem: string | undefined

  const notJson = eachItem(text, 'object', (name, start, end) => {
    if (problem !== undefined) return
    if (name === 'data') {
      data = { start, end, isBase64: false }
    } else if (name === 'data_base64') {
      data = isNull(text, start) ? undefined : { start, end, isBase64: true }
    } else if (name === 'specversion' || name === 'datacontenttype') {
      if (once.has(name)) problem = `${name} is there twice`
      once.add(name)
      problem ??= readString(attributes, name, text, start, end)
    } else {
      problem = STRINGS.has(name) ? readString(attributes, name, text, start, end) : readExtension(attributes, name, text, start, end)
    }
  })
  problem = notJson ?? problem ?? attributesProblem(attributes)
  if (problem !== undefined) return { problem }

  const encoding = attributes.get('specversion') === '0.3' ? attributes.get('datacontentencoding') : undefined
  if (encoding !== undefined) {
    if (encoding !== 'base64') return { problem: `datacontentencoding "${encoding}" is not base64` }
    // It told of the JSON text; the payload is bytes from here on.
    attributes.delete('datacontentencoding')
  }
  if (!data) return { event: { attributes } }
  if (data.isBase64 || encoding !== undefined) {
    const bytes = isString(text, data.start) ? bytesFrom(textOf(text, data.start, data.end)) : undefined
    if (!bytes) return { problem: `${data.isBase64 ? 'data_base64' : 'data'} is no string in base64` }
    return { event: withData(attributes, bytes) }
  }
  const contentType = attributes.get('datacontenttype')
  if (isJsonContent(contentType === undefined ? undefined : String(contentType))) {
    return { event: { attributes, data: text.subarray(data.start, data.end) } }
  }
  if (isNull(text, data.start)) return { event: { attributes } }
  if (!isString(text, data.start)) return { problem: `data of ${contentType} is no string` }
  return { event: withData(attributes, Buffer.from(textOf(text, data.start, data.end))) }
}

function withData(attributes: ReadonlyMap<string, AttributeValue>, data: Buffer): CloudEvent {
  return data.length === 0 ? { attributes } : { attributes, data }
}

function readString(attributes: Map<string, AttributeValue>, name: string, text: Buffer, start: number, end: number): string | undefined {
  if (!isString(text, start) && !isNull(text, start)) return `${name} is no string`
  const value = isString(text, start) ? textOf(text, start, end) : ''
  const kept = TRIMMED.has(name) ? value.trim() : value
  if (kept === '') attributes.delete(name)
  else attributes.set(name, kept)
  return kept === '' && name === 'subject' && value !== '' ? 'subject is blank' : undefined
}

function readExtension(
  attributes: Map<string, AttributeValue>,
  member: string,
  text: Buffer,
  start: number,
  end: number,
): string | undefined {
  const name = attributeName(member)
  if (name === undefined) return `"${member}" is no attribute name: letters and digits only`
  if (name !== member && (STRINGS.has(name) || name === 'specversion')) return `"${member}" is written ${name}`
  if (isString(text, start)) {
    attributes.set(name, textOf(text, start, end))
    return undefined
  }
  const literal = text.toString('latin1', start, Math.min(end, start + 400))
  if (literal === 'null') {
    attributes.delete(name)
    return undefined
  }
  if (literal === 'true' || literal === 'false') {
    attributes.set(name, literal === 'true')
    return undefined
  }
  if (literal.startsWith('{') || literal.startsWith('[')) return `${name} is neither string, number nor boolean`
  const number = Number(text.toString('latin1', start, end))
  if (!(number >= MIN_INT_32 && number <= MAX_INT_32)) return `${name} is no 32 bit integer`
  // Adding 0 turns -0, which JSON has and integers have not, into 0.
  attributes.set(name, Math.trunc(number) + 0)
  return undefined
}

function isNull(text: Buffer, start: number): boolean {
  return text[start] === 0x6e
}

/** Base64 with its padding, as Go reads it: line ends are skipped. */
function bytesFrom(base64: string): Buffer | undefined {
  const packed = /[\r\n]/.test(base64) ? base64.replace(/[\r\n]+/g, '') : base64
  return BASE64.test(packed) ? Buffer.from(packed, 'base64') : undefined
}

/**
 * The event as a JSON text, members in the order of Knative's SDK, extensions sorted. A payload that is JSON and says so goes in byte for
 * byte, one of another type as a string; what is no text, or not the JSON it says it is, as base64.
 * @see cloudevents/sdk-go v2/event/event_marshal.go
 */
export function jsonFromEvent(event: CloudEvent): Buffer {
  const rest = new Map(event.attributes)
  const members: string[] = []
  const isOld = rest.get('specversion') === '0.3'
  const schema = isOld ? 'schemaurl' : 'dataschema'
  const payload = event.data === undefined || event.data.length === 0 ? undefined : payloadOf(event, event.data)
  if (isOld && payload?.isBase64) rest.set('datacontentencoding', 'base64')
  else if (isOld) rest.delete('datacontentencoding')
  for (const name of [
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    ...(isOld ? ['datacontentencoding'] : []),
    'datacontenttype',
    schema,
    'time',
  ]) {
    const value = rest.get(name)
    rest.delete(name)
    if (value === undefined) continue
    members.push(memberOf(name, name === 'time' ? (timestampFrom(String(value)) ?? value) : value))
  }
  const extensions = [...rest].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, value]) => memberOf(name, value))
  if (!payload) return Buffer.from(`{${[...members, ...extensions].join()}}`)
  const before = `{${members.join()},"${payload.isBase64 && !isOld ? 'data_base64' : 'data'}":`
  const after = extensions.length === 0 ? '}' : `,${extensions.join()}}`
  return Buffer.concat([Buffer.from(before), payload.json, Buffer.from(after)])
}

function payloadOf(event: CloudEvent, data: Buffer): { json: Buffer; isBase64: boolean } {
  const contentType = event.attributes.get('datacontenttype')
  if (isUtf8(data)) {
    if (!isJsonContent(contentType === undefined ? undefined : String(contentType))) {
      return { json: Buffer.from(JSON.stringify(data.toString())), isBase64: false }
    }
    if (isJson(data)) return { json: data, isBase64: false }
  }
  return { json: Buffer.from(`"${data.toString('base64')}"`), isBase64: true }
}

function memberOf(name: string, value: AttributeValue): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`
}

/** The events of a JSON array, or a sentence about the first that is none. An empty array is a batch of none. */
export function eventsFromJson(text: Buffer): { events: CloudEvent[] } | { problem: string } {
  if (!isUtf8(text)) return { problem: 'the body is not UTF-8' }
  const events: CloudEvent[] = []
  let problem: string | undefined
  let count = 0
  const notJson = eachItem(text, 'array', (_name, start, end) => {
    const decoded = problem === undefined ? eventFromJson(text.subarray(start, end)) : undefined
    if (decoded && 'problem' in decoded) problem = `event ${count}: ${decoded.problem}`
    else if (decoded) events.push(decoded.event)
    count++
  })
  problem = notJson ?? problem
  return problem === undefined ? { events } : { problem }
}
