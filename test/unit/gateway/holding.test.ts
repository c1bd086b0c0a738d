import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { aKIngress, answerFrom, aRevision, aRule, ask, rawClient, startApp, startTcpApp, startTestGateway, turns } from './support.js'

/** An application whose answers the test gives, in the order the requests came. */
async function startSlowApp(): Promise<{ port: number; open: { path: string; response: ServerResponse; isGone: () => boolean }[] }> {
  const open: { path: string; response: ServerResponse; isGone: () => boolean }[] = []
  const { port } = await startApp((request, response) => {
    open.push({ path: request.url!, response, isGone: () => request.socket.destroyed })
  })
  return { port, open }
}

const get = (path: string, host = 'hello.default.localhost', extra = '') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}\r\n`

test('requests for a revision without instances wait, and go in order the moment one is ready', async () => {
  const seen: string[] = []
  const { port } = await startApp((request, response) => {
    seen.push(`${request.url} ${request.headers['k-proxy-request'] ?? 'straight'}`)
    response.end('woken')
  })
  const gateway = await startTestGateway()
  const demanded: string[] = []
  gateway.counts.onFirstRequest(({ namespace, name }) => demanded.push(`${namespace}/${name}`))
  gateway.serve('hello', [], { containerConcurrency: 1 })
  const first = rawClient(gateway.externalPort, get('/1'))
  await expect.poll(() => demanded).toEqual(['default/hello'])
  const second = rawClient(gateway.externalPort, `POST /2 HTTP/1.1\r\nHost: hello.default.localhost\r\nContent-Length: 2\r\n\r\nhi`)
  await expect.poll(() => gateway.counts.snapshot(Date.now())[0]?.averageConcurrency).toBeGreaterThan(1)
  expect(first.text() + second.text()).toBe('')

  gateway.scale('hello', [port])
  await first.until(/woken/)
  await second.until(/woken/)
  second.send(get('/3'))
  await second.until(/woken[\s\S]*woken/)
  expect(seen).toEqual(['/1 activator', '/2 activator', '/3 straight'])
  expect(demanded).toEqual(['default/hello'])
})

test('a request that waits too long for an instance is answered 504, and an autoscaler that asks late still hears of it', async () => {
  const clock = createVirtualClock()
  const gateway = await startTestGateway({ clock })
  gateway.serve('hello', [], { timeoutSeconds: 10 })
  const client = rawClient(gateway.externalPort, get('/'))
  await expect.poll(() => gateway.counts.snapshot(clock.now())).toHaveLength(1)
  const late: string[] = []
  gateway.counts.onFirstRequest(({ name }) => late.push(name))
  expect(late).toEqual(['hello'])

  await clock.advance(9_900)
  expect(client.text()).toBe('')
  await clock.advance(200)
  const answer = answerFrom(await client.until(/timeout/))
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 504, body: 'activator request timeout' })
  gateway.counts.snapshot(clock.now())
  expect(gateway.counts.snapshot(clock.now())).toEqual([])
})

test('a client that goes away while it waits leaves the queue', async () => {
  const { port } = await startApp((request, response) => response.end(request.url))
  const gateway = await startTestGateway()
  gateway.serve('hello', [], { containerConcurrency: 1 })
  const gone = rawClient(gateway.externalPort, get('/gone'))
  await expect.poll(() => gateway.counts.snapshot(Date.now())).toHaveLength(1)
  gone.socket.destroy()
  await expect.poll(() => gateway.counts.snapshot(Date.now())).toHaveLength(0)
  gateway.scale('hello', [port])
  expect((await ask(gateway.externalPort, 'hello.default.localhost', '/here')).body).toBe('/here')
})

test('with containerConcurrency 1 one request at a time reaches an instance, and the next goes to another instance', async () => {
  const one = await startSlowApp()
  const two = await startSlowApp()
  const gateway = await startTestGateway()
  gateway.serve('hello', [one.port, two.port], { containerConcurrency: 1 })
  const clients = ['/1', '/2', '/3', '/4'].map((path) => rawClient(gateway.externalPort, get(path)))
  await expect.poll(() => [one.open.length, two.open.length]).toEqual([1, 1])
  await turns()
  expect([one.open.length, two.open.length]).toEqual([1, 1])

  two.open[0]!.response.end('done')
  await expect.poll(() => two.open.length).toBe(2)
  expect(one.open).toHaveLength(1)
  for (const app of [one, two]) for (const { response } of app.open) response.end('done')
  await expect.poll(() => one.open.length + two.open.length).toBe(4)
  for (const { response } of [...one.open, ...two.open]) response.end('done')
  for (const client of clients) await client.until(/done/)
})

test('a revision that takes the activator out of the path refuses what its instances cannot queue', async () => {
  const { port, open } = await startSlowApp()
  const gateway = await startTestGateway()
  gateway.serve('hello', [port], { containerConcurrency: 1 }, { 'autoscaling.knative.dev/target-burst-capacity': '0' })
  const clients = Array.from({ length: 11 }, () => rawClient(gateway.externalPort, get('/')))
  await expect.poll(() => open.length).toBe(1)
  await expect.poll(() => gateway.counts.snapshot(Date.now() - 1_000_000)[0]?.averageConcurrency).toBe(11)
  const { status, body } = await ask(gateway.externalPort, 'hello.default.localhost')
  expect({ status, body }).toEqual({ status: 503, body: 'pending request queue full\n' })
  for (let served = 0; served < 11; served++) {
    await expect.poll(() => open.length).toBe(served + 1)
    open[served]!.response.end('ok')
  }
  for (const client of clients) await client.until(/ok/)
})

test('a response that does not begin in time is answered 504 and its application is let go', async () => {
  const clock = createVirtualClock()
  const { port, open } = await startSlowApp()
  const gateway = await startTestGateway({ clock })
  gateway.serve('hello', [port], { timeoutSeconds: 60, responseStartTimeoutSeconds: 5 })
  const client = rawClient(gateway.externalPort, get('/'))
  await expect.poll(() => open.length).toBe(1)
  await clock.advance(5_100)
  expect(answerFrom(await client.until(/timeout/))).toMatchObject({ status: 504, body: 'request timeout' })
  await expect.poll(() => open[0]!.isGone()).toBe(true)
  client.send(get('/again'))
  await expect.poll(() => open.length).toBe(2)
  open[1]!.response.end('fine')
  await client.until(/fine/)
})

test('a response that pauses longer than the idle timeout is broken off; each write starts the time anew', async () => {
  const clock = createVirtualClock()
  const { port, open } = await startSlowApp()
  const gateway = await startTestGateway({ clock })
  gateway.serve('hello', [port], { timeoutSeconds: 60, idleTimeoutSeconds: 5 })
  const client = rawClient(gateway.externalPort, get('/'))
  await expect.poll(() => open.length).toBe(1)
  await clock.advance(4_000)
  open[0]!.response.write('first')
  await client.until(/first/)
  await clock.advance(4_000)
  open[0]!.response.write('second')
  await client.until(/second/)
  await clock.advance(5_100)
  const text = await client.closed
  expect(text).toMatch(/second\r\nf\r\nrequest timeout\r\n$/)
  expect(text).not.toMatch(/\r\n0\r\n\r\n/)
})

test('the total timeout ends a streaming response too', async () => {
  const clock = createVirtualClock()
  const { port, open } = await startSlowApp()
  const gateway = await startTestGateway({ clock })
  gateway.serve('hello', [port], { timeoutSeconds: 10 })
  const client = rawClient(gateway.externalPort, get('/'))
  await expect.poll(() => open.length).toBe(1)
  open[0]!.response.writeHead(200, { 'Content-Length': 100 })
  open[0]!.response.write('part')
  await client.until(/part/)
  await clock.advance(10_100)
  expect(await client.closed).toMatch(/part$/)
})

test('a head that does not get complete within a minute is answered 408', async () => {
  const clock = createVirtualClock()
  const gateway = await startTestGateway({ clock })
  const slow = rawClient(gateway.externalPort, 'GET / HTTP/1.1\r\nHost: hel')
  const silent = rawClient(gateway.externalPort)
  await new Promise((resolve) => silent.socket.once('connect', resolve))
  await turns()
  await clock.advance(61_000)
  expect(await slow.closed).toMatch(/^HTTP\/1.1 408 /)
  expect(await silent.closed).toBe('')
})

test('an instance that nobody listens on is passed over for another one; alone it is a 502 that says why', async () => {
  const { port } = await startApp(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.end(`got ${body}`)
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [1, port], { containerConcurrency: 1 })
  const { status, body } = await ask(gateway.externalPort, 'hello.default.localhost', '/', {}, 'POST', 'mail')
  expect({ status, body }).toEqual({ status: 200, body: 'got mail' })

  gateway.scale('hello', [1])
  const alone = await ask(gateway.externalPort, 'hello.default.localhost', '/', {}, 'POST', 'mail')
  expect({ status: alone.status, body: alone.body }).toEqual({
    status: 502,
    body: 'dial tcp 127.0.0.1:1: connect: connection refused\n',
  })
})

test('a kept connection that the application closes under a GET is replaced once; a POST is never sent twice', async () => {
  let connections = 0
  const bodies: string[] = []
  const port = await startTcpApp((socket) => {
    connections++
    let requests = 0
    socket.on('data', (bytes) => {
      bodies.push(bytes.toString().split(' ')[0]!)
      if (++requests > 1) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, get('/1'))
  await client.until(/ok/)
  client.send(get('/2'))
  await client.until(/ok[\s\S]*ok/)
  expect(connections).toBe(2)
  client.send('POST /3 HTTP/1.1\r\nHost: hello.default.localhost\r\nContent-Length: 1\r\n\r\nx')
  await client.until(/HTTP\/1.1 502 /)
  expect(bodies).toEqual(['GET', 'GET', 'GET', 'POST'])
})

test('an application that breaks off in mid-response breaks off the client, one that answers nonsense is a 502', async () => {
  const answers = ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'nonsense\r\n\r\n', '']
  const port = await startTcpApp((socket) => {
    socket.once('data', () => socket.end(answers.shift()!))
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  expect(await rawClient(gateway.externalPort, get('/')).closed).toMatch(/Content-Length: 10\r\n\r\nhalf$/)
  expect(await ask(gateway.externalPort, 'hello.default.localhost')).toMatchObject({ status: 502, body: 'malformed HTTP response\n' })
  expect(await ask(gateway.externalPort, 'hello.default.localhost')).toMatchObject({ status: 502, body: 'EOF\n' })
})

test('a client that disconnects ends the request at its application', async () => {
  const { port, open } = await startSlowApp()
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort, get('/'))
  await expect.poll(() => open.length).toBe(1)
  client.socket.end()
  await expect.poll(() => open[0]!.isGone()).toBe(true)
})

test('an instance that leaves the endpoints finishes its request and gets no other', async () => {
  const old = await startSlowApp()
  const young = await startSlowApp()
  const gateway = await startTestGateway()
  gateway.serve('hello', [old.port])
  const first = rawClient(gateway.externalPort, get('/1'))
  await expect.poll(() => old.open.length).toBe(1)
  gateway.scale('hello', [young.port])
  const second = rawClient(gateway.externalPort, get('/2'))
  await expect.poll(() => young.open.length).toBe(1)
  old.open[0]!.response.end('from the old one')
  young.open[0]!.response.end('from the young one')
  await first.until(/from the old one/)
  await second.until(/from the young one/)
  first.send(get('/3'))
  await expect.poll(() => young.open.length).toBe(2)
})

test('weighted splits share the requests by their percents, and a split of 0 gets none', async () => {
  const apps = await Promise.all(['a', 'b', 'c'].map((name) => startApp((_request, response) => response.end(name))))
  const gateway = await startTestGateway()
  const names = ['a', 'b', 'c']
  names.forEach((name, index) => {
    gateway.informers.revisions.put(aRevision(name))
    gateway.scale(name, [apps[index]!.port])
  })
  const rule = aRule('hello.default.localhost', 'a')
  rule.http.paths[0]!.splits = names.map((serviceName, index) => ({
    serviceNamespace: 'default',
    serviceName,
    servicePort: 80,
    percent: [80, 20, 0][index]!,
  }))
  gateway.informers.kingresses.put(aKIngress('hello', [rule]))
  const text = await rawClient(gateway.externalPort, get('/').repeat(499) + get('/', undefined, 'Connection: close\r\n')).closed
  expect(text.match(/\r\n\r\n[abc]/g)).toHaveLength(500)
  const share = text.match(/\r\n\r\na/g)!.length
  expect(share).toBeGreaterThan(370)
  expect(share).toBeLessThan(430)
})

test('a tag header chooses the path of its tag, any other value the default one', async () => {
  const apps = await Promise.all(['main', 'blue'].map((name) => startApp((_request, response) => response.end(name))))
  const gateway = await startTestGateway()
  for (const [index, name] of ['main', 'blue'].entries()) {
    gateway.informers.revisions.put(aRevision(name))
    gateway.scale(name, [apps[index]!.port])
  }
  const [main, blue] = [aRule('hello.default.localhost', 'main'), aRule('', 'blue')]
  blue.http.paths[0]!.headers = { 'Knative-Serving-Tag': { exact: 'blue' } }
  main.http.paths.unshift(blue.http.paths[0]!)
  gateway.informers.kingresses.put(aKIngress('hello', [main]))
  const answerTo = async (tag: string) =>
    (await ask(gateway.externalPort, 'hello.default.localhost', '/', { 'Knative-Serving-Tag': tag })).body
  expect([await answerTo('blue'), await answerTo('green')]).toEqual(['blue', 'main'])
})

test('a route to a revision that is gone says so', async () => {
  const gateway = await startTestGateway()
  gateway.informers.kingresses.put(aKIngress('hello', [aRule('hello.default.localhost', 'ghost')]))
  const { status, body } = await ask(gateway.externalPort, 'hello.default.localhost')
  expect(status).toBe(404)
  expect(body).toBe('Error getting active endpoint: revision.serving.knative.dev "ghost" not found\n')
})

test('probes are answered by the gateway and wake nothing', async () => {
  const gateway = await startTestGateway()
  const demanded: string[] = []
  gateway.counts.onFirstRequest(({ name }) => demanded.push(name))
  gateway.serve('hello', [])
  const probe = (headers: Record<string, string>) => ask(gateway.externalPort, 'hello.default.localhost', '/healthz', headers)
  expect(await probe({ 'K-Network-Probe': 'probe', 'K-Network-Hash': 'abc' })).toMatchObject({
    status: 200,
    headers: { 'k-network-hash': 'abc' },
  })
  expect(await probe({ 'K-Network-Probe': 'probe' })).toMatchObject({ status: 400 })
  expect(await probe({ 'K-Network-Probe': 'activator' })).toMatchObject({ status: 200, body: 'activator' })
  expect(await probe({ 'K-Network-Probe': 'queue', 'User-Agent': 'Knative-Activator-Probe' })).toMatchObject({ status: 503 })
  expect(await probe({ 'K-Network-Probe': 'x' })).toMatchObject({ status: 400, body: 'unexpected probe header value: "x"\n' })
  expect(await probe({ 'User-Agent': 'kube-probe/1.35' })).toMatchObject({ status: 200 })
  expect(demanded).toEqual([])
  expect(gateway.counts.snapshot(Date.now())).toEqual([])
})
