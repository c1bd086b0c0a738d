import { Duplex, finished } from 'node:stream'
import {
  blockOf,
  controlFrame,
  createEmptyHeaderWriter,
  createFrameReader,
  createHeaderReader,
  dataFrame,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  type SpdyFrame,
  type SpdyHeaders,
  SYN_REPLY,
  SYN_STREAM,
} from './spdy-frames.js'

/** Most data that is sent in one frame, so that streams take turns. */
const MAX_DATA_BYTES = 32 * 1024
/** Most streams that a client may have open at once. */
const MAX_STREAMS = 1000
/** Most bytes of answers (to pings, to new streams) that wait for a client to read them before no more is read from it. */
const MAX_OWED_BYTES = 64 * 1024

/** Status codes of RST_STREAM and GOAWAY (draft-mbelshe-httpbis-spdy-00 sections 2.6.3 and 2.6.6). */
const CANCEL = 5
const OK = 0

/**
 * One stream of a session: what the client sends is read from it, what is written goes to the client. Ending it half-closes,
 * destroying it earlier resets it. It is destroyed without an error when the client resets it or the session is over.
 */
export type SpdyStream = Duplex & { readonly headers: SpdyHeaders }

export interface SpdySession {
  /** Told of each stream the client opens, after it was accepted. What it throws ends the session. */
  onStream(listener: (stream: SpdyStream) => void): void
  /** Told once, whoever ended it. */
  onClose(listener: () => void): void
  /** Ends every stream, says goodbye (GOAWAY) behind everything that was sent, and ends the connection. */
  end(): void
}

/** A stream of which at least one side has not ended. */
interface OpenStream {
  readonly stream: SpdyStream
  hasClientEnded: boolean
  hasEnded: boolean
}

/**
 * The server's side of SPDY/3.1 as kubectl and client-go speak it for exec, attach and port-forward, on `connection`: a socket, or
 * a WebSocket that carries the bytes. `early` came behind the head of the request. Clients do no flow control, so one stream that
 * is not read holds up all of them. A client that breaks the protocol loses its connection.
 *
 * @see moby/spdystream v0.5.0 connection.go
 */
export function createSpdySession(connection: Duplex, early: Buffer): SpdySession {
  const streams = new Map<number, OpenStream>()
  const opened: ((stream: SpdyStream) => void)[] = []
  const closed: (() => void)[] = []
  const framesIn = createFrameReader()
  const headersIn = createHeaderReader()
  const nextEmptyBlock = createEmptyHeaderWriter()
  let lastId = 0
  let isEnding = false
  let isOver = false
  let owedBytes = 0
  /** The stream whose reader has to catch up before another frame is handled. */
  let full: Duplex | undefined
  let lookAgain = (): void => {}

  const finish = (): void => {
    if (isOver) return
    isOver = true
    const left = [...streams.values()]
    streams.clear()
    for (const { stream } of left) stream.destroy()
    lookAgain()
    for (const listener of closed) listener()
  }
  const send = (frame: Buffer, sent: () => void): void => {
    // A failure to write is the connection's, which is heard of there: a stream must not report it as its own.
    if (isOver) sent()
    else connection.write(frame, () => sent())
  }
  const answer = (frame: Buffer): void => {
    owedBytes += frame.length
    send(frame, () => {
      owedBytes -= frame.length
      lookAgain()
    })
  }
  const hasCaughtUp = (stream: Duplex): void => {
    if (full !== stream) return
    full = undefined
    lookAgain()
  }

  const open = (id: number, headers: SpdyHeaders): OpenStream => {
    const duplex: Duplex = new Duplex({
      read() {
        hasCaughtUp(duplex)
        if (one.hasClientEnded) duplex.push(null)
      },
      write(data: Buffer, _encoding, done) {
        const sendFrom = (start: number): void => {
          const end = start + MAX_DATA_BYTES
          send(dataFrame(id, data.subarray(start, end), false), () => {
            if (end >= data.length || duplex.destroyed) done()
            else sendFrom(end)
          })
        }
        sendFrom(0)
      },
      final(done) {
        send(dataFrame(id, Buffer.alloc(0), true), done)
        one.hasEnded = true
        forgetIfEnded(id, one)
      },
      destroy(error, done) {
        // Whatever the session has forgotten is over for the client as well.
        if (streams.delete(id)) answer(controlFrame(RST_STREAM, [id, CANCEL]))
        hasCaughtUp(duplex)
        done(error)
      },
    })
    // Its owner need not listen: whatever befalls a stream also closes it.
    duplex.on('error', () => {})
    const one: OpenStream = { stream: Object.assign(duplex, { headers }), hasClientEnded: false, hasEnded: false }
    return one
  }
  const forgetIfEnded = (id: number, { stream, hasClientEnded, hasEnded }: OpenStream): void => {
    if (!hasClientEnded || !hasEnded) return
    streams.delete(id)
    // Some streams, such as stdout, are only written: without a reader their end would not be seen and they would never close.
    if (stream.readableFlowing === null && stream.readableLength === 0) stream.resume()
  }
  const takeData = (id: number, data: Buffer, isLast: boolean): void => {
    const one = streams.get(id)
    // A client cannot know yet that we have reset a stream.
    if (!one || one.hasClientEnded) return
    if (data.length > 0 && !one.stream.push(data)) full = one.stream
    if (!isLast) return
    one.hasClientEnded = true
    // A stream that was told its end would not ask for more, which is how we hear that its reader has caught up.
    if (full !== one.stream) one.stream.push(null)
    forgetIfEnded(id, one)
  }
  const takeStream = (frame: SpdyFrame): void => {
    const { id } = frame
    const headers = headersIn(blockOf(frame))
    // A client that opens several at once may send them in another order than it has numbered them.
    if (id % 2 === 0 || streams.has(id)) throw new Error(`SPDY stream ${id} cannot be opened`)
    if (streams.size >= MAX_STREAMS) throw new Error('too many SPDY streams')
    if (isEnding) return
    lastId = Math.max(lastId, id)
    const one = open(id, headers)
    streams.set(id, one)
    answer(controlFrame(SYN_REPLY, [id], nextEmptyBlock()))
    if (frame.isLast) takeData(id, Buffer.alloc(0), true)
    for (const listener of opened) listener(one.stream)
  }
  const takeReset = (id: number): void => {
    const one = streams.get(id)
    streams.delete(id)
    one?.stream.destroy()
  }
  /** Settings, window updates and a client's goodbye ask for nothing: streams go on until the connection ends. */
  const take = (frame: SpdyFrame): void => {
    const { type, id, payload } = frame
    if (type === undefined) takeData(id, payload, frame.isLast)
    else if (type === SYN_STREAM) takeStream(frame)
    else if (type === RST_STREAM) takeReset(id)
    // Even pings would be answers to ours.
    else if (type === PING && payload.readUInt32BE(0) % 2 === 1) answer(controlFrame(PING, [payload.readUInt32BE(0)]))
    // Their headers are nobody's, but later blocks may refer to them.
    else if (type === HEADERS || type === SYN_REPLY) headersIn(blockOf(frame))
  }

  const serve = async (): Promise<void> => {
    for await (const bytes of bytesOf(connection, early)) {
      // Behind our goodbye only the client's own can follow, which is not seen unless it is read up to.
      if (isOver) continue
      for (const frame of framesIn(bytes)) {
        take(frame)
        while (!isOver && (full || owedBytes > MAX_OWED_BYTES)) await new Promise<void>((resolve) => (lookAgain = resolve))
        if (isOver) break
      }
    }
  }
  connection.on('error', finish)
  connection.on('close', finish)
  void serve()
    .then(
      () => connection.end(),
      () => connection.destroy(),
    )
    .then(finish)

  return {
    onStream: (listener) => void opened.push(listener),
    onClose(listener) {
      if (isOver) listener()
      else closed.push(listener)
    },
    end() {
      if (isEnding) return
      isEnding = true
      const flushed = [...streams.values()].map(
        ({ stream }) => new Promise<void>((resolve) => finished(stream.end(), { readable: false }, () => resolve())),
      )
      void Promise.all(flushed).then(() => {
        if (isOver) return
        connection.end(controlFrame(GOAWAY, [lastId, OK]))
        finish()
      })
    },
  }
}

/** Begins only when whoever called has had a chance to listen, and leaves the ending of the connection to its reader. */
async function* bytesOf(connection: Duplex, early: Buffer): AsyncGenerator<Buffer> {
  yield early
  yield* connection.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
}
