import { afterEach, beforeEach, expect, test } from 'vitest'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { PORTS_ANNOTATION } from '../../../../src/kinds/core/pod/schema.js'
import { aPod, type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const create = async (pod: ReturnType<typeof aPod>): Promise<void> => {
  await cluster.client.create(podKind, pod)
  await cluster.settle()
}

test('a pod is bound, started and ready, with its loopback port in PORT and in the annotation', async () => {
  await create(
    aPod('web', {
      container: {
        ports: [{ containerPort: 8080 }],
        env: [
          { name: 'PORT', value: '8080' },
          { name: 'URL', value: 'http://:$(PORT)' },
        ],
      },
    }),
  )

  const pod = await cluster.pod('web')
  const port = JSON.parse(pod.metadata.annotations![PORTS_ANNOTATION]!)['8080'] as number
  expect(port).toBeGreaterThanOrEqual(40_000)
  expect(cluster.runtime.last('app').request.env).toEqual({ PORT: String(port), URL: `http://:${port}` })
  expect(pod.spec.nodeName).toBe('kn-local')
  expect(pod.status).toMatchObject({
    phase: 'Running',
    podIP: '10.244.0.2',
    qosClass: 'BestEffort',
    observedGeneration: pod.metadata.generation,
  })
  expect(pod.status!.containerStatuses).toEqual([
    {
      name: 'app',
      image: 'app',
      imageID: `example.test/app@sha256:${'a'.repeat(64)}`,
      containerID: 'process://1-0',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
      lastState: {},
    },
  ])
  expect(pod.status!.conditions!.map(({ type, status }) => `${type}=${status}`)).toEqual([
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ])
})

test('the story of a start is told in events as the kubelet tells it', async () => {
  await create(aPod('web'))

  const events = (await cluster.events()).map(({ reason, message, source, involvedObject }) => [
    reason,
    message,
    source?.component,
    involvedObject.fieldPath,
  ])
  expect(events).toEqual(
    expect.arrayContaining([
      ['Scheduled', 'Successfully assigned default/web to kn-local', 'default-scheduler', undefined],
      ['Pulled', 'Container image "app" already present on machine and can be accessed by the pod', 'kubelet', 'spec.containers{app}'],
      ['Created', 'Container created', 'kubelet', 'spec.containers{app}'],
      ['Started', 'Container started', 'kubelet', 'spec.containers{app}'],
    ]),
  )
})

test('a crash restarts the container at once the first time, then after 10 s and 20 s', async () => {
  await create(aPod('web', { container: { terminationMessagePolicy: 'FallbackToLogsOnError' } }))
  cluster.runtime.tail = 'panic: no luck'

  cluster.runtime.last('app').exit(3)
  await cluster.settle()
  const once = (await cluster.pod('web')).status!.containerStatuses![0]!
  expect(once).toMatchObject({
    restartCount: 1,
    ready: true,
    lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'panic: no luck' } },
  })

  cluster.runtime.last('app').exit(3)
  await cluster.settle()
  const pod = await cluster.pod('web')
  expect(pod.status!.phase).toBe('Running')
  expect(pod.status!.containerStatuses![0]!.state.waiting).toEqual({
    reason: 'CrashLoopBackOff',
    message: `back-off 10s restarting failed container=app pod=web_default(${pod.metadata.uid})`,
  })
  await cluster.clock.advance(9_999)
  expect(cluster.runtime.processes).toHaveLength(2)
  await cluster.clock.advance(1)
  expect(cluster.runtime.processes).toHaveLength(3)
  expect(cluster.runtime.last('app').request.attempt).toBe(2)

  cluster.runtime.last('app').exit(3)
  await cluster.clock.advance(19_999)
  expect(cluster.runtime.processes).toHaveLength(3)
  await cluster.clock.advance(1)
  expect(cluster.runtime.processes).toHaveLength(4)
})

test('ten quiet minutes make a crash count as the first again', async () => {
  await create(aPod('web'))
  for (let crash = 0; crash < 2; crash++) {
    cluster.runtime.last('app').exit(1)
    await cluster.clock.advance(10_000)
  }
  expect(cluster.runtime.processes).toHaveLength(3)

  await cluster.clock.advance(601_000)
  cluster.runtime.last('app').exit(1)
  await cluster.settle()
  expect(cluster.runtime.processes).toHaveLength(4)
})

test('restartPolicy decides what an end means', async () => {
  await create(aPod('done', { restartPolicy: 'Never' }))
  await create(aPod('failed', { restartPolicy: 'Never' }))
  await create(aPod('again', { restartPolicy: 'OnFailure' }))
  const processes = [...cluster.runtime.processes]
  processes[0]!.exit(0)
  processes[1]!.exit(7)
  processes[2]!.exit(7)
  await cluster.settle()

  expect((await cluster.pod('done')).status).toMatchObject({
    phase: 'Succeeded',
    containerStatuses: [{ state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
  })
  expect(condition(await cluster.pod('done'), 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' })
  expect((await cluster.pod('failed')).status).toMatchObject({
    phase: 'Failed',
    containerStatuses: [{ state: { terminated: { exitCode: 7 } } }],
  })
  expect((await cluster.pod('again')).status).toMatchObject({ phase: 'Running', containerStatuses: [{ restartCount: 1 }] })
})

test('init containers run one after the other before the rest', async () => {
  const init = [
    { name: 'first', image: 'first' },
    { name: 'second', image: 'second' },
  ]
  await create(aPod('web', { initContainers: init }))
  expect(cluster.runtime.processes.map(({ request }) => request.container)).toEqual(['first'])
  const pending = await cluster.pod('web')
  expect(pending.status).toMatchObject({ phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }] })
  expect(condition(pending, 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [first second]' })

  cluster.runtime.last('first').exit(0)
  await cluster.settle()
  cluster.runtime.last('second').exit(0)
  await cluster.settle()
  expect(cluster.runtime.processes.map(({ request }) => request.container)).toEqual(['first', 'second', 'app'])
  expect((await cluster.pod('web')).status!.phase).toBe('Running')
})

test('deleting a pod asks its processes to end, then removes it with its logs', async () => {
  cluster.runtime.polite = false
  await create(aPod('web', { terminationGracePeriodSeconds: 7 }))
  const { uid } = (await cluster.pod('web')).metadata
  await cluster.client.delete(podKind, { namespace: 'default', name: 'web' })
  await cluster.manager.informer(podKind).synced
  for (let turn = 0; turn < 5; turn++) await cluster.real.advance(10)
  const process = cluster.runtime.last('app')
  expect(process.stoppedWithMs).toBe(7000)
  expect((await cluster.pod('web')).metadata.deletionTimestamp).toBe('2026-01-01T00:00:07Z')
  expect((await cluster.events('Killing')).map(({ message }) => message)).toEqual(['Stopping container app'])

  process.exit(0)
  await cluster.settle()
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'web' })).toBeUndefined()
  expect(cluster.runtime.forgotten).toEqual([uid])
  expect(cluster.runtime.processes).toHaveLength(1)
})

test('deleting by force removes the pod at once and ends its processes all the same', async () => {
  await create(aPod('web'))
  await cluster.client.delete(podKind, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })

  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'web' })).toBeUndefined()
  await cluster.settle()
  expect(cluster.runtime.last('app').isRunning()).toBe(false)
  expect(cluster.runtime.forgotten).toHaveLength(1)
})

test('a pod beyond the capacity of the node waits until another one leaves', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await create(aPod(name))
  const waiting = await cluster.pod('d')
  expect(waiting.status!.phase).toBe('Pending')
  expect(condition(waiting, 'PodScheduled')).toMatchObject({
    status: 'False',
    reason: 'Unschedulable',
    message:
      '0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  })
  expect(await cluster.events('FailedScheduling')).toHaveLength(1)

  await cluster.client.delete(podKind, { namespace: 'default', name: 'a' })
  await cluster.settle()
  expect((await cluster.pod('d')).status!.phase).toBe('Running')
})

test('after a restart of the emulator pods start again in place, with new ports and a restart counted', async () => {
  await create(aPod('web', { container: { ports: [{ containerPort: 80 }] } }))
  await create(aPod('once', { restartPolicy: 'Never' }))
  const before = await cluster.pod('web')
  await cluster.stop()

  const runtime = cluster.runtime
  cluster = await startCluster({ store: cluster.store, runtime })
  const after = await cluster.pod('web')
  expect(after.metadata.uid).toBe(before.metadata.uid)
  expect(after.status!.podIP).toBe(before.status!.podIP)
  expect(after.metadata.annotations![PORTS_ANNOTATION]).not.toBe(before.metadata.annotations![PORTS_ANNOTATION])
  expect(after.status!.containerStatuses![0]).toMatchObject({
    restartCount: 1,
    ready: true,
    lastState: { terminated: { reason: 'Unknown', exitCode: 255, containerID: 'process://1-0' } },
  })
  expect((await cluster.pod('once')).status).toMatchObject({ phase: 'Failed' })
})
