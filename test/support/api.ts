import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Agent, request } from 'node:https'
import type { TestEmulator } from './emulator.js'

export interface ApiResponse {
  status: number
  headers: IncomingHttpHeaders
  /** As it came: repeated headers apart. */
  rawHeaders: readonly string[]
  body: string
  json<T = Record<string, unknown>>(): T
}

export interface ApiRequest {
  method?: string
  headers?: Record<string, string>
  /** Sent as it is when it is text or bytes, else as JSON. */
  body?: unknown
  /** Whose connections are used; absent: one of its own. */
  agent?: Agent
}

/** Raw HTTPS to an emulator's control port, as its administrator. */
export function createApi(emulator: Pick<TestEmulator, 'ports' | 'certificates' | 'token'>): {
  (path: string, asked?: ApiRequest): Promise<ApiResponse>
  /** An answer that goes on. */
  open(path: string, asked?: ApiRequest): Promise<IncomingMessage>
  /** The events of a watch, to its end. */
  watch(path: string, asked?: ApiRequest): AsyncGenerator<{ type: string; object: Record<string, never> }>
  host: string
} {
  const host = `127.0.0.1:${emulator.ports.control}`
  const open = (path: string, { method = 'GET', headers = {}, body, agent }: ApiRequest = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
      const length = bytes === undefined ? {} : { 'Content-Length': Buffer.byteLength(bytes) }
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: emulator.ports.control,
          ca: emulator.certificates.caCertificate,
          path,
          method,
          agent: agent ?? false,
          headers: { Authorization: `Bearer ${emulator.token}`, ...length, ...headers },
        },
        resolve,
      )
      outgoing.on('error', reject)
      outgoing.end(bytes)
    })
  const ask = async (path: string, asked?: ApiRequest): Promise<ApiResponse> => {
    const response = await open(path, asked)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const { headers, rawHeaders } = response
    return { status: response.statusCode!, headers, rawHeaders, body, json: () => JSON.parse(body) }
  }
  async function* watch(path: string, asked?: ApiRequest): AsyncGenerator<{ type: string; object: Record<string, never> }> {
    const response = await open(path, asked)
    let rest = ''
    try {
      for await (const chunk of response) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop()!
        for (const line of lines) yield JSON.parse(line)
      }
    } finally {
      response.destroy()
    }
  }
  return Object.assign(ask, { open, watch, host })
}
