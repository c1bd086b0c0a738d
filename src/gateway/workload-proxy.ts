import { timingSafeEqual } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type OutgoingMessage,
  request as requestHttp,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Reach } from '../delivery/send.js'
import { MAX_HEAD_BYTES } from './http1-heads.js'

export interface WorkloadProxy {
  readonly port: number
  /** The proxy as a workload of this namespace is told of it, with its credential: `http://default:0f…@127.0.0.1:34567`. */
  urlFor(namespace: string): string
  /** An http URL inside the cluster as one that needs no proxy and no DNS; any other text as it is. */
  directUrl(text: string): string
  /** Closes listener and connections, in the middle of requests too. */
  stop(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const TOKEN_BYTES = 16
/** Of one connection to the next only; a proxy sets its own. @see RFC 9110 section 7.6.1. Node has answered `Expect` already. */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'upgrade', 'host', 'expect'])
const CLUSTER_NAME = /\.svc(?:\.cluster\.local)?$/
/** Asked for by programs that cannot read the answer to CONNECT: there is none, and what cannot be reached is closed. */
export const SILENT_HEADER = 'kn-local-silent'

/** What a request is for, in one of the two forms that are taken. `path` is as it came. */
interface Destination {
  readonly authority: string
  readonly path: string
  readonly namespace: string | undefined
}

/**
 * The way from a workload to names inside the cluster, on a loopback port. Three forms: CONNECT and absolute-form, as of any HTTP proxy,
 * with the credential in Proxy-Authorization; and `/to/<token>/<host>/<path>`, for URLs that are handed to programs. Without the
 * credential nothing is passed on: other users of this machine, and pages in a browser, get no further than here.
 */
export async function startWorkloadProxy(options: {
  /** Where a URL leads, for a workload of that namespace. */
  reach: (url: URL, namespace: string | undefined) => Reach
  random: Random
  log: Logger
}): Promise<WorkloadProxy> {
  const { reach } = options
  const log = options.log.with({ listener: 'workload-proxy' })
  const token = options.random.bytes(TOKEN_BYTES).toString('hex')
  const isToken = (text: string): boolean =>
    text.length === token.length && timingSafeEqual(Buffer.from(text, 'latin1'), Buffer.from(token))

  /** The namespace that the credential names; undefined: there is no credential, or a wrong one. */
  const namespaceFrom = ({ headers }: IncomingMessage): string | undefined => {
    const [, encoded = ''] = /^basic +(\S+)$/i.exec(headers['proxy-authorization'] ?? '') ?? []
    const [, namespace, password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? []
    return isToken(password) ? namespace : undefined
  }

  /** The destination of a request that is no CONNECT, or the status it is refused with. */
  const destinationFrom = (request: IncomingMessage): Destination | number => {
    const text = request.url!
    const [, absolute, path = ''] = /^http:\/\/([^/?#]+)([^#]*)$/i.exec(text) ?? []
    if (absolute !== undefined) {
      const namespace = namespaceFrom(request)
      return namespace === undefined ? 407 : { authority: absolute.slice(absolute.lastIndexOf('@') + 1), path, namespace }
    }
    const [, given, authority, rest = ''] = /^\/to\/([^/]+)\/([^/?#]+)([^#]*)$/.exec(text) ?? []
    if (authority !== undefined && isToken(given!)) return { authority, path: rest, namespace: undefined }
    // TLS is for the two ends to speak, through CONNECT.
    return text.startsWith('/') ? 404 : 400
  }

  /** The request to the other side; undefined, and answered, when there is none to be made. */
  const outgoingFor = (request: IncomingMessage, refuse: (status: number, why: string) => void, extra: readonly string[]) => {
    const found = destinationFrom(request)
    if (typeof found === 'number') return void refuse(found, WHY_REFUSED[found]!)
    const url = urlFrom(found.authority)
    if (!url) return void refuse(400, 'the request names no host')
    const { host, port, hostHeader } = reach(url, found.namespace)
    const headers = ['Host', hostHeader, ...endToEnd(request.rawHeaders), ...extra]
    // Node would send such a request in chunks.
    if (!hasBody(request) && /^(POST|PUT|PATCH)$/.test(request.method!)) headers.push('Content-Length', '0')
    const path = found.path.startsWith('/') ? found.path : `/${found.path}`
    const outgoing = requestHttp({ host, port, method: request.method, path, headers, agent: false, maxHeaderSize: MAX_HEAD_BYTES })
    outgoing.on('error', (error) => {
      log.debug('a workload cannot reach a host', { host: found.authority, error })
      refuse(502, `${found.authority} cannot be reached: ${error.message}`)
    })
    return outgoing
  }

  const server = createServer({ maxHeaderSize: MAX_HEAD_BYTES, noDelay: true, requestTimeout: 0 }, (request, response) => {
    const refuse = (status: number, why: string): void => {
      if (response.headersSent) response.destroy()
      else refuseWith(response, status, why)
    }
    const outgoing = outgoingFor(request, refuse, ['Connection', 'close'])
    if (!outgoing) return
    outgoing.on('response', (answer) => relay(answer, response))
    response.on('close', () => outgoing.destroy())
    if (hasBody(request)) flushHead(outgoing)
    request.pipe(outgoing)
  })
  server.keepAliveTimeout = 0

  server.on('upgrade', (request, socket: Socket, head) => {
    const refuse = (status: number, why: string): void => void socket.end(refusalText(status, why))
    socket.on('error', () => socket.destroy())
    const outgoing = outgoingFor(request, refuse, ['Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''])
    if (!outgoing) return
    socket.on('close', () => outgoing.destroy())
    outgoing.on('upgrade', (answer, other, otherHead) => {
      socket.write(headText(answer, answer.rawHeaders), 'latin1')
      socket.write(otherHead)
      other.write(head)
      join(socket, other)
    })
    outgoing.on('response', (answer) => {
      socket.write(headText(answer, [...endToEnd(answer.rawHeaders, 'transfer-encoding'), 'Connection', 'close']), 'latin1')
      answer.pipe(socket)
    })
    outgoing.end()
  })

  server.on('connect', (request, socket: Socket, head) => {
    const isSilent = request.headers[SILENT_HEADER] !== undefined
    const refuse = (status: number, why: string): void => void (isSilent ? socket.destroy() : socket.end(refusalText(status, why)))
    socket.on('error', () => socket.destroy())
    const namespace = namespaceFrom(request)
    if (namespace === undefined) return refuse(407, WHY_REFUSED[407]!)
    const url = urlFrom(request.url!)
    if (!url || !/:\d+$/.test(request.url!)) return refuse(400, 'CONNECT wants a host and a port')
    // Nobody says what is spoken there, so it is the program itself that is asked for, as with TLS.
    const { host, port } = reach(new URL(`https://${request.url}`), namespace)
    const other = connect({ host, port, allowHalfOpen: true, noDelay: true })
    const fail = (error: Error): void => {
      log.debug('a workload cannot reach a host', { host: request.url, error })
      refuse(502, `${request.url} cannot be reached: ${error.message}`)
    }
    other.once('error', fail)
    socket.on('close', () => other.destroy())
    other.once('connect', () => {
      other.off('error', fail)
      if (!isSilent) socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      other.write(head)
      join(socket, other)
    })
  })

  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end(refusalText(400, 'this is no request of HTTP'))
    else socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: LOOPBACK, port: 0 }, resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    port,
    urlFor: (namespace) => `http://${namespace}:${token}@${LOOPBACK}:${port}`,
    directUrl(text) {
      const url = URL.canParse(text) ? new URL(text) : undefined
      if (url?.protocol !== 'http:' || !CLUSTER_NAME.test(url.hostname)) return text
      const path = text.endsWith('/') || url.pathname !== '/' ? url.pathname : ''
      return `http://${LOOPBACK}:${port}/to/${token}/${url.host}${path}${url.search}`
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const WHY_REFUSED: Readonly<Record<number, string>> = {
  400: 'this is a proxy for http; for anything else use CONNECT',
  404: 'nothing is here: this is the proxy of the workloads',
  407: 'the proxy of the workloads wants the credential of its URL',
}
const CHALLENGE = ['Proxy-Authenticate', 'Basic realm="kn-local workloads"']

/** A host and, maybe, a port; 80 otherwise. */
function urlFrom(authority: string): URL | undefined {
  const text = `http://${authority}`
  if (!/^(?:\[[\da-f:.]+\]|[^\s/?#@[\]\\:]+)(?::\d*)?$/i.test(authority) || !URL.canParse(text)) return undefined
  return new URL(text)
}

/** The headers that are meant for the other end; `Connection` may name more that are not. */
function endToEnd(raw: readonly string[], ...others: string[]): string[] {
  const named = new Set<string>(others)
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at]!.toLowerCase() === 'connection') for (const name of raw[at + 1]!.split(',')) named.add(name.trim().toLowerCase())
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase()
    if (!HOP_HEADERS.has(name) && !named.has(name)) kept.push(raw[at]!, raw[at + 1]!)
  }
  return kept
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

function relay(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode!, answer.statusMessage, endToEnd(answer.rawHeaders))
  flushHead(response)
  answer.on('error', () => response.destroy())
  answer.on('end', () => {
    const trailers: [string, string][] = []
    for (let at = 0; at + 1 < answer.rawTrailers.length; at += 2) trailers.push([answer.rawTrailers[at]!, answer.rawTrailers[at + 1]!])
    if (trailers.length > 0) response.addTrailers(trailers)
    response.end()
  })
  answer.pipe(response, { end: false })
}

/** Sends the head although no byte of the body is there yet. Node's own flushHeaders writes bytes beyond ASCII as the UTF-8 of what they are. */
function flushHead(message: OutgoingMessage): void {
  message.write('', 'latin1')
}

function refuseWith(response: ServerResponse, status: number, why: string): void {
  const challenge = status === 407 ? CHALLENGE : []
  const length = String(Buffer.byteLength(why) + 1)
  response.writeHead(status, ['Content-Type', 'text/plain', 'Content-Length', length, 'Connection', 'close', ...challenge])
  response.end(`${why}\n`)
}

function refusalText(status: number, why: string): string {
  const challenge = status === 407 ? `${CHALLENGE.join(': ')}\r\n` : ''
  const length = Buffer.byteLength(why) + 1
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${challenge}Content-Type: text/plain\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${why}\n`
}

function headText({ statusCode, statusMessage }: IncomingMessage, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`
  for (let at = 0; at + 1 < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`
  return `${text}\r\n`
}

/** Passes bytes both ways until both sides have ended; what breaks one breaks the other. */
function join(one: Socket, other: Socket): void {
  one.on('error', () => other.destroy())
  other.on('error', () => one.destroy())
  one.on('close', () => other.destroy())
  other.on('close', () => one.destroy())
  one.pipe(other)
  other.pipe(one)
}
