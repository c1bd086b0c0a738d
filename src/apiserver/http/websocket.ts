import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { refusals } from '../../apimachinery/status-error.js'

/** What the server adds to a client's key (RFC 6455 section 1.3). */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const CONTINUATION = 0x0
const TEXT = 0x1
const BINARY = 0x2
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

/** Close codes (RFC 6455 section 7.4.1). */
const NORMAL = 1000
const PROTOCOL_ERROR = 1002
const TOO_BIG = 1009

/** No client sends a message near this; whoever does is not kept in memory. */
const LONGEST_MESSAGE = 16 * 1024 * 1024

/** Longest payload of a ping, pong or close. */
const CONTROL_BYTES = 125

/** The side of a WebSocket that only talks: what the client says is passed over, but for its pings and its close. */
export interface WebSocketSender {
  /** The client reads slower than is sent; `onDrain` is told when it has caught up. */
  readonly isFull: boolean
  readonly isClosed: boolean
  /** One text frame for each. */
  send(texts: readonly string[]): void
  onDrain(listener: () => void): void
  /** Told once, whoever ended it. */
  onClose(listener: () => void): void
  /** Says goodbye behind everything that was sent, and ends the connection. */
  end(): void
}

/** A WebSocket on which both sides talk. */
export interface WebSocketConversation {
  /** Each whole message; from the next turn on, so that nothing is lost to a listener that is added at once. */
  onMessage(listener: (payload: Buffer) => void): void
  /** One binary message, or one of text. `sent` is called when the connection took it, or is gone. */
  send(payload: Buffer, as?: 'binary' | 'text', sent?: () => void): void
  /** Reads nothing more until `resume`: whoever talks is to wait. */
  pause(): void
  resume(): void
  onClose(listener: () => void): void
  end(): void
}

/** Whether a request asks for its connection to become a WebSocket. */
export function asksForWebSocket({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return method === 'GET' && has(headers.upgrade, 'websocket') && has(headers.connection, 'upgrade')
}

/** The same for SPDY, as older clients of exec and port-forward speak it. */
export function asksForSpdy({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  return (method === 'POST' || method === 'GET') && has(headers.upgrade, 'spdy/3.1') && has(headers.connection, 'upgrade')
}

const tokens = (header: string | undefined): string[] => (header ?? '').split(',').map((token) => token.trim())
const has = (header: string | undefined, wanted: string): boolean => tokens(header).some((token) => token.toLowerCase() === wanted)

/** The subprotocols a client offers, in its order. */
export function offeredProtocols({ headers }: Pick<IncomingMessage, 'headers'>): string[] {
  return tokens(headers['sec-websocket-protocol']).filter((token) => token !== '')
}

/**
 * The head that turns a request's connection into a WebSocket. `headers` are those of any answer. `protocol` is the chosen one of
 * several subprotocols: by default the first, as the events of a watch are the same in all. Throws 400 for a handshake that is none.
 */
export function webSocketHead(
  request: Pick<IncomingMessage, 'headers'>,
  extra: Readonly<Record<string, number | string | readonly string[]>>,
  protocol: string | undefined = offeredProtocols(request)[0],
): string {
  const { headers } = request
  const key = headers['sec-websocket-key'] ?? ''
  if (headers['sec-websocket-version'] !== '13') throw refusals.badRequest('missing or bad WebSocket Version')
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) throw refusals.badRequest('mismatch challenge/response')
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${createHash('sha1')
      .update(key + KEY_SUFFIX)
      .digest('base64')}`,
    ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
    ...Object.entries(extra).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`)),
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Speaks RFC 6455 on a connection whose head (`webSocketHead`) was sent. `early` is what the client sent behind its own. */
export function createWebSocketSender(socket: Duplex, early: Buffer): WebSocketSender {
  const ends = connected(socket, undefined)
  if (early.length > 0) ends.read(early)
  return {
    get isFull() {
      return socket.writableNeedDrain
    },
    get isClosed() {
      return ends.isClosed()
    },
    send(texts) {
      if (!ends.isClosed()) socket.write(Buffer.concat(texts.map((text) => frame(TEXT, Buffer.from(text)))))
    },
    onDrain: (listener) => void socket.on('drain', listener),
    onClose: ends.onClose,
    end: () => ends.close(NORMAL),
  }
}

/** The same, where the client has something to say. */
export function createWebSocketConversation(socket: Duplex, early: Buffer): WebSocketConversation {
  const listeners: ((payload: Buffer) => void)[] = []
  const ends = connected(socket, (payload) => {
    for (const listener of listeners) listener(payload)
  })
  if (early.length > 0) socket.unshift(early)
  return {
    onMessage: (listener) => void listeners.push(listener),
    send(payload, as = 'binary', sent = () => {}) {
      if (ends.isClosed()) sent()
      else socket.write(frame(as === 'text' ? TEXT : BINARY, payload), () => sent())
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    onClose: ends.onClose,
    end: () => ends.close(NORMAL),
  }
}

/** What both have: pings are answered, and either side's end is the end. */
function connected(socket: Duplex, onMessage: ((payload: Buffer) => void) | undefined) {
  let isClosed = false
  const closed: (() => void)[] = []
  const close = (code: number | undefined): void => {
    if (isClosed) return
    isClosed = true
    if (code === undefined) socket.end()
    else socket.end(frame(CLOSE, Buffer.from([code >> 8, code & 0xff])))
    // Nothing but the client's own goodbye can follow: whoever never says it is not waited for.
    socket.resume()
    for (const listener of closed) listener()
  }
  const reader = createFrameReader({
    ping: (payload) => void (isClosed || socket.write(frame(PONG, payload))),
    close: () => close(NORMAL),
    broken: close,
    ...(onMessage && { message: onMessage }),
  })
  const read = (bytes: Buffer): void => {
    if (!isClosed) reader(bytes)
  }
  socket.on('data', read)
  socket.on('end', () => close(undefined))
  socket.on('close', () => close(undefined))
  socket.on('error', () => close(undefined))
  return {
    read,
    close,
    isClosed: () => isClosed,
    onClose(listener: () => void): void {
      if (isClosed) listener()
      else closed.push(listener)
    },
  }
}

/** One whole frame; a server's are never masked. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 0x1_0000 ? 4 : 10)
  head[0] = 0x80 | opcode
  if (head.length === 2) head[1] = length
  else if (head.length === 4) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    // Nothing that is sent comes near 4 GiB.
    head.writeUInt32BE(length, 6)
  }
  return Buffer.concat([head, payload])
}

/**
 * Reads a client's frames however the bytes are cut. Without a `message` listener messages are passed over as they come, so that
 * nothing a client sends is kept; what breaks the rules (unmasked, unknown, oversized) is told once, with its close code.
 */
function createFrameReader(told: {
  ping(payload: Buffer): void
  close(): void
  broken(code: number): void
  message?(payload: Buffer): void
}): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  let toSkip = 0
  let done = false
  /** The pieces of a message whose last one has not come. */
  let pieces: Buffer[] = []
  let piecesBytes = 0

  const stop = (tell: () => void): void => {
    done = true
    rest = Buffer.alloc(0)
    pieces = []
    tell()
  }
  const add = (piece: Buffer, isLast: boolean): void => {
    pieces.push(piece)
    piecesBytes += piece.length
    if (!isLast) return
    const message = pieces.length === 1 ? piece : Buffer.concat(pieces)
    pieces = []
    piecesBytes = 0
    told.message!(message)
  }
  return (bytes) => {
    if (done) return
    const skipped = Math.min(toSkip, bytes.length)
    toSkip -= skipped
    rest = rest.length === 0 ? bytes.subarray(skipped) : Buffer.concat([rest, bytes.subarray(skipped)])
    while (!done && rest.length >= 2) {
      const opcode = rest[0]! & 0x0f
      const isLast = (rest[0]! & 0x80) !== 0
      const isControl = opcode >= CLOSE
      const known =
        opcode === CONTINUATION || opcode === TEXT || opcode === BINARY || opcode === CLOSE || opcode === PING || opcode === PONG
      const isMasked = (rest[1]! & 0x80) !== 0
      const short = rest[1]! & 0x7f
      if (!known || !isMasked || (rest[0]! & 0x70) !== 0 || (isControl && (short > CONTROL_BYTES || !isLast)))
        return stop(() => told.broken(PROTOCOL_ERROR))
      const headBytes = (short < 126 ? 2 : short === 126 ? 4 : 10) + 4
      if (rest.length < headBytes) return
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : rest.readUInt32BE(2) * 2 ** 32 + rest.readUInt32BE(6)
      if (!isControl && !told.message) {
        const here = Math.min(length, rest.length - headBytes)
        toSkip = length - here
        rest = rest.subarray(headBytes + here)
        continue
      }
      if (!isControl && (opcode === CONTINUATION) !== pieces.length > 0) return stop(() => told.broken(PROTOCOL_ERROR))
      if (piecesBytes + length > LONGEST_MESSAGE) return stop(() => told.broken(TOO_BIG))
      if (rest.length < headBytes + length) return
      const mask = rest.subarray(headBytes - 4, headBytes)
      const payload = Buffer.from(rest.subarray(headBytes, headBytes + length))
      for (let index = 0; index < payload.length; index++) payload[index]! ^= mask[index & 3]!
      rest = rest.subarray(headBytes + length)
      if (!isControl) add(payload, isLast)
      else if (opcode === PING) told.ping(payload)
      else if (opcode === CLOSE) return stop(told.close)
    }
  }
}
