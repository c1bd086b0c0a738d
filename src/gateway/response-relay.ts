import { BAD, createChunkScanner, MORE } from './chunks.js'
import { type HeadReader, MAX_HEAD_BYTES, type ResponseHead } from './http1-heads.js'
import { createRepeatedHead } from './repeated-head.js'

/** The client's side of an exchange, as the relay of the response needs it. */
export interface RelayClient {
  /** What the request was. */
  readonly exchange: {
    readonly isHead: boolean
    /** The client speaks HTTP/1.0. */
    readonly isOld: boolean
    readonly wantsUpgrade: boolean
    readonly expectsContinue: boolean
    /** The connection may carry another request after this response. */
    readonly mayKeepAlive: boolean
  }
  /** The final response begins. */
  started(): void
  sendText(text: string): void
  sendBytes(bytes: Buffer): void
  /** Both in one go. */
  sendTextAndBytes(text: string, bytes: Buffer): void
  /** The response is whole. `closes`: the client was told that nothing follows. */
  complete(result: { isReusable: boolean; keepAliveSeconds: number; closes: boolean }): void
  /** The application did not send a response that can be passed on. */
  broken(why: string): void
  /** 101: `rest` are the first bytes of the new protocol. */
  switched(head: string, rest: Buffer | undefined): void
}

export interface ResponseRelay {
  /** A new response is expected. */
  reset(): void
  /** Takes over nothing of `bytes` but what it hands to the client. */
  received(bytes: Buffer): void
  /** Whether the first `count` bytes of `memory` are the very response that came last; then it has been passed on as that was. */
  repeats(memory: Buffer, count: number): boolean
  /** The application has ended its side of the connection. */
  finished(): void
  /** Of the response that was passed on last; 0 until its head is there. */
  readonly status: number
  /** How much of its body was passed on. */
  readonly bodyBytes: number
  /** Something of the response has been received. */
  readonly hasBegun: boolean
  /** Only the end of the connection tells the client that the response is over. */
  readonly endsWithConnection: boolean
  /** Text as one more piece of the body; undefined where the response's framing has no room for it. */
  appendable(text: string): string | undefined
}

const HEAD = 0
const LENGTH = 1
const CHUNKED = 2
/** A body without length that ends with the connection. */
const UNTIL_CLOSE = 3

/** A response whose body is whole in its first packet and no longer than this goes out as one string, in one write. */
const ONE_WRITE_BYTES = 8 * 1024
/** And one no longer than this, head and all, is kept when it begins as the one before it did: the next may be the same. */
const KEPT_BYTES = 4096
/** As many interim (1xx) responses may precede the final one. */
const MAX_INTERIM = 16

/**
 * Reads one response after the other from an application and passes each on: hop-by-hop fields taken out, framing written anew,
 * bodies streamed as they come. A chunked body goes on as it is once each byte has been checked.
 *
 * @see RFC 9112 section 6.3, RFC 9110 section 7.6.1
 */
export function createResponseRelay(client: RelayClient, reader: HeadReader): ResponseRelay {
  const scanner = createChunkScanner()
  const heads = createRepeatedHead(reader.readResponse)
  let mode = HEAD
  let held: Buffer | undefined
  let left = 0
  let interim = 0
  let hasBegun = false
  /** UNTIL_CLOSE to a client that knows chunks; the reverse, CHUNKED to one that does not. */
  let isRechunked = false
  let isDechunked = false
  let isReusable = false
  let keepAliveSeconds = -1
  let closes = false
  let status = 0
  let sentBytes = 0
  let isChunked = false
  /** The last response, where it may come again, and what was sent for it to whom. */
  let last: { bytes: Buffer; text: string; status: number; bodyBytes: number; isHead: boolean; isOld: boolean; closes: boolean } | undefined

  const restart = (): void => {
    mode = HEAD
    held = undefined
    interim = 0
    hasBegun = false
  }

  const complete = (hasLeftover: boolean): void => {
    const result = { isReusable: isReusable && !hasLeftover, keepAliveSeconds, closes }
    restart()
    client.complete(result)
  }

  const readHead = (chunk: Buffer) => {
    hasBegun = true
    let bytes = held ? Buffer.concat([held, chunk]) : chunk
    held = undefined
    for (;;) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) {
        if (bytes.length > MAX_HEAD_BYTES) return client.broken('malformed HTTP response: the header is too long')
        // The memory that was received is the connection's.
        held = Buffer.from(bytes)
        return
      }
      const head = end <= MAX_HEAD_BYTES ? heads.read(bytes, 0, end) : undefined
      if (!head?.isGood) return client.broken('malformed HTTP response')
      if (head.status >= 200) return begin(head, bytes, end + 4)
      if (++interim > MAX_INTERIM) return client.broken('too many 1xx informational responses')
      const rest = end + 4 < bytes.length ? bytes.subarray(end + 4) : undefined
      if (head.status === 101) {
        if (!client.exchange.wantsUpgrade) return client.broken('unexpected switch of protocols')
        status = head.status
        const upgrade = head.upgrade === '' ? '' : `Upgrade: ${head.upgrade}\r\n`
        return client.switched(`HTTP/1.1 ${head.statusText}\r\n${head.fields}Connection: Upgrade\r\n${upgrade}\r\n`, rest)
      }
      // A client that did not ask for 100 may take it for the answer.
      const isWanted = head.status === 100 ? client.exchange.expectsContinue : !client.exchange.isOld
      if (isWanted) client.sendText(`HTTP/1.1 ${head.statusText}\r\n${head.fields}\r\n`)
      if (!rest) return
      bytes = rest
    }
  }

  const begin = (head: ResponseHead, bytes: Buffer, from: number): void => {
    const { isHead, isOld, mayKeepAlive } = client.exchange
    last = undefined
    status = head.status
    const hasNoBody = isHead || head.status === 204 || head.status === 304
    isReusable = head.keepsAlive
    keepAliveSeconds = head.keepAliveSeconds
    isRechunked = false
    isDechunked = false
    isChunked = false
    let framing = ''
    closes = !mayKeepAlive
    if (hasNoBody) {
      mode = LENGTH
      left = 0
      if (head.isChunked && isHead && !isOld) framing = 'Transfer-Encoding: chunked\r\n'
      else if (head.contentLength !== -1 && head.status !== 204) framing = `Content-Length: ${head.contentLength}\r\n`
    } else if (head.isChunked) {
      mode = CHUNKED
      isChunked = true
      scanner.reset()
      isDechunked = isOld
      if (!isOld) framing = 'Transfer-Encoding: chunked\r\n'
    } else if (head.contentLength !== -1) {
      mode = LENGTH
      left = head.contentLength
      framing = `Content-Length: ${left}\r\n`
    } else {
      mode = UNTIL_CLOSE
      isReusable = false
      isRechunked = !isOld
      if (!isOld) framing = 'Transfer-Encoding: chunked\r\n'
    }
    if (isOld && (isDechunked || mode === UNTIL_CLOSE)) closes = true
    const connection = closes ? 'Connection: close\r\n' : isOld ? 'Connection: keep-alive\r\n' : ''
    const text = `HTTP/1.1 ${head.statusText}\r\n${head.fields}${framing}${connection}\r\n`
    client.started()

    const available = bytes.length - from
    if (mode === LENGTH && available >= left && left <= ONE_WRITE_BYTES) {
      sentBytes = left
      const whole = left === 0 ? text : text + bytes.toString('latin1', from, from + left)
      if (heads.isRepeated && available === left && bytes.length <= KEPT_BYTES)
        last = { bytes: Buffer.from(bytes), text: whole, status, bodyBytes: left, isHead, isOld, closes }
      client.sendText(whole)
      complete(available > left)
    } else if (available === 0) client.sendText(text)
    else if (mode === LENGTH) {
      const body = available > left ? bytes.subarray(from, from + left) : bytes.subarray(from)
      left -= body.length
      sentBytes += body.length
      client.sendTextAndBytes(text, body)
      if (left === 0) complete(available > body.length)
    } else if (mode === CHUNKED && !isDechunked) relayChunks(bytes, from, text)
    else {
      client.sendText(text)
      relayBody(from === 0 ? bytes : bytes.subarray(from))
    }
  }

  /** `text` is what goes ahead of the bytes. */
  const relayChunks = (bytes: Buffer, from: number, text: string) => {
    const end = scanner.scan(bytes, from)
    if (end === BAD) return client.broken('malformed chunked encoding')
    const to = end === MORE ? bytes.length : end
    if (text === '') client.sendBytes(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to))
    else if (to - from <= ONE_WRITE_BYTES) client.sendText(text + bytes.toString('latin1', from, to))
    else client.sendTextAndBytes(text, bytes.subarray(from, to))
    if (end !== MORE) complete(end < bytes.length)
  }

  const relayBody = (bytes: Buffer) => {
    if (mode === LENGTH) {
      const body = bytes.length > left ? bytes.subarray(0, left) : bytes
      left -= body.length
      sentBytes += body.length
      client.sendBytes(body)
      if (left === 0) complete(bytes.length > body.length)
    } else if (mode === UNTIL_CLOSE) {
      sentBytes += bytes.length
      if (!isRechunked) return client.sendBytes(bytes)
      client.sendTextAndBytes(`${bytes.length.toString(16)}\r\n`, bytes)
      client.sendText('\r\n')
    } else if (!isDechunked) relayChunks(bytes, 0, '')
    else {
      const end = scanner.scan(bytes, 0, (from, to) => client.sendBytes(bytes.subarray(from, to)))
      if (end === BAD) client.broken('malformed chunked encoding')
      else if (end !== MORE) complete(end < bytes.length)
    }
  }

  return {
    reset() {
      restart()
      status = 0
      sentBytes = 0
      isChunked = false
    },
    received: (bytes) => (mode === HEAD ? readHead(bytes) : relayBody(bytes)),
    repeats(memory, count) {
      if (!last || mode !== HEAD || held || count !== last.bytes.length) return false
      const { isHead, isOld, mayKeepAlive } = client.exchange
      if (isHead !== last.isHead || isOld !== last.isOld || mayKeepAlive === last.closes) return false
      if (memory.compare(last.bytes, 0, count, 0, count) !== 0) return false
      // What is known of the connection is known of that one still.
      status = last.status
      sentBytes = last.bodyBytes
      client.started()
      client.sendText(last.text)
      complete(false)
      return true
    },
    finished() {
      if (mode !== UNTIL_CLOSE) return client.broken(mode === HEAD && hasBegun ? 'unexpected EOF' : 'EOF')
      if (isRechunked) client.sendText('0\r\n\r\n')
      complete(false)
    },
    get status() {
      return status
    },
    get bodyBytes() {
      return isChunked ? scanner.contentBytes : sentBytes
    },
    get hasBegun() {
      return hasBegun
    },
    get endsWithConnection() {
      return (mode === UNTIL_CLOSE && !isRechunked) || (mode === CHUNKED && isDechunked)
    },
    appendable(text) {
      if (mode === UNTIL_CLOSE && !isRechunked) return text
      const isRoom = isRechunked ? mode === UNTIL_CLOSE : mode === CHUNKED && (isDechunked || scanner.isBetweenChunks)
      if (!isRoom) return undefined
      return isDechunked ? text : `${text.length.toString(16)}\r\n${text}\r\n`
    },
  }
}
