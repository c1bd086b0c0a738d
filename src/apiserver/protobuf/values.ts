import { timestamp } from '../../apimachinery/object.js'
import { canonicalQuantity } from '../../apimachinery/quantity.js'
import type { Scalar } from './notation.js'
import {
  int32From,
  int64From,
  malformed,
  type Reader,
  readBytes,
  readDouble,
  readTag,
  readText,
  readVarint,
  skip,
  type Varint,
  WIRE,
} from './wire.js'

/** Types that have a value of their own in JSON; `json` and `object` hold one that was written as JSON. */
export type PlainScalar = Exclude<Scalar, 'json' | 'object'>

/** The form in which values of a type stand on the wire. */
export function wireTypeOf(type: Scalar): number {
  switch (type) {
    case 'bool':
    case 'int32':
    case 'int64':
      return WIRE.varint
    case 'double':
      return WIRE.fixed64
    default:
      return WIRE.bytes
  }
}

/** One value as JSON shows it; undefined for a time that is not set. Throws 400 for what JSON has no words for. */
export function readScalar(type: PlainScalar, reader: Reader): string | number | boolean | undefined {
  switch (type) {
    case 'string':
      return readText(reader)
    case 'bool':
      return isTrue(readVarint(reader))
    case 'int32':
      return int32From(readVarint(reader))
    case 'int64':
      return int64From(readVarint(reader))
    case 'double':
      return finite(readDouble(reader))
    case 'bytes': {
      const { bytes, position, end } = readBytes(reader)
      return bytes.toString('base64', position, end)
    }
    case 'time':
      return time(readBytes(reader))
    case 'microTime':
      return microTime(readBytes(reader))
    case 'quantity':
      return quantity(readBytes(reader))
    case 'intOrString':
      return intOrString(readBytes(reader))
  }
}

/** What a value is that was written without one, as in the entry of a map. */
export function zeroOf(type: PlainScalar): string | number | boolean | undefined {
  switch (type) {
    case 'bool':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'time':
    case 'microTime':
      return undefined
    case 'quantity':
      return '0'
    default:
      return ''
  }
}

const isTrue = ({ low, high }: Varint): boolean => low !== 0 || high !== 0

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw malformed(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`)
}

/** Seconds since 1970 of Go's zero time, the year 1; JSON shows null for it. */
const UNSET = -62_135_596_800
/** 0000-01-01 and 9999-12-31, at midnight and one second before it: what RFC 3339 can say. */
const EARLIEST = -62_167_219_200
const LATEST = 253_402_300_799

/** Parts of a second are lost. @see kubernetes/apimachinery v0.35 pkg/apis/meta/v1/time_proto.go */
function time(reader: Reader): string | undefined {
  if (reader.position === reader.end) return undefined
  const { seconds } = timestampParts(reader)
  return seconds === UNSET ? undefined : timestamp(seconds * 1000)
}

/** Always with six digits of a second. @see kubernetes/apimachinery v0.35 pkg/apis/meta/v1/micro_time_proto.go */
function microTime(reader: Reader): string | undefined {
  if (reader.position === reader.end) return undefined
  const { seconds, nanos } = timestampParts(reader)
  const micros = Math.trunc(nanos / 1000)
  const carried = Math.floor(micros / 1_000_000)
  if (seconds === UNSET && micros === 0) return undefined
  const whole = inYears(seconds + carried)
  return timestamp(whole * 1000).replace('Z', `.${String(micros - carried * 1_000_000).padStart(6, '0')}Z`)
}

function timestampParts(reader: Reader): { seconds: number; nanos: number } {
  let seconds = 0
  let nanos = 0
  eachField(reader, 'Timestamp', { 1: 'Seconds', 2: 'Nanos' }, WIRE.varint, (field) => {
    const value = readVarint(reader)
    if (field === 1) seconds = int64From(value)
    else nanos = int32From(value)
  })
  return { seconds: inYears(seconds), nanos }
}

function inYears(seconds: number): number {
  if (seconds >= EARLIEST && seconds <= LATEST) return seconds
  throw malformed('Time.MarshalJSON: year outside of range [0,9999]')
}

function quantity(reader: Reader): string {
  let text = '0'
  eachField(reader, 'Quantity', { 1: 'String_' }, WIRE.bytes, () => {
    const canonical = canonicalQuantity(readText(reader))
    if (canonical === undefined)
      throw malformed("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    text = canonical
  })
  return text
}

/** @see kubernetes/apimachinery v0.35 pkg/util/intstr/intstr.go */
function intOrString(reader: Reader): string | number {
  let isText = false
  let number = 0
  let text = ''
  while (reader.position < reader.end) {
    const { field, wireType } = readTag(reader, 'IntOrString')
    if (field > 3) {
      skip(reader, wireType)
      continue
    }
    if (wireType !== (field === 3 ? WIRE.bytes : WIRE.varint)) throw wrongWireType(wireType, ['Type', 'IntVal', 'StrVal'][field - 1]!)
    if (field === 3) {
      text = readText(reader)
      continue
    }
    const value = readVarint(reader)
    if (field === 2) number = int32From(value)
    else if (value.low > 1 || value.high > 0) throw malformed('impossible IntOrString.Type')
    else isText = value.low === 1
  }
  return isText ? text : number
}

/** Calls `read` for each field that is named, and skips the others. */
export function eachField(
  reader: Reader,
  message: string,
  names: Readonly<Record<number, string>>,
  expected: number,
  read: (field: number) => void,
): void {
  while (reader.position < reader.end) {
    const { field, wireType } = readTag(reader, message)
    const name = names[field]
    if (name === undefined) skip(reader, wireType)
    else if (wireType !== expected) throw wrongWireType(wireType, name)
    else read(field)
  }
}

export function wrongWireType(wireType: number, goName: string): Error {
  return malformed(`proto: wrong wireType = ${wireType} for field ${goName}`)
}
