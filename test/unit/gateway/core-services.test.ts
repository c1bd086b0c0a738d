import { connect as connectHttp2, createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { portFor } from '../../../src/gateway/core-services.js'
import {
  aCoreService,
  aKIngress,
  aPlainPod,
  aRevision,
  aRule,
  aSlice,
  ask,
  bodyOf,
  endpointOf,
  listening,
  rawClient,
  somePods,
  startApp,
  startTcpApp,
  startTestGateway,
  type TestGateway,
} from './support.js'

const WEB = 'web.default.svc.cluster.local'

/** An application that answers with its name. */
const named = async (name: string): Promise<number> => (await startApp((_request, response) => response.end(name))).port

/** A Service `web` on port 80 whose ready Pods listen on these loopback ports. */
function serveWeb({ informers }: TestGateway, ports: readonly number[]): void {
  const pods = ports.map((port, index) => aPlainPod(`web-${index}`, `10.244.0.${index + 2}`, { 8080: port }))
  for (const pod of pods) informers.pods.put(pod)
  informers.services.put(aCoreService('web', { ports: [{ port: 80, targetPort: 8080 }] }))
  informers.slices.put(
    aSlice(
      'web',
      [{ name: '', port: 8080 }],
      pods.map((pod) => endpointOf(pod)),
    ),
  )
}

const answers = async (gateway: TestGateway, host: string, count: number): Promise<Set<string>> => {
  const seen = new Set<string>()
  for (let request = 0; request < count; request++) seen.add((await ask(gateway.clusterLocalPort, host)).body)
  return seen
}

test('a core Service answers to its names inside the cluster, on the cluster-local listener and on no other', async () => {
  const gateway = await startTestGateway()
  serveWeb(gateway, [await named('web')])
  for (const host of [WEB, 'web.default.svc', 'web.default', 'WEB.default.svc.cluster.local.', `${WEB}:80`, `${WEB}:19081`])
    expect({ host, ...(await ask(gateway.clusterLocalPort, host)) }).toMatchObject({ host, status: 200, body: 'web' })
  expect(await ask(gateway.externalPort, WEB)).toMatchObject({ status: 404 })
  for (const host of ['web', 'other.default', 'web.other.svc', 'web.default.example.com', 'constructor.default', '.default'])
    expect({ host, ...(await ask(gateway.clusterLocalPort, host)) }).toMatchObject({ host, status: 404 })
})

test('requests are spread over the ready Pods, and go to those that are there at that moment', async () => {
  const gateway = await startTestGateway()
  const ports = [await named('one'), await named('two')]
  serveWeb(gateway, ports)
  expect(await answers(gateway, WEB, 40)).toEqual(new Set(['one', 'two']))
  serveWeb(gateway, [ports[0]!])
  expect(await answers(gateway, WEB, 10)).toEqual(new Set(['one']))
})

test('a Service without ready endpoints answers 503 and says so; one that is deleted is not found', async () => {
  const gateway = await startTestGateway()
  serveWeb(gateway, [])
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 503, body: 'no endpoints available for service "web"\n' })
  gateway.informers.services.remove(gateway.informers.services.get({ namespace: 'default', name: 'web' })!)
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 404 })
})

test('a Pod that is being deleted gets no request, unless it is all there is and it still answers', async () => {
  const gateway = await startTestGateway()
  const ports = [await named('one'), await named('two')]
  serveWeb(gateway, ports)
  const first = gateway.informers.pods.get({ namespace: 'default', name: 'web-0' })!
  const second = gateway.informers.pods.get({ namespace: 'default', name: 'web-1' })!
  gateway.informers.pods.put({ ...first, metadata: { ...first.metadata, deletionTimestamp: '2026-01-01T00:00:30Z' } })
  expect(await answers(gateway, WEB, 20)).toEqual(new Set(['two']))
  const terminating = { ready: false, serving: true, terminating: true }
  gateway.informers.slices.put(aSlice('web', [{ name: '', port: 8080 }], [endpointOf(first, terminating)]))
  expect(await answers(gateway, WEB, 3)).toEqual(new Set(['one']))
  gateway.informers.slices.put(aSlice('web', [{ name: '', port: 8080 }], [endpointOf(first, { ...terminating, serving: false })]))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 503 })
  gateway.informers.slices.put(aSlice('web', [{ name: '', port: 8080 }], [endpointOf(first, terminating), endpointOf(second)]))
  expect(await answers(gateway, WEB, 20)).toEqual(new Set(['two']))
})

test('nothing is added to a request or taken from it, as nothing stands before a Pod on a cluster', async () => {
  const gateway = await startTestGateway()
  const { port } = await startApp(async (request, response) =>
    response.end(JSON.stringify({ headers: request.headers, body: await bodyOf(request) })),
  )
  serveWeb(gateway, [port])
  const sent = {
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-proto': 'https',
    'k-network-probe': 'queue',
    'k-network-hash': 'abc',
    'k-original-host': 'other',
    'user-agent': 'kube-probe/1.35',
  }
  const { body } = await ask(gateway.clusterLocalPort, `${WEB}:80`, '/', sent, 'POST', 'hello')
  expect(JSON.parse(body)).toEqual({
    headers: { host: `${WEB}:80`, 'content-length': '5', ...sent },
    body: 'hello',
  })
  expect(gateway.counts.snapshot(createVirtualClock().now())).toEqual([])
})

test('a Pod that does not listen is passed over for another one, and told of when there is none', async () => {
  const gateway = await startTestGateway()
  const silent = await startTcpApp((socket) => socket.destroy())
  const { port: gone, server } = await startApp(() => {})
  server.close()
  serveWeb(gateway, [gone, await named('two')])
  expect(await answers(gateway, WEB, 20)).toEqual(new Set(['two']))
  serveWeb(gateway, [gone])
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({
    status: 502,
    body: `dial tcp 127.0.0.1:${gone}: connect: connection refused\n`,
  })
  serveWeb(gateway, [silent])
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 502 })
})

test('the Host chooses the port; otherwise 80, then the first that speaks HTTP, then the first', async () => {
  const service = (...ports: Parameters<typeof aCoreService>[1]['ports'] & object) => aCoreService('web', { ports })
  const admin = { name: 'admin', port: 9000 }
  const http = { name: 'http-api', port: 8080 }
  const main = { name: 'main', port: 80 }
  const dns = { name: 'dns', port: 53, protocol: 'UDP' }
  expect(portFor(service(admin, http, main), 9000)).toBe(admin)
  expect(portFor(service(admin, http, main), 19_081)).toBe(main)
  expect(portFor(service(admin, http, main), undefined)).toBe(main)
  expect(portFor(service(admin, http), undefined)).toBe(http)
  expect(portFor(service({ ...admin, name: 'https' }, { ...admin, port: 1, appProtocol: 'kubernetes.io/h2c' }), undefined)?.port).toBe(1)
  expect(portFor(service(dns, admin, { ...admin, port: 1 }), undefined)).toBe(admin)
  expect(portFor(service(dns), 53)).toBeUndefined()

  const gateway = await startTestGateway()
  const pod = aPlainPod('web-0', '10.244.0.2', { 8080: await named('api'), 9090: await named('admin') })
  gateway.informers.pods.put(pod)
  gateway.informers.services.put(service({ ...http, targetPort: 8080 }, { ...admin, targetPort: 'admin' }))
  const ports = [
    { name: 'http-api', port: 8080 },
    { name: 'admin', port: 9090 },
  ]
  gateway.informers.slices.put(aSlice('web', ports, [endpointOf(pod)]))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ body: 'api' })
  expect(await ask(gateway.clusterLocalPort, `${WEB}:9000`)).toMatchObject({ body: 'admin' })
})

test('a Pod that declares no port is reached on the one it is told to listen on; beside declared ones a port is itself', async () => {
  const gateway = await startTestGateway()
  const told = await named('told')
  const other = await named('other')
  gateway.informers.pods.put(aPlainPod('web-0', '10.244.0.2', { 8080: told }, []))
  gateway.informers.services.put(aCoreService('web', { ports: [{ port: 80, targetPort: 3000 }] }))
  const slice = (port: number) =>
    aSlice('web', [{ name: '', port }], [endpointOf(gateway.informers.pods.get({ namespace: 'default', name: 'web-0' })!)])
  gateway.informers.slices.put(slice(3000))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ body: 'told' })
  gateway.informers.pods.put(aPlainPod('web-0', '10.244.0.2', { 8080: told }))
  gateway.informers.slices.put(slice(other))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ body: 'other' })
})

test('addresses written by hand are dialled as they are, but for those of the Pods’ network, which are Pods or nothing', async () => {
  const gateway = await startTestGateway()
  const port = await named('mine')
  gateway.informers.services.put(aCoreService('web', { ports: [{ port: 80 }] }))
  gateway.informers.slices.put(aSlice('web', [{ name: '', port }], [{ addresses: ['127.0.0.1'] }]))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 200, body: 'mine' })

  gateway.informers.slices.put(aSlice('web', [{ name: '', port: 8080 }], [{ addresses: ['10.244.0.9'] }]))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 503 })
  gateway.informers.pods.put(aPlainPod('other', '10.244.0.9', { 8080: await named('pod') }))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 200, body: 'pod' })
  gateway.informers.slices.put({ ...aSlice('web', [{ name: '', port }], [{ addresses: ['localhost'] }]), addressType: 'FQDN' })
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ status: 503 })
})

test('Pods with names of their own, as a StatefulSet’s, answer to them below the Service', async () => {
  const gateway = await startTestGateway()
  const pods = [aPlainPod('db-0', '10.244.0.2', { 80: await named('zero') }), aPlainPod('db-1', '10.244.0.3', { 80: await named('one') })]
  for (const pod of pods) gateway.informers.pods.put(pod)
  gateway.informers.services.put(aCoreService('db', { clusterIP: 'None', ports: [{ port: 80 }] }))
  gateway.informers.slices.put(
    aSlice(
      'db',
      [{ name: '', port: 80 }],
      pods.map((pod) => ({ ...endpointOf(pod), hostname: pod.metadata.name })),
    ),
  )
  expect(await answers(gateway, 'db-1.db.default.svc.cluster.local', 8)).toEqual(new Set(['one']))
  expect(await answers(gateway, 'db-0.db.default.svc', 8)).toEqual(new Set(['zero']))
  expect(await answers(gateway, 'db.default.svc', 40)).toEqual(new Set(['zero', 'one']))
  expect(await ask(gateway.clusterLocalPort, 'db-2.db.default.svc')).toMatchObject({ status: 503 })
})

test('with affinity to the client, everything goes to one Pod until that has been idle for as long as the Service says', async () => {
  const clock = createVirtualClock()
  const gateway = await startTestGateway({ clock })
  const names = ['one', 'two', 'three', 'four']
  serveWeb(gateway, await Promise.all(names.map(named)))
  const web = gateway.informers.services.get({ namespace: 'default', name: 'web' })!
  const sessionAffinityConfig = { clientIP: { timeoutSeconds: 60 } }
  gateway.informers.services.put({ ...web, spec: { ...web.spec, sessionAffinity: 'ClientIP', sessionAffinityConfig } })
  const [first] = await answers(gateway, WEB, 20)
  await clock.advance(59_000)
  expect(await answers(gateway, WEB, 20)).toEqual(new Set([first]))
  const later = new Set<string>()
  for (let round = 0; round < 20; round++) {
    await clock.advance(60_000)
    for (const name of await answers(gateway, WEB, 1)) later.add(name)
  }
  expect(later.size).toBeGreaterThan(1)
})

test('routes and what is answered inside come before a core Service of the same name; aliases lead nowhere by themselves', async () => {
  const web = await named('web')
  const gateway = await startTestGateway({
    inside: (host) => {
      if (!host.startsWith('broker')) return undefined
      return (request) => {
        request.respond(202, [['content-length', '0']], true)
      }
    },
  })
  serveWeb(gateway, [web])
  gateway.informers.services.put(aCoreService('broker', { ports: [{ port: 80 }] }))
  expect(await ask(gateway.clusterLocalPort, 'broker.default.svc')).toMatchObject({ status: 202 })
  gateway.informers.services.put(aCoreService('alias', { type: 'ExternalName', externalName: WEB }))
  expect(await ask(gateway.clusterLocalPort, 'alias.default.svc')).toMatchObject({ status: 404 })

  gateway.serve('hello', [await named('hello')])
  gateway.informers.kingresses.put(aKIngress('web', [aRule(WEB, 'hello', { visibility: 'ClusterLocal' })]))
  expect(await ask(gateway.clusterLocalPort, WEB)).toMatchObject({ body: 'hello' })
})

test('the core Services of a Revision lead to it as its routes do: counted, and held while it is at zero', async () => {
  const gateway = await startTestGateway()
  const { informers } = gateway
  informers.revisions.put(aRevision('hello-00001'))
  for (const name of ['hello-00001', 'hello-00001-private'])
    informers.services.put(aCoreService(name, { ports: [{ name: 'http', port: 80 }] }, { kind: 'ServerlessService', name: 'hello-00001' }))
  const wanted: string[] = []
  gateway.counts.onFirstRequest(({ name }) => wanted.push(name))
  const held = ask(gateway.clusterLocalPort, 'hello-00001.default.svc.cluster.local')
  while (wanted.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const { pods, slice } = somePods('hello-00001', [await named('hello')])
  for (const pod of pods) informers.pods.put(pod)
  informers.slices.put(slice)
  expect(await held).toMatchObject({ status: 200, body: 'hello' })
  expect(await ask(gateway.clusterLocalPort, 'hello-00001-private.default')).toMatchObject({ status: 200, body: 'hello' })
  expect(wanted).toEqual(['hello-00001'])
})

test('an upgraded connection goes through to the Pod and lasts', async () => {
  const gateway = await startTestGateway()
  const { port, server } = await startApp(() => {})
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  serveWeb(gateway, [port])
  const client = rawClient(gateway.clusterLocalPort, `GET / HTTP/1.1\r\nHost: ${WEB}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`)
  await client.until(/101 Switching/)
  client.send('ping')
  await client.until(/ping$/)
})

test('HTTP/2 without TLS goes to the Pod as HTTP/2, trailers included', async () => {
  const gateway = await startTestGateway()
  const server = createHttp2Server()
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => void sessions.add(session))
  server.on('stream', (stream, headers) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.respond({ ':status': 200, 'x-seen': JSON.stringify(headers) }, { waitForTrailers: true })
    stream.pipe(stream)
  })
  const port = await listening(server)
  onTestFinished(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  serveWeb(gateway, [port])
  const session = connectHttp2(`http://127.0.0.1:${gateway.clusterLocalPort}`)
  onTestFinished(() => session.destroy())
  const answered = await new Promise<{ seen: Record<string, string>; body: string; trailers: unknown }>((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/x', ':authority': WEB, te: 'trailers' })
    const found = { seen: {}, body: '', trailers: undefined as unknown }
    stream.on('response', (headers) => {
      found.seen = JSON.parse(String(headers['x-seen']))
    })
    stream.on('trailers', (headers) => {
      found.trailers = headers['grpc-status']
    })
    stream.on('data', (bytes) => {
      found.body += bytes
    })
    stream.on('end', () => resolve(found))
    stream.on('error', reject)
    stream.end('hi')
  })
  expect(answered).toMatchObject({ body: 'hi', trailers: '0' })
  expect(answered.seen).toEqual({ ':method': 'POST', ':path': '/x', ':authority': WEB, ':scheme': 'http', te: 'trailers' })
})
