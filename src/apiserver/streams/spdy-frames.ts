import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'

/** Types of control frames (draft-mbelshe-httpbis-spdy-00 section 2.6). */
export const SYN_STREAM = 1
export const SYN_REPLY = 2
export const RST_STREAM = 3
export const PING = 6
export const GOAWAY = 7
export const HEADERS = 8

/** The flag of a frame that is its sender's last on the stream. */
export const FLAG_FIN = 0x01

/** Longest payload that is taken. Clients of Kubernetes send at most 32 KiB of data at once. */
export const MAX_PAYLOAD_BYTES = 0x10_0000
/** Longest header block that is taken, as it is once inflated. */
export const MAX_HEADER_BYTES = 0x1_0000

const VERSION = 3
const HEAD_BYTES = 8
/** How far back deflate may refer (RFC 1951 section 2). */
const WINDOW_BYTES = 0x8000
/** The Adler-32 of the dictionary, by which a zlib head names it. */
const DICTIONARY_ID = 0xe3c6_a7c2

/** The words that header blocks refer to from the first byte on (section 2.6.10.1): each behind its length, then a tail of values. */
export const spdyDictionary: Buffer = Buffer.concat([
  ...[
    ...'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow'.split(' '),
    ...'authorization cache-control connection content-base content-encoding content-language content-length'.split(' '),
    ...'content-location content-md5 content-range content-type date etag expect expires from host if-match'.split(' '),
    ...'if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma'.split(' '),
    ...'proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade'.split(' '),
    ...'user-agent vary via warning www-authenticate method get status'.split(' '),
    '200 OK',
    ...'version HTTP/1.1 url public set-cookie keep-alive origin'.split(' '),
  ].flatMap((word) => [uint32s(word.length), Buffer.from(word)]),
  Buffer.from(
    '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information' +
      '204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error' +
      '501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00' +
      ' Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,' +
      'application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch' +
      'charset=utf-8charset=iso-8859-1,utf-,*,enq=0.',
  ),
])

/** One whole frame: of data if it has no `type`, else of control. */
export interface SpdyFrame {
  readonly type: number | undefined
  /** The stream of a data frame; of a control frame the first number of its payload, whose meaning depends on the type. */
  readonly id: number
  readonly isLast: boolean
  readonly payload: Buffer
}

/** Headers by their lower-case names. Several values of one name are joined by NUL. */
export type SpdyHeaders = Readonly<Record<string, string>>

export function dataFrame(streamId: number, data: Uint8Array, isLast: boolean): Buffer {
  return Buffer.concat([uint32s(streamId, ((isLast ? FLAG_FIN : 0) << 24) | data.length), data])
}

export function controlFrame(type: number, numbers: readonly number[], block: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([uint32s(((0x8000 | VERSION) << 16) | type, numbers.length * 4 + block.length, ...numbers), block])
}

function uint32s(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  numbers.forEach((number, index) => void bytes.writeUInt32BE(number >>> 0, index * 4))
  return bytes
}

/**
 * Reads frames however the bytes are cut. Frames are read as they are asked for, so that whoever takes them may wait in between.
 * Throws for another version of SPDY, and for a frame that is too long, before its payload is kept.
 */
export function createFrameReader(): (bytes: Buffer) => Iterable<SpdyFrame> {
  const head = Buffer.alloc(HEAD_BYTES)
  let payload: Buffer | undefined
  let filled = 0
  return function* framesIn(bytes) {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.copy(payload ?? head, filled, at)
      at += taken
      filled += taken
      if (!payload && filled === HEAD_BYTES) {
        payload = Buffer.allocUnsafe(payloadBytesFrom(head))
        filled = 0
      }
      if (payload && filled === payload.length) {
        yield frameFrom(head, payload)
        payload = undefined
        filled = 0
      }
    }
  }
}

const isControl = (head: Buffer): boolean => (head[0]! & 0x80) !== 0

function payloadBytesFrom(head: Buffer): number {
  const version = head.readUInt16BE(0) & 0x7fff
  if (isControl(head) && version !== VERSION) throw new Error(`SPDY version ${version} instead of ${VERSION}`)
  const payloadBytes = head.readUIntBE(5, 3)
  if (payloadBytes > MAX_PAYLOAD_BYTES) throw new Error(`a SPDY frame of ${payloadBytes} bytes`)
  return payloadBytes
}

function frameFrom(head: Buffer, payload: Buffer): SpdyFrame {
  const isLast = (head[4]! & FLAG_FIN) !== 0
  if (!isControl(head)) return { type: undefined, id: head.readUInt32BE(0), isLast, payload }
  if (payload.length < 4) throw new Error(`a SPDY control frame of ${payload.length} bytes`)
  return { type: head.readUInt16BE(2), id: payload.readUInt32BE(0) & 0x7fff_ffff, isLast, payload }
}

/** The header block of a frame that carries one, as it came. */
export function blockOf({ type, payload }: SpdyFrame): Buffer {
  return payload.subarray(type === SYN_STREAM ? 10 : 4)
}

/**
 * Reads the header blocks of one direction, every one of them and in order, as each refers to those before it. Throws for what
 * cannot be inflated, is too long or has other than whole pairs.
 *
 * All blocks are one zlib stream. Since each is flushed (Z_SYNC_FLUSH) it starts at a byte of its own, and all it needs of what
 * came before is the text: so it can be inflated alone, at once, with that text for a dictionary.
 */
export function createHeaderReader(): (block: Buffer) => SpdyHeaders {
  let window: Buffer | undefined
  return (block) => {
    const text = inflateRawSync(window ? block : withoutZlibHead(block), {
      dictionary: window ?? spdyDictionary,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MAX_HEADER_BYTES,
    })
    window = Buffer.concat([window ?? spdyDictionary, text]).subarray(-WINDOW_BYTES)
    return headersFrom(text)
  }
}

function withoutZlibHead(block: Buffer): Buffer {
  const isDeflate = (block.readUInt8(0) & 0x0f) === 8
  const hasDictionary = (block.readUInt8(1) & 0x20) !== 0
  if (!isDeflate || !hasDictionary || block.readUInt32BE(2) !== DICTIONARY_ID) throw new Error('SPDY headers without the dictionary')
  return block.subarray(6)
}

function headersFrom(text: Buffer): SpdyHeaders {
  let at = 0
  const nextNumber = (): number => text.readUInt32BE((at += 4) - 4)
  const nextWord = (): string => {
    const end = nextNumber() + at
    if (end > text.length) throw new Error('a SPDY header block ends too early')
    const word = text.toString('utf8', at, end)
    at = end
    return word
  }
  const pairs: [string, string][] = []
  for (let count = nextNumber(); count > 0; count--) pairs.push([nextWord(), nextWord()])
  if (at !== text.length) throw new Error('a SPDY header block goes on behind its pairs')
  return Object.fromEntries(pairs)
}

/**
 * Gives the next block of a direction that never has any headers. Such a block refers to nothing before it, so that the first is
 * the head of the zlib stream and all have the same deflated count of zero pairs.
 */
export function createEmptyHeaderWriter(): () => Buffer {
  const block = deflateRawSync(Buffer.alloc(4), { finishFlush: constants.Z_SYNC_FLUSH })
  let isFirst = true
  return () => {
    if (!isFirst) return block
    isFirst = false
    // Deflate with a window of 32 KiB, and a dictionary (RFC 1950 section 2.2).
    return Buffer.concat([Buffer.from([0x78, 0xbb]), uint32s(DICTIONARY_ID), block])
  }
}
