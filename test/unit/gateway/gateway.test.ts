import { expect, test } from 'vitest'
import { aKIngress, aRevision, aRule, ask, bodyOf, rawClient, startApp, startTestGateway, turns } from './support.js'

test('a request reaches the application with its Host unchanged and the forwarded headers set', async () => {
  const { port } = await startApp((request, response) => response.end(JSON.stringify(request.headers)))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])

  const { status, body } = await ask(gateway.externalPort, 'Hello.default.localhost:8080', '/x?y=1', { 'X-Mine': 'kept' })

  expect(status).toBe(200)
  expect(JSON.parse(body)).toEqual({
    host: 'Hello.default.localhost:8080',
    'x-mine': 'kept',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'Hello.default.localhost:8080',
    forwarded: 'for=127.0.0.1;host=Hello.default.localhost:8080;proto=http',
  })
})

test('a host that no route has is answered 404 with an empty body', async () => {
  const gateway = await startTestGateway()
  const { status, body, headers } = await ask(gateway.externalPort, 'nobody.default.localhost')
  expect({ status, body, length: headers['content-length'] }).toEqual({ status: 404, body: '', length: '0' })
})

test('private routes are served on the cluster-local listener only, and public ones on the external one only', async () => {
  const { port } = await startApp((_request, response) => response.end('here'))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  gateway.informers.kingresses.put(
    aKIngress('hello', [
      aRule('unused', 'hello', {
        hosts: ['hello.default', 'hello.default.svc', 'hello.default.svc.cluster.local'],
        visibility: 'ClusterLocal',
      }),
      aRule('hello.default.localhost', 'hello'),
    ]),
  )
  const statuses = async (host: string) => [
    (await ask(gateway.externalPort, host)).status,
    (await ask(gateway.clusterLocalPort, host)).status,
  ]
  expect(await statuses('hello.default.localhost')).toEqual([200, 404])
  expect(await statuses('hello.default')).toEqual([404, 200])
  expect(await statuses('hello.default.svc.cluster.local:80')).toEqual([404, 200])
})

test('one connection carries many requests, pipelined ones in order', async () => {
  const { port } = await startApp((request, response) => response.end(`[${request.url}]`))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort)
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: hello.default.localhost\r\n\r\n`
  client.send(get('/1') + get('/2') + get('/nowhere').replace('hello.', 'nobody.') + get('/3').slice(0, 20))
  await client.until(/404/)
  client.send(get('/3').slice(20) + get('/4'))
  const text = await client.until(/\[\/4\]/)
  expect(text.match(/\[\/\d\]|HTTP\/1.1 \d+/g)).toEqual([
    'HTTP/1.1 200',
    '[/1]',
    'HTTP/1.1 200',
    '[/2]',
    'HTTP/1.1 404',
    'HTTP/1.1 200',
    '[/3]',
    'HTTP/1.1 200',
    '[/4]',
  ])
})

test('bodies of several megabytes go both ways unchanged, to a client that reads slowly too', async () => {
  const { port } = await startApp((request, response) => void request.pipe(response))
  const gateway = await startTestGateway()
  gateway.serve('echo', [port])
  // A pattern that no buffer's size is a multiple of, so that bytes of another place are noticed.
  const piece = Buffer.from(Array.from({ length: 251 * 256 }, (_, at) => at % 251))
  const size = 128 * piece.length
  const client = rawClient(gateway.externalPort)
  let length = 0
  let mismatches = 0
  let head = ''
  client.socket.removeAllListeners('data')
  client.socket.on('data', (bytes: Buffer) => {
    let body = bytes
    if (length === 0 && !head.includes('\r\n\r\n')) {
      head += bytes.toString('latin1')
      body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
      if (body.length === bytes.length) return
    }
    for (let at = 0; at < body.length; at += 97) if (body[at] !== (length + at) % 251) mismatches++
    length += body.length
    client.socket.pause()
    setImmediate(() => client.socket.resume())
  })
  client.send(`POST / HTTP/1.0\r\nHost: echo.default.localhost\r\nContent-Length: ${size}\r\n\r\n`)
  for (let sent = 0; sent < size; sent += piece.length) {
    if (!client.socket.write(piece)) await new Promise((resolve) => client.socket.once('drain', resolve))
  }
  await client.closed
  expect({ length, mismatches }).toEqual({ length: size, mismatches: 0 })
})

test('an application that writes faster than its client reads is slowed down', async () => {
  let written = 0
  const { port } = await startApp((_request, response) => {
    const piece = Buffer.alloc(256 * 1024)
    const write = (): void => {
      while (written < 64 * 1024 * 1024 && !response.destroyed) {
        written += piece.length
        if (!response.write(piece)) return void response.once('drain', write)
      }
    }
    write()
  })
  const gateway = await startTestGateway()
  gateway.serve('flood', [port])
  const client = rawClient(gateway.externalPort, 'GET / HTTP/1.1\r\nHost: flood.default.localhost\r\n\r\n')
  await client.until(/200 OK/)
  client.socket.pause()
  let before = -1
  while (before !== written) {
    before = written
    await turns(500)
  }
  expect(written).toBeLessThan(32 * 1024 * 1024)
})

test('a chunked request arrives whole, with its trailers', async () => {
  const { port } = await startApp(async (request, response) => {
    const body = await bodyOf(request)
    response.end(JSON.stringify({ body, trailers: request.trailers, length: request.headers['content-length'] }))
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, 'POST / HTTP/1.1\r\nHost: hello.default.localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const piece of ['5\r\nhel', 'lo\r', '\n1;x=y\r\n \r\n', '5\r\nworld\r\n0\r', '\nX-Sum: 42\r\n\r\n']) client.send(piece)
  const text = await client.until(/\}$/)
  expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toEqual({ body: 'hello world', trailers: { 'x-sum': '42' } })
})

test('a chunked response passes as chunks, and as plain bytes to a client of HTTP/1.0', async () => {
  const { port } = await startApp((_request, response) => {
    response.write('one ')
    setImmediate(() => response.end('two'))
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  expect(await ask(gateway.externalPort, 'hello.default.localhost')).toMatchObject({
    status: 200,
    body: 'one two',
    headers: { 'transfer-encoding': 'chunked' },
  })
  const old = await rawClient(gateway.externalPort, 'GET / HTTP/1.0\r\nHost: hello.default.localhost\r\n\r\n').closed
  expect(old).toMatch(/\r\nConnection: close\r\n\r\none two$/)
  expect(old).not.toMatch(/chunked/i)
})

test('responses to HEAD, 204 and 304 have no body and leave the connection usable', async () => {
  const { port } = await startApp((request, response) => {
    response.statusCode = Number(request.url!.slice(1))
    response.setHeader('Content-Length', 5)
    if (request.method === 'HEAD' || response.statusCode !== 200) response.removeHeader('Content-Length')
    response.end(response.statusCode === 200 && request.method === 'GET' ? 'whole' : undefined)
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const to = (line: string) => `${line} HTTP/1.1\r\nHost: hello.default.localhost\r\n\r\n`
  const client = rawClient(gateway.externalPort, to('HEAD /200') + to('GET /204') + to('GET /304') + to('GET /200'))
  expect((await client.until(/whole/)).match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 304', 'HTTP/1.1 200'])
})

test('a client that expects 100-continue gets it from the application, then the answer', async () => {
  const { port } = await startApp(async (request, response) => response.end(await bodyOf(request)))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(
    gateway.externalPort,
    'PUT / HTTP/1.1\r\nHost: hello.default.localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
  )
  await client.until(/^HTTP\/1.1 100 Continue\r\n\r\n/)
  client.send('body')
  expect(await client.until(/body$/)).toMatch(/\r\n\r\nHTTP\/1.1 200 OK\r\n/)
})

test('an answer that comes before the request is whole is passed on, and the connection ends with it', async () => {
  const { port } = await startApp((_request, response) => {
    response.writeHead(413)
    response.end('too big')
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, 'POST / HTTP/1.1\r\nHost: hello.default.localhost\r\nContent-Length: 1000000\r\n\r\nabc')
  expect(await client.closed).toMatch(/^HTTP\/1.1 413 [\s\S]*Connection: close[\s\S]*too big/)
})

test('headers that concern one connection only, and those that name a revision, stay away from the application', async () => {
  const { port } = await startApp((request, response) => response.end(request.rawHeaders.join('\n').toLowerCase()))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const { body } = await ask(gateway.externalPort, 'hello.default.localhost', '/', {
    Connection: 'close, X-Hop',
    'X-Hop': 'secret',
    'Keep-Alive': 'timeout=5',
    'Proxy-Connection': 'keep-alive',
    'Knative-Serving-Revision': 'other',
    'Knative-Serving-Namespace': 'other',
    'K-Proxy-Request': 'activator',
    'Knative-Serving-Tag': 'blue',
    TE: 'trailers, deflate',
  })
  expect(body).not.toMatch(/secret|x-hop|proxy|serving-revision|serving-namespace|timeout=5/)
  expect(body).toContain('knative-serving-tag\nblue')
  expect(body).toContain('te\ntrailers')
})

test('headers that a route appends take the place of the client’s', async () => {
  const { port } = await startApp((request, response) => response.end(JSON.stringify(request.headers)))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const rule = aRule('blue-hello.default.localhost', 'hello')
  rule.http.paths[0]!.appendHeaders = { 'Knative-Serving-Tag': 'blue', 'Bad\r\nName': 'x', 'X-Bad': 'a\r\nb' }
  gateway.informers.kingresses.put(aKIngress('hello', [rule]))
  const { body } = await ask(gateway.externalPort, 'blue-hello.default.localhost', '/', { 'Knative-Serving-Tag': 'green' })
  expect(JSON.parse(body)).toMatchObject({ 'knative-serving-tag': 'blue' })
  expect(body).not.toMatch(/bad/i)
})

test('a mapped domain leads through the cluster-local route, and the application sees the domain as Host', async () => {
  const { port } = await startApp((request, response) => response.end(JSON.stringify(request.headers)))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  gateway.informers.kingresses.put(aKIngress('hello', [aRule('hello.default.svc.cluster.local', 'hello', { visibility: 'ClusterLocal' })]))
  const mapping = aRule('shop.example.com', 'hello-placeholder')
  mapping.http.paths[0]!.rewriteHost = 'hello.default.svc.cluster.local'
  mapping.http.paths[0]!.appendHeaders = { 'K-Original-Host': 'shop.example.com' }
  gateway.informers.kingresses.put(aKIngress('shop.example.com', [mapping]))
  const { status, body } = await ask(gateway.externalPort, 'shop.example.com')
  expect(status).toBe(200)
  expect(JSON.parse(body).host).toBe('shop.example.com')
  expect(body).not.toContain('k-original-host')
})

test('a proxy client may name the host in the request line', async () => {
  const { port } = await startApp((request, response) => response.end(`${request.headers.host} ${request.url}`))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(
    gateway.externalPort,
    'GET http://hello.default.localhost/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n',
  )
  expect(await client.closed).toMatch(/hello.default.localhost \/a\?b$/)
})

test('each Service has a port of its own, whatever the Host; one in use is a warning', async () => {
  const { port } = await startApp((request, response) => response.end(`host ${request.headers.host}`))
  const free = await startApp(() => {})
  const ownPort = free.port
  const gateway = await startTestGateway()
  gateway.informers.revisions.put(aRevision('hello'))
  gateway.scale('hello', [port])
  const rules = [aRule('hello.default', 'hello', { visibility: 'ClusterLocal' }), aRule('hello.default.localhost', 'hello')]
  gateway.informers.kingresses.put(aKIngress('hello', rules, { 'kn-local.dev/port': String(ownPort) }))
  await expect.poll(() => gateway.warnings.join()).toContain('cannot listen on the port of a service')

  await new Promise((resolve) => free.server.close(resolve))
  gateway.informers.kingresses.put(aKIngress('hello', rules))
  gateway.informers.kingresses.put(aKIngress('hello', rules, { 'kn-local.dev/port': String(ownPort) }))
  await expect.poll(async () => (await ask(ownPort, 'whatever:1').catch(() => undefined))?.body).toBe('host whatever:1')

  gateway.informers.kingresses.remove(aKIngress('hello', rules))
  await expect.poll(async () => (await ask(ownPort, 'whatever')).status).toBeNaN()
})
