import { onNextTurn } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Informer } from '../client/informer.js'
import type { ConfigMap } from '../kinds/core/configmap/schema.js'
import type { Revision } from '../kinds/revision/schema.js'
import type { Instance } from './instance.js'
import { parseTemplate, type Template } from './log-template.js'
import { canonicalHeader, type Struct, type Value } from './log-template-values.js'

/** A request and what became of it, as its connection knows them. */
export interface LoggedExchange {
  method: string
  /** As it came: "/path?query". */
  uri: string
  host: string
  /** "HTTP/1.1". */
  protocol: string
  /** Names in any case. */
  headers: readonly (readonly [name: string, value: string])[]
  /** Of the request; -1 when nobody said. */
  bodyBytes: number
  /** "127.0.0.1:43210". */
  remoteAddress: string
  status: number
  /** Of the response, without its head. */
  responseBytes: number
}

/** Whose request it was. */
export interface LoggedWhere {
  namespace: string
  revision: string
  instance: Instance
  /** Of real time, from when the instance was chosen. */
  latencyMs: number
}

export interface RequestLog {
  /** Whether requests are logged; nothing else is looked at on their way while they are not. */
  readonly isOn: boolean
  /** Whether probes are logged too. */
  readonly logsProbes: boolean
  add(exchange: LoggedExchange, where: LoggedWhere): void
  /** Hands on what was added: it is done by itself on the next turn of the event loop. */
  flush(): void
  stop(): void
}

export interface RequestLogOptions {
  configMaps: Informer<ConfigMap>
  revisions: Informer<Revision>
  /** Whole lines for the queue-proxy's log of a Pod. */
  write(podUid: string, lines: string): void
  log: Logger
}

/** @see knative/serving v1.23 pkg/observability/config.go, DefaultRequestLogTemplate */
const DEFAULT_TEMPLATE =
  '{"httpRequest": {"requestMethod": "{{.Request.Method}}", "requestUrl": "{{js .Request.RequestURI}}", "requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}}, "responseSize": "{{.Response.Size}}", "userAgent": "{{js .Request.UserAgent}}", "remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}", "referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s", "protocol": "{{.Request.Proto}}"}, "traceId": "{{.TraceID}}"}'

const CONFIG = { namespace: 'knative-serving', name: 'config-observability' }
const SERVICE_LABEL = 'serving.knative.dev/service'
const CONFIGURATION_LABEL = 'serving.knative.dev/configuration'

/** Writes nothing, ever. */
export function createNoRequestLog(): RequestLog {
  return { isOn: false, logsProbes: false, add() {}, flush() {}, stop() {} }
}

/**
 * The request log of all queue-proxies: one line per request that reached an instance, rendered from the template in
 * config-observability, which is followed as it changes. Off unless `logging.enable-request-log` says "true". A template that cannot
 * be read leaves the one before in force.
 *
 * @see knative/serving v1.23 pkg/http/request_log.go
 */
export function createRequestLog({ configMaps, revisions, write, log }: RequestLogOptions): RequestLog {
  let isOn = false
  let logsProbes = false
  let templateText = ''
  let template: Template | undefined
  const pending = new Map<string, string>()

  const follow = (data: Readonly<Record<string, string>>): void => {
    const text = data['logging.request-log-template'] ?? DEFAULT_TEMPLATE
    if (text !== templateText) {
      try {
        template = text === '' ? undefined : parseTemplate(text.endsWith('\n') ? text : `${text}\n`)
        templateText = text
      } catch (error) {
        log.warn('the template of request logs cannot be used', { problem: (error as Error).message })
      }
    }
    isOn = isTrue(data['logging.enable-request-log']) && template !== undefined
    logsProbes = isTrue(data['logging.enable-probe-request-log'])
  }
  const stopFollowing = configMaps.onChange(({ type, object: { metadata, data } }) => {
    if (metadata.namespace === CONFIG.namespace && metadata.name === CONFIG.name) follow(type === 'DELETED' ? {} : (data ?? {}))
  })
  const flush = (): void => {
    for (const [podUid, lines] of pending) write(podUid, lines)
    pending.clear()
  }

  return {
    get isOn() {
      return isOn
    },
    get logsProbes() {
      return logsProbes
    },
    add(exchange, where) {
      const { namespace, revision, instance } = where
      const line = rendered(template!, exchange, where, revisions.get({ namespace, name: revision }))
      if (pending.size === 0) onNextTurn(flush)
      pending.set(instance.podUid, (pending.get(instance.podUid) ?? '') + line)
    },
    flush,
    stop() {
      isOn = false
      stopFollowing()
      flush()
    },
  }
}

/** As Go's strconv.ParseBool reads it; anything else is no. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|T|TRUE|true|True)$/.test(text)
}

function rendered(template: Template, exchange: LoggedExchange, where: LoggedWhere, revision: Revision | undefined): string {
  const latency = where.latencyMs / 1000
  try {
    return template(inputFor(exchange, where, revision))
  } catch {
    const { method, status, uri } = exchange
    return `Invalid request log template: method: ${method}, response code: ${status}, latency: ${latency}, url: ${uri}\n`
  }
}

/** What a template may name: the fields of Knative's RequestLogTemplateInput, and of http.Request what makes sense in a log. */
function inputFor(
  exchange: LoggedExchange,
  { namespace, instance, latencyMs, revision }: LoggedWhere,
  found: Revision | undefined,
): Struct {
  const { method, uri, host, protocol, bodyBytes, remoteAddress, status, responseBytes } = exchange
  const header = headerMap(exchange.headers)
  const first = (name: string): string => {
    const values = header.get(name)
    return Array.isArray(values) ? String(values[0]) : ''
  }
  const [, major = '1', minor = '1'] = /^HTTP\/(\d)\.(\d)/.exec(protocol) ?? []
  const [path = '', query = ''] = uri.split('?', 2)
  return {
    Request: {
      Method: method,
      RequestURI: uri,
      URL: { String: () => uri, Path: path, RawQuery: query },
      Host: host,
      Proto: protocol,
      ProtoMajor: Number(major),
      ProtoMinor: Number(minor),
      Header: header,
      ContentLength: bodyBytes,
      RemoteAddr: remoteAddress,
      UserAgent: () => first('User-Agent'),
      Referer: () => first('Referer'),
    },
    Response: { Code: status, Size: responseBytes, Latency: latencyMs / 1000 },
    Revision: {
      Name: revision,
      Namespace: namespace,
      Service: found?.metadata.labels?.[SERVICE_LABEL] ?? '',
      Configuration: found?.metadata.labels?.[CONFIGURATION_LABEL] ?? '',
      PodName: instance.podName,
      PodIP: instance.address,
    },
    TraceID: traceIdFrom(first),
  }
}

function headerMap(headers: LoggedExchange['headers']): ReadonlyMap<string, Value> {
  const map = new Map<string, readonly string[]>()
  for (const [name, value] of headers) {
    const key = canonicalHeader(name)
    map.set(key, [...(map.get(key) ?? []), value])
  }
  return map
}

/** The trace of W3C's traceparent, else of B3's header; none otherwise: no trace is begun here. */
function traceIdFrom(header: (name: string) => string): string {
  const parent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(header('Traceparent'))?.[1]
  return parent ?? (/^(?:[0-9a-f]{16}){1,2}$/i.test(header('X-B3-Traceid')) ? header('X-B3-Traceid').toLowerCase().padStart(32, '0') : '')
}

/** A request of HTTP/1.x from its head as it went to the application; `text` is latin1, the last line end included. */
export function exchangeFromHead(
  text: string,
  facts: Pick<LoggedExchange, 'remoteAddress' | 'status' | 'responseBytes'> & { isOld: boolean },
): LoggedExchange {
  const [line = '', ...fields] = Buffer.from(text, 'latin1').toString().split('\r\n')
  const [method = '', uri = ''] = line.split(' ')
  const headers = fields.flatMap((field): [string, string][] => {
    const colon = field.indexOf(':')
    return colon > 0 ? [[field.slice(0, colon), field.slice(colon + 1).trim()]] : []
  })
  const value = (name: string): string | undefined => headers.find((pair) => pair[0].toLowerCase() === name)?.[1]
  const { isOld, ...rest } = facts
  return {
    ...rest,
    method,
    uri,
    host: value('host') ?? '',
    protocol: isOld ? 'HTTP/1.0' : 'HTTP/1.1',
    headers: headers.filter(([name]) => name.toLowerCase() !== 'host'),
    bodyBytes: value('transfer-encoding') ? -1 : Number(value('content-length') ?? 0),
  }
}
