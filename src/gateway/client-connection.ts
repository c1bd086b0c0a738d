import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import { BAD, createChunkScanner, MORE } from './chunks.js'
import { createDeadline, type Deadlines } from './deadlines.js'
import { destinationOf, type Entrance } from './destination.js'
import { createDueWrites } from './due-writes.js'
import { hostPort, plainAddress } from './forwarded.js'
import { fieldValue, hasBareLineFeed } from './http1-fields.js'
import { type HeadReader, MAX_HEAD_BYTES, type RequestHead } from './http1-heads.js'
import type { Instance } from './instance.js'
import type { Outbox } from './outbox.js'
import { type OwnAnswer, ownResponse } from './own-answer.js'
import type { Passages } from './passage.js'
import { createRepeatedHead } from './repeated-head.js'
import { exchangeFromHead } from './request-log.js'
import { createRequestWriter, HELD_LINE } from './request-text.js'
import { createResponseRelay } from './response-relay.js'
import type { Routes } from './routes.js'
import type { Upstream, UpstreamPool, UpstreamUser } from './upstream.js'

export interface ConnectionDeps {
  routes: Routes
  passages: Passages
  pool: UpstreamPool
  reader: HeadReader
  deadlines: Deadlines
  outbox: Outbox
  clock: Clock
  random: Random
  /**
   * Hands a connection whose next bytes have been put back, and which is an ordinary stream from then on, to a server that speaks HTTP/2, or HTTP/1.1 for HTTP/2 applications and
   * for hosts that are answered inside this process.
   */
  divert(socket: Socket, entrance: Entrance, protocol: 'http1' | 'http2'): void
}

/** A head must be complete that long after its first byte, or after the connection was opened. */
const HEAD_LIMIT_MS = 60_000
/** A connection without a request is kept that long. */
const IDLE_LIMIT_MS = 600_000
/** After the last response we read on that long, so that a client still sending gets to see the response and no reset. */
const LINGER_MS = 2000
/** Read ahead of what can be sent on yet; beyond it the client has to wait. */
const MAX_HELD_BYTES = 64 * 1024
/** A body that comes with its head and is no longer goes out with it as one string, in one write. */
const ONE_WRITE_BYTES = 8 * 1024

/** Doing them twice does no harm; only these are sent again after a kept connection turned out closed. @see RFC 9110 section 9.2.2 */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

const PREFACE = 'PRI * HTTP/2.0\r\n'

type State =
  /** Between requests, or in the middle of a head. */
  | 'reading'
  /** A request is held, sent or answered. */
  | 'busy'
  /** Upgraded: bytes pass both ways unread. */
  | 'tunnel'
  /** The last response is out; what still comes is thrown away. */
  | 'closing'
  | 'done'

/**
 * Serves one HTTP/1.x connection for its whole life: reads a head, sends it to its instance, streams both bodies, and goes on to
 * the next. One request at a time; what a client pipelines waits in order. Nothing is allocated per request but strings. The bytes of
 * a 'data' event of `socket` need only be good while it is told.
 */
export function serveConnection(socket: Socket, entrance: Entrance, deps: ConnectionDeps): void {
  const { passages, pool, reader, deadlines, outbox, clock } = deps
  const clientAddress = plainAddress(socket.remoteAddress)
  const clientPort = socket.remotePort
  const heads = createRepeatedHead(reader.readRequest)
  const writer = createRequestWriter(clientAddress)
  const bodyScanner = createChunkScanner()
  const due = createDueWrites(outbox, socket, () => upstream)

  let state: State = 'reading'
  let input: Buffer | undefined
  let isInLoop = false
  let isFirst = true
  let isPaused = false
  let dueMs = clock.now() + HEAD_LIMIT_MS
  let isHeadPartial = false

  let upstream: Upstream | undefined
  let isUpstreamFull = false
  let requestText = ''
  let isChunked = false
  let bodyLeft = 0
  let isBodyDone = true
  let isRepeatable = false
  let isRepeated = false
  let keepsAlive = true

  const exchange = {
    isHead: false,
    isOld: false,
    wantsUpgrade: false,
    expectsContinue: false,
    get mayKeepAlive() {
      return keepsAlive && isBodyDone
    },
  }

  // ---- reading requests

  const readRequests = (): void => {
    if (isInLoop) return
    isInLoop = true
    while (state === 'reading' && input && !socket.writableNeedDrain && readRequest(input)) {
      // One after the other: a refusal is answered at once, anything else makes the connection busy.
    }
    isInLoop = false
    regulate()
  }

  /** Says whether a whole head was there. */
  const readRequest = (bytes: Buffer): boolean => {
    const again = heads.again(bytes)
    if (again) return serve(again, bytes, 0, bytes.length)
    let start = 0
    // Some clients end a body with an empty line too many. @see RFC 9112 section 2.2
    while (bytes[start] === 0x0d && bytes[start + 1] === 0x0a) start += 2
    const end = bytes.indexOf('\r\n\r\n', start)
    if (end === -1 || end - start > MAX_HEAD_BYTES) {
      if (bytes.length - start > MAX_HEAD_BYTES) return reject(431)
      if (hasBareLineFeed(bytes, start)) return reject(400)
      if (!isHeadPartial) {
        isHeadPartial = true
        dueMs = clock.now() + HEAD_LIMIT_MS
        deadlines.arm(ownDeadline, dueMs)
      }
      return false
    }
    if (isFirst && bytes.toString('latin1', start, start + PREFACE.length) === PREFACE) return divert('http2', bytes.subarray(start))
    return serve(heads.read(bytes, start, end), bytes, start, end + 4)
  }

  /** Sends the request on its way whose head lies between `start` and `end`. */
  const serve = (head: RequestHead, bytes: Buffer, start: number, end: number): true => {
    isHeadPartial = false
    if (head.refusal !== 0) return reject(head.refusal)
    const { host, originalHost, target } = head
    const headerValue = (name: string): string | undefined => fieldValue(head.fields, name)
    const destination = destinationOf({ host, originalHost, target, headerValue }, entrance, deps)
    if (destination ? destination.target.http2 : entrance.inside?.(head.host)) return divert('http1', bytes.subarray(start))

    isFirst = false
    input = end < bytes.length ? bytes.subarray(end) : undefined
    prepare(head)
    if (!destination) {
      refuse({ status: 404, body: '', isError: false })
      return true
    }
    requestText = writer.write(head, heads.isRepeated, destination, exchange.wantsUpgrade)
    state = 'busy'
    passages.enter(passage, destination.target, head)
    return true
  }

  /** Everything the rest of the exchange needs: the head's record is another request's as soon as this one waits. */
  const prepare = (head: RequestHead): void => {
    exchange.isHead = head.method === 'HEAD'
    exchange.isOld = head.minor === 0
    exchange.wantsUpgrade = head.upgrade !== '' && head.contentLength <= 0 && !head.isChunked
    exchange.expectsContinue = head.expectsContinue && head.minor === 1
    keepsAlive = head.keepsAlive
    isChunked = head.isChunked
    bodyLeft = Math.max(0, head.contentLength)
    isBodyDone = !isChunked && bodyLeft === 0
    if (isChunked) bodyScanner.reset()
    isRepeatable = isBodyDone && REPEATABLE.has(head.method)
    isRepeated = false
    isUpstreamFull = false
  }

  const divert = (protocol: 'http1' | 'http2', bytes: Buffer): true => {
    due.flush()
    state = 'done'
    input = undefined
    deadlines.disarm(ownDeadline)
    socket.off('data', onData).off('end', onEnd).off('close', onClose).off('drain', onDrain)
    socket.pause()
    socket.unshift(Buffer.from(bytes))
    deps.divert(socket, entrance, protocol)
    return true
  }

  /** Takes the connection to the application out of this one's hands; what has not been written to it is not written any more. */
  const letGo = (): Upstream | undefined => {
    const used = upstream
    upstream = undefined
    due.forgetRequest()
    return used
  }
  const dropUpstream = (): void => {
    const used = letGo()
    if (used) pool.drop(used)
  }

  // ---- towards the application

  const user: UpstreamUser = {
    connected: () => sendRequest(),
    received(bytes) {
      if (state === 'tunnel') {
        if (!socket.write(bytes) && socket.writableLength > 0) upstream?.socket.pause()
      } else relay.received(bytes)
      return socket.writableLength === 0
    },
    repeats: (memory, count) => state === 'busy' && relay.repeats(memory, count),
    drained() {
      isUpstreamFull = false
      regulate()
    },
    finished() {
      if (state === 'tunnel') socket.end()
      else relay.finished()
    },
    failed(why, wasConnected) {
      const { isReused = false } = letGo() ?? {}
      if (state === 'tunnel') return closeTunnel()
      // Nothing has been sent, so any other instance may have it, whatever the method.
      if (!wasConnected) return passages.tryAnother(passage, why)
      lost(why, isReused)
    },
  }

  const sendRequest = (): void => {
    if (!upstream) return
    relay.reset()
    const text = `${requestText}${passage.wasHeld ? HELD_LINE : ''}\r\n`
    if (isBodyDone || !input) {
      due.request(text)
    } else if (!isChunked && input.length >= bodyLeft && bodyLeft <= ONE_WRITE_BYTES) {
      upstream.socket.write(text + input.toString('latin1', 0, bodyLeft), 'latin1')
      input = bodyLeft < input.length ? input.subarray(bodyLeft) : undefined
      bodyLeft = 0
      isBodyDone = true
    } else {
      upstream.socket.cork()
      upstream.socket.write(text, 'latin1')
      sendBody(Buffer.from(input))
      upstream?.socket.uncork()
    }
    regulate()
  }

  const sendBody = (bytes: Buffer) => {
    if (!upstream) return
    due.flushRequest()
    let to = Math.min(bodyLeft, bytes.length)
    if (isChunked) {
      const end = bodyScanner.scan(bytes, 0)
      if (end === BAD) return rejectBody()
      isBodyDone = end !== MORE
      to = isBodyDone ? end : bytes.length
    } else {
      bodyLeft -= to
      isBodyDone = bodyLeft === 0
    }
    input = to < bytes.length ? bytes.subarray(to) : undefined
    if (!upstream.socket.write(to === bytes.length ? bytes : bytes.subarray(0, to))) isUpstreamFull = true
  }

  // ---- towards the client

  const relay = createResponseRelay(
    {
      exchange,
      started: () => passages.started(passage),
      sendText(text) {
        due.response(text)
        passages.wrote(passage)
      },
      sendBytes(bytes) {
        due.flushResponse()
        if (!socket.write(bytes) && socket.writableLength > 0) upstream?.socket.pause()
        passages.wrote(passage)
      },
      sendTextAndBytes(text, bytes) {
        due.flushResponse()
        socket.cork()
        socket.write(text, 'latin1')
        if (!socket.write(bytes) && socket.writableLength > 0) upstream?.socket.pause()
        socket.uncork()
        passages.wrote(passage)
      },
      complete({ isReusable, keepAliveSeconds, closes }) {
        const used = letGo()
        if (used && isReusable && isBodyDone) pool.give(used, keepAliveSeconds)
        else if (used) pool.drop(used)
        passages.leave(passage)
        next(closes)
      },
      broken(why) {
        const used = letGo()
        if (used) pool.drop(used)
        lost(why, used?.isReused ?? false)
      },
      switched(head, rest) {
        state = 'tunnel'
        due.flush()
        socket.write(head, 'latin1')
        if (rest) socket.write(rest)
        if (input) upstream?.socket.write(input)
        input = undefined
        regulate()
      },
    },
    reader,
  )

  /** The connection to the application broke, or what came over it is no response. */
  const lost = (why: string, wasReused: boolean): void => {
    if (state !== 'busy') return
    const { instance } = passage
    if (wasReused && !relay.hasBegun && isRepeatable && !isRepeated && instance) {
      isRepeated = true
      upstream = pool.take(instance, user, 'new')
    } else if (passage.isStarted) {
      passages.leave(passage)
      breakOff()
    } else passages.refuse(passage, { status: 502, body: why, isError: true })
  }

  const refuse = (answer: OwnAnswer) => {
    if (state === 'tunnel') return closeTunnel()
    dropUpstream()
    due.flushResponse()
    const closes = !exchange.mayKeepAlive
    socket.write(ownResponse(answer, { isHead: exchange.isHead, isOld: exchange.isOld, closes }, clock.now()))
    next(closes)
  }

  /** What came is no HTTP/1.1: nothing after it can be trusted either. */
  const reject = (status: number): true => {
    keepsAlive = false
    isHeadPartial = false
    exchange.isHead = false
    exchange.isOld = false
    refuse({ status, body: '', isError: false })
    return true
  }

  const rejectBody = () => {
    keepsAlive = false
    if (!passage.isStarted) return passages.refuse(passage, { status: 400, body: '', isError: false })
    passages.leave(passage)
    breakOff()
  }

  /** Ends a response that is not whole, in such a way that the client can tell. What has been written still goes out. */
  const breakOff = (): void => {
    dropUpstream()
    due.flushResponse()
    if (relay.endsWithConnection) {
      end()
      socket.resetAndDestroy()
      return
    }
    state = 'closing'
    input = undefined
    dueMs = clock.now() + LINGER_MS
    deadlines.arm(ownDeadline, dueMs)
    socket.destroySoon()
  }

  const next = (closes: boolean) => {
    requestText = ''
    if (closes || !isBodyDone) return linger()
    state = 'reading'
    dueMs = clock.now() + IDLE_LIMIT_MS
    if (input) readRequests()
    else regulate()
  }

  /** Ends our side and waits for the client to end its own. */
  const linger = (): void => {
    due.flushResponse()
    state = 'closing'
    input = undefined
    dueMs = clock.now() + IDLE_LIMIT_MS
    deadlines.arm(ownDeadline, dueMs)
    socket.end(() => {
      if (state !== 'closing') return
      if (socket.readableEnded) return void socket.destroy()
      dueMs = clock.now() + LINGER_MS
      deadlines.arm(ownDeadline, dueMs)
    })
    regulate()
  }

  const closeTunnel = (): void => {
    passages.leave(passage)
    dropUpstream()
    linger()
  }

  // ---- the client's socket

  /** Reads from the client only as fast as what it sends can go on. */
  const regulate = (): void => {
    const isStuck = state !== 'reading' || socket.writableNeedDrain
    const isTooMuch = input !== undefined && input.length > MAX_HELD_BYTES && isStuck
    const wantsPause = isTooMuch || (isUpstreamFull && upstream !== undefined && (state === 'tunnel' || !isBodyDone))
    if (wantsPause === isPaused || state === 'done') return
    isPaused = wantsPause
    if (wantsPause) socket.pause()
    else socket.resume()
  }

  function onData(chunk: Buffer): void {
    if (state === 'reading') {
      const isOurs = input !== undefined
      input = input ? Buffer.concat([input, chunk]) : chunk
      readRequests()
      // What stays is read later, when the memory that it came in is another's.
      if (input && !isOurs) input = Buffer.from(input)
    } else if (state === 'tunnel') {
      if (upstream && !upstream.socket.write(Buffer.from(chunk))) isUpstreamFull = true
      regulate()
    } else if (state === 'busy') {
      if (!isBodyDone && !input && upstream?.isConnected) sendBody(Buffer.from(chunk))
      else input = input ? Buffer.concat([input, chunk]) : Buffer.from(chunk)
      regulate()
    }
  }

  function onDrain(): void {
    upstream?.socket.resume()
    if (state === 'reading') readRequests()
  }

  /** A client that ends its side has gone, as a Knative cluster sees it; only an upgraded connection may be half open. */
  function onEnd(): void {
    if (state === 'tunnel') upstream?.socket.end()
    else if (state !== 'closing' || socket.writableFinished) {
      end()
      socket.destroy()
    }
  }

  function onClose(): void {
    end()
  }

  /** Leaves nothing behind, whatever was going on. */
  const end = (): void => {
    if (state === 'done') return
    due.flushResponse()
    state = 'done'
    input = undefined
    deadlines.disarm(ownDeadline)
    passages.leave(passage)
    dropUpstream()
  }

  const ownDeadline = createDeadline(() => {
    const nowMs = clock.now()
    const isResting = state === 'reading' || state === 'closing'
    if (!isResting || nowMs < dueMs) return deadlines.arm(ownDeadline, isResting ? dueMs : nowMs + IDLE_LIMIT_MS)
    if (isHeadPartial) reject(408)
    else {
      end()
      socket.destroy()
    }
  })

  const passage = passages.create({
    forward(instance: Instance) {
      upstream = pool.take(instance, user, exchange.wantsUpgrade ? 'new' : isRepeatable ? 'kept' : 'recent')
      if (upstream.isConnected) sendRequest()
    },
    refuse,
    cut(text) {
      due.flushResponse()
      const appended = relay.appendable(text)
      if (appended !== undefined) socket.write(appended, 'latin1')
      breakOff()
    },
    logged: () =>
      exchangeFromHead(requestText, {
        remoteAddress: hostPort(clientAddress, clientPort),
        isOld: exchange.isOld,
        status: relay.status,
        responseBytes: relay.bodyBytes,
      }),
  })

  deadlines.arm(ownDeadline, dueMs)
  socket.on('data', onData).on('end', onEnd).on('close', onClose).on('drain', onDrain)
}
