import { isUtf8 } from 'node:buffer'
import { type AttributeValue, attributeText, type CloudEvent } from './event.js'
import { eventFromJson, eventsFromJson, jsonFromEvent } from './structured.js'
import { attributeName, attributesProblem, isKnownVersion } from './validate.js'
import { mediaTypeOf, timestampFrom } from './values.js'

const STRUCTURED = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'
const NO_BYTES = Buffer.alloc(0)
/** The order of the headers: what every event has first, then the rest as it came. */
const FIRST = ['specversion', 'id', 'source', 'type']
/** Attributes of the specification: white space around them does not count, and an empty one is none. */
const TRIMMED = new Set(['id', 'source', 'type', 'subject', 'time', 'dataschema', 'schemaurl', 'datacontenttype'])

/**
 * What a message turned out to be: an event and how it came, something that claims to be one and is not (`problem` says why, the
 * sentence for a 400), or nothing that claims to be one (`why` says what is missing; a reply may be that).
 */
export type Decoded =
  | { readonly event: CloudEvent; readonly mode: 'binary' | 'structured' }
  | { readonly problem: string }
  | { readonly none: true; readonly why: string }

export type DecodedBatch =
  | { readonly events: readonly CloudEvent[] }
  | { readonly problem: string }
  | { readonly none: true; readonly why: string }

/** Headers, names in lower case and values as Node's HTTP writes and reads them, one byte a character; and the body. */
export interface Message {
  readonly headers: [name: string, value: string][]
  readonly body: Buffer
}

export interface HeaderOptions {
  /**
   * `raw`, the default, is what Knative does: values are UTF-8 as it stands, `%20` is three characters, to filters too.
   * `percent` is the HTTP binding's own rule, for those who are no part of a broker.
   */
  readonly headerValues?: 'raw' | 'percent'
}

/**
 * Reads a request or a response. `headers` are Node's `rawHeaders`: name, value, name, value …; of a header that comes twice the first
 * counts. A content type of `application/cloudevents+json` means structured mode, whatever else is there; else `ce-specversion` means
 * binary mode. Batches are a problem here. The event shares the memory of `body`. Never throws.
 * @see cloudevents/spec cloudevents/bindings/http-protocol-binding.md
 * @see cloudevents/sdk-go v2/protocol/http/message.go
 */
export function decodeMessage(headers: readonly string[], body: Buffer, { headerValues = 'raw' }: HeaderOptions = {}): Decoded {
  const contentType = headerOf(headers, 'content-type')
  const mediaType = contentType === undefined ? '' : mediaTypeOf(contentType)
  if (mediaType === STRUCTURED) {
    const decoded = eventFromJson(body)
    return 'problem' in decoded ? decoded : { event: decoded.event, mode: 'structured' }
  }
  if (mediaType === BATCH) return { problem: 'a batch of events is not taken, only one at a time' }
  const version = headerOf(headers, 'ce-specversion')?.trim()
  if (!isKnownVersion(version)) {
    const missing = version === undefined ? 'there is no ce-specversion' : `ce-specversion "${version}" is neither 1.0 nor 0.3`
    return { none: true, why: `${missing}, and the content type is not ${STRUCTURED}` }
  }
  return decodeBinary(headers, contentType, body, headerValues)
}

function decodeBinary(headers: readonly string[], contentType: string | undefined, body: Buffer, headerValues: 'raw' | 'percent'): Decoded {
  const attributes = new Map<string, AttributeValue>()
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const header = headers[at]!
    if (!isAttributeHeader(header)) continue
    const name = attributeName(header.slice(3))
    if (name === undefined) return { problem: `"${header}" names no attribute: letters and digits only` }
    if (attributes.has(name)) continue
    const value = valueFrom(headers[at + 1]!, headerValues)
    if (value === undefined) return { problem: `the value of ${header.toLowerCase()} is not UTF-8` }
    attributes.set(name, TRIMMED.has(name) ? value.trim() : value)
  }
  // The content type has a header of its own, which needs no percent-encoding.
  if (contentType !== undefined) {
    const value = valueFrom(contentType, 'raw')
    if (value === undefined) return { problem: 'the value of content-type is not UTF-8' }
    attributes.set('datacontenttype', value.trim())
  }
  for (const name of TRIMMED) if (attributes.get(name) === '') attributes.delete(name)
  attributes.set('specversion', attributeText(attributes.get('specversion')!).trim())
  const problem = attributesProblem(attributes)
  if (problem !== undefined) return { problem }
  return { event: body.length === 0 ? { attributes } : { attributes, data: body }, mode: 'binary' }
}

/** Reads a batch; `none` when the content type says it is not one. Never throws. */
export function decodeBatch(headers: readonly string[], body: Buffer): DecodedBatch {
  const contentType = headerOf(headers, 'content-type')
  if (contentType === undefined || mediaTypeOf(contentType) !== BATCH) return { none: true, why: `the content type is not ${BATCH}` }
  return eventsFromJson(body)
}

/**
 * The event in binary mode: the payload as it is, each attribute a header. `time` goes out in UTC, as Knative's SDK writes it. Control
 * characters, which no header can carry, are percent-encoded in `raw` too.
 */
export function encodeBinary(event: CloudEvent, { headerValues = 'raw' }: HeaderOptions = {}): Message {
  const headers: [string, string][] = []
  const add = (name: string, value: AttributeValue): void => {
    if (name === 'datacontenttype') headers.push(['content-type', headerFrom(attributeText(value), 'raw')])
    else if (name === 'time') headers.push(['ce-time', headerFrom(timestampFrom(String(value)) ?? attributeText(value), headerValues)])
    else headers.push([`ce-${name}`, headerFrom(attributeText(value), headerValues)])
  }
  for (const name of FIRST) {
    const value = event.attributes.get(name)
    if (value !== undefined) add(name, value)
  }
  for (const [name, value] of event.attributes) if (!FIRST.includes(name)) add(name, value)
  return { headers, body: event.data ?? NO_BYTES }
}

/** The event in structured mode, in the JSON format. */
export function encodeStructured(event: CloudEvent): Message {
  return { headers: [['content-type', STRUCTURED]], body: jsonFromEvent(event) }
}

/** Events as a batch, in the JSON format; none is a batch too. */
export function encodeBatch(events: readonly CloudEvent[]): Message {
  const parts: Buffer[] = [Buffer.from('[')]
  events.forEach((event, index) => {
    if (index > 0) parts.push(Buffer.from(','))
    parts.push(jsonFromEvent(event))
  })
  return { headers: [['content-type', BATCH]], body: Buffer.concat([...parts, Buffer.from(']')]) }
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const header = headers[at]!
    if (header.length === name.length && header.toLowerCase() === name) return headers[at + 1]
  }
  return undefined
}

/** Whether the name begins with `ce-`, in either case. */
function isAttributeHeader(name: string): boolean {
  return name.charCodeAt(2) === 0x2d && (name.charCodeAt(0) | 0x20) === 0x63 && (name.charCodeAt(1) | 0x20) === 0x65
}

/** Node hands out header bytes as Latin-1. Undefined: they are not UTF-8. */
function valueFrom(header: string, headerValues: 'raw' | 'percent'): string | undefined {
  const text = textFrom(header)
  return text === undefined || headerValues === 'raw' ? text : percentDecoded(unquoted(text))
}

function textFrom(header: string): string | undefined {
  if (!/[^\x00-\x7f]/.test(header)) return header
  // No header's bytes: somebody has decoded it already.
  if (/[^\x00-\xff]/.test(header)) return header
  const bytes = Buffer.from(header, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : undefined
}

function unquoted(text: string): string {
  return /^"(?:[^"\\]|\\.)*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text
}

/** One round of percent-decoding. A % that starts no escape stands for itself. Undefined: an escape is not UTF-8. */
function percentDecoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  let isBroken = false
  const decoded = text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex')
    isBroken ||= !isUtf8(bytes)
    return bytes.toString()
  })
  return isBroken ? undefined : decoded
}

function headerFrom(text: string, headerValues: 'raw' | 'percent'): string {
  if (headerValues === 'percent') return text.replace(/[^\x21\x23\x24\x26-\x7e]+/g, percentEncoded)
  const clean = /[\x00-\x08\x0a-\x1f\x7f]/.test(text) ? text.replace(/[\x00-\x08\x0a-\x1f\x7f]+/g, percentEncoded) : text
  return /[^\x00-\x7f]/.test(clean) ? Buffer.from(clean).toString('latin1') : clean
}

function percentEncoded(text: string): string {
  return Buffer.from(text).toString('hex').toUpperCase().replace(/../g, '%$&')
}
