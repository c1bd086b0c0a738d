import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { endpointsKind } from '../../src/kinds/core/endpoints/kind.js'
import { eventKind } from '../../src/kinds/core/event/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { eventRecordKind } from '../../src/kinds/emulator/eventrecord/kind.js'
import { until } from '../support/daemon.js'
import { fetchFrom, HELLO_IMAGE, run, startTestEmulator } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

const kubectls = findKubectls()
const oldestAndNewest = [...new Set([kubectls[0]!, kubectls.at(-1)!])]

/** Says which Pod it is; told to end, it answers what it has and closes, as a good server does. */
const WHOAMI = `
const server = require('http').createServer((q, r) => setTimeout(() => r.end(process.env.HOSTNAME), Number(q.headers['x-wait'] ?? 0)))
server.listen(process.env.PORT, '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

type TestEmulator = Awaited<ReturnType<typeof startTestEmulator>>

/** A Deployment of WHOAMI, as a manifest. */
const whoami = (name: string, replicas: number) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'kn.local/shell',
              command: ['node', '-e', WHOAMI],
              ports: [{ name: 'web', containerPort: 8080 }],
              readinessProbe: { tcpSocket: { port: 'web' } },
            },
          ],
        },
      },
    },
  })

describe.each(oldestAndNewest)('kubectl $version', ({ path }) => {
  let emulator: TestEmulator
  const kubectl = (args: readonly string[], input?: string) => run(path, args, emulator.env, input === undefined ? {} : { input })
  const ok = async (args: string, input?: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(args.split(' '), input)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const ask = (host: string, headers: Record<string, string> = {}) =>
    fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}/`, { headers: { host, ...headers } })
  const answers = async (host: string, count: number): Promise<Set<string>> => {
    const seen = new Set<string>()
    for (let request = 0; request < count; request++) {
      const { status, body } = await ask(host)
      expect({ status, body }).toEqual({ status: 200, body })
      seen.add(body)
    }
    return seen
  }
  const podsOf = async (app: string): Promise<string[]> =>
    (await ok(`get pods -l app=${app} -o jsonpath={.items[*].metadata.name}`)).split(' ').filter(Boolean)
  const isOpen = (port: string): Promise<boolean> =>
    fetchFrom(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )

  beforeAll(async () => {
    emulator = await startTestEmulator()
  })
  afterAll(() => emulator.close())

  test('a deployment that is exposed answers to the names of its service, and 503 while it has no pods', async () => {
    await ok(`create deployment hello --image=${HELLO_IMAGE} --port=8080`)
    expect(await ok('expose deployment hello --port=80 --target-port=8080')).toBe('service/hello exposed\n')
    await ok('rollout status deployment/hello --timeout=30s')
    for (const host of ['hello.default.svc.cluster.local', 'hello.default.svc', 'hello.default', 'hello.default.svc:80'])
      expect({ host, ...(await ask(host)) }).toMatchObject({ host, status: 200, body: 'Hello World!\n' })
    expect(await ask('other.default.svc')).toMatchObject({ status: 404 })

    await ok('scale deployment hello --replicas=0')
    const answer = await until(async () => {
      const got = await ask('hello.default.svc')
      // Its last Pod is asked for as long as it is on its way out; 502 means that it has closed its port already.
      return got.status === 200 || got.status === 502 ? undefined : got
    })
    expect(answer).toMatchObject({ status: 503, body: 'no endpoints available for service "hello"\n' })
    await ok('delete deployment,service hello')
    expect(await ask('hello.default.svc')).toMatchObject({ status: 404 })
  })

  test('all replicas answer, and a restart of all of them under load loses no request', async () => {
    await ok('apply -f -', whoami('web', 1))
    await ok('expose deployment web --port=80 --target-port=web')
    await ok('rollout status deployment/web --timeout=30s')
    expect(await answers('web.default.svc', 10)).toEqual(new Set(await podsOf('web')))
    await ok('scale deployment web --replicas=2')
    await ok('rollout status deployment/web --timeout=30s')
    const before = await podsOf('web')
    expect(before).toHaveLength(2)
    expect(await answers('web.default.svc', 60)).toEqual(new Set(before))

    let isOver = false
    const results = new Map<string, number>()
    const load = Array.from({ length: 8 }, async (_, client) => {
      while (!isOver) {
        const { status } = await ask('web.default.svc', { 'x-wait': String(client * 5) }).catch((error: Error) => ({
          status: error.message,
        }))
        results.set(String(status), (results.get(String(status)) ?? 0) + 1)
      }
    })
    await ok('rollout restart deployment/web')
    await ok('rollout status deployment/web --timeout=60s')
    await until(async () => (await podsOf('web')).every((pod) => !before.includes(pod)))
    isOver = true
    await Promise.all(load)
    expect([...results.keys()]).toEqual(['200'])
    expect(results.get('200')).toBeGreaterThan(20)
    const after = await podsOf('web')
    expect(after.filter((pod) => before.includes(pod))).toEqual([])
    expect(await answers('web.default.svc', 60)).toEqual(new Set(after))
    await ok('delete deployment,service web')
  })

  test('a node port answers on exactly that port while the service has one, for LoadBalancers too, which stay pending', async () => {
    await ok('apply -f -', whoami('node', 1))
    await ok('expose deployment node --port=80 --target-port=8080 --type=NodePort')
    await ok('rollout status deployment/node --timeout=30s')
    const nodePort = await ok('get service node -o jsonpath={.spec.ports[0].nodePort}')
    expect(Number(nodePort)).toBeGreaterThanOrEqual(30_000)
    expect((await fetchFrom(`http://127.0.0.1:${nodePort}/`)).body).toBe((await podsOf('node'))[0])

    await ok('delete service node')
    await until(async () => !(await isOpen(nodePort)))
    await ok('expose deployment node --port=80 --target-port=8080 --type=LoadBalancer')
    const balanced = await ok('get service node -o jsonpath={.spec.ports[0].nodePort}')
    await until(() => isOpen(balanced))
    expect(await ok('get service node --no-headers')).toMatch(/^node +LoadBalancer +10\.\S+ +<pending> +80:\d+\/TCP/)
    await ok('delete deployment,service node')
    await until(async () => !(await isOpen(balanced)))
  })

  test('a node port that a program of this machine has is a Warning on the service, with the name of that program', async () => {
    const holder = createServer((_request, response) => response.end('mine'))
    const port = await listeningBetween(holder, 30_000, 32_767)
    onTestFinished(() => void holder.close())
    const spec = { type: 'NodePort', selector: { app: 'none' }, ports: [{ port: 80, nodePort: port }] }
    await ok('apply -f -', JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'taken' }, spec }))
    const event = await until(async () =>
      (await emulator.client.list(eventKind, 'default')).find(({ involvedObject }) => involvedObject.name === 'taken'),
    )
    expect(event).toMatchObject({ type: 'Warning', reason: 'NodePortUnavailable', involvedObject: { kind: 'Service' } })
    expect(event.message).toMatch(
      new RegExp(`^Cannot listen on node port ${port}: .+ \\(pid ${process.pid}\\) listens on it; trying again`),
    )
    expect((await fetchFrom(`http://127.0.0.1:${port}/`)).body).toBe('mine')
    expect(await ok('describe service taken')).toContain('NodePortUnavailable')
    await ok('delete service taken')
  })
})

describe('in the process', () => {
  let emulator: TestEmulator
  beforeAll(async () => {
    emulator = await startTestEmulator()
  })
  afterAll(() => emulator.close())
  const ask = (host: string) => fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}/`, { headers: { host } })

  test('a service without selector leads to a program that someone started, by endpoints written by hand', async () => {
    const { client } = emulator
    const program = createServer((_request, response) => response.end('mine'))
    const port = await listeningBetween(program, 0, 0)
    onTestFinished(() => void program.close())
    await client.create(coreServiceKind, { metadata: { namespace: 'default', name: 'mine' }, spec: { ports: [{ port: 80 }] } })
    expect(await ask('mine.default.svc')).toMatchObject({ status: 503 })
    const subsets = [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port }] }]
    await client.create(endpointsKind, { metadata: { namespace: 'default', name: 'mine' }, subsets })
    await emulator.settled()
    expect(await ask('mine.default.svc')).toMatchObject({ status: 200, body: 'mine' })
  })

  test('the pods of a StatefulSet answer to their own names', async () => {
    const container = { name: 'main', image: 'kn.local/shell', command: ['node', '-e', WHOAMI], ports: [{ containerPort: 80 }] }
    const { client } = emulator
    await client.create(coreServiceKind, {
      metadata: { namespace: 'default', name: 'db' },
      spec: { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 80 }] },
    })
    for (const ordinal of [0, 1])
      await client.create(podKind, {
        metadata: { namespace: 'default', name: `db-${ordinal}`, labels: { app: 'db' } },
        spec: {
          hostname: `db-${ordinal}`,
          subdomain: 'db',
          containers: [{ ...container, readinessProbe: { tcpSocket: { port: 80 } } }],
        } as never,
      })
    for (const ordinal of [0, 1]) {
      const host = `db-${ordinal}.db.default.svc.cluster.local`
      const { body } = await until(async () => {
        const answer = await ask(host)
        return answer.status === 200 ? answer : undefined
      })
      expect(body).toBe(`db-${ordinal}`)
    }
  })

  test('a Trigger whose subscriber is a core Service delivers to its pods', async () => {
    const { client, env } = emulator
    const kubectl = kubectls.at(-1)!.path
    const SINK = `
require('http').createServer((q, r) => { console.log('got', q.headers['ce-id'], q.headers.host); q.resume(); r.writeHead(202); r.end() })
.listen(process.env.PORT, '127.0.0.1')`
    const container = { name: 'main', image: 'kn.local/shell', command: ['node', '-e', SINK], ports: [{ containerPort: 8080 }] }
    const metadata = { namespace: 'default', name: 'sink' }
    await client.create(podKind, {
      metadata: { ...metadata, labels: { app: 'sink' } },
      spec: { containers: [{ ...container, readinessProbe: { tcpSocket: { port: 8080 } } }] } as never,
    })
    await client.create(coreServiceKind, { metadata, spec: { selector: { app: 'sink' }, ports: [{ port: 80, targetPort: 8080 }] } })
    const manifests = [
      { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' } },
      {
        apiVersion: 'eventing.knative.dev/v1',
        kind: 'Trigger',
        metadata: { name: 'to-core' },
        spec: { broker: 'default', subscriber: { ref: { apiVersion: 'v1', kind: 'Service', name: 'sink' } } },
      },
    ]
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests })
    expect(await run(kubectl, ['apply', '-f', '-'], env, { input: list })).toMatchObject({ exitCode: 0 })
    const waited = await run(kubectl, ['wait', '--for=condition=Ready', 'trigger/to-core', 'pod/sink', '--timeout=30s'], env)
    expect(waited).toMatchObject({ exitCode: 0 })
    const { status } = await fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}/default/default`, {
      method: 'POST',
      headers: {
        host: 'broker-ingress.knative-eventing.svc.cluster.local',
        'ce-specversion': '1.0',
        'ce-id': 'e1',
        'ce-source': '/test',
        'ce-type': 'test',
      },
    })
    expect(status).toBe(202)
    const logs = async () => (await run(kubectl, ['logs', 'pod/sink'], env)).stdout
    expect(await until(async () => (await logs()) || undefined)).toBe('got e1 sink.default.svc.cluster.local\n')
    const delivered = await until(async () =>
      (await client.list(eventRecordKind, 'default')).some((record) => JSON.stringify(record).includes('sink.default.svc.cluster.local')),
    )
    expect(delivered).toBe(true)
  })
})

/** Listens on the first free port of a range; 0 is any. */
async function listeningBetween(server: Server, first: number, last: number): Promise<number> {
  for (let port = first; port <= last; port++) {
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (isListening) return (server.address() as { port: number }).port
  }
  throw new Error('no free port')
}
