import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import {
  aKIngress,
  answerFrom,
  aRevision,
  aRule,
  ask,
  bodyOf,
  listening,
  rawClient,
  startApp,
  startTcpApp,
  startTestGateway,
  type TestGateway,
} from './support.js'

/** An application that speaks HTTP/2 without TLS. */
async function startHttp2App(onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<number> {
  const server = createHttp2Server()
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    onStream(stream, headers)
  })
  const port = await listening(server)
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const session of sessions) session.destroy()
      }),
  )
  return port
}

function http2Client(port: number): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  onTestFinished(() => session.destroy())
  return session
}

interface StreamAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  trailers: IncomingHttpHeaders
  rstCode: number
}

function askHttp2(session: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<StreamAnswer> {
  return new Promise((resolve) => {
    const stream = session.request({ ':authority': 'hello.default.localhost', ...headers }, { endStream: body === undefined })
    const answer: StreamAnswer = { status: 0, headers: {}, body: '', trailers: {}, rstCode: 0 }
    stream.on('response', (received) => {
      answer.headers = received
      answer.status = Number(received[':status'])
    })
    stream.on('trailers', (trailers) => {
      answer.trailers = trailers
    })
    stream.on('data', (bytes) => {
      answer.body += String(bytes)
    })
    stream.on('error', () => {})
    stream.on('close', () => resolve({ ...answer, rstCode: stream.rstCode ?? 0 }))
    if (body !== undefined) stream.end(body)
  })
}

/** A revision whose application speaks HTTP/2. */
function serveHttp2(gateway: TestGateway, port: number, timeoutSeconds = 300): void {
  gateway.informers.revisions.put(aRevision('hello', { timeoutSeconds }))
  gateway.scale('hello', [port], 'http2')
  gateway.informers.kingresses.put(aKIngress('hello', [aRule('hello.default.localhost', 'hello', { port: 81 })]))
}

test('an upgraded connection passes bytes both ways and counts as one request while it is open', async () => {
  const { port, server } = await startApp(() => {})
  const seen: Record<string, unknown> = {}
  server.on('upgrade', (request, socket, first) => {
    Object.assign(seen, {
      upgrade: request.headers.upgrade,
      connection: request.headers.connection,
      key: request.headers['sec-websocket-key'],
    })
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: yes\r\n\r\nhello')
    socket.write(first)
    socket.on('data', (bytes: Buffer) => socket.write(bytes.toString().toUpperCase()))
    socket.on('end', () => socket.end('bye'))
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(
    gateway.externalPort,
    'GET /ws HTTP/1.1\r\nHost: hello.default.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nearly',
  )
  await client.until(/^HTTP\/1.1 101 [\s\S]*Sec-WebSocket-Accept: yes\r\n[\s\S]*\r\n\r\nhelloEARLY$/)
  expect(seen).toEqual({ upgrade: 'websocket', connection: 'Upgrade', key: 'k' })
  client.send('again')
  await client.until(/AGAIN$/)
  gateway.counts.snapshot(Date.now())
  expect(gateway.counts.snapshot(Date.now() - 60_000)).toMatchObject([{ name: 'hello', averageConcurrency: 1, requestCount: 0 }])
  client.socket.end()
  expect(await client.closed).toMatch(/bye$/)
  gateway.counts.snapshot(Date.now())
  expect(gateway.counts.snapshot(Date.now())).toEqual([])
})

test('an application may refuse an upgrade, and the connection goes on in HTTP/1.1', async () => {
  const { port } = await startApp((request, response) => response.end(`plain ${request.headers.upgrade ?? 'none'}`))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const upgrade = (protocol: string) =>
    `GET / HTTP/1.1\r\nHost: hello.default.localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
  const client = rawClient(gateway.externalPort, upgrade('websocket'))
  await client.until(/plain websocket/)
  client.send(upgrade('h2c'))
  await client.until(/plain none/)
})

test('an upgraded connection is cut when its time is up, even if bytes flow', async () => {
  const clock = createVirtualClock()
  const port = await startTcpApp((socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
      socket.on('data', (bytes) => socket.write(bytes))
    })
  })
  const gateway = await startTestGateway({ clock })
  gateway.serve('hello', [port], { timeoutSeconds: 60, idleTimeoutSeconds: 10 })
  const client = rawClient(
    gateway.externalPort,
    'GET / HTTP/1.1\r\nHost: hello.default.localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
  )
  await client.until(/101/)
  await clock.advance(9_000)
  client.send('ping')
  await client.until(/ping/)
  await clock.advance(1_100)
  expect(await client.closed).toMatch(/ping$/)
})

test('HTTP/2 in prior knowledge reaches an application that speaks HTTP/1.1', async () => {
  const { port } = await startApp(async (request, response) => {
    const body = await bodyOf(request)
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.end(JSON.stringify({ body, method: request.method, url: request.url, version: request.httpVersion, headers: request.headers }))
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const session = http2Client(gateway.externalPort)
  const [get, post] = await Promise.all([
    askHttp2(session, { ':path': '/get?x', cookie: 'c=3' }),
    askHttp2(session, { ':method': 'POST', ':path': '/post' }, 'from a stream'),
  ])
  expect(JSON.parse(get.body)).toMatchObject({
    method: 'GET',
    url: '/get?x',
    version: '1.1',
    headers: { host: 'hello.default.localhost', cookie: 'c=3', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
  })
  expect(get.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  expect(JSON.parse(post.body)).toMatchObject({ method: 'POST', body: 'from a stream' })
  expect((await askHttp2(session, { ':authority': 'nobody.default.localhost' })).status).toBe(404)
})

test('a call with messages both ways at once and trailers passes, as gRPC needs it', async () => {
  const port = await startHttp2App((stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': String(headers['content-type']) }, { waitForTrailers: true })
    stream.on('data', (bytes: Buffer) => stream.write(`echo ${bytes}`))
    stream.on('end', () => stream.end())
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }))
  })
  const gateway = await startTestGateway()
  serveHttp2(gateway, port)
  const session = http2Client(gateway.externalPort)
  const stream = session.request({
    ':authority': 'hello.default.localhost',
    ':method': 'POST',
    ':path': '/pkg.Service/Chat',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  let received = ''
  let trailers: IncomingHttpHeaders = {}
  stream.on('data', (bytes) => (received += String(bytes)))
  stream.on('trailers', (headers) => {
    trailers = headers
  })
  for (const message of ['one', 'two', 'three']) {
    stream.write(message)
    await expect.poll(() => received).toMatch(new RegExp(`echo ${message}$`))
  }
  stream.end()
  await new Promise((resolve) => stream.on('close', resolve))
  expect(trailers).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'fine' })
  expect(stream.rstCode).toBe(0)
})

test('a response of trailers only, and a call that is refused before its body is read, pass too', async () => {
  const port = await startHttp2App((stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true })
  })
  const gateway = await startTestGateway()
  serveHttp2(gateway, port)
  const session = http2Client(gateway.externalPort)
  const answer = await askHttp2(session, { ':method': 'POST', ':path': '/' }, 'message')
  expect(answer.headers['grpc-status']).toBe('12')
  expect((await askHttp2(session, { ':path': '/again' })).status).toBe(200)
})

test('HTTP/1.1 clients reach an application that speaks HTTP/2 only', async () => {
  const port = await startHttp2App((stream, headers) => {
    let body = ''
    stream.on('data', (bytes) => (body += String(bytes)))
    stream.on('end', () => {
      stream.respond({ ':status': 201, 'x-authority': String(headers[':authority']) })
      stream.end(`${headers[':method']} ${body}`)
    })
  })
  const gateway = await startTestGateway()
  serveHttp2(gateway, port)
  expect(await ask(gateway.externalPort, 'hello.default.localhost', '/', {}, 'POST', 'mail')).toMatchObject({
    status: 201,
    body: 'POST mail',
    headers: { 'x-authority': 'hello.default.localhost', connection: 'close' },
  })
  const chunked = rawClient(
    gateway.externalPort,
    'POST / HTTP/1.1\r\nHost: hello.default.localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmail\r\n',
  )
  chunked.send('0\r\n\r\n')
  expect(answerFrom(await chunked.closed)).toMatchObject({ status: 201, body: 'POST mail' })
})

test('streams are held, timed out and counted like any request', async () => {
  const clock = createVirtualClock()
  const gateway = await startTestGateway({ clock })
  gateway.informers.revisions.put(aRevision('hello', { timeoutSeconds: 10 }))
  gateway.informers.kingresses.put(aKIngress('hello', [aRule('hello.default.localhost', 'hello', { port: 81 })]))
  const session = http2Client(gateway.externalPort)
  const demanded: string[] = []
  gateway.counts.onFirstRequest(({ name }) => demanded.push(name))
  const timedOut = askHttp2(session, { ':path': '/' })
  await expect.poll(() => demanded).toEqual(['hello'])
  await clock.advance(10_100)
  expect(await timedOut).toMatchObject({ status: 504, body: 'activator request timeout' })

  const woken = askHttp2(session, { ':path': '/', ':method': 'POST' }, 'x')
  await expect.poll(() => demanded).toEqual(['hello', 'hello'])
  const port = await startHttp2App((stream, headers) => {
    stream.respond({ ':status': 200 })
    stream.end(String(headers['k-proxy-request']))
  })
  gateway.scale('hello', [port], 'http2')
  expect(await woken).toMatchObject({ status: 200, body: 'activator' })
  gateway.counts.snapshot(clock.now())
  expect(gateway.counts.snapshot(clock.now())).toEqual([])
})

test('what breaks on one side of a stream breaks on the other, and nothing is left in flight', async () => {
  const cancelled: number[] = []
  const port = await startHttp2App((stream, headers) => {
    stream.respond({ ':status': 200 })
    stream.write('part')
    if (headers[':path'] === '/reset') setImmediate(() => stream.destroy(new Error('broken')))
    if (headers[':path'] === '/gone') setImmediate(() => stream.session?.destroy())
    stream.on('close', () => cancelled.push(stream.rstCode ?? 0))
  })
  const gateway = await startTestGateway()
  serveHttp2(gateway, port)
  const session = http2Client(gateway.externalPort)
  for (const path of ['/reset', '/gone']) {
    const { status, body, rstCode } = await askHttp2(session, { ':path': path })
    expect({ status, body, isBroken: rstCode !== 0 }).toEqual({ status: 200, body: 'part', isBroken: true })
  }

  const stream = session.request({ ':authority': 'hello.default.localhost', ':path': '/hang' })
  stream.on('error', () => {})
  await new Promise((resolve) => stream.on('data', resolve))
  stream.close(8)
  await expect.poll(() => cancelled.length).toBe(3)
  gateway.counts.snapshot(Date.now())
  await expect.poll(() => gateway.counts.snapshot(Date.now())).toEqual([])
})

test('an HTTP/2 application that nobody listens for is a 502', async () => {
  const gateway = await startTestGateway()
  serveHttp2(gateway, 1)
  const answer = await askHttp2(http2Client(gateway.externalPort), { ':path': '/', ':method': 'POST' }, 'x')
  expect(answer).toMatchObject({ status: 502, body: 'dial tcp 127.0.0.1:1: connect: connection refused\n' })
  expect((await ask(gateway.externalPort, 'hello.default.localhost')).status).toBe(502)
})
