import { type IncomingMessage, request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { expect, onTestFinished, test } from 'vitest'
import { proxyPathFrom } from '../../../../src/apiserver/streams/proxy.js'
import { ask, bodyOf, listening, rawClient, startApp, startTcpApp } from '../../gateway/support.js'
import { tls } from '../http/support.js'
import { anEcho, aProxy, HANDSHAKE, messageOf, said, WEB } from './support.js'

test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  '%s goes to the program with its body, and its answer comes back',
  async (method) => {
    const { port } = await startApp(async (incoming, response) => {
      response.writeHead(207, 'Many', { 'X-App': 'yes', 'Set-Cookie': ['a=1', 'b=2'] })
      response.end(`${incoming.method} ${await bodyOf(incoming)}`)
    })
    const proxy = await aProxy({ port })
    const text = await rawClient(
      proxy.port,
      `${method} ${WEB}/x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`,
    ).closed
    expect(text).toMatch(/^HTTP\/1\.1 207 Many\r\n/)
    expect(text).toContain('X-App: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n')
    expect(text).toContain(`${method} body`)
  },
)

test('HEAD has the headers of the answer and no body, and a POST without a body stays one', async () => {
  const { port } = await anEcho()
  const proxy = await aProxy({ port })
  const text = await rawClient(proxy.port, `HEAD ${WEB}/ HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n`).closed
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)+\r\n$/)
  const post = said(await ask(proxy.port, 'api.test', `${WEB}/`, {}, 'POST'))
  expect(post).toMatchObject({ method: 'POST', body: '', headers: { 'content-length': '0' } })
  expect(post.headers).not.toHaveProperty('transfer-encoding')
})

test.each([
  ['/', '/'],
  ['/?a=b&a=%20', '/?a=b&a=%20'],
  ['/a%2Fb//c/../%41?x=//y?z', '/a%2Fb//c/../%41?x=//y?z'],
  ['/proxy/api/v1/namespaces/x/pods/y/proxy/z', '/proxy/api/v1/namespaces/x/pods/y/proxy/z'],
])('what stands behind the proxy goes on as it was written: %s', async (rest, expected) => {
  const { port } = await anEcho()
  const proxy = await aProxy({ port })
  expect(said(await proxy.get(`${WEB}${rest}`)).url).toBe(expected)
})

test('the program gets the client’s headers and Host, but neither its credential nor whom it acts as', async () => {
  const { port } = await anEcho()
  const proxy = await aProxy({ port })
  const { headers } = said(
    await proxy.get(`${WEB}/a?b`, {
      Accept: 'text/x',
      Cookie: 'c=1',
      Authorization: 'Bearer sesame',
      'Impersonate-User': 'alice',
      'Impersonate-Extra-Scopes': 'all',
      'X-Remote-User': 'bob',
      'X-Forwarded-For': '10.1.1.1',
      'X-Forwarded-Uri': '/forged',
      'X-Forwarded-Proto': 'https',
      Connection: 'close, X-Hop',
      'X-Hop': '1',
      'Keep-Alive': 'timeout=5',
      'Proxy-Authorization': 'Basic x',
      TE: 'trailers',
    }),
  )
  expect(headers).toEqual({
    host: 'api.test',
    accept: 'text/x',
    cookie: 'c=1',
    'x-forwarded-for': '10.1.1.1, 127.0.0.1',
    'x-forwarded-uri': `${WEB}/a`,
    'x-forwarded-proto': 'https',
    connection: 'close',
  })
  const named = await aProxy({ port, hostHeader: 'web.shop.svc.cluster.local' })
  expect(said(await named.get(`${WEB}/`)).headers['host']).toBe('web.shop.svc.cluster.local')
})

test('a client cannot hide where its body ends, so that the program would take it for another request', async () => {
  const seen: string[] = []
  const { port } = await startApp(async (incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url} ${await bodyOf(incoming)}`)
    response.end()
  })
  const proxy = await aProxy({ port })
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n'
  const head = `GET ${WEB}/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${hidden.length}\r\nConnection: close, Content-Length\r\n\r\n`
  await rawClient(proxy.port, head + hidden).closed
  expect(seen).toEqual([`GET / ${hidden}`])
})

test('the client gets the program’s headers, but for those of its connection and leave for other origins', async () => {
  const { port } = await startApp((_incoming, response) => {
    response.writeHead(200, [
      ['Connection', 'close, X-Hop'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'timeout=1'],
      ['Access-Control-Allow-Origin', '*'],
      ['Access-Control-Allow-Credentials', 'true'],
      ['Cache-Control', 'max-age=60'],
      ['X-Name', Buffer.from('grüße').toString('latin1')],
      ['Trailer', 'X-Sum'],
    ] as never)
    response.addTrailers({ 'X-Sum': '42' })
    response.end('hi')
  })
  const proxy = await aProxy({ port })
  const text = Buffer.from(
    await rawClient(proxy.port, `GET ${WEB}/ HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n`).closed,
    'latin1',
  ).toString()
  const [head, body] = text.split('\r\n\r\n', 2) as [string, string]
  const names = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(':', 1)[0]!.toLowerCase())
  expect(names.sort()).toEqual(['audit-id', 'cache-control', 'connection', 'date', 'trailer', 'transfer-encoding', 'x-name'])
  expect(head).toContain('Cache-Control: max-age=60')
  expect(head).toContain('X-Name: grüße')
  expect(body).toBe('2\r\nhi\r\n0\r\nX-Sum: 42')
})

test('a path that ends with the subresource is redirected to where relative links stay below it', async () => {
  const { port } = await anEcho()
  const proxy = await aProxy({ port })
  for (const [path, location] of [
    [WEB, `${WEB}/`],
    [`${WEB}?a=%20`, `${WEB}/?a=%20`],
    [WEB.replace('/web/', '/http%3Aweb%3A80/'), `${WEB.replace('/web/', '/http%3Aweb%3A80/')}/`],
  ] as const)
    expect(await proxy.get(path)).toMatchObject({ status: 301, headers: { location }, body: '' })
  expect(said(await ask(proxy.port, 'api.test', WEB, {}, 'POST', 'x'))).toMatchObject({ method: 'POST', url: '/', body: 'x' })
})

test.each([
  ['/login', `${WEB}/login`],
  ['/login/?next=/a#b', `${WEB}/login/?next=/a#b`],
  ['http://127.0.0.1:PORT/login?a', `${WEB}/login?a`],
  ['http://api.test/login', `http://api.test${WEB}/login`],
  ['//api.test/login', `//api.test${WEB}/login`],
  [`${WEB}/x`, `${WEB}/x`],
  [`http://api.test${WEB}/x`, `http://api.test${WEB}/x`],
  [`${WEB}-other`, `${WEB}${WEB}-other`],
  ['login', 'login'],
  ['?a=/b', '?a=/b'],
  ['', ''],
  ['https://other.test/login', 'https://other.test/login'],
  ['//other.test/login', '//other.test/login'],
])('a redirect to %j leads to %j', async (location, expected) => {
  const backend = await startApp((_incoming, response) => {
    response.writeHead(302, { Location: location.replace('PORT', String(backend.port)) })
    response.end()
  })
  const proxy = await aProxy({ port: backend.port })
  const { status, headers } = await proxy.get(`${WEB}/`)
  expect({ status, location: headers['location'] }).toEqual({ status: 302, location: expected })
})

test('a program that cannot be reached, or answers no HTTP, is 503 in the words of Go’s client', async () => {
  const gone = await startApp(() => {})
  await new Promise((resolve) => gone.server.close(resolve))
  const proxy = await aProxy({ port: gone.port })
  const refused = await proxy.get(`${WEB}/`)
  expect(refused.status).toBe(503)
  expect(JSON.parse(refused.body)).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `error trying to reach service: dial tcp 127.0.0.1:${gone.port}: connect: connection refused`,
    reason: 'ServiceUnavailable',
    code: 503,
  })
  expect((await ask(proxy.port, 'api.test', `${WEB}/`, {}, 'POST', 'x'.repeat(100_000))).status).toBe(503)
  expect((await proxy.get(`${WEB}/`, { Connection: 'Upgrade', Upgrade: 'websocket' })).status).toBe(503)

  const silent = await aProxy({ port: await startTcpApp((socket) => socket.destroy()) })
  expect(messageOf(await silent.get(`${WEB}/`))).toBe('error trying to reach service: EOF')
  const bytes = (text: string) => startTcpApp((socket) => void socket.on('data', () => socket.end(text)))
  const chatty = await aProxy({ port: await bytes('220 mail.test\r\n') })
  expect(await chatty.get(`${WEB}/`)).toMatchObject({ status: 503, body: expect.stringContaining('error trying to reach service: ') })
  const odd = await aProxy({ port: await bytes('HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n') })
  expect(await odd.get(`${WEB}/`)).toMatchObject({ status: 503, body: expect.stringContaining('error trying to reach service: ') })
})

test('a program that speaks TLS is reached by https, whatever its certificate says', async () => {
  const secure = createTlsServer(tls.server, (incoming, response) => void response.end(`secret ${incoming.url}`))
  const port = await listening(secure)
  onTestFinished(() => void secure.close())
  const proxy = await aProxy({ port, scheme: 'https' })
  expect(await proxy.get('/api/v1/namespaces/shop/pods/https:web:8443/proxy/x')).toMatchObject({ status: 200, body: 'secret /x' })

  const plain = await anEcho()
  const wrong = await aProxy({ port: plain.port, scheme: 'https' })
  expect(messageOf(await wrong.get(`${WEB}/`))).toBe('error trying to reach service: tls: first record does not look like a TLS handshake')
})

test('each side’s body arrives while it is still being sent', async () => {
  const heard: string[] = []
  const { port } = await startApp((incoming, response) => {
    incoming.on('data', (bytes) => heard.push(String(bytes)))
    incoming.on('end', () => response.end('done'))
    response.write('first')
  })
  const proxy = await aProxy({ port })
  const client = rawClient(proxy.port, `POST ${WEB}/ HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`)
  await client.until(/first/)
  client.send('3\r\none\r\n')
  await expect.poll(() => heard.join('')).toBe('one')
  expect(client.text()).not.toContain('done')
  client.send('3\r\ntwo\r\n0\r\n\r\n')
  expect(await client.closed).toContain('done')
  expect(heard.join('')).toBe('onetwo')
  expect(proxy.over).toEqual(['POST 200'])
})

test('the head of an answer does not wait for its body', async () => {
  const { port } = await startApp((_incoming, response) => response.writeHead(200, { 'X-App': 'yes' }).flushHeaders())
  const proxy = await aProxy({ port })
  const client = rawClient(proxy.port, `GET ${WEB}/ HTTP/1.1\r\nHost: api.test\r\n\r\n`)
  expect(await client.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*X-App: yes\r\n/)
})

test('a reader that takes its time holds the program back, and gets everything', async () => {
  const total = 64 * 1024 * 1024
  let sent = 0
  const { port } = await startApp((_incoming, response) => {
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const more = (): void => {
      while (sent < total) {
        sent += chunk.length
        if (!response.write(chunk)) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  })
  const proxy = await aProxy({ port })
  const incoming = await new Promise<IncomingMessage>((resolve) =>
    request({ port: proxy.port, path: `${WEB}/`, agent: false }, resolve).end(),
  )
  let before = -1
  await expect.poll(() => before === (before = sent), { interval: 200 }).toBe(true)
  expect(sent).toBeLessThan(total / 2)
  let got = 0
  for await (const bytes of incoming) got += (bytes as Buffer).length
  expect(got).toBe(total)
})

test.each([
  ['that breaks off', (client: ReturnType<typeof rawClient>) => client.socket.destroy()],
  ['that closes its side', (client: ReturnType<typeof rawClient>) => client.socket.end()],
])('a client %s ends the request to the program, whether it was answered or not', async (_what, leave) => {
  const seen: string[] = []
  const { port } = await startApp((incoming, response) => {
    seen.push(`${incoming.url} came`)
    response.on('close', () => seen.push(`${incoming.url} ended ${response.writableFinished}`))
    if (incoming.url === '/answered') response.write('first')
  })
  const proxy = await aProxy({ port })
  for (const path of ['/answered', '/waiting']) {
    const client = rawClient(proxy.port, `GET ${WEB}${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`)
    await expect.poll(() => seen).toContain(`${path} came`)
    if (path === '/answered') await client.until(/first/)
    leave(client)
    await expect.poll(() => seen).toContain(`${path} ended false`)
  }
  await expect.poll(() => proxy.over.length).toBe(2)
})

test('a program that breaks off in the middle of its answer breaks the connection of the client', async () => {
  const { port } = await startApp((_incoming, response) => {
    response.write('first')
    response.write('second', () => response.destroy())
  })
  const proxy = await aProxy({ port })
  const text = await rawClient(proxy.port, `GET ${WEB}/ HTTP/1.1\r\nHost: api.test\r\n\r\n`).closed
  expect(text).toContain('first')
  expect(text).not.toContain('\r\n0\r\n')
})

test('a connection goes on after a body that the program did not want to hear', async () => {
  const { port } = await startApp((incoming, response) => {
    response.writeHead(incoming.method === 'POST' ? 413 : 200, { Connection: 'close' })
    response.end(`${incoming.method}!`, () => incoming.method === 'POST' && incoming.socket.destroy())
  })
  const proxy = await aProxy({ port })
  const size = 3_000_000
  const client = rawClient(proxy.port, `POST ${WEB}/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${size}\r\n\r\n`)
  await client.until(/413 .*POST!/s)
  client.send('x'.repeat(size))
  client.send(`GET ${WEB}/ HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n`)
  expect(await client.closed).toMatch(/200 .*GET!/s)
})

/** A program that takes connections over, and says back in capitals what it hears. */
async function aShoutingProgram() {
  const seen: { headers: IncomingMessage['headers']; url: string; ended: boolean }[] = []
  const { port, server } = await startApp((_incoming, response) => response.writeHead(426).end('only upgrades'))
  server.on('upgrade', (incoming, socket, head) => {
    const one = { headers: incoming.headers, url: incoming.url!, ended: false }
    seen.push(one)
    socket.on('close', () => {
      one.ended = true
    })
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\nhello ')
    const shout = (bytes: Buffer): void => {
      if (String(bytes) === 'bye') socket.end('BYE')
      else socket.write(String(bytes).toUpperCase())
    }
    if (head.length > 0) shout(head)
    socket.on('data', shout)
    socket.on('end', () => socket.end())
  })
  return { port, seen }
}

test('a WebSocket is passed through both ways, with what came early, until either side ends it', async () => {
  const program = await aShoutingProgram()
  const proxy = await aProxy({ port: program.port })
  const upgrade = (path: string) =>
    `GET ${WEB}${path} HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer sesame\r\nSec-WebSocket-Key: k\r\n${HANDSHAKE}\r\n`
  const client = rawClient(proxy.port, `${upgrade('/ws?a=%20')}early`)
  const text = await client.until(/EARLY/)
  expect(text).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\nhello EARLY',
  )
  expect(program.seen[0]!.url).toBe('/ws?a=%20')
  expect(program.seen[0]!.headers).toEqual({
    host: 'api.test',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'k',
    'sec-websocket-version': '13',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-uri': `${WEB}/ws`,
  })
  client.send('x'.repeat(1_000_000))
  await expect.poll(() => client.text().length - text.length).toBe(1_000_000)
  client.send('bye')
  expect((await client.closed).slice(text.length)).toBe(`${'X'.repeat(1_000_000)}BYE`)
  await expect.poll(() => proxy.over).toEqual(['GET 101'])

  for (const [index, leave] of ['end', 'destroy'].entries()) {
    const other = rawClient(proxy.port, upgrade(''))
    await other.until(/hello/)
    other.socket[leave as 'end']()
    await expect.poll(() => program.seen[index + 1]).toMatchObject({ url: '/', ended: true })
    await expect.poll(() => proxy.over.length).toBe(index + 2)
  }
})

test('a program that does not upgrade says so itself if it refuses, and is refused if it does not', async () => {
  const { port } = await startApp((incoming, response) => {
    response.writeHead(Number(incoming.url!.slice(1)), { 'X-App': 'yes' })
    response.end('plain')
  })
  const proxy = await aProxy({ port })
  const handshake = { Connection: 'Upgrade', Upgrade: 'websocket' }
  expect(await proxy.get(`${WEB}/404`, handshake)).toMatchObject({ status: 404, headers: { 'x-app': 'yes' } })
  const answer = await proxy.get(`${WEB}/200`, handshake)
  expect({ status: answer.status, message: messageOf(answer) }).toEqual({
    status: 500,
    message: 'invalid upgrade response: status code 200',
  })
  await expect.poll(() => proxy.over).toEqual(['GET 404', 'GET 500'])
})

test('a client that leaves before the program has agreed to upgrade is not waited for', async () => {
  let isGone = false
  const backend = await startTcpApp((socket) => void socket.on('close', () => (isGone = true)).resume())
  const proxy = await aProxy({ port: backend })
  const client = rawClient(proxy.port, `GET ${WEB}/ HTTP/1.1\r\nHost: api.test\r\n${HANDSHAKE}\r\n`)
  await expect.poll(() => proxy.asked.length).toBe(1)
  client.socket.end()
  await expect.poll(() => isGone).toBe(true)
  await expect.poll(() => proxy.over.length).toBe(1)
})

test.each([
  ['services/web', { what: 'services', name: 'web', port: undefined, scheme: undefined }],
  ['services/web:http', { what: 'services', name: 'web', port: 'http', scheme: undefined }],
  ['services/web:', { what: 'services', name: 'web', port: undefined, scheme: undefined }],
  ['pods/web:8080', { what: 'pods', name: 'web', port: '8080', scheme: undefined }],
  ['pods/https:web:8443', { what: 'pods', name: 'web', port: '8443', scheme: 'https' }],
  ['services/https%3Aweb%3A', { what: 'services', name: 'web', port: undefined, scheme: 'https' }],
  ['services/:web:80', { what: 'services', name: 'web', port: '80', scheme: undefined }],
])('%s is understood', async (segment, expected) => {
  const { port } = await anEcho()
  const proxy = await aProxy({ port })
  expect((await proxy.get(`/api/v1/namespaces/shop/${segment}/proxy/`)).status).toBe(200)
  expect(proxy.asked).toEqual([{ namespace: 'shop', ...expected }])
})

test.each([
  ['services/a:b:c:d', 'invalid service request "a:b:c:d"'],
  ['pods/ftp:web:21', 'invalid pod request "ftp:web:21"'],
  ['pods/:80', 'invalid pod request ":80"'],
])('%s is refused', async (segment, message) => {
  const proxy = await aProxy({})
  const answer = await proxy.get(`/api/v1/namespaces/shop/${segment}/proxy/`)
  expect(JSON.parse(answer.body)).toMatchObject({ code: 400, reason: 'BadRequest', message })
  expect(proxy.asked).toEqual([])
})

test('a path is proxied only behind the subresource of a Pod or a Service', () => {
  expect(proxyPathFrom(`${WEB}/a%2Fb//`)).toEqual({ what: 'services', namespace: 'shop', segment: 'web', rest: '/a%2Fb//' })
  expect(proxyPathFrom(WEB)).toEqual({ what: 'services', namespace: 'shop', segment: 'web', rest: '' })
  for (const path of [
    '/api/v1/namespaces/shop/services/web',
    '/api/v1/namespaces/shop/services/web/proxys',
    '/api/v1/namespaces/shop/services/web/status/proxy/',
    '/api/v1/namespaces/shop/configmaps/web/proxy/',
    '/api/v1/services/web/proxy/',
    '/apis/v1/namespaces/shop/services/web/proxy/',
  ])
    expect(proxyPathFrom(path)).toBeUndefined()
  expect(() => proxyPathFrom('/api/v1/namespaces/shop/services/%zz/proxy/')).toThrow(URIError)
})
