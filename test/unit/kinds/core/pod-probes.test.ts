import { afterEach, beforeEach, expect, test } from 'vitest'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { type Container, PORTS_ANNOTATION } from '../../../../src/kinds/core/pod/schema.js'
import { aPod, type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const withProbe = (probes: Partial<Container>) => aPod('web', { container: { ports: [{ name: 'http', containerPort: 8080 }], ...probes } })
const create = async (pod: ReturnType<typeof aPod>): Promise<void> => {
  await cluster.client.create(podKind, pod)
  await cluster.settle()
}

test('a pod is ready within milliseconds of its probe succeeding, whatever the period', async () => {
  cluster.failing.add('all')
  await create(withProbe({ readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 60 } }))
  const unready = await cluster.pod('web')
  expect(condition(unready, 'Ready')).toMatchObject({
    status: 'False',
    reason: 'ContainersNotReady',
    message: 'containers with unready status: [app]',
  })
  expect(unready.status!.containerStatuses![0]).toMatchObject({ ready: false, started: true })

  cluster.failing.clear()
  await cluster.real.advance(500)
  expect(condition(await cluster.pod('web'), 'Ready')).toMatchObject({ status: 'True' })
})

test('a ready pod stops being ready after failureThreshold failures a period apart, and says so', async () => {
  await create(withProbe({ readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10, failureThreshold: 2 } }))
  const port = JSON.parse((await cluster.pod('web')).metadata.annotations![PORTS_ANNOTATION]!)['8080'] as number
  await cluster.real.advance(20_000)
  cluster.failing.add(port)
  await cluster.real.advance(10_000)
  expect(condition(await cluster.pod('web'), 'Ready')).toMatchObject({ status: 'True' })
  await cluster.real.advance(10_000)
  expect(condition(await cluster.pod('web'), 'Ready')).toMatchObject({ status: 'False' })

  const [unhealthy] = await cluster.events('Unhealthy')
  expect(unhealthy).toMatchObject({
    type: 'Warning',
    count: 2,
    message: `Readiness probe failed: dial tcp 127.0.0.1:${port}: connect: connection refused`,
  })
})

test('a failing liveness probe restarts the container', async () => {
  await create(withProbe({ livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 5, failureThreshold: 2 } }))
  cluster.failing.add('all')
  await cluster.real.advance(10_000)
  cluster.failing.clear()
  await cluster.settle()

  expect(cluster.runtime.processes).toHaveLength(2)
  expect((await cluster.pod('web')).status!.containerStatuses![0]).toMatchObject({
    restartCount: 1,
    ready: true,
    lastState: { terminated: { exitCode: 143 } },
  })
  expect((await cluster.events('Killing')).map(({ message }) => message)).toEqual([
    'Container app failed liveness probe, will be restarted',
  ])
})

test('the other probes wait for the startup probe, which has failureThreshold periods of time', async () => {
  cluster.failing.add('all')
  await create(
    withProbe({
      startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10, failureThreshold: 3 },
      livenessProbe: { tcpSocket: { port: 8080 } },
    }),
  )
  expect((await cluster.pod('web')).status!.containerStatuses![0]).toMatchObject({ started: false, ready: false })
  await cluster.real.advance(15_000)
  expect(cluster.runtime.processes).toHaveLength(1)
  await cluster.real.advance(5_000)
  expect(cluster.runtime.processes).toHaveLength(2)

  cluster.failing.clear()
  await cluster.settle()
  expect((await cluster.pod('web')).status!.containerStatuses![0]).toMatchObject({ started: true, ready: true })
})

test('an exec probe runs its command as the container runs, and its exit code decides', async () => {
  await create(withProbe({ readinessProbe: { exec: { command: ['/check'] } } }))
  const check = cluster.runtime.last('app.probe')
  expect(check.request.command).toEqual(['/check'])
  expect(check.request.env).toEqual(cluster.runtime.last('app').request.env)

  check.exit(0)
  await cluster.settle()
  expect(condition(await cluster.pod('web'), 'Ready')).toMatchObject({ status: 'True' })
})

const revisionPod = (probe?: object) =>
  aPod('rev', {
    containers: [
      { name: 'user-container', image: 'app', ports: [{ name: 'user-port', containerPort: 8080 }], env: [{ name: 'PORT', value: '8080' }] },
      {
        name: 'queue-proxy',
        image: 'queue',
        ports: [{ name: 'queue-port', containerPort: 8012 }],
        readinessProbe: { httpGet: { port: 8012, httpHeaders: [{ name: 'K-Network-Probe', value: 'queue' }] } },
        ...(probe && { env: [{ name: 'SERVING_READINESS_PROBE', value: JSON.stringify(probe) }] }),
      },
    ],
  })

test("a queue-proxy is no process: its ports are the user container's and its readiness is the user's probe", async () => {
  cluster.failing.add('all')
  await create(revisionPod({ tcpSocket: { port: 8080, host: '127.0.0.1' }, successThreshold: 1, periodSeconds: 0 }))
  const ports = JSON.parse((await cluster.pod('rev')).metadata.annotations![PORTS_ANNOTATION]!) as Record<string, number>
  expect(ports).toEqual({ 8080: ports['8080'], 8012: ports['8080'], 8013: ports['8080'], 8112: ports['8080'] })
  expect(cluster.runtime.processes.map(({ request }) => request.container)).toEqual(['user-container'])
  const unready = await cluster.pod('rev')
  expect(unready.status!.containerStatuses!.map(({ name, ready, state }) => [name, ready, Object.keys(state)])).toEqual([
    ['user-container', true, ['running']],
    ['queue-proxy', false, ['running']],
  ])
  expect(condition(unready, 'Ready')).toMatchObject({ status: 'False', message: 'containers with unready status: [queue-proxy]' })

  cluster.failing.clear()
  await cluster.settle()
  await cluster.real.advance(50)
  expect(condition(await cluster.pod('rev'), 'Ready')).toMatchObject({ status: 'True' })
})

test('a queue-proxy without a probe connects to the serving port, and is unready while the user container is down', async () => {
  await create(revisionPod())
  expect(condition(await cluster.pod('rev'), 'Ready')).toMatchObject({ status: 'True' })
  for (let crash = 0; crash < 2; crash++) {
    cluster.runtime.last('user-container').exit(1)
    await cluster.settle()
  }

  const pod = await cluster.pod('rev')
  expect(pod.status!.containerStatuses!.map(({ ready, restartCount, state }) => [ready, restartCount, Object.keys(state)])).toEqual([
    [false, 1, ['waiting']],
    [false, 0, ['running']],
  ])
  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' })
  await cluster.settle()
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'rev' })).toBeUndefined()
})
