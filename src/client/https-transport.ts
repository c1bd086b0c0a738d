import {
  type ApiAnswer,
  type ApiCall,
  type CallOptions,
  SERVER_TIME_HEADER,
  type Transport,
  type WatchEvent,
} from '../apimachinery/call.js'
import { type Status, StatusError } from '../apimachinery/status-error.js'
import { UserError } from '../base/user-error.js'
import { type Exchange, exchangeWhole, type HttpRequest, type ResponseHeaders, type WholeAnswer } from './exchange.js'

export interface HttpsTransportOptions {
  /** Sends a request to the server; made anew by `recover`. */
  exchange: Exchange
  /** `https://host:port/prefix`: for the Host header, the path prefix and error messages. */
  server: string
  userAgent: string
  /** Credential headers of the next request. Asked for each one, since a program or a file may hand out a new one. */
  credential?: () => Promise<Record<string, string>> | Record<string, string>
  /** Impersonate-* headers. */
  impersonation?: Readonly<Record<string, string | string[]>>
  /** For --log-http: takes whole blocks of text. */
  logHttp?: (text: string) => void
  /** Told what time it is at a server that has a time of its own, in milliseconds since 1970, with each of its answers. */
  onServerTime?: (epochMs: number) => void
  /**
   * Called when nothing listens at the server's address, before anything was sent: an emulator is started here. Resolves to the exchange
   * and server to go on with, or undefined to give up.
   */
  recover?: () => Promise<{ exchange: Exchange; server: string } | undefined>
}

/** Connection errors after which nothing can have reached the server. */
const NOTHING_LISTENS: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT'])

/**
 * API calls over HTTP to any Kubernetes API server. A refusal is thrown as StatusError with the server's own words; a server that cannot
 * be reached, or lacks the API group, as UserError in kn's.
 */
export function createHttpsTransport(options: HttpsTransportOptions): Transport {
  let { exchange, server } = options
  let recovering: Promise<boolean> | undefined

  const requestFor = async (call: ApiCall): Promise<HttpRequest> => {
    const { pathname, host } = new URL(server)
    const body = bodyOf(call)
    return {
      method: METHODS[call.verb],
      path: `${pathname.replace(/\/$/, '')}${pathOf(call)}`,
      headers: {
        Host: host,
        Accept: 'application/json',
        'User-Agent': options.userAgent,
        ...(body && { 'Content-Type': call.patch?.type ?? 'application/json' }),
        ...(await options.credential?.()),
        ...options.impersonation,
      },
      ...(body && { body }),
    }
  }
  const recovered = async (error: unknown): Promise<boolean> => {
    if (!options.recover || !NOTHING_LISTENS.has((error as NodeJS.ErrnoException).code ?? '')) return false
    recovering ??= options.recover().then((next) => {
      if (next) ({ exchange, server } = next)
      return next !== undefined
    })
    return recovering
  }
  const send = async (call: ApiCall): Promise<{ request: HttpRequest; answer: WholeAnswer }> => {
    for (let isRetry = false; ; isRetry = true) {
      const request = await requestFor(call)
      options.logHttp?.(requestBlock(request))
      try {
        const answer = await exchangeWhole(exchange, request)
        options.logHttp?.(responseBlock(answer.status, answer.headers, answer.body))
        return { request, answer }
      } catch (error) {
        options.logHttp?.(block('ERROR', String(error)))
        if (isRetry || !(await recovered(error))) throw connectionError(error as Error, request, server)
      }
    }
  }

  return {
    async call(call) {
      const { answer } = await send(call)
      const time = Number(answer.headers[SERVER_TIME_HEADER]?.[0])
      if (time > 0) options.onServerTime?.(time)
      if (answer.status >= 200 && answer.status < 300) return answerFrom(answer)
      throw refusalFrom(answer, call)
    },
    watch(call, onEvent, onEnd) {
      let isStopped = false
      let cut: (() => void) | undefined
      const end = (error?: unknown): void => {
        if (isStopped) return
        isStopped = true
        onEnd(error)
      }
      const start = async (isRetry: boolean): Promise<void> => {
        const request = await requestFor(call)
        if (isStopped) return
        options.logHttp?.(requestBlock(request))
        cut = exchange(
          request,
          watchReceiver(call, onEvent, end, options.logHttp, (error) => {
            if (isRetry) return end(connectionError(error, request, server))
            recovered(error)
              .then((isBack) => (isBack ? start(true) : end(connectionError(error, request, server))))
              .catch(end)
          }),
        )
      }
      start(false).catch(end)
      return () => {
        isStopped = true
        cut?.()
      }
    },
  }
}

const METHODS = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
} as const

/** Path and query of a call, as the API server serves it. */
export function pathOf(call: ApiCall): string {
  const parts = [
    call.group === '' ? '/api' : `/apis/${call.group}`,
    call.version,
    ...(call.namespace === undefined ? [] : ['namespaces', encodeURIComponent(call.namespace)]),
    call.plural,
    ...(call.name === undefined || call.verb === 'create' ? [] : [encodeURIComponent(call.name)]),
    ...(call.subresource === undefined ? [] : [call.subresource]),
  ]
  const query = queryOf(call.options ?? {}, call.verb)
  return query === '' ? parts.join('/') : `${parts.join('/')}?${query}`
}

/** Options that travel in the body of a DELETE. */
const DELETE_OPTIONS = ['gracePeriodSeconds', 'propagationPolicy', 'preconditions'] as const

function queryOf(options: CallOptions, verb: ApiCall['verb']): string {
  const query = new URLSearchParams()
  if (verb === 'watch') query.set('watch', 'true')
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (DELETE_OPTIONS as readonly string[]).includes(name)) continue
    if (name === 'dryRun') {
      if (value) query.set('dryRun', 'All')
    } else {
      query.set(name, String(value))
    }
  }
  return query.toString()
}

function bodyOf(call: ApiCall): Buffer | undefined {
  if (call.patch) return Buffer.from(typeof call.patch.body === 'string' ? call.patch.body : JSON.stringify(call.patch.body))
  if (call.verb === 'delete' || call.verb === 'deletecollection') {
    const given = DELETE_OPTIONS.filter((name) => call.options?.[name] !== undefined)
    if (given.length === 0) return undefined
    const fields = Object.fromEntries(given.map((name) => [name, call.options![name]]))
    return Buffer.from(JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', ...fields }))
  }
  return call.object === undefined ? undefined : Buffer.from(JSON.stringify(call.object))
}

function answerFrom({ status, headers, body }: WholeAnswer): ApiAnswer {
  const object = JSON.parse(body.toString()) as ApiAnswer['object']
  return { code: status, object, warnings: warningsOf(headers) }
}

/** The texts of `Warning: 299 - "text"` headers (RFC 7234 as the API server uses it). */
export function warningsOf(headers: ResponseHeaders): string[] {
  return (headers['warning'] ?? []).flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((found) => found[1]!.replaceAll(/\\(.)/g, '$1')),
  )
}

/** What the server refused, as an error. Answers that are no Status are put as client-go puts them. */
function refusalFrom({ status, body }: Pick<WholeAnswer, 'status' | 'body'>, call: ApiCall): Error {
  const text = body.toString()
  const told = statusOf(text)
  const isMissingApi =
    status === 404 && (told ? !told.details?.name && /^the server could not find the requested resource/.test(told.message ?? '') : true)
  if (isMissingApi && call.group.endsWith('knative.dev')) {
    const name = call.group[0]!.toUpperCase() + call.group.slice(1).split('.')[0]
    return new UserError({
      code: 'api-missing',
      what: `no or newer Knative ${name} API found on the backend, please verify the installation or update the 'kn' client`,
    })
  }
  if (told) return new StatusError({ ...told, code: told.code ?? status, reason: told.reason ?? '', message: told.message ?? '' })
  const resource = call.group ? `${call.plural}.${call.group}` : call.plural
  const about = `(${call.verb} ${resource}${call.name ? ` ${call.name}` : ''})`
  const [reason, message] = genericRefusal(status, text.trim(), about)
  return new StatusError({ code: status, reason, message })
}

/** @see k8s.io/apimachinery pkg/api/errors/errors.go, NewGenericServerResponse */
function genericRefusal(status: number, text: string, about: string): [reason: string, message: string] {
  switch (status) {
    case 401:
      return ['Unauthorized', 'the server has asked for the client to provide credentials']
    case 403:
      return ['Forbidden', text || `forbidden ${about}`]
    case 404:
      return ['NotFound', `the server could not find the requested resource ${about}`]
    case 429:
      return ['TooManyRequests', 'the server has received too many requests and has asked us to try again later']
    case 503:
      return ['ServiceUnavailable', 'the server is currently unable to handle the request']
    case 504:
      return ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request']
    default:
      return ['InternalError', `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding ${about}`]
  }
}

function statusOf(text: string): Status | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const told = JSON.parse(text) as Status
    return told.kind === 'Status' ? told : undefined
  } catch {
    return undefined
  }
}

function watchReceiver(
  call: ApiCall,
  onEvent: (event: WatchEvent) => void,
  end: (error?: unknown) => void,
  logHttp: ((text: string) => void) | undefined,
  onFailure: (error: Error) => void,
): Parameters<Exchange>[1] {
  let status = 0
  let chunks: Buffer[] = []
  const NEWLINE = 10
  return {
    head(code, headers) {
      status = code
      logHttp?.(responseBlock(code, headers, undefined))
    },
    data(chunk) {
      let from = 0
      if (status === 200) {
        for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
          const line = Buffer.concat([...chunks, chunk.subarray(from, at)]).toString()
          chunks = []
          from = at + 1
          if (line.trim() === '') continue
          let event: WatchEvent
          try {
            event = JSON.parse(line) as WatchEvent
          } catch {
            return end(new Error(`malformed watch event: ${line.slice(0, 100)}`))
          }
          onEvent(event)
        }
      }
      if (from < chunk.length) chunks.push(chunk.subarray(from))
    },
    end(error) {
      if (error && status === 0) onFailure(error)
      else if (status >= 200 && status < 300) end()
      else if (error) end(error)
      else end(refusalFrom({ status, body: Buffer.concat(chunks) }, call))
    },
  }
}

/** How Go tells a failed connection, so that what people search for is what they see. */
const GO_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  ECONNRESET: 'read: connection reset by peer',
  ENOENT: 'connect: no such file or directory',
}

/** TLS failures as Go words them. */
const GO_TLS_TEXTS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'x509: certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'x509: certificate signed by unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'x509: certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'x509: certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
}

function connectionError(error: Error, request: HttpRequest, server: string): Error {
  if (error instanceof UserError || error instanceof StatusError) return error
  const { protocol, host, hostname } = new URL(server)
  const { code = '' } = error as NodeJS.ErrnoException
  const address = /:\d+$/.test(host) ? host : `${host}:${protocol === 'https:' ? 443 : 80}`
  const remedies = [`check that the cluster at ${address} is running`, 'kn --context CONTEXT … for another cluster of the kubeconfig']
  const method = request.method[0] + request.method.slice(1).toLowerCase()
  const get = `${method} "${protocol}//${host}${request.path}"`
  if (code === 'EHOSTUNREACH' || code === 'ETIMEDOUT') {
    const what = `error connecting to the cluster, please verify connection at: ${address}: ${GO_TEXTS[code]}`
    return new UserError({ code: 'unreachable', what, remedies, cause: error })
  }
  const tls = GO_TLS_TEXTS[code] ?? (code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `x509: ${error.message}` : undefined)
  const why = tls
    ? `tls: failed to verify certificate: ${tls}`
    : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
      ? `dial tcp: lookup ${hostname}: no such host`
      : GO_TEXTS[code]
        ? `dial tcp ${address}: ${GO_TEXTS[code]}`
        : error.message
  return new UserError({ code: tls ? 'certificate' : 'unreachable', what: `${get}: ${why}`, remedies: tls ? [] : remedies, cause: error })
}

/** Header values that must not end up in a log. */
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'www-authenticate', 'cookie', 'proxy-authorization'])

function headerLines(headers: Readonly<Record<string, string | readonly string[]>>): string {
  return Object.entries(headers)
    .flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((one) => [name, one] as const))
    .map(([name, value]) => `${name}: ${SECRET_HEADERS.has(name.toLowerCase()) ? '********' : value}\n`)
    .join('')
}

function requestBlock({ method, path, headers, body }: HttpRequest): string {
  return block('REQUEST', `${method} ${path} HTTP/1.1\n${headerLines(headers)}\n${body ?? ''}`)
}

function responseBlock(status: number, headers: ResponseHeaders, body: Buffer | undefined): string {
  return block('RESPONSE', `HTTP/1.1 ${status}\n${headerLines(headers)}\n${body ?? ''}`)
}

function block(title: string, text: string): string {
  return `===== ${title} =====\n${text}${text.endsWith('\n') ? '' : '\n'} * * * * * *\n`
}
