import { request as httpRequest } from 'node:http'
import { type ClientHttp2Stream, connect, constants } from 'node:http2'
import type { Readable, Writable } from 'node:stream'
import { hostPort } from './forwarded.js'
import type { Http2Connection, Instance } from './instance.js'
import { type HeaderPair, http2Headers, pairsOf } from './stream-front.js'
import { sentenceFor } from './upstream.js'

/** A request as it goes to an application. */
export interface BackRequest {
  method: string
  path: string
  host: string
  headers: readonly HeaderPair[]
  hasBody: boolean
}

export interface BackEvents {
  informed(status: number, headers: readonly HeaderPair[]): void
  responded(status: number, headers: readonly HeaderPair[], body: Readable | undefined): void
  /** The application is not there, or broke off. `wasConnected` is false when nothing was sent. */
  failed(why: string, wasConnected: boolean): void
}

/** An exchange with an application. */
export interface Back {
  readonly body: Writable
  /** Calls back once, when the application is there to take the body. */
  connected(listener: () => void): void
  /** Ends the request's body. */
  finish(trailers: readonly HeaderPair[]): void
  /** What followed the response's body; complete once that has ended. */
  trailers(): readonly HeaderPair[]
  /** Asked when the response's body has ended: whether that was its end, or the application broke it off. */
  isWhole(): boolean
  abort(): void
}

/** Over HTTP/1.1, for requests that came over HTTP/2. A connection each: such requests are few, and none is lost to a kept one closing. */
export function sendOverHttp1(instance: Instance, request: BackRequest, events: BackEvents): Back {
  const { method, path, host, headers, hasBody } = request
  const lines: HeaderPair[] = [['Host', host], ...headers, ['Connection', 'close']]
  const hasLength = headers.some(([name]) => name === 'content-length')
  if (hasBody && !hasLength) lines.push(['Transfer-Encoding', 'chunked'])
  let isConnected = false
  let isOver = false
  let trailers: readonly HeaderPair[] = []
  const fail = (why: string): void => {
    if (isOver) return
    isOver = true
    events.failed(why, isConnected)
  }

  const outgoing = httpRequest({ host: instance.host, port: instance.port, method, path, agent: false, headers: lines.flat() })
  outgoing.on('socket', (socket) =>
    socket.once('connect', () => {
      isConnected = true
    }),
  )
  outgoing.on('information', ({ statusCode, rawHeaders }) => events.informed(statusCode, endToEnd(pairsOf(rawHeaders))))
  outgoing.on('response', (incoming) => {
    incoming.on('end', () => {
      isOver = true
      trailers = pairsOf(incoming.rawTrailers)
    })
    incoming.on('error', () => fail('unexpected EOF'))
    events.responded(incoming.statusCode ?? 502, endToEnd(pairsOf(incoming.rawHeaders)), incoming)
  })
  outgoing.on('error', (error: NodeJS.ErrnoException) => fail(sentenceFor(error, instance, isConnected)))
  outgoing.on('close', () => fail('EOF'))
  if (hasBody) outgoing.flushHeaders()
  else outgoing.end()
  return {
    body: outgoing,
    connected(listener) {
      if (isConnected) listener()
      else outgoing.once('socket', (socket) => socket.once('connect', listener))
    },
    finish(requestTrailers) {
      if (requestTrailers.length > 0 && !hasLength) outgoing.addTrailers(requestTrailers as HeaderPair[])
      outgoing.end()
    },
    trailers: () => trailers,
    isWhole: () => isOver,
    abort() {
      isOver = true
      outgoing.destroy()
    },
  }
}

/** As many streams are opened on one connection until the application has said how many it takes. */
const DEFAULT_MAX_STREAMS = 100

/** Over HTTP/2 without TLS, in prior knowledge: gRPC, and whatever names its port h2c. */
export function sendOverHttp2(instance: Instance, request: BackRequest, events: BackEvents): Back {
  const { method, path, host, headers, hasBody } = request
  const connection = connectionTo(instance)
  const { session } = connection
  let isConnected = !session.connecting
  let isOver = false
  let trailers: readonly HeaderPair[] = []
  let requestTrailers: readonly HeaderPair[] = []
  const fail = (why: string): void => {
    if (isOver) return
    isOver = true
    events.failed(why, isConnected)
  }
  if (!isConnected) {
    session.once('connect', () => {
      isConnected = true
    })
  }
  const stream: ClientHttp2Stream = session.request(
    { ...http2Headers(headers), ':method': method, ':path': path, ':authority': host, ':scheme': 'http' },
    { endStream: !hasBody, waitForTrailers: hasBody },
  )
  connection.streams++
  stream.on('wantTrailers', () => {
    if (!stream.destroyed) stream.sendTrailers(http2Headers(requestTrailers))
  })
  stream.on('headers', (informed, _flags, raw: string[] = []) => events.informed(Number(informed[':status']), plain(raw)))
  stream.on('trailers', (_headers, _flags, raw: string[] = []) => {
    trailers = plain(raw)
  })
  stream.on('response', (answered, flags, raw: string[] = []) => {
    const isLast = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    if (isLast) isOver = true
    else {
      // A stream that is reset ends as well.
      stream.on('end', () => {
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR) isOver = true
      })
    }
    const list = raw.length > 0 ? plain(raw) : plainOf(answered)
    events.responded(Number(answered[':status'] ?? 502), list, isLast ? undefined : stream)
    // Without this the stream of a response without a body would never close.
    if (isLast) stream.resume()
  })
  // A session that never came about cancels its streams, and only the cause says why.
  stream.on('error', (error) => fail(sentenceFor(error.cause instanceof Error ? error.cause : error, instance, isConnected)))
  stream.on('close', () => {
    connection.streams--
    fail('EOF')
  })
  return {
    body: stream,
    connected(listener) {
      if (isConnected) listener()
      else session.once('connect', () => listener())
    },
    finish(given) {
      requestTrailers = given
      if (!stream.destroyed) stream.end()
    },
    trailers: () => trailers,
    isWhole: () => isOver,
    abort() {
      isOver = true
      if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL)
    },
  }
}

function connectionTo(instance: Instance): Http2Connection {
  const known = instance.sessions.find(
    ({ session, streams }) =>
      !session.closed && !session.destroyed && streams < (session.remoteSettings?.maxConcurrentStreams ?? DEFAULT_MAX_STREAMS),
  )
  if (known) return known
  const session = connect(`http://${hostPort(instance.host, instance.port)}`)
  // Every stream that waits for it to come about listens to it.
  session.setMaxListeners(0)
  const connection: Http2Connection = { session, streams: 0 }
  const forget = (): void => {
    const at = instance.sessions.indexOf(connection)
    if (at !== -1) instance.sessions.splice(at, 1)
  }
  // Its streams report what went wrong.
  session.on('error', forget)
  session.on('goaway', forget)
  session.on('close', forget)
  session.on('stream', (pushed) => pushed.close(constants.NGHTTP2_REFUSED_STREAM))
  instance.sessions.push(connection)
  return connection
}

/** What concerns one connection only. @see RFC 9110 section 7.6.1 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** Without what concerns one connection only, the fields that Connection names included. */
export function endToEnd(pairs: readonly HeaderPair[]): HeaderPair[] {
  const named = new Set(pairs.filter(([name]) => name === 'connection').flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/)))
  return pairs.filter(([name, value]) => {
    // HTTP/2 knows no other value. @see RFC 9113 section 8.2.2
    if (name === 'te') return value.toLowerCase() === 'trailers'
    return !HOP_BY_HOP.has(name) && !(named.has(name) && name !== 'content-length')
  })
}

function plain(raw: readonly string[]): HeaderPair[] {
  return pairsOf(raw).filter(([name]) => !name.startsWith(':'))
}

function plainOf(headers: object): HeaderPair[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (name.startsWith(':') || value === undefined) return []
    return [value].flat().map((one): HeaderPair => [name, String(one)])
  })
}
