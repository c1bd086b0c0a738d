import { request } from 'node:http'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createSeededRandom } from '../../../src/base/random.js'
import { startWorkloadProxy, type WorkloadProxy } from '../../../src/gateway/workload-proxy.js'
import { bodyOf, rawClient, silentLog, startApp, startTcpApp } from './support.js'

const BROKER = 'broker-ingress.knative-eventing.svc.cluster.local'

interface Asked {
  url: string
  namespace: string | undefined
}

/** A proxy for which every name leads to one port. */
async function aProxy(port: number): Promise<{ proxy: WorkloadProxy; asked: Asked[]; credential: string }> {
  const asked: Asked[] = []
  const reach = (url: URL, namespace: string | undefined) => {
    asked.push({ url: url.href, namespace })
    return { host: '127.0.0.1', port, hostHeader: url.host }
  }
  const proxy = await startWorkloadProxy({ reach, random: createSeededRandom(1), log: silentLog })
  onTestFinished(() => proxy.stop())
  const { username, password } = new URL(proxy.urlFor('shop'))
  return { proxy, asked, credential: `Proxy-Authorization: Basic ${btoa(`${username}:${password}`)}\r\n` }
}

/** An application that says back what reached it. */
const anEcho = () =>
  startApp(async (incoming, response) => {
    const body = await bodyOf(incoming)
    response.setHeader('X-App', 'yes')
    response.end(JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }))
  })
const said = (text: string): { method: string; url: string; headers: Record<string, string>; body: string } => {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1))
}
const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])

test('a request in absolute-form goes where its URL leads, with the Host of the URL and without what was meant for the proxy', async () => {
  const { port } = await anEcho()
  const { proxy, asked, credential } = await aProxy(port)
  const text = await rawClient(
    proxy.port,
    `POST http://${BROKER}/shop/main?a=%20b HTTP/1.1\r\nHost: other\r\n${credential}Proxy-Connection: Keep-Alive\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nCe-Id: 1\r\nContent-Length: 2\r\n\r\nhi`,
  ).closed
  expect(statusOf(text)).toBe(200)
  const { headers, ...rest } = said(text)
  expect(rest).toEqual({ method: 'POST', url: '/shop/main?a=%20b', body: 'hi' })
  expect(headers).toEqual({ host: BROKER, 'ce-id': '1', 'content-length': '2', connection: 'close' })
  expect(asked).toEqual([{ url: `http://${BROKER}/`, namespace: 'shop' }])
})

test('a body in chunks arrives whole, an absent one stays absent, and a path may be missing', async () => {
  const { port } = await anEcho()
  const { proxy, credential } = await aProxy(port)
  const chunked = await rawClient(
    proxy.port,
    `POST http://web:8080 HTTP/1.1\r\nHost: web\r\n${credential}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
  ).closed
  expect(said(chunked)).toMatchObject({ url: '/', body: 'abcde', headers: { host: 'web:8080', 'transfer-encoding': 'chunked' } })
  const bare = await rawClient(proxy.port, `POST http://web/?q HTTP/1.1\r\nHost: web\r\n${credential}Connection: close\r\n\r\n`).closed
  expect(said(bare)).toMatchObject({ url: '/?q', headers: { 'content-length': '0' } })
})

test('a connection is kept for requests to several hosts', async () => {
  const { port } = await anEcho()
  const { proxy, asked, credential } = await aProxy(port)
  const client = rawClient(proxy.port)
  for (const name of ['one', 'two', 'three']) {
    client.send(`GET http://${name}.shop/ HTTP/1.1\r\nHost: x\r\n${credential}\r\n`)
    await client.until(new RegExp(`"host":"${name}\\.shop"`))
  }
  expect(asked.map(({ url }) => url)).toEqual(['http://one.shop/', 'http://two.shop/', 'http://three.shop/'])
})

test('CONNECT joins the two ends, what was sent along included, whatever they speak', async () => {
  const port = await startTcpApp((socket) => socket.on('data', (bytes) => socket.write(`<${bytes}>`)))
  const { proxy, asked, credential } = await aProxy(port)
  const client = rawClient(proxy.port, `CONNECT redis.shop.svc:6379 HTTP/1.1\r\nHost: x\r\n${credential}\r\nPING`)
  await client.until(/^HTTP\/1\.1 200 Connection established\r\n\r\n<PING>$/)
  client.send('MORE')
  await client.until(/<MORE>$/)
  // Asked for as TLS is: the program itself.
  expect(asked).toEqual([{ url: 'https://redis.shop.svc:6379/', namespace: 'shop' }])
})

test('one side of a CONNECT may end before the other', async () => {
  const port = await startTcpApp((socket) => {
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes
    })
    socket.on('end', () => socket.end(`all of ${text}`))
    socket.allowHalfOpen = true
  })
  const { proxy, credential } = await aProxy(port)
  const client = rawClient(proxy.port, `CONNECT a.b:1 HTTP/1.1\r\nHost: x\r\n${credential}\r\n`)
  await client.until(/established\r\n\r\n$/)
  client.socket.end('question')
  expect(await client.closed).toMatch(/\r\n\r\nall of question$/)
})

test('a silent CONNECT says nothing of its own, and closes what it refuses', async () => {
  const { port } = await anEcho()
  const { proxy, credential } = await aProxy(port)
  const head = 'CONNECT web.shop.svc:80 HTTP/1.1\r\nHost: x\r\nkn-local-silent: 1\r\n'
  const text = await rawClient(proxy.port, `${head}${credential}\r\nGET /x HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n`).closed
  expect([statusOf(text), said(text).url]).toEqual([200, '/x'])
  expect(await rawClient(proxy.port, `${head}\r\nGET /x HTTP/1.1\r\nHost: web\r\n\r\n`).closed).toBe('')
})

test('a direct URL needs neither proxy nor name: it leads to the host in its path', async () => {
  const { port } = await anEcho()
  const { proxy, asked } = await aProxy(port)
  const direct = proxy.directUrl(`http://${BROKER}/shop/main`)
  expect(direct).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${proxy.port}/to/[0-9a-f]{32}/${BROKER}/shop/main$`))
  const answer = (await (await fetch(`${direct}/more?x=1`, { method: 'POST', body: 'hi' })).json()) as ReturnType<typeof said>
  expect(answer).toMatchObject({ method: 'POST', url: '/shop/main/more?x=1', body: 'hi', headers: { host: BROKER } })
  expect(((await (await fetch(proxy.directUrl('http://hello.default.svc:8080'))).json()) as { url: string }).url).toBe('/')
  expect(asked.map(({ url }) => url)).toEqual([`http://${BROKER}/`, 'http://hello.default.svc:8080/'])
})

test('only URLs of http inside the cluster have a direct one', async () => {
  const { proxy } = await aProxy(1)
  for (const url of ['https://a.b.svc/', 'http://example.com/', 'http://svc/', 'no url', '', 'http://127.0.0.1:80/'])
    expect(proxy.directUrl(url)).toBe(url)
})

test.each([
  ['absolute-form without a credential', `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\n\r\n`, 407],
  [
    'absolute-form with a wrong one',
    `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${btoa(`shop:${'0'.repeat(32)}`)}\r\n\r\n`,
    407,
  ],
  [
    'absolute-form with the credential of a server',
    `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${btoa('a:b')}\r\n\r\n`,
    407,
  ],
  ['CONNECT without a credential', 'CONNECT web.shop:80 HTTP/1.1\r\nHost: x\r\n\r\n', 407],
  ['CONNECT with a broken one', 'CONNECT web.shop:80 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic !!\r\n\r\n', 407],
  [
    'a WebSocket without a credential',
    'GET http://web.shop/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    407,
  ],
  ['a direct URL with a wrong token', `POST /to/${'0'.repeat(32)}/${BROKER}/shop/main HTTP/1.1\r\nHost: x\r\n\r\n`, 404],
  ['a page in a browser', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 404],
])('%s is refused, and nobody is asked', async (_what, text, status) => {
  let connections = 0
  const port = await startTcpApp(() => connections++)
  const { proxy, asked } = await aProxy(port)
  const answer = await rawClient(proxy.port, text).closed
  expect(statusOf(answer)).toBe(status)
  expect(/^proxy-authenticate: Basic realm="kn-local workloads"\r$/im.test(answer)).toBe(status === 407)
  expect([asked, connections]).toEqual([[], 0])
})

test.each([
  ['GET https://web.shop/', 400],
  ['GET ftp://web.shop/', 400],
  ['CONNECT web.shop', 400],
  ['CONNECT a@b:80', 400],
  ['GET http://we b/', 400],
  ['GET http://[::1/', 400],
])('%s is no request of this proxy', async (line, status) => {
  const { proxy, credential } = await aProxy(1)
  const answer = await rawClient(proxy.port, `${line} HTTP/1.1\r\nHost: x\r\n${credential}Connection: close\r\n\r\n`).closed
  expect(statusOf(answer)).toBe(status)
})

test('a host that cannot be reached is a 502 that says why', async () => {
  const { proxy, credential } = await aProxy(1)
  const absolute = await rawClient(proxy.port, `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\n${credential}\r\n`).closed
  expect([statusOf(absolute), absolute]).toEqual([502, expect.stringContaining('web.shop cannot be reached: connect ECONNREFUSED')])
  const tunnel = await rawClient(proxy.port, `CONNECT web.shop:80 HTTP/1.1\r\nHost: x\r\n${credential}\r\n`).closed
  expect([statusOf(tunnel), tunnel]).toEqual([502, expect.stringContaining('web.shop:80 cannot be reached: connect ECONNREFUSED')])
})

test('an answer that breaks off breaks off at the workload too, and a workload that goes away ends the request', async () => {
  const broken = await startTcpApp((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')))
  const { proxy, credential } = await aProxy(broken)
  const text = await rawClient(proxy.port, `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\n${credential}\r\n`).closed
  expect(text).toMatch(/content-length: 10\r\n[\s\S]*\r\n\r\nhalf$/i)

  const gone = vi.fn()
  const { port } = await startApp((incoming) => incoming.on('close', gone))
  const other = await aProxy(port)
  const client = rawClient(other.proxy.port, `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\n${other.credential}\r\n`)
  await vi.waitFor(() => expect(other.asked).toHaveLength(1))
  client.socket.destroy()
  await vi.waitFor(() => expect(gone).toHaveBeenCalled())
})

test('a stream of events is passed on as it comes', async () => {
  const { port } = await startApp((_incoming, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const { proxy, credential } = await aProxy(port)
  await rawClient(proxy.port, `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\n${credential}\r\n`).until(/data: 1\n\n/)
})

test('trailers and the bytes of headers arrive as they were', async () => {
  const { port } = await startApp((_incoming, response) => {
    response.writeHead(200, ['X-Name', Buffer.from('é').toString('latin1'), 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Trailer', 'X-End'])
    response.write(Buffer.from('body'))
    response.addTrailers({ 'X-End': 'yes' })
    response.end()
  })
  const { proxy, credential } = await aProxy(port)
  const text = await rawClient(proxy.port, `GET http://web.shop/ HTTP/1.1\r\nHost: x\r\n${credential}Connection: close\r\n\r\n`).closed
  expect(text).toContain(`X-Name: ${Buffer.from('é').toString('latin1')}\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n`)
  expect(text).toMatch(/\r\n0\r\nX-End: yes\r\n\r\n$/)
})

test('a WebSocket is opened through it, and an answer that opens none is passed on', async () => {
  const { port, server } = await startApp((_incoming, response) => void response.writeHead(403).end('no'))
  server.on('upgrade', (incoming, socket) => {
    if (incoming.url === '/closed') return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade}\r\n\r\n`)
    socket.on('data', (bytes: Buffer) => socket.write(`<${bytes}>`))
    socket.on('end', () => socket.end())
  })
  const { proxy, credential } = await aProxy(port)
  const ask = (path: string): string =>
    `GET http://web.shop${path} HTTP/1.1\r\nHost: x\r\n${credential}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  const client = rawClient(proxy.port, ask('/open'))
  await client.until(/^HTTP\/1\.1 101 [\s\S]*upgrade: websocket\r\n\r\n$/i)
  client.send('frame')
  await client.until(/<frame>$/)
  const refused = await rawClient(proxy.port, ask('/closed')).closed
  expect([statusOf(refused), refused.endsWith('\r\n\r\nno')]).toEqual([403, true])
})

test('curl’s wish to be told to go on is granted, and does not reach the other end', async () => {
  const { port } = await anEcho()
  const { proxy } = await aProxy(port)
  const { hostname, port: proxyPort, username, password } = new URL(proxy.urlFor('shop'))
  const headers = { Expect: '100-continue', 'Proxy-Authorization': `Basic ${btoa(`${username}:${password}`)}`, Host: 'web.shop' }
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ hostname, port: proxyPort, method: 'POST', path: 'http://web.shop/', headers, agent: false })
    outgoing.on('continue', () => outgoing.end('body'))
    outgoing.on('response', (response) => void bodyOf(response).then(resolve, reject))
    outgoing.on('error', reject)
    outgoing.flushHeaders()
  })
  expect(JSON.parse(text)).toMatchObject({ body: 'body', headers: expect.not.objectContaining({ expect: expect.anything() }) })
})
