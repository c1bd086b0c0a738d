import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import type { Cancel, Clock } from '../base/clock.js'

/** An event on its way to a URL, encoded. */
export interface Outgoing {
  readonly url: string
  /** Without Host and Content-Length. Names in any case, values as they go over the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** Authorities in PEM that are trusted beside the machine's, for https. */
  readonly caCerts?: string | undefined
}

/** What came back: a status with its headers and body, or an error that says why nothing did. */
export interface Answer {
  readonly statusCode?: number
  /** As received, a flat list of names and values. */
  readonly headers?: readonly string[]
  readonly body?: Buffer
  readonly error?: string
}

/** Where a URL is reached: what to connect to, and the Host to ask for. */
export interface Reach {
  readonly host: string
  readonly port: number
  readonly hostHeader: string
}

/** Makes one attempt. Never rejects: what goes wrong is an answer with `error`. */
export type Send = (outgoing: Outgoing, options?: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined }) => Promise<Answer>

export interface Sender {
  send: Send
  /** Closes kept connections. */
  stop(): void
}

/** An attempt without a limit of its own ends after this, as Knative's fan-out gives up. @see knative/eventing v1.22 pkg/channel/fanout */
const LONGEST_ATTEMPT_MS = 15 * 60_000
/** As net/http's client: after so many redirects it gives up. */
const MAX_REDIRECTS = 10
/** Longer answers are refused, in bytes: they would have to be kept whole. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
/** Kept connections per host and altogether. @see config-imc-event-dispatcher, MaxIdleConnectionsPerHost, MaxIdleConnections */
const IDLE_PER_HOST = 100
/** Sets of authorities whose connections are kept. */
const MAX_TLS_AGENTS = 32

export interface SenderDeps {
  /** What a URL's host means here. */
  reach: (url: URL) => Reach | Promise<Reach>
  /** Authorities in PEM that are trusted by all, as they are now; the same array until they change. Absent: none. */
  trustBundles?: () => readonly string[]
  realClock: Clock
}

/** Sends events over HTTP/1.1, with and without TLS, on kept connections. Time limits are in real time. */
export function createSender(deps: SenderDeps): Sender {
  const agentOptions = { keepAlive: true, maxFreeSockets: IDLE_PER_HOST, scheduling: 'lifo' } as const
  const plain = new HttpAgent(agentOptions)
  const secure = new Map<string, HttpsAgent>()
  let bundles: readonly string[] = []
  const secureFor = (caCerts: string): HttpsAgent => {
    const newest = deps.trustBundles?.() ?? bundles
    if (newest !== bundles) {
      for (const agent of secure.values()) retire(agent)
      secure.clear()
      bundles = newest
    }
    const known = secure.get(caCerts)
    if (known) return known
    if (secure.size >= MAX_TLS_AGENTS) {
      const [oldest, agent] = [...secure][0]!
      retire(agent)
      secure.delete(oldest)
    }
    const more = caCerts === '' ? bundles : [...bundles, caCerts]
    const agent = new HttpsAgent({ ...agentOptions, ...(more.length > 0 && { ca: [...rootCertificates, ...more] }) })
    secure.set(caCerts, agent)
    return agent
  }

  const exchange = async (url: URL, method: string, outgoing: Outgoing, limits: Limits, isAgain = false): Promise<Answer> => {
    const isSecure = url.protocol === 'https:'
    const { host, port, hostHeader } = await deps.reach(url)
    const hasBody = method !== 'GET'
    const headers = ['Host', hostHeader]
    for (const [name, value] of outgoing.headers) if (hasBody || !isAboutBody(name)) headers.push(name, value)
    if (hasBody) headers.push('Content-Length', String(outgoing.body.length))
    const options = {
      host,
      port,
      path: `${url.pathname}${url.search}`,
      method,
      headers,
      agent: isSecure ? secureFor(outgoing.caCerts ?? '') : plain,
      ...(isSecure && isIP(url.hostname) === 0 && { servername: url.hostname }),
    }
    limits.check()
    let request: ClientRequest
    try {
      request = isSecure ? requestHttps(options) : requestHttp(options)
    } catch (error) {
      // A header that HTTP cannot carry.
      return { error: failureText(method, url, error) }
    }
    limits.hold(request)
    const answer = await answerTo(request, hasBody ? outgoing.body : undefined)
    limits.let()
    if (!('failure' in answer)) return answer
    // A kept connection may have been closed by the other side while this was on its way; nobody has read it then.
    if (answer.wasKept && !isAgain && !limits.reason()) return exchange(url, method, outgoing, limits, true)
    return { error: failureText(method, url, limits.reason() ?? answer.failure) }
  }

  return {
    async send(outgoing, { timeoutMs, signal } = {}) {
      const limits = createLimits(deps.realClock, timeoutMs ?? LONGEST_ATTEMPT_MS, signal)
      let method = 'POST'
      let text = outgoing.url
      try {
        let url = urlFrom(text)
        for (let redirects = 0; ; redirects++) {
          const answer = await exchange(url, method, outgoing, limits)
          const location = redirectFrom(answer)
          if (location === undefined) return answer
          if (redirects >= MAX_REDIRECTS) return { error: failureText(method, url, `stopped after ${MAX_REDIRECTS} redirects`) }
          if (answer.statusCode! <= 303) method = 'GET'
          text = location
          url = new URL(location, url)
        }
      } catch (error) {
        return { error: failureText(method, text, limits.reason() ?? error) }
      } finally {
        limits.end()
      }
    },
    stop() {
      plain.destroy()
      for (const agent of secure.values()) agent.destroy()
      secure.clear()
    },
  }
}

/** Requests that are under way go on, and no connection is kept for another. */
function retire(agent: HttpsAgent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy()
}

/**
 * The URL that is asked: one of another scheme than http and https loses all but its host.
 * @see knative/eventing v1.22 pkg/kncloudevents/event_dispatcher.go, sanitizeURL
 */
export function urlFrom(text: string): URL {
  if (/^https?:/i.test(text)) return new URL(text)
  const host = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/)?([^/?#]*)/i.exec(text)?.[1] ?? ''
  return new URL(`http://${host}/`)
}

/** A header of an answer, by its lower-case name; the first of several. */
export function answerHeader({ headers = [] }: Answer, name: string): string | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2) if (headers[at]!.toLowerCase() === name) return headers[at + 1]
  return undefined
}

/** The limit of an attempt and the wish to end it, over all of its redirects. */
interface Limits {
  hold(request: ClientRequest): void
  let(): void
  /** Throws when the attempt is over already. */
  check(): void
  /** Why it was ended by us, if it was. */
  reason(): string | undefined
  end(): void
}

function createLimits(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Limits {
  let current: ClientRequest | undefined
  let reason: string | undefined
  const stop = (why: string): void => {
    reason ??= why
    current?.destroy(new Error(reason))
  }
  const onAbort = (): void => stop('context canceled')
  const cancel: Cancel = clock.after(timeoutMs, () => stop('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'))
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    hold(request) {
      current = request
    },
    let() {
      current = undefined
    },
    check() {
      if (reason !== undefined) throw new Error(reason)
    },
    reason: () => reason,
    end() {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    },
  }
}

type Exchanged = Answer | { failure: unknown; wasKept: boolean }

function answerTo(request: ClientRequest, body: Buffer | undefined): Promise<Exchanged> {
  return new Promise((resolve) => {
    let hasAnswer = false
    const fail = (failure: unknown): void => resolve({ failure, wasKept: request.reusedSocket && !hasAnswer && isReset(failure) })
    request.on('error', fail)
    request.on('response', (response: IncomingMessage) => {
      hasAnswer = true
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_ANSWER_BYTES) request.destroy(new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () =>
        resolve({
          statusCode: response.statusCode!,
          headers: response.rawHeaders,
          body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks),
        }),
      )
    })
    request.end(body)
  })
}

function isReset(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function redirectFrom(answer: Answer): string | undefined {
  const { statusCode = 0 } = answer
  return [301, 302, 303, 307, 308].includes(statusCode) ? answerHeader(answer, 'location') : undefined
}

function isAboutBody(name: string): boolean {
  return /^content-/i.test(name)
}

/** In the words of Go's client, which users of Knative know from dead letters. */
function failureText(method: string, url: URL | string, error: unknown): string {
  const verb = method[0] + method.slice(1).toLowerCase()
  return `${verb} ${JSON.stringify(String(url))}: ${whyText(error)}`
}

function whyText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string }
  const at = address === undefined ? '' : ` ${address}:${port}`
  if (code === 'ECONNREFUSED') return `dial tcp${at}: connect: connection refused`
  if (code === 'EHOSTUNREACH') return `dial tcp${at}: connect: no route to host`
  if (code === 'ETIMEDOUT') return `dial tcp${at}: i/o timeout`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `dial tcp: lookup ${(error as { hostname?: string }).hostname ?? ''}: no such host`
  if (code === 'ECONNRESET') return error.message === 'socket hang up' ? 'EOF' : 'read: connection reset by peer'
  if (code === 'EPIPE') return 'write: broken pipe'
  return (code !== undefined && tlsText(code, error)) || error.message
}

/** What Node says of a chain that leads to nobody who is trusted; to Go it is all one. */
const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** How TLS was refused; undefined where it was not TLS. @see crypto/tls and crypto/x509 of Go */
function tlsText(code: string, error: Error): string | undefined {
  const notVerified = 'tls: failed to verify certificate: x509:'
  if (UNKNOWN_AUTHORITY.has(code)) return `${notVerified} certificate signed by unknown authority`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return `${notVerified} certificate has expired or is not yet valid`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const { host, cert } = error as Error & { host?: string; cert?: { subjectaltname?: string } }
    const names = (cert?.subjectaltname ?? '').split(', ').filter(Boolean)
    const valid = names.map((name) => name.replace(/^(?:DNS|IP Address):/, '')).join(', ')
    return `${notVerified} certificate is valid for ${valid}, not ${host ?? ''}`
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || (code === 'EPROTO' && error.message.includes('wrong version number')))
    return 'http: server gave HTTP response to HTTPS client'
  return undefined
}
