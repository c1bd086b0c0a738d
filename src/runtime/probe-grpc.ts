import { type ClientHttp2Session, connect } from 'node:http2'
import type { ProbeResult } from './probe.js'

/** grpc.health.v1.HealthCheckResponse.ServingStatus, by number. */
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
/** google.rpc.Code, by number, as grpc-go prints them. */
const CODE_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
]
const DEADLINE_EXCEEDED = 4
const UNIMPLEMENTED = 12

/**
 * One Check of the gRPC health protocol, without TLS. Where a kubelet goes on trying to connect until its time is up, this answers at
 * once, in the same words.
 *
 * @see kubernetes/kubernetes v1.35 pkg/probe/grpc/grpc.go
 */
export function probeGrpc(
  target: { host: string; port: number; service: string; timeoutMs: number; userAgent: string },
  signal: AbortSignal,
): Promise<ProbeResult> {
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`
  const within = `${target.timeoutMs / 1000}s`
  return new Promise((resolve) => {
    const session: ClientHttp2Session = connect(`http://${authority}`)
    let connected = false
    const finish = (ok: boolean, message: string): void => {
      signal.removeEventListener('abort', onAbort)
      session.destroy()
      resolve({ ok, message })
    }
    const notConnected = `timeout: failed to connect service "${authority}" within ${within}: context deadline exceeded`
    const onAbort = (): void => finish(false, connected ? `timeout: health rpc did not complete within ${within}` : notConnected)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const lost = (error?: Error): void => {
      const why = `rpc error: code = Unavailable desc = ${error?.message ?? 'error reading from server: EOF'}`
      finish(false, connected ? `error: health rpc probe failed: ${why}` : notConnected)
    }
    session.on('error', lost)
    session.on('close', () => lost())
    // The server's first frame: before it, this may be any TCP server.
    session.once('remoteSettings', () => {
      connected = true
    })

    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      'user-agent': target.userAgent,
      te: 'trailers',
      'grpc-timeout': `${target.timeoutMs}m`,
    })
    const parts: Buffer[] = []
    let metadata: Record<string, unknown> = {}
    stream.on('response', (headers) => {
      metadata = { ...metadata, ...headers }
    })
    stream.on('trailers', (trailers) => {
      metadata = { ...metadata, ...trailers }
    })
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('error', lost)
    stream.on('end', () => {
      const code = Number(metadata['grpc-status'] ?? 2)
      const text = decodeURIComponentSafely(String(metadata['grpc-message'] ?? ''))
      if (code === UNIMPLEMENTED) {
        return finish(false, `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${text}`)
      }
      if (code === DEADLINE_EXCEEDED) return finish(false, `timeout: health rpc did not complete within ${within}`)
      if (code !== 0) return finish(false, `error: health rpc probe failed: rpc error: code = ${CODE_NAMES[code] ?? code} desc = ${text}`)
      const status = servingStatus(Buffer.concat(parts))
      if (status === 1) return finish(true, 'service healthy')
      finish(false, `service unhealthy (responded with "${STATUS_NAMES[status] ?? status}")`)
    })
    stream.end(checkRequest(target.service))
  })
}

/** A length-prefixed HealthCheckRequest: its only field is the service's name. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8')
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name])
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}

/** The one field of a HealthCheckResponse; absent means 0. Its numbers fit into one byte. */
function servingStatus(frame: Buffer): number {
  return frame.length >= 7 && frame[5] === 0x08 ? frame[6]! : 0
}

/** grpc-message is percent-encoded. */
function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
