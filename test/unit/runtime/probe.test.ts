import { createServer as createHttpServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type ProbeTarget, probe } from '../../../src/runtime/probe.js'

const servers: NetServer[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listening(server: Server | Http2Server | NetServer): Promise<number> {
  const each = server as NetServer
  servers.push(each)
  each.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve))
  return (each.address() as AddressInfo).port
}
/** A port that nobody listens on. */
async function deafPort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  servers.splice(servers.indexOf(server), 1)
  await new Promise((resolve) => server.close(resolve))
  return port
}
const target = (more: Partial<ProbeTarget> = {}): ProbeTarget => ({ host: '127.0.0.1', portOf: Number, ...more })
const seconds = { timeoutMs: 2000 }

test.each([
  [200, true, 'fine'],
  [302, true, 'fine'],
  [399, true, 'fine'],
  [400, false, 'HTTP probe failed with statuscode: 400'],
  [500, false, 'HTTP probe failed with statuscode: 500'],
])('an HTTP answer of %i is ok: %s', async (status, ok, message) => {
  const port = await listening(
    createHttpServer((_request, response) => response.writeHead(status, { Location: 'http://ghost.invalid/' }).end('fine')),
  )
  expect(await probe({ httpGet: { port } }, target(), seconds)).toEqual({ ok, message })
})

test('an HTTP probe asks as a kubelet does, with the headers it was given', async () => {
  let seen: { url: string | undefined; headers: IncomingHttpHeaders } | undefined
  const port = await listening(
    createHttpServer((request, response) => {
      seen = { url: request.url, headers: request.headers }
      response.end()
    }),
  )
  const httpHeaders = [
    { name: 'host', value: 'example.com' },
    { name: 'X-Two', value: 'a' },
    { name: 'x-two', value: 'b' },
  ]
  await probe({ httpGet: { path: 'health z?a=b', port: 'user-port', httpHeaders } }, target({ portOf: () => port }), seconds)
  expect(seen).toEqual({
    url: '/health%20z?a=b',
    headers: { 'user-agent': 'kube-probe/1.35', accept: '*/*', connection: 'close', host: 'example.com', 'x-two': 'a, b' },
  })
  await probe(
    {
      httpGet: {
        port,
        httpHeaders: [
          { name: 'User-Agent', value: 'mine' },
          { name: 'Accept', value: '' },
        ],
      },
    },
    target(),
    seconds,
  )
  expect(seen?.headers).toEqual({ 'user-agent': 'mine', connection: 'close', host: `127.0.0.1:${port}` })
})

test('a probe of a port that nobody listens on says so in the words of a kubelet', async () => {
  const port = await deafPort()
  expect(await probe({ httpGet: { path: '/ready', port } }, target(), seconds)).toEqual({
    ok: false,
    message: `Get "http://127.0.0.1:${port}/ready": dial tcp 127.0.0.1:${port}: connect: connection refused`,
  })
  expect(await probe({ tcpSocket: { port } }, target(), seconds)).toEqual({
    ok: false,
    message: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
  })
  expect(await probe({ grpc: { port } }, target(), seconds)).toEqual({
    ok: false,
    message: `timeout: failed to connect service "127.0.0.1:${port}" within 2s: context deadline exceeded`,
  })
})

test('an HTTP probe fails when there is no answer in time, none at all, or none that is HTTP', async () => {
  const url = (port: number): string => `Get "http://127.0.0.1:${port}/": `
  const silent = await listening(createHttpServer(() => {}))
  expect((await probe({ httpGet: { port: silent } }, target(), { timeoutMs: 50 })).message).toBe(
    `${url(silent)}context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  )
  const closing = await listening(createServer((socket) => socket.once('data', () => socket.end())))
  expect((await probe({ httpGet: { port: closing } }, target(), seconds)).message).toBe(`${url(closing)}EOF`)
  const rude = await listening(createServer((socket) => socket.end('220 mail.example.com ESMTP\r\n')))
  expect((await probe({ httpGet: { port: rude } }, target(), seconds)).message).toBe(
    `${url(rude)}net/http: HTTP/1.x transport connection broken: malformed HTTP response`,
  )
})

test('an answer that never ends is read in part only', async () => {
  const port = await listening(
    createHttpServer((_request, response) => {
      const more = (): boolean => response.write('x'.repeat(4096), () => response.destroyed || more())
      more()
    }),
  )
  const { ok, message } = await probe({ httpGet: { port } }, target(), seconds)
  expect([ok, message.length]).toEqual([true, 10_240])
})

test('a TCP probe is content with a connection', async () => {
  const port = await listening(createServer())
  expect(await probe({ tcpSocket: { port } }, target(), seconds)).toEqual({ ok: true, message: '' })
})

test('an unknown port name and an aborted probe are failures', async () => {
  const portOf = (): number => {
    throw new Error('port web not found')
  }
  expect(await probe({ tcpSocket: { port: 'web' } }, target({ portOf }), seconds)).toEqual({ ok: false, message: 'port web not found' })
  const port = await listening(createHttpServer(() => {}))
  expect((await probe({ httpGet: { port } }, target(), { ...seconds, signal: AbortSignal.abort() })).ok).toBe(false)
  expect(await probe({}, target(), seconds)).toEqual({ ok: false, message: 'missing probe handler' })
})

test("an exec probe is ok when the command's exit code is 0, and shows its output when not", async () => {
  const run = (exitCode: number) => target({ exec: async (command) => ({ exitCode, output: command.join(' ') }) })
  expect(await probe({ exec: { command: ['cat', 'x'] } }, run(0), seconds)).toEqual({ ok: true, message: 'cat x' })
  expect(await probe({ exec: { command: ['cat', 'x'] } }, run(1), seconds)).toEqual({ ok: false, message: 'cat x' })
  expect((await probe({ exec: { command: ['cat'] } }, target(), seconds)).ok).toBe(false)
})

/** A server of the gRPC health protocol that answers with these bytes and this status, and remembers the request. */
function health(answer: { body?: number[]; status: number; message?: string }): { server: Http2Server; asked: () => Buffer } {
  let asked = Buffer.alloc(0)
  const server = createHttp2Server()
  server.on('stream', (stream, headers) => {
    stream.on('data', (part: Buffer) => (asked = Buffer.concat([asked, part])))
    stream.on('end', () => {
      const status = { 'grpc-status': String(answer.status), ...(answer.message && { 'grpc-message': answer.message }) }
      if (headers[':path'] !== '/grpc.health.v1.Health/Check') return stream.respond({ ':status': 404 }, { endStream: true })
      if (!answer.body) return stream.respond({ 'content-type': 'application/grpc', ...status }, { endStream: true })
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers(status))
      stream.end(Buffer.from(answer.body))
    })
  })
  return { server, asked: () => asked }
}

test.each([
  ['SERVING', { body: [0, 0, 0, 0, 2, 8, 1], status: 0 }, true, 'service healthy'],
  ['NOT_SERVING', { body: [0, 0, 0, 0, 2, 8, 2], status: 0 }, false, 'service unhealthy (responded with "NOT_SERVING")'],
  ['an empty answer', { body: [0, 0, 0, 0, 0], status: 0 }, false, 'service unhealthy (responded with "UNKNOWN")'],
  [
    'no such method',
    { status: 12, message: 'unknown service' },
    false,
    'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service',
  ],
  [
    'no such service',
    { status: 5, message: 'unknown%20service' },
    false,
    'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
  ],
])('a gRPC probe answered with %s', async (_, answer, ok, message) => {
  const { server, asked } = health(answer)
  const port = await listening(server)
  expect(await probe({ grpc: { port, service: 'liveness' } }, target(), seconds)).toEqual({ ok, message })
  expect(asked()).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 0, 10, 0x0a, 8]), Buffer.from('liveness')]))
})

test('a gRPC probe of something else fails in time', async () => {
  const port = await listening(createServer())
  expect(await probe({ grpc: { port } }, target(), { timeoutMs: 60 })).toEqual({
    ok: false,
    message: `timeout: failed to connect service "127.0.0.1:${port}" within 0.06s: context deadline exceeded`,
  })
})
