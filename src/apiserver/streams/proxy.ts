import { type ClientRequest, type IncomingMessage, type OutgoingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import { onHalfClose } from '../http/watch-stream.js'

/** Where a proxied request goes. */
export interface ProxyTarget {
  scheme: 'http' | 'https'
  host: string
  port: number
  /** The Host header it is sent with; absent: the one it came with, which is what upstream sends to Pods. */
  hostHeader?: string
}

/** Finds it; throws the StatusError that the request is refused with. `name` and `port` are as the path has them. */
export type FindProxyTarget = (which: {
  what: 'services' | 'pods'
  namespace: string
  name: string
  port: string | undefined
  scheme: 'http' | 'https' | undefined
}) => ProxyTarget | Promise<ProxyTarget>

/** What the path of a proxied request says. */
export interface ProxyPath {
  what: 'services' | 'pods'
  namespace: string
  /** `[scheme:]name[:port]`, decoded. */
  segment: string
  /** What lies behind `/proxy`, as it was written: empty, or with a slash in front. */
  rest: string
}

const PROXY_PATH = /^\/api\/v1\/namespaces\/([^/]+)\/(services|pods)\/([^/]+)\/proxy(\/.*)?$/s
/** Programs may answer with as much of a head as the API server takes itself. */
const MAX_HEAD_BYTES = 64 * 1024
/** Of one connection to the next only. @see RFC 9110 section 7.6.1 */
const HOP_HEADERS = ['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'upgrade']
/**
 * Not for the program: what the API server was shown to let the sender in, what this proxy says itself, and what Node has answered or
 * does not pass on.
 */
const KEPT_FROM_PROGRAMS = new Set([...HOP_HEADERS, 'authorization', 'host', 'expect', 'trailer', 'x-forwarded-for', 'x-forwarded-uri'])
/** Who somebody is or acts as: only the API server decides that. */
const IDENTITY_HEADER = /^(?:impersonate-|x-remote-)/
/** Not for the client: how long the body is is told anew, and who may read what the API server sends is not for programs to say. */
const KEPT_FROM_CLIENTS = new Set([
  ...HOP_HEADERS,
  'transfer-encoding',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
])

/** The parts of a request's raw path (without the query), or undefined when it is no proxied one. Throws URIError for a malformed escape. */
export function proxyPathFrom(rawPath: string): ProxyPath | undefined {
  const [, namespace, what, segment, rest = ''] = PROXY_PATH.exec(rawPath) ?? []
  if (namespace === undefined || segment === undefined) return undefined
  return { what: what as ProxyPath['what'], namespace: decodeURIComponent(namespace), segment: decodeURIComponent(segment), rest }
}

/**
 * Answers a request for `services/proxy` or `pods/proxy` on `response`; resolves when it is over. `early` is given for one that wants
 * another protocol: what came behind its head. Throws the StatusError it is refused with, before anything was sent.
 *
 * What stands behind `/proxy` goes on as it was written, where upstream decodes and cleans it. Links in HTML stay as they are.
 *
 * @see kubernetes/kubernetes v1.35 staging/src/k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go, transport.go
 */
export async function proxyRequest(options: {
  request: IncomingMessage
  response: ServerResponse
  path: ProxyPath
  find: FindProxyTarget
  early: Buffer | undefined
}): Promise<void> {
  const { request, response, path, find, early } = options
  const target = await find({ what: path.what, namespace: path.namespace, ...nameFrom(path) })
  const [rawPath] = request.url!.split('?', 1) as [string]
  const query = request.url!.slice(rawPath.length)
  if (path.rest === '' && !early && (request.method === 'GET' || request.method === 'HEAD')) {
    // Relative links of a page would otherwise lead out of the proxied path.
    response.writeHead(301, { Location: `${rawPath}/${query}`, 'Content-Length': 0 }).end()
    return
  }
  if (response.destroyed) return

  const host = target.hostHeader ?? request.headers.host ?? `${target.host}:${target.port}`
  const hop = early ? ['Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''] : ['Connection', 'close']
  const outgoing = (target.scheme === 'https' ? requestHttps : requestHttp)({
    host: target.host,
    port: target.port,
    method: request.method,
    path: (path.rest || '/') + query,
    headers: ['Host', host, ...headersFor(request, rawPath), ...hop],
    agent: false,
    maxHeaderSize: MAX_HEAD_BYTES,
    // Like upstream's: what a program calls itself in its certificate has nothing to do with its name here.
    rejectUnauthorized: false,
  })
  const prefix = rawPath.slice(0, rawPath.length - path.rest.length)
  const own = new Set([`${target.host}:${target.port}`, host])
  await exchange(outgoing, { request, response, early, target }, (location) =>
    locationBelow(prefix, location, own, request.headers.host ?? ''),
  )
}

/** Passes both sides on as they come, until they are over: whoever leaves ends it for the other. */
function exchange(
  outgoing: ClientRequest,
  given: { request: IncomingMessage; response: ServerResponse; early: Buffer | undefined; target: ProxyTarget },
  locationOf: (location: string) => string,
): Promise<void> {
  const { request, response, early, target } = given
  return new Promise((resolve, reject) => {
    let isAnswered = false
    const fail = (error: unknown): void => {
      if (isAnswered) return
      isAnswered = true
      outgoing.destroy()
      reject(error instanceof StatusError ? error : unreachable(error, target))
    }
    const answered = (pass: () => void): void => {
      if (isAnswered) return
      try {
        pass()
        isAnswered = true
      } catch (error) {
        // A program can answer what Node refuses to say, such as a status below 100.
        fail(error)
      }
    }
    outgoing.on('error', fail)
    outgoing.on('response', (answer) =>
      answered(() => {
        const { statusCode = 0 } = answer
        if (early && statusCode < 400)
          throw new StatusError({ code: 500, reason: '', message: `invalid upgrade response: status code ${statusCode}` })
        relay(answer, response, locationOf)
      }),
    )
    response.on('finish', resolve)
    response.on('close', () => {
      outgoing.destroy()
      resolve()
    })
    onHalfClose(request, response, () => outgoing.destroy())

    if (early) {
      const client = request.socket
      // Read from the start on, if only a little: a connection that nobody reads from does not tell that its client has left.
      const said = new PassThrough()
      said.write(early)
      client.pipe(said)
      outgoing.on('upgrade', (answer, program: Socket, head) =>
        answered(() => {
          response.statusCode = 101
          response.detachSocket(client)
          client.write(headText(answer), 'latin1')
          client.write(head)
          client.on('close', resolve)
          join(client, said, program)
        }),
      )
      outgoing.on('close', () => {
        if (response.statusCode !== 101) said.resume()
        fail(new Error('EOF'))
      })
      outgoing.end()
    } else {
      outgoing.on('close', () => {
        // What nobody takes any more is still in the way of the next request on the connection.
        request.unpipe(outgoing)
        request.resume()
        fail(new Error('EOF'))
      })
      if (hasBody(request)) flushHead(outgoing)
      request.pipe(outgoing)
    }
  })
}

function nameFrom({ what, segment }: ProxyPath): { name: string; port: string | undefined; scheme: 'http' | 'https' | undefined } {
  const parts = segment.split(':')
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts]
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme))
    throw refusals.badRequest(`invalid ${what === 'services' ? 'service' : 'pod'} request ${JSON.stringify(segment)}`)
  return { name, port: port || undefined, scheme: (scheme || undefined) as 'http' | 'https' | undefined }
}

/**
 * What of a request's headers is for the program, and whom it comes from. Upstream's transport would say X-Forwarded-Host and -Proto too,
 * but takes them from a URL that on a server has neither: those are the client's own, if anyone's.
 */
function headersFor({ method = '', headers, headersDistinct, rawHeaders, socket }: IncomingMessage, rawPath: string): string[] {
  const kept = endToEnd(rawHeaders, (name) => KEPT_FROM_PROGRAMS.has(name) || IDENTITY_HEADER.test(name))
  const address = socket.remoteAddress?.replace(/^::ffff:/, '')
  const forwardedFor = [...(headersDistinct['x-forwarded-for'] ?? []), ...(address ? [address] : [])]
  if (forwardedFor.length > 0) kept.push('X-Forwarded-For', forwardedFor.join(', '))
  kept.push('X-Forwarded-Uri', rawPath)
  // Node would send such a request in chunks.
  if (!hasBody({ headers }) && /^(POST|PUT|PATCH)$/.test(method)) kept.push('Content-Length', '0')
  return kept
}

/** Where a body ends is never left out, whatever `Connection` says: the rest would pass for another message. */
const FRAMING = ['content-length', 'transfer-encoding']

/** The headers that are meant for the other end; `Connection` may name more that are not. */
function endToEnd(raw: readonly string[], isDropped: (name: string) => boolean): string[] {
  const pairs = pairsOf(raw)
  const named = pairs.flatMap(([name, value]) => (name.toLowerCase() === 'connection' ? value.toLowerCase().split(',') : []))
  const ofConnection = new Set(named.map((name) => name.trim()).filter((name) => !FRAMING.includes(name)))
  return pairs.filter(([name]) => !isDropped(name.toLowerCase()) && !ofConnection.has(name.toLowerCase())).flat()
}

/** Names and values as Node lists them in turn, each with its own. */
function pairsOf(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]!] satisfies [string, string]] : []))
}

function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

function relay(answer: IncomingMessage, response: ServerResponse, locationOf: (location: string) => string): void {
  const headers = pairsOf(endToEnd(answer.rawHeaders, (name) => KEPT_FROM_CLIENTS.has(name)))
  // Given to writeHead, those of one name would take each other's place, as they are to take that of the API server's own.
  for (const [name] of headers) response.removeHeader(name)
  for (const [name, value] of headers) response.appendHeader(name, name.toLowerCase() === 'location' ? locationOf(value) : value)
  response.writeHead(answer.statusCode!, answer.statusMessage)
  flushHead(response)
  answer.on('error', () => response.destroy())
  answer.on('end', () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(pairsOf(answer.rawTrailers))
    response.end()
  })
  answer.pipe(response, { end: false })
}

/** Sends the head although no byte of the body is there yet. Node's own flushHeaders writes bytes beyond ASCII as the UTF-8 of what they are. */
function flushHead(message: OutgoingMessage): void {
  message.write('', 'latin1')
}

/** A Location that stays on the program's host, below the path that leads there through the API server; any other as it is. */
function locationBelow(prefix: string, location: string, own: ReadonlySet<string>, requestHost: string): string {
  const [, scheme = '', authority = '', path = '', rest = ''] =
    /^([a-z][a-z\d+.-]*:)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(location) ?? []
  const isElsewhere = authority !== '' && authority !== requestHost && !own.has(authority)
  if (isElsewhere || !path.startsWith('/')) return location
  const origin = authority !== '' && authority === requestHost ? `${scheme}//${authority}` : ''
  return `${origin}${path === prefix || path.startsWith(`${prefix}/`) ? '' : prefix}${path}${rest}`
}

const NO_TLS = 'tls: first record does not look like a TLS handshake'

/** In the words of Go's client, as far as they are known for what Node tells. */
function unreachable(error: unknown, { host, port }: ProxyTarget): StatusError {
  const words: Record<string, string> = {
    ECONNREFUSED: `dial tcp ${host}:${port}: connect: connection refused`,
    ECONNRESET: 'EOF',
    EPROTO: NO_TLS,
    ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  }
  const { code = '', message } = error as NodeJS.ErrnoException
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message: `error trying to reach service: ${words[code] ?? message}` })
}

function headText({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = pairsOf(rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`
}

/** Passes bytes both ways until one side has ended; what it said still arrives. */
function join(client: Socket, said: PassThrough, program: Socket): void {
  client.on('error', () => program.destroy())
  program.on('error', () => client.destroy())

  program.on('end', () => client.destroySoon())
  client.on('close', () => said.end())
  program.on('close', () => client.destroySoon())
  said.pipe(program)
  program.pipe(client)
}
