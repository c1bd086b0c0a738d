import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Readable, Writable } from 'node:stream'

export type HeaderPair = [name: string, value: string]

/** A request that came through a server of Node's, whichever protocol that speaks. Header names are in lower case. */
export interface Front {
  readonly method: string
  readonly path: string
  readonly host: string
  /** "HTTP/2.0". */
  readonly protocol: string
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** As received, pseudo-headers and Host left out. */
  readonly headers: readonly HeaderPair[]
  readonly body: Readable
  readonly hasBody: boolean
  /** What followed the request's body; complete once that has ended. */
  trailers(): readonly HeaderPair[]
  /** An interim response; where the protocol's server has no way to send one, nothing happens. */
  inform(status: number, headers: readonly HeaderPair[]): void
  respond(status: number, headers: readonly HeaderPair[], isLast: boolean): void
  readonly out: Writable
  finish(trailers: readonly HeaderPair[]): void
  /** Breaks off, so that the client sees that the response is not whole. */
  abort(): void
  /** Calls back once, when the request is over: answered, or its client gone. */
  onGone(listener: () => void): void
}

/**
 * HTTP/1.1: requests for applications that speak HTTP/2, and for hosts that are answered inside. `isLast` ends the connection
 * with it, so that the raw forwarder, which is faster and stricter, sees the next one.
 */
export function frontOfHttp1(request: IncomingMessage, response: ServerResponse, { isLast: isLastRequest }: { isLast: boolean }): Front {
  if (isLastRequest) response.shouldKeepAlive = false
  return {
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    host: request.headers.host ?? '',
    protocol: `HTTP/${request.httpVersion}`,
    remoteAddress: request.socket.remoteAddress,
    remotePort: request.socket.remotePort,
    headers: pairsOf(request.rawHeaders).filter(([name]) => name !== 'host'),
    body: request,
    hasBody: request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined,
    trailers: () => pairsOf(request.rawTrailers),
    inform() {},
    respond(status, headers, isLast) {
      if (response.headersSent || response.destroyed) return
      response.writeHead(status, headers.flat())
      if (isLast) response.end()
      else response.flushHeaders()
    },
    out: response,
    finish(trailers) {
      if (trailers.length > 0) response.addTrailers(trailers)
      response.end()
    },
    abort: () => void response.destroy(),
    onGone: (listener) => void response.once('close', listener),
  }
}

/** One stream of an HTTP/2 connection; `raw` are its headers as a flat list. */
export function frontOfHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): Front {
  let closing: readonly HeaderPair[] = []
  let received: readonly HeaderPair[] = []
  stream.on('trailers', (_headers, _flags, rawTrailers: string[] = []) => {
    received = pairsOf(rawTrailers)
  })
  stream.on('wantTrailers', () => {
    if (!stream.destroyed) stream.sendTrailers(http2Headers(closing))
  })
  return {
    method: String(headers[':method'] ?? 'GET'),
    path: String(headers[':path'] ?? '/'),
    host: String(headers[':authority'] ?? headers.host ?? ''),
    protocol: 'HTTP/2.0',
    remoteAddress: stream.session?.socket?.remoteAddress,
    remotePort: stream.session?.socket?.remotePort,
    headers: pairsOf(raw).filter(([name]) => !name.startsWith(':') && name !== 'host'),
    body: stream,
    hasBody: !stream.endAfterHeaders,
    trailers: () => received,
    inform(status, informed) {
      if (!stream.destroyed && !stream.headersSent) stream.additionalHeaders({ ...http2Headers(informed), ':status': status })
    },
    respond(status, answered, isLast) {
      if (stream.destroyed || stream.closed || stream.headersSent) return
      stream.respond({ ...http2Headers(answered), ':status': status }, { endStream: isLast, waitForTrailers: !isLast })
    },
    out: stream,
    finish(trailers) {
      closing = trailers
      if (!stream.destroyed) stream.end()
    },
    abort() {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    },
    onGone: (listener) => void stream.once('close', listener),
  }
}

/** A flat list of names and values as pairs. */
export function pairsOf(flat: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = []
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at]!.toLowerCase(), flat[at + 1]!])
  return pairs
}

/** Repeated names become a list. */
export function http2Headers(pairs: readonly HeaderPair[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of pairs) {
    const known = headers[name]
    if (known === undefined) headers[name] = value
    // Browsers and Go split cookies into one field each, which servers of HTTP/1.1 do not expect.
    else if (name === 'cookie') headers[name] = `${known}; ${value}`
    else headers[name] = [known, value].flat()
  }
  return headers
}
