import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Asked {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}

export type Answer = (request: Asked, response: ServerResponse) => void

export interface FakeApiServer {
  /** What was asked so far. */
  asked: Asked[]
  port: number
  close(): Promise<void>
}

/** An HTTP(S) server that answers as told, on a unix socket or a free loopback port. */
export async function startFakeApiServer(
  answer: Answer,
  { socket, tls }: { socket?: string; tls?: { key: string; cert: string; ca?: string; requestCert?: boolean } } = {},
): Promise<FakeApiServer> {
  const asked: Asked[] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() }
      asked.push(one)
      answer(one, response)
    })
  }
  const server = tls ? createHttpsServer(tls, handle) : createHttpServer(handle)
  if (socket) server.listen(socket)
  else server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    asked,
    port: typeof address === 'object' ? (address as AddressInfo).port : 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string | string[]> = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
