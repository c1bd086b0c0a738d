import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import { BAD, createChunkScanner, MORE } from './chunks.js'
import { createDeadline, type Deadlines } from './deadlines.js'
import { destinationOf, type Entrance } from './destination.js'
import { hostPort, plainAddress } from './forwarded.js'
import { fieldValue, hasBareLineFeed } from './http1-fields.js'
import { type HeadReader, MAX_HEAD_BYTES, type RequestHead } from './http1-heads.js'
import type { Instance } from './instance.js'
import { type OwnAnswer, ownResponse } from './own-answer.js'
import type { Passages } from './passage.js'
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
  clock: Clock
  random: Random
  /**
   * Hands a connection whose next bytes have been put back to a server that speaks HTTP/2, or HTTP/1.1 for HTTP/2 applications and
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
 * the next. One request at a time; what a client pipelines waits in order. Nothing is allocated per request but strings.
 */
export function serveConnection(socket: Socket, entrance: Entrance, deps: ConnectionDeps): void {
  const { passages, pool, reader, deadlines, clock } = deps
  const clientAddress = plainAddress(socket.remoteAddress)
  const clientPort = socket.remotePort
  const writeRequest = createRequestWriter(clientAddress)
  const bodyScanner = createChunkScanner()

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
    isHeadPartial = false
    const text = bytes.toString('latin1', start, end + 2)
    if (isFirst && text.startsWith(PREFACE)) return divert('http2', bytes.subarray(start))
    const head = reader.readRequest(text)
    if (head.refusal !== 0) return reject(head.refusal)
    const destination = destinationOf({ ...addressOf(head), headerValue }, entrance, deps)
    if (destination ? destination.target.http2 : entrance.inside?.(head.host)) return divert('http1', bytes.subarray(start))

    isFirst = false
    input = end + 4 < bytes.length ? bytes.subarray(end + 4) : undefined
    prepare(head)
    if (!destination) {
      refuse({ status: 404, body: '', isError: false })
      return true
    }
    requestText = writeRequest(head, destination, exchange.wantsUpgrade)
    state = 'busy'
    passages.enter(passage, destination.target, head)
    return true
  }

  const headerValue = (name: string): string | undefined => fieldValue(reader.request.fields, name)

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

  const divert = (protocol: 'http1' | 'http2', bytes: Buffer): boolean => {
    state = 'done'
    input = undefined
    deadlines.disarm(ownDeadline)
    socket.off('data', onData).off('end', onEnd).off('close', onClose).off('drain', onDrain)
    socket.pause()
    socket.unshift(bytes)
    deps.divert(socket, entrance, protocol)
    return true
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
    drained() {
      isUpstreamFull = false
      regulate()
    },
    finished() {
      if (state === 'tunnel') socket.end()
      else relay.finished()
    },
    failed(why, wasConnected) {
      const { isReused = false } = upstream ?? {}
      upstream = undefined
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
    if (isBodyDone || !input) upstream.socket.write(text, 'latin1')
    else if (!isChunked && input.length >= bodyLeft && bodyLeft <= ONE_WRITE_BYTES) {
      upstream.socket.write(text + input.toString('latin1', 0, bodyLeft), 'latin1')
      input = bodyLeft < input.length ? input.subarray(bodyLeft) : undefined
      bodyLeft = 0
      isBodyDone = true
    } else {
      upstream.socket.cork()
      upstream.socket.write(text, 'latin1')
      sendBody(input)
      upstream?.socket.uncork()
    }
    regulate()
  }

  const sendBody = (bytes: Buffer) => {
    if (!upstream) return
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
        if (!socket.write(text, 'latin1') && socket.writableLength > 0) upstream?.socket.pause()
        passages.wrote(passage)
      },
      sendBytes(bytes) {
        if (!socket.write(bytes) && socket.writableLength > 0) upstream?.socket.pause()
        passages.wrote(passage)
      },
      sendTextAndBytes(text, bytes) {
        socket.cork()
        socket.write(text, 'latin1')
        if (!socket.write(bytes) && socket.writableLength > 0) upstream?.socket.pause()
        socket.uncork()
        passages.wrote(passage)
      },
      complete({ isReusable, keepAliveSeconds, closes }) {
        const used = upstream
        upstream = undefined
        if (used && isReusable && isBodyDone) pool.give(used, keepAliveSeconds)
        else if (used) pool.drop(used)
        passages.leave(passage)
        next(closes)
      },
      broken(why) {
        const used = upstream
        upstream = undefined
        if (used) pool.drop(used)
        lost(why, used?.isReused ?? false)
      },
      switched(head, rest) {
        state = 'tunnel'
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
    if (upstream) pool.drop(upstream)
    upstream = undefined
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
    if (upstream) pool.drop(upstream)
    upstream = undefined
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
    if (upstream) pool.drop(upstream)
    upstream = undefined
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
    if (state === 'busy' && !isBodyDone && !input && upstream?.isConnected) {
      sendBody(chunk)
      regulate()
    } else if (state === 'tunnel') {
      if (upstream && !upstream.socket.write(chunk)) isUpstreamFull = true
      regulate()
    } else if (state === 'reading' || state === 'busy') {
      input = input ? Buffer.concat([input, chunk]) : chunk
      if (state === 'reading') readRequests()
      else regulate()
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
    state = 'done'
    input = undefined
    deadlines.disarm(ownDeadline)
    passages.leave(passage)
    if (upstream) pool.drop(upstream)
    upstream = undefined
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

function addressOf({ host, originalHost, target }: RequestHead): { host: string; originalHost: string; target: string } {
  return { host, originalHost, target }
}
