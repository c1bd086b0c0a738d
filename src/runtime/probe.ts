import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { type Clock, createSystemClock } from '../base/clock.js'
import { KUBERNETES_VERSION } from '../base/versions.js'
import { probeGrpc } from './probe-grpc.js'

/** What a probe asks for; the timing fields of a container's probe are its caller's business. */
export interface ProbeAction {
  httpGet?: {
    path?: string
    port: number | string
    host?: string
    scheme?: string
    httpHeaders?: readonly { name: string; value: string }[]
  }
  tcpSocket?: { port: number | string; host?: string }
  exec?: { command?: readonly string[] }
  grpc?: { port: number; service?: string }
}

/** Where a container is reached. */
export interface ProbeTarget {
  host: string
  /** The port to dial for a container port or a port's name. May throw: the probe then fails with that message. */
  portOf(port: number | string): number
  exec?(command: string[], timeoutMs: number): Promise<{ exitCode: number; output?: string }>
}

export interface ProbeResult {
  ok: boolean
  /** What a kubelet puts behind `Readiness probe failed: `, or the answer's first 10 KiB. */
  message: string
}

export const PROBE_USER_AGENT = `kube-probe/${KUBERNETES_VERSION.major}.${KUBERNETES_VERSION.minor}`

/** @see kubernetes/kubernetes v1.35 pkg/probe/http/http.go, maxRespBodyLength */
const MAX_BODY_BYTES = 10 * 1024

/**
 * Tries a container once, over a connection of its own, within `timeoutMs` of real time. Never rejects; an aborted probe has failed.
 * A redirect is a success and is not followed.
 *
 * @see kubernetes/kubernetes v1.35 pkg/probe/{http,tcp,exec,grpc}, pkg/kubelet/prober/prober.go
 */
export async function probe(
  action: ProbeAction,
  target: ProbeTarget,
  options: { timeoutMs: number; signal?: AbortSignal; clock?: Pick<Clock, 'after'> },
): Promise<ProbeResult> {
  const { timeoutMs, signal, clock = createSystemClock({ unref: true }) } = options
  const limit = new AbortController()
  const abort = (): void => limit.abort(new Error('aborted'))
  const cancel = clock.after(timeoutMs, () => limit.abort(new Error('timeout')))
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    if (action.exec) return await probeExec(action.exec.command ?? [], target, timeoutMs)
    if (action.httpGet) return await probeHttp(action.httpGet, target, limit.signal)
    if (action.tcpSocket) {
      return await probeTcp(action.tcpSocket.host || target.host, target.portOf(action.tcpSocket.port), limit.signal)
    }
    if (action.grpc) {
      const { service = '', port } = action.grpc
      return await probeGrpc(
        { host: target.host, port: target.portOf(port), service, timeoutMs, userAgent: PROBE_USER_AGENT },
        limit.signal,
      )
    }
    return { ok: false, message: 'missing probe handler' }
  } catch (error) {
    return { ok: false, message: (error as Error).message }
  } finally {
    cancel()
    signal?.removeEventListener('abort', abort)
  }
}

async function probeExec(command: readonly string[], target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  if (!target.exec) return { ok: false, message: 'commands cannot be run in this container' }
  const { exitCode, output } = await target.exec([...command], timeoutMs)
  return { ok: exitCode === 0, message: output ?? '' }
}

function probeHttp(get: NonNullable<ProbeAction['httpGet']>, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const secure = get.scheme?.toUpperCase() === 'HTTPS'
  const host = get.host || target.host
  const port = target.portOf(get.port)
  const given = get.path || '/'
  const path = (given.startsWith('/') ? given : `/${given}`).replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  const url = `${secure ? 'https' : 'http'}://${hostPort(host, port)}${path}`
  const failed = (why: string): ProbeResult => ({ ok: false, message: `Get "${url}": ${why}` })

  return new Promise((resolve) => {
    const headers: Record<string, string | string[]> = { 'User-Agent': PROBE_USER_AGENT, Accept: '*/*' }
    for (const { name, value } of get.httpHeaders ?? []) addHeader(headers, name, value)
    const request = (secure ? httpsRequest : httpRequest)({
      host,
      port,
      path,
      headers: { ...headers, Connection: 'close' },
      signal,
      // A new connection every time, and no check of certificates: they are made for names, not for addresses of Pods.
      agent: false,
      ...(secure && { rejectUnauthorized: false }),
    })
    request.once('response', (response) => {
      void firstBytes(response).then(
        (body) => {
          request.destroy()
          const status = response.statusCode ?? 0
          resolve(
            status >= 200 && status < 400
              ? { ok: true, message: body }
              : { ok: false, message: `HTTP probe failed with statuscode: ${status}` },
          )
        },
        () => resolve(failed(signal.aborted ? HTTP_TIMEOUT : 'unexpected EOF')),
      )
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) return resolve(failed(signal.reason.message === 'timeout' ? HTTP_TIMEOUT : 'context canceled'))
      if (error.message === 'socket hang up') return resolve(failed('EOF'))
      if (error.code?.startsWith('HPE_')) return resolve(failed('net/http: HTTP/1.x transport connection broken: malformed HTTP response'))
      resolve(failed(dialProblem(host, port, error)))
    })
    request.end()
  })
}

/** @see Go net/http Client.Timeout */
const HTTP_TIMEOUT = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'

function addHeader(headers: Record<string, string | string[]>, name: string, value: string): void {
  const known = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase())
  const isOurs = known === 'User-Agent' || known === 'Accept'
  if (known === undefined) headers[name] = value
  else if (isOurs || known.toLowerCase() === 'host') headers[known] = value
  else headers[known] = [headers[known]!, value].flat()
  // An empty one takes ours away.
  if (isOurs && value === '') delete headers[known]
}

async function firstBytes(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response) {
    parts.push(part)
    bytes += part.length
    if (bytes >= MAX_BODY_BYTES) break
  }
  return Buffer.concat(parts).toString('utf8', 0, MAX_BODY_BYTES)
}

function probeTcp(host: string, port: number, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal })
    socket.once('connect', () => {
      // Where nobody listens on a port that is also used for outgoing connections, the system may connect a socket to itself.
      const toItself = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress
      socket.destroy()
      resolve(toItself ? { ok: false, message: dialProblem(host, port, REFUSED) } : { ok: true, message: '' })
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!signal.aborted) return resolve({ ok: false, message: dialProblem(host, port, error) })
      const why = signal.reason.message === 'timeout' ? 'i/o timeout' : 'operation was canceled'
      resolve({ ok: false, message: `dial tcp ${hostPort(host, port)}: ${why}` })
    })
  })
}

const REFUSED = { name: 'Error', message: 'connection refused', code: 'ECONNREFUSED' }

/** A connection's failure in the words of Go's net package. */
export function dialProblem(host: string, port: number, error: NodeJS.ErrnoException): string {
  const address = hostPort(host, port)
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`
    case 'ECONNRESET':
      return `read tcp ${address}: read: connection reset by peer`
    case 'EPIPE':
      return `write tcp ${address}: write: broken pipe`
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`
    case 'ETIMEDOUT':
      return `dial tcp ${address}: connect: connection timed out`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`
    default:
      return `dial tcp ${address}: ${error.message}`
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
