import { refusals, type StatusError } from '../../apimachinery/status-error.js'

/** What of a body is still to be read. */
export interface Reader {
  readonly bytes: Buffer
  /** Of the next byte. */
  position: number
  /** Just behind the last byte. */
  readonly end: number
}

/** How a field's value is written, by the number that stands in its tag. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const

/** A number that says which field follows, and in which form. */
export interface Tag {
  field: number
  wireType: number
}

/** The refusal of bytes that are no message. */
export function malformed(what: string): StatusError {
  return refusals.badRequest(what)
}

export function readerOf(bytes: Buffer): Reader {
  return { bytes, position: 0, end: bytes.length }
}

/**
 * A number of 64 bits, as two unsigned halves. Not a bigint: where optimised code chooses between two of 64 bits, Node 20 ends itself
 * ("RepresentationChangerError: Phi of kRepTagged (UnsignedBigInt64)"), and this runs on what strangers send.
 */
export interface Varint {
  low: number
  high: number
}

/** Bits beyond 64 are lost, as they are in Go. Throws 400 for more than ten bytes, and for too few. */
export function readVarint(reader: Reader): Varint {
  let low = 0
  let high = 0
  for (let shift = 0; ; shift += 7) {
    if (shift >= 64) throw malformed('proto: integer overflow')
    if (reader.position >= reader.end) throw malformed('unexpected EOF')
    const byte = reader.bytes[reader.position++]!
    const bits = byte & 0x7f
    if (shift < 32) low |= bits << shift
    if (shift >= 28) high |= shift < 32 ? bits >> 4 : bits << (shift - 32)
    if (byte < 0x80) return { low: low >>> 0, high: high >>> 0 }
  }
}

export const int32From = ({ low }: Varint): number => low | 0

/** Beyond 2^53 as near as a number can be, as in JSON. */
export const int64From = ({ low, high }: Varint): number => (high | 0) * 2 ** 32 + low

/** The next tag of a message that is not at its end. Throws 400 for one that no message can have, naming the message. */
export function readTag(reader: Reader, message: string): Tag {
  const wire = readVarint(reader)
  const field = (wire.low >>> 3) | (wire.high << 29)
  const wireType = wire.low & 7
  if (wireType === WIRE.endGroup) throw malformed(`proto: ${message}: wiretype end group for non-group`)
  if (field <= 0) throw malformed(`proto: ${message}: illegal tag ${field} (wire type ${int64From(wire)})`)
  return { field, wireType }
}

/** What stands behind a length, as a part of its own. Throws 400 when it would end behind the whole. */
export function readBytes(reader: Reader): Reader {
  const length = int64From(readVarint(reader))
  if (length < 0) throw malformed('proto: negative length found during unmarshaling')
  const start = reader.position
  if (length > reader.end - start) throw malformed('unexpected EOF')
  reader.position = start + length
  return { bytes: reader.bytes, position: start, end: start + length }
}

export function readText(reader: Reader): string {
  const { bytes, position, end } = readBytes(reader)
  return bytes.toString('utf8', position, end)
}

export function readDouble(reader: Reader): number {
  if (reader.end - reader.position < 8) throw malformed('unexpected EOF')
  const value = reader.bytes.readDoubleLE(reader.position)
  reader.position += 8
  return value
}

/** Passes over the value of a field that nobody asked for. Throws 400 when it has no end. */
export function skip(reader: Reader, wireType: number): void {
  let open = 0
  for (let next = wireType; ; next = readVarint(reader).low & 7) {
    switch (next) {
      case WIRE.varint:
        readVarint(reader)
        break
      case WIRE.fixed64:
        advance(reader, 8)
        break
      case WIRE.bytes:
        readBytes(reader)
        break
      case WIRE.startGroup:
        open++
        break
      case WIRE.endGroup:
        if (open === 0) throw malformed('proto: unexpected end of group')
        open--
        break
      case WIRE.fixed32:
        advance(reader, 4)
        break
      default:
        throw malformed(`proto: illegal wireType ${next}`)
    }
    if (open === 0) return
  }
}

function advance(reader: Reader, byteCount: number): void {
  if (reader.end - reader.position < byteCount) throw malformed('unexpected EOF')
  reader.position += byteCount
}
