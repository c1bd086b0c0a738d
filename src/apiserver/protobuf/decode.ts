import { isJsonObject, type JsonObject, setValue } from '../../apimachinery/json.js'
import { StatusError } from '../../apimachinery/status-error.js'
import { DEEPEST, type Decoded, decodeJson } from '../http/json-text.js'
import { KINDS } from './messages/index.js'
import type { Field, Message, Scalar } from './notation.js'
import { eachField, readScalar, wireTypeOf, wrongWireType, zeroOf } from './values.js'
import { malformed, type Reader, readBytes, readerOf, readTag, readText, skip, WIRE } from './wire.js'

/** What a body is expected to be: it has this type where it does not say otherwise. */
export interface ExpectedType {
  apiVersion: string
  kind: string
}

/** `k8s` and a zero byte: what every protobuf body begins with. */
const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00])
/** How the API server calls its table of types. */
const SCHEME = 'pkg/api/legacyscheme/scheme.go:30'

/**
 * Reads a body in Kubernetes' protobuf encoding into the object that the same sender would have written as JSON, but for empty
 * fields that mean nothing: they are left out. Fields that are not known are skipped, so fieldValidation has nothing to judge.
 * Throws 400, and nothing else, for whatever is not such a body.
 *
 * @see kubernetes/apimachinery v0.35 pkg/runtime/serializer/protobuf/protobuf.go
 * @see kubernetes/apiserver v0.35 pkg/endpoints/handlers/rest.go, transformDecodeError
 */
export function decodeProtobuf(body: Buffer, expected: ExpectedType | undefined): Decoded {
  let type: ExpectedType | undefined
  try {
    const { raw, ...said } = envelopeFrom(body)
    type = typeFrom(said, expected)
    return { value: { ...type, ...contentOf(type, raw, 0) }, problems: [] }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw malformed(type ? handledAs(type, expected, error.message) : unrecognized(body, expected, error.message))
  }
}

function handledAs({ apiVersion, kind }: ExpectedType, expected: ExpectedType | undefined, why: string): string {
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected?.kind ?? kind}: ${why}`
}

const SUMMARY_BYTES = 30

function unrecognized(body: Buffer, expected: ExpectedType | undefined, why: string): string {
  const start = body.toString('hex', 0, SUMMARY_BYTES)
  const summary = body.length === 0 ? '<empty>' : body.length > SUMMARY_BYTES ? `${start} ...` : start
  return `the object provided is unrecognized${expected ? ` (must be of type ${expected.kind})` : ''}: ${why} (${summary})`
}

interface Envelope {
  apiVersion: string
  kind: string
  raw: Reader
}

/** runtime.Unknown { typeMeta#1 { apiVersion#1, kind#2 }, raw#2, contentEncoding#3, contentType#4 }. */
function envelopeFrom(body: Buffer): Envelope {
  if (body.length === 0) throw malformed('empty data')
  if (!isEnvelope(body)) throw malformed(`provided data does not appear to be a protobuf message, expected prefix [${MAGIC.join(' ')}]`)
  if (body.length === MAGIC.length) throw malformed('empty body')
  const reader = readerOf(body)
  reader.position = MAGIC.length
  const envelope: Envelope = { apiVersion: '', kind: '', raw: { bytes: body, position: 0, end: 0 } }
  eachField(reader, 'Unknown', { 1: 'TypeMeta', 2: 'Raw', 3: 'ContentEncoding', 4: 'ContentType' }, WIRE.bytes, (field) => {
    const part = readBytes(reader)
    if (field === 2) envelope.raw = part
    if (field !== 1) return
    eachField(part, 'TypeMeta', { 1: 'APIVersion', 2: 'Kind' }, WIRE.bytes, (member) => {
      envelope[member === 1 ? 'apiVersion' : 'kind'] = readText(part)
    })
  })
  return envelope
}

const isEnvelope = (bytes: Buffer): boolean => bytes.subarray(0, MAGIC.length).equals(MAGIC)

function typeFrom(said: ExpectedType, expected: ExpectedType | undefined): ExpectedType {
  const apiVersion = said.apiVersion || expected?.apiVersion
  const kind = said.kind || expected?.kind
  const shown = `runtime.TypeMeta{APIVersion:${JSON.stringify(said.apiVersion)}, Kind:${JSON.stringify(said.kind)}}`
  if (!kind) throw malformed(`Object 'Kind' is missing in '${shown}'`)
  if (!apiVersion) throw malformed(`Object 'apiVersion' is missing in '${shown}'`)
  return { apiVersion, kind }
}

/** The message of a type as an object without apiVersion and kind. */
function contentOf({ apiVersion, kind }: ExpectedType, raw: Reader, depth: number): JsonObject {
  const message = messageOf(apiVersion, kind)
  if (!message)
    throw malformed(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(SCHEME)}`,
    )
  const object: JsonObject = {}
  readFields(object, message, raw, depth + 1)
  return object
}

/** DeleteOptions belong to every version, and each kind has a list of it. */
function messageOf(apiVersion: string, kind: string): Message | undefined {
  if (kind === 'DeleteOptions') return KINDS.get('meta.k8s.io/v1/DeleteOptions')
  const known = KINDS.get(`${apiVersion}/${kind}`)
  if (known || !kind.endsWith('List')) return known
  const item = KINDS.get(`${apiVersion}/${kind.slice(0, -'List'.length)}`)
  const fields = KINDS.get('v1/List')!.fields
  return item && { name: kind, isEither: false, fields: new Map([...fields, [2, { ...fields.get(2)!, type: item }]]) }
}

/** Reads a message into an object, which may hold fields of an earlier part of the same message. */
function readFields(object: JsonObject, message: Message, reader: Reader, depth: number): void {
  if (depth > DEEPEST) throw malformed('exceeded max depth')
  while (reader.position < reader.end) {
    const { field: number, wireType } = readTag(reader, message.name)
    const field = message.fields.get(number)
    if (field) readField(object, field, reader, wireType, depth)
    else skip(reader, wireType)
  }
}

function readField(object: JsonObject, field: Field, reader: Reader, wireType: number, depth: number): void {
  const { name, shape, type } = field
  const wanted = shape === 'map' ? WIRE.bytes : wireTypeFor(type)
  const isPacked = shape === 'list' && wireType === WIRE.bytes && wanted === WIRE.varint
  if (wireType !== wanted && !isPacked) throw wrongWireType(wireType, goNameOf(field))
  if (name === undefined) {
    readFields(object, type as Message, readBytes(reader), depth)
    return
  }
  const before = object[name]
  if (shape === 'list') {
    const list = Array.isArray(before) ? before : []
    object[name] = list
    const part = isPacked ? readBytes(reader) : undefined
    if (!part) list.push(readValue(type, reader, depth + 1) ?? null)
    while (part && part.position < part.end) list.push(readValue(type, part, depth + 1))
  } else if (shape === 'map') {
    const map = isJsonObject(before) ? before : {}
    object[name] = map
    readEntry(map, type, readBytes(reader), depth + 1)
  } else {
    const value = readValue(type, reader, depth, isJsonObject(before) ? before : undefined)
    if (value === undefined || (!field.isKept && isEmpty(value))) delete object[name]
    else object[name] = value
  }
}

/** An entry of a map, { key#1, value#2 }, either of which may be missing. */
function readEntry(map: JsonObject, type: Field['type'], reader: Reader, depth: number): void {
  let key = ''
  let value: unknown
  let hasValue = false
  while (reader.position < reader.end) {
    const { field, wireType } = readTag(reader, 'MapEntry')
    if (field === 1 && wireType === WIRE.bytes) {
      key = readText(reader)
    } else if (field === 2 && wireType === wireTypeFor(type)) {
      value = readValue(type, reader, depth)
      hasValue = true
    } else if (field <= 2) {
      throw wrongWireType(wireType, field === 1 ? 'mapkey' : 'mapvalue')
    } else {
      skip(reader, wireType)
    }
  }
  if (!hasValue) value = emptyOf(type)
  setValue(map, key, value ?? null)
}

function emptyOf(type: Field['type']): unknown {
  if (type === 'json' || type === 'object') return undefined
  if (typeof type === 'string') return zeroOf(type)
  return type.isEither ? chosen(type, {}) : {}
}

/** `before` is what an earlier part of the same message held. Undefined stands for null. */
function readValue(type: Field['type'], reader: Reader, depth: number, before: JsonObject = {}): unknown {
  if (type === 'json' || type === 'object') return readRaw(type, readBytes(reader), depth)
  if (typeof type === 'string') return readScalar(type, reader)
  const part = readBytes(reader)
  if (type.isEither) {
    const fields: JsonObject = {}
    readFields(fields, type, part, depth + 1)
    return chosen(type, fields)
  }
  readFields(before, type, part, depth + 1)
  return before
}

function chosen({ fields }: Message, read: JsonObject): unknown {
  if (read['2'] !== undefined) return read['2']
  if (read['1'] !== undefined) return read['1']
  const { shape, type } = fields.get(1)!
  if (shape === 'list') return []
  return type === 'bool' ? false : undefined
}

/** Bytes that hold JSON or, in the items of a List, another body: { raw#1 }. */
function readRaw(type: Scalar, reader: Reader, depth: number): unknown {
  let raw: Reader | undefined
  eachField(reader, 'RawExtension', { 1: 'Raw' }, WIRE.bytes, () => {
    raw = readBytes(reader)
  })
  if (!raw || raw.position === raw.end) return undefined
  const bytes = raw.bytes.subarray(raw.position, raw.end)
  if (type === 'object' && isEnvelope(bytes)) {
    const { raw: content, ...said } = envelopeFrom(bytes)
    const inner = typeFrom(said, undefined)
    return { ...inner, ...contentOf(inner, content, depth) }
  }
  const { value } = decodeJson(bytes.toString())
  if (depth + depthOf(value) > DEEPEST) throw malformed('exceeded max depth')
  return value
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce((deepest: number, member) => Math.max(deepest, depthOf(member)), 0)
}

function wireTypeFor(type: Field['type']): number {
  return typeof type === 'string' ? wireTypeOf(type) : WIRE.bytes
}

function isEmpty(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true
  return isJsonObject(value) && Object.keys(value).length === 0
}

/** Fields as Go calls them, for refusals. */
function goNameOf({ name, type }: Field): string {
  if (name === undefined) return (type as Message).name
  return name.charAt(0).toUpperCase() + name.slice(1)
}
