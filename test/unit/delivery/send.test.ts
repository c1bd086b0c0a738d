import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Clock, createSystemClock, createVirtualClock } from '../../../src/base/clock.js'
import { createSender, type Send, type SenderDeps } from '../../../src/delivery/send.js'
import { createCertificates } from '../../../src/emulator/certificates.js'

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
const httpSink = (listener: RequestListener): Promise<number> => listening(createServer(listener))
const tcpSink = (onConnection: (socket: Socket) => void): Promise<number> => listening(createTcp(onConnection))

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function aSender(realClock: Clock = createSystemClock({ unref: true }), options: Partial<SenderDeps> = {}): Send {
  const sender = createSender({
    realClock,
    reach: (url) => ({ host: url.hostname === 'elsewhere' ? '127.0.0.1' : url.hostname, port: Number(url.port), hostHeader: url.host }),
    ...options,
  })
  onTestFinished(() => sender.stop())
  return sender.send
}
const to = (port: number, path = '/'): { url: string; headers: [string, string][]; body: Buffer } => ({
  url: `http://127.0.0.1:${port}${path}`,
  headers: [
    ['ce-id', '1'],
    ['content-type', 'text/plain'],
  ],
  body: Buffer.from('hello'),
})

describe('an attempt', () => {
  test('posts headers and body, asks for the Host of its URL wherever that leads, and reads the answer whole', async () => {
    let seen: unknown
    const port = await httpSink(async (request, response) => {
      seen = [request.method, request.url, request.headers['host'], request.headers['ce-id'], await bodyOf(request)]
      response.writeHead(201, { 'ce-id': 'r' })
      response.write('an')
      response.end('swer')
    })
    const answer = await aSender()({ ...to(port), url: `http://elsewhere:${port}/p?q=1` })
    expect(seen).toEqual(['POST', '/p?q=1', `elsewhere:${port}`, '1', 'hello'])
    expect(answer).toMatchObject({ statusCode: 201, body: Buffer.from('answer') })
    expect(answer.headers).toEqual(expect.arrayContaining(['ce-id', 'r']))
  })

  test('uses one connection for many events in turn, and a new one when the other side has closed it meanwhile', async () => {
    const connections: Socket[] = []
    const server = createServer((_, response) => response.end())
    server.on('connection', (socket: Socket) => connections.push(socket))
    const port = await listening(server)
    const send = aSender()
    for (let number = 0; number < 5; number++) expect(await send(to(port))).toMatchObject({ statusCode: 200 })
    expect(connections).toHaveLength(1)
    connections[0]!.destroy()
    expect(await send(to(port))).toMatchObject({ statusCode: 200 })
    expect(connections).toHaveLength(2)
  })
})

describe('redirects', () => {
  const redirecting = (status: number, seen: string[]): Promise<number> =>
    httpSink(async (request, response) => {
      seen.push(`${request.method} ${request.url} ${await bodyOf(request)}`)
      if (request.url === '/') response.writeHead(status, { location: '/next?a=b' }).end()
      else response.end('there')
    })
  test.each([307, 308])('%i is followed with the same method and body', async (status) => {
    const seen: string[] = []
    expect(await aSender()(to(await redirecting(status, seen)))).toMatchObject({ statusCode: 200, body: Buffer.from('there') })
    expect(seen).toEqual(['POST / hello', 'POST /next?a=b hello'])
  })
  test.each([301, 302, 303])('%i is followed with GET and without the body', async (status) => {
    const seen: string[] = []
    expect(await aSender()(to(await redirecting(status, seen)))).toMatchObject({ statusCode: 200 })
    expect(seen).toEqual(['POST / hello', 'GET /next?a=b '])
  })
  test('more than ten are an error; one that leads nowhere is the answer', async () => {
    const circle = await httpSink((_, response) => response.writeHead(307, { location: '/' }).end())
    expect(await aSender()(to(circle))).toMatchObject({ error: expect.stringContaining('stopped after 10 redirects') })
    const nowhere = await httpSink((_, response) => response.writeHead(302).end())
    expect(await aSender()(to(nowhere))).toMatchObject({ statusCode: 302 })
  })
})

describe('a destination that', () => {
  test('refuses connections is an error in the words of Go', async () => {
    expect(await aSender()(to(1))).toEqual({ error: 'Post "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused' })
  })
  test('resets or closes the connection is an error', async () => {
    const resets = await tcpSink((socket) => void socket.once('data', () => socket.resetAndDestroy()))
    expect((await aSender()(to(resets))).error).toMatch(/connection reset by peer$/)
    const closes = await tcpSink((socket) => void socket.once('data', () => socket.end()))
    expect((await aSender()(to(closes))).error).toMatch(/EOF$/)
  })
  test('breaks off in the middle of its answer is an error', async () => {
    const port = await tcpSink((socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')))
    expect(await aSender()(to(port))).toEqual({ error: expect.any(String) })
  })
  test('speaks rubbish is an error', async () => {
    const port = await tcpSink((socket) => void socket.once('data', () => socket.end('what?\r\n\r\n')))
    expect(await aSender()(to(port))).toEqual({ error: expect.stringContaining('Post ') })
  })
  test.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => {}],
    ['stops in the middle of its answer', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')],
  ])('%s is given up when its time is over, and after 15 minutes without a limit', async (_, onData) => {
    const clock = createVirtualClock()
    for (const timeoutMs of [1500, undefined]) {
      let hasCome = (): void => {}
      const come = new Promise<void>((resolve) => {
        hasCome = resolve
      })
      const port = await tcpSink((socket) => {
        socket.once('data', () => {
          onData(socket)
          hasCome()
        })
      })
      let answer: unknown
      const sent = aSender(clock)(to(port), { timeoutMs }).then((got) => {
        answer = got
      })
      await come
      await clock.advance((timeoutMs ?? 900_000) - 1)
      expect(answer).toBeUndefined()
      await clock.advance(1)
      await sent
      expect(answer).toEqual({ error: expect.stringContaining('context deadline exceeded') })
    }
  })
  test('is no address at all is an error, and headers that HTTP cannot carry are one', async () => {
    expect(await aSender()({ ...to(80), url: 'http://' })).toEqual({ error: expect.stringContaining('Post ') })
    expect(await aSender()({ ...to(80), headers: [['ce-x', 'a\nb']] })).toEqual({ error: expect.stringContaining('ce-x') })
  })
  test('has another scheme than http loses all but its host', async () => {
    const port = await httpSink((request, response) => response.end(request.url))
    expect(await aSender()({ ...to(port), url: `bad://127.0.0.1:${port}/path?x` })).toMatchObject({
      statusCode: 200,
      body: Buffer.from('/'),
    })
  })
})

test('a delivery that is stopped ends at once', async () => {
  const given = new AbortController()
  const port = await tcpSink((socket) => void socket.once('data', () => given.abort()))
  expect(await aSender()(to(port), { signal: given.signal })).toEqual({ error: expect.stringContaining('context canceled') })
  expect(await aSender()(to(port), { signal: given.signal })).toEqual({ error: expect.stringContaining('context canceled') })
})

test('https asks for the authorities of the destination, and refuses others', async () => {
  const certificates = await createCertificates({ instance: 'test', nowMs: createSystemClock().now() })
  const server = createHttps(
    { key: certificates.serverKey, cert: certificates.serverCertificate },
    (_: IncomingMessage, response: ServerResponse) => response.end('secret'),
  )
  const port = await listening(server)
  const outgoing = { ...to(port), url: `https://127.0.0.1:${port}/` }
  expect(await aSender()({ ...outgoing, caCerts: certificates.caCertificate })).toMatchObject({
    statusCode: 200,
    body: Buffer.from('secret'),
  })
  expect(await aSender()(outgoing)).toEqual({
    error: `Post "${outgoing.url}": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  })
  const named = aSender(undefined, { reach: () => ({ host: '127.0.0.1', port, hostHeader: 'shop' }) })
  expect((await named({ ...outgoing, url: 'https://shop.example/', caCerts: certificates.caCertificate })).error).toMatch(
    /x509: certificate is valid for localhost, .*127\.0\.0\.1.*, not shop\.example$/,
  )
})

test('trust bundles are trusted for every destination, from one delivery to the next', async () => {
  const certificates = await createCertificates({ instance: 'test', nowMs: createSystemClock().now() })
  const server = createHttps(
    { key: certificates.serverKey, cert: certificates.serverCertificate },
    (_: IncomingMessage, response: ServerResponse) => response.end(),
  )
  const port = await listening(server)
  let bundles: readonly string[] = []
  const send = aSender(undefined, { trustBundles: () => bundles })
  const other = await createCertificates({ instance: 'other', nowMs: createSystemClock().now() })
  const outgoing = { ...to(port), url: `https://127.0.0.1:${port}/`, caCerts: other.caCertificate }
  const unknown = { error: expect.stringContaining('signed by unknown authority') }
  expect(await send(outgoing)).toEqual(unknown)
  bundles = ['no certificate', certificates.caCertificate]
  expect(await send(outgoing)).toMatchObject({ statusCode: 200 })
  expect(await send({ ...outgoing, caCerts: undefined })).toMatchObject({ statusCode: 200 })
  bundles = []
  expect(await send(outgoing)).toEqual(unknown)
})

test('a destination that speaks no TLS is told as Go tells it', async () => {
  const port = await tcpSink((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  expect(await aSender()({ ...to(port), url: `https://127.0.0.1:${port}/` })).toEqual({
    error: `Post "https://127.0.0.1:${port}/": http: server gave HTTP response to HTTPS client`,
  })
})
