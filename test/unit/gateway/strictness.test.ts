import { expect, test } from 'vitest'
import { createSeededRandom } from '../../../src/base/random.js'
import { ask, bodyOf, rawClient, startApp, startTcpApp, startTestGateway, turns } from './support.js'

const HOST = 'Host: hello.default.localhost\r\n'

test.for([
  ['two Hosts', `GET / HTTP/1.1\r\n${HOST}Host: other\r\n\r\n`],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['Content-Length and Transfer-Encoding', `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two Content-Lengths', `POST / HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ['a list as Content-Length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 3, 3\r\n\r\nabc`],
  ['a signed Content-Length', `POST / HTTP/1.1\r\n${HOST}Content-Length: +3\r\n\r\nabc`],
  ['a hexadecimal Content-Length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 0x3\r\n\r\nabc`],
  ['an endless Content-Length', `POST / HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\nabc`],
  ['two Transfer-Encodings', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a space before the colon', `GET / HTTP/1.1\r\n${HOST}Content-Length : 3\r\n\r\nabc`],
  ['a folded header', `GET / HTTP/1.1\r\n${HOST}X-A: 1\r\n 2\r\n\r\n`],
  ['a bare line feed', `GET / HTTP/1.1\r\n${HOST}X-A: 1\nX-B: 2\r\n\r\n`],
  ['nothing but line feeds', `GET / HTTP/1.1\nHost: hello.default.localhost\n\n`],
  ['a bare carriage return', `GET / HTTP/1.1\r\n${HOST}X-A: 1\rX-B: 2\r\n\r\n`],
  ['a null byte', `GET / HTTP/1.1\r\n${HOST}X-A: \0\r\n\r\n`],
  ['a method that is no token', `GE(T / HTTP/1.1\r\n${HOST}\r\n`],
  ['a target with a space', `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
  ['a target that is no path', `GET foo HTTP/1.1\r\n${HOST}\r\n`],
  ['a nameless header', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`],
] as const)('a request with %s is answered 400 and the connection closed', async ([, request]) => {
  let requests = 0
  const { port } = await startApp((_request, response) => {
    requests++
    response.end('smuggled')
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const text = await rawClient(gateway.externalPort, `${request}GET /smuggled HTTP/1.1\r\n${HOST}\r\n`).closed
  expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*Connection: close\r\n\r\n$/)
  expect(requests).toBe(0)
})

test.for([
  ['another coding', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
  ['an obfuscated coding', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n`, 501],
  ['another version', `GET / HTTP/1.2\r\n${HOST}\r\n`, 505],
  ['CONNECT', `CONNECT hello:80 HTTP/1.1\r\n${HOST}\r\n`, 405],
  ['a head of 70 KB', `GET / HTTP/1.1\r\n${HOST}X-Long: ${'x'.repeat(70_000)}\r\n\r\n`, 431],
  ['a head without end', `GET / HTTP/1.1\r\n${HOST}X-Long: ${'x'.repeat(70_000)}`, 431],
] as const)('%s is refused', async ([, request, status]) => {
  const gateway = await startTestGateway()
  expect(await rawClient(gateway.externalPort, request).closed).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
})

test.for([
  ['a size that is no number', 'xyz\r\n'],
  ['a size with a sign', '-1\r\n'],
  ['a size with 0x', '0x5\r\nhello\r\n'],
  ['a size beyond counting', 'ffffffffffffffff\r\n'],
  ['a line feed alone after the size', '5\nhello\r\n0\r\n\r\n'],
  ['content longer than its size', '3\r\nhello\r\n0\r\n\r\n'],
  ['a trailer that frames', '0\r\nContent-Length: 5\r\n\r\n'],
  ['a trailer with a bare line feed', '0\r\nX-A: 1\nX-B: 2\r\n\r\n'],
] as const)('a chunked body with %s never becomes a request of its own', async ([, body]) => {
  const paths: string[] = []
  const { port } = await startApp((request, response) => {
    paths.push(request.url!)
    request.on('end', () => response.end('whole'))
    request.resume()
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const text = await rawClient(
    gateway.externalPort,
    `POST /first HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${body}GET /smuggled HTTP/1.1\r\n${HOST}\r\n`,
  ).closed
  expect(text).toMatch(/^HTTP\/1.1 400 /)
  expect(paths).not.toContain('/smuggled')
})

test.for([
  ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok'],
  ['a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'],
  ['an odd status', 'HTTP/1.1 1e2 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a switch of protocols nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
] as const)('a response with %s is a 502', async ([, response]) => {
  const port = await startTcpApp((socket) => void socket.once('data', () => socket.write(response)))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`)
  expect(await client.closed).toMatch(/^HTTP\/1.1 502 /)
})

test('bytes after a response are never taken for the next one', async () => {
  let connections = 0
  const port = await startTcpApp((socket) => {
    connections++
    socket.on('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrueHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse'),
    )
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, `GET /1 HTTP/1.1\r\n${HOST}\r\n`)
  await client.until(/true/)
  client.send(`GET /2 HTTP/1.1\r\n${HOST}\r\n`)
  await client.until(/true[\s\S]*true/)
  expect(client.text()).not.toContain('false')
  expect(connections).toBe(2)
})

test('a response without length ends with its connection, and a client of HTTP/1.1 can tell that it is whole', async () => {
  const port = await startTcpApp((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end')))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, `GET / HTTP/1.1\r\n${HOST}\r\n`)
  expect(await client.until(/0\r\n\r\n$/)).toMatch(/Transfer-Encoding: chunked\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n$/)
})

test('early hints are passed on, a 100 nobody expects is not', async () => {
  const port = await startTcpApp((socket) =>
    socket.once('data', () =>
      socket.write(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      ),
    ),
  )
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const text = await rawClient(gateway.externalPort, `GET / HTTP/1.1\r\n${HOST}\r\n`).until(/ok$/)
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 103', 'HTTP/1.1 200'])
  expect(text).toContain('Link: </a>')
})

test('a request means the same wherever the network cuts it', async () => {
  const { port } = await startApp(async (request, response) => response.end(`<${request.url} ${await bodyOf(request)}>`))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const requests = `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX-T: 1\r\n\r\nPOST /b HTTP/1.1\r\n${HOST}Content-Length: 3\r\nConnection: close\r\n\r\nxyz`
  for (let cut = 1; cut < requests.length; cut += 1) {
    const client = rawClient(gateway.externalPort, requests.slice(0, cut))
    await turns(3)
    client.send(requests.slice(cut))
    expect((await client.closed).match(/<.*?>/g)).toEqual(['</a abcde>', '</b xyz>'])
  }
})

test('no bytes whatever bring the gateway down', async () => {
  const { port } = await startApp((request, response) => {
    request.resume()
    response.end('fine')
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const random = createSeededRandom(20)
  const pick = (count: number) => Math.floor(random.float() * count)
  const good = `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /b HTTP/1.1\r\n${HOST}Upgrade: x\r\nConnection: Upgrade\r\n\r\n`
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x05\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01'
  const clients = Array.from({ length: 400 }, (_, index) => {
    const bytes = Buffer.from(index % 5 === 0 ? preface : good, 'latin1')
    for (let change = pick(4); change >= 0; change--) bytes[pick(bytes.length)] = pick(256)
    const client = rawClient(gateway.externalPort)
    client.socket.end(bytes)
    return client
  })
  // Node leaves a session it has given up on to its client to close.
  await turns(200)
  for (const [index, { socket }] of clients.entries()) if (index % 5 === 0) socket.destroy()
  await Promise.all(clients.map(({ closed }) => closed))
  expect((await ask(gateway.externalPort, 'hello.default.localhost')).body).toBe('fine')
  await expect.poll(() => gateway.counts.snapshot(Date.now()) && gateway.counts.snapshot(Date.now())).toEqual([])
})

test('a client of HTTP/1.0 may keep its connection where the response has a length', async () => {
  const { port } = await startApp((_request, response) => {
    response.setHeader('Content-Length', 2)
    response.end('ok')
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const get = `GET / HTTP/1.0\r\n${HOST}Connection: Keep-Alive\r\n\r\n`
  const client = rawClient(gateway.externalPort, get)
  expect(await client.until(/ok/)).toContain('Connection: keep-alive')
  client.send(get)
  await client.until(/ok[\s\S]*ok/)
})
