import { createFieldCursor, nextField } from './http1-fields.js'

/** Follows a chunked body to its end without copying it: the bytes go on as they came, once they have been found sound. */
export interface ChunkScanner {
  /** Starts a new body. */
  reset(): void
  /**
   * Reads `bytes` from `from`; returns where the body ended (the offset after its last byte), MORE when it goes on, or BAD.
   * `data` is called for every run of content, which is what a client that knows no chunks gets.
   */
  scan(bytes: Uint8Array, from: number, data?: (from: number, to: number) => void): number
  /** Between two chunks: another one may be put in here. */
  readonly isBetweenChunks: boolean
  /** Bytes of content since the body began. */
  readonly contentBytes: number
}

export const MORE = -1
export const BAD = -2

/** Chunk extensions mean nothing to anyone and are read up to this many bytes per chunk. */
const MAX_EXTENSION_BYTES = 1024
const MAX_TRAILER_BYTES = 16 * 1024
/** 2^52 - 1, thirteen hexadecimal digits, still counts exactly. */
const MAX_SIZE_DIGITS = 13
/** Fields that a trailer must not bring in after the fact. @see RFC 9110 section 6.5.1 */
const FORBIDDEN_TRAILERS = new Set(['transfer-encoding', 'content-length', 'host', 'trailer', 'connection', 'te', 'upgrade'])

const CR = 0x0d
const LF = 0x0a
const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const TRAILER = 6

export function createChunkScanner(): ChunkScanner {
  let state = SIZE
  let left = 0
  let digits = 0
  let extensionBytes = 0
  let trailer = ''
  let contentBytes = 0

  const isSoundTrailer = (): boolean => {
    const cursor = createFieldCursor()
    cursor.text = trailer.slice(0, -2)
    while (nextField(cursor)) {
      if (FORBIDDEN_TRAILERS.has(cursor.text.slice(cursor.lineStart, cursor.nameEnd).toLowerCase())) return false
    }
    return !cursor.isBad
  }

  return {
    reset() {
      state = SIZE
      left = 0
      digits = 0
      extensionBytes = 0
      trailer = ''
      contentBytes = 0
    },
    get contentBytes() {
      return contentBytes
    },
    get isBetweenChunks() {
      return state === SIZE && digits === 0
    },
    scan(bytes, from, data) {
      let at = from
      const end = bytes.length
      while (at < end) {
        if (state === DATA) {
          const to = Math.min(end, at + left)
          data?.(at, to)
          left -= to - at
          contentBytes += to - at
          at = to
          if (left === 0) state = DATA_CR
          continue
        }
        const code = bytes[at++]!
        switch (state) {
          case SIZE: {
            const digit = hexDigit(code)
            if (digit >= 0) {
              if (++digits > MAX_SIZE_DIGITS) return BAD
              left = left * 16 + digit
            } else if (digits === 0) return BAD
            else if (code === CR) state = SIZE_LF
            else if (code === 0x3b) state = EXTENSION
            else return BAD
            break
          }
          case EXTENSION:
            if (code === CR) state = SIZE_LF
            else if ((code < 0x20 && code !== 9) || code === 0x7f || ++extensionBytes > MAX_EXTENSION_BYTES) return BAD
            break
          case SIZE_LF:
            if (code !== LF) return BAD
            state = left === 0 ? TRAILER : DATA
            digits = 0
            extensionBytes = 0
            break
          case DATA_CR:
            if (code !== CR) return BAD
            state = DATA_LF
            break
          case DATA_LF:
            if (code !== LF) return BAD
            state = SIZE
            break
          default:
            trailer += String.fromCharCode(code)
            if (trailer.length > MAX_TRAILER_BYTES) return BAD
            if (code !== LF) break
            if (trailer === '\r\n') return at
            if (!trailer.endsWith('\r\n')) return BAD
            if (!trailer.endsWith('\r\n\r\n')) break
            return isSoundTrailer() ? at : BAD
        }
      }
      return MORE
    },
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
