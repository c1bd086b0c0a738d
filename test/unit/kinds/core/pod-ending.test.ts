import { afterEach, expect, test } from 'vitest'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { statusCell } from '../../../../src/kinds/core/pod/status-cell.js'
import { aPod, type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
afterEach(() => cluster.stop())

const revisionPod = () =>
  aPod('rev', {
    terminationGracePeriodSeconds: 300,
    containers: [
      { name: 'user-container', image: 'app', ports: [{ containerPort: 8080 }] },
      { name: 'queue-proxy', image: 'queue', ports: [{ containerPort: 8012 }] },
    ],
  })

/** A gateway that has requests in flight until a test says otherwise. */
function busyGateway() {
  const asked: string[] = []
  let answered = (): void => {}
  return {
    asked,
    answer: () => answered(),
    drained(podUid: string, signal: AbortSignal): Promise<void> {
      asked.push(podUid)
      return new Promise((resolve) => {
        answered = resolve
        signal.addEventListener('abort', () => resolve())
      })
    },
  }
}

/** What `kubectl get -w` would show, one entry per change. */
function storyOf(name: string): string[] {
  const story: string[] = []
  cluster.manager.informer(podKind).onChange(({ object }) => {
    if (object.metadata.name !== name) return
    const ready = object.status?.containerStatuses?.filter((each) => each.ready && each.state.running).length ?? 0
    const cell = `${ready} ${statusCell(object)}`
    if (cell !== story.at(-1)) story.push(cell)
  })
  return story
}

test('a program is told to end once the requests of its Pod are answered; meanwhile the Pod is unready and the program runs', async () => {
  const gateway = busyGateway()
  cluster = await startCluster({ drained: gateway.drained })
  await cluster.client.create(podKind, revisionPod())
  await cluster.settle()
  const story = storyOf('rev')
  expect(condition(await cluster.pod('rev'), 'Ready')).toMatchObject({ status: 'True' })

  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' })
  await cluster.settle()
  await cluster.real.advance(60_000)
  expect(gateway.asked).toEqual([(await cluster.pod('rev')).metadata.uid])
  expect(cluster.runtime.last('user-container').stoppedWithMs).toBeUndefined()
  expect(condition(await cluster.pod('rev'), 'Ready')).toMatchObject({
    status: 'False',
    message: 'containers with unready status: [queue-proxy]',
  })

  gateway.answer()
  await cluster.settle()
  // What is left of 300 seconds, but for the moments that passed while this test waited.
  expect(cluster.runtime.last('user-container').stoppedWithMs).toBeGreaterThan(200_000)
  expect(cluster.runtime.last('user-container').stoppedWithMs).toBeLessThanOrEqual(240_000)
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'rev' })).toBeUndefined()
  expect(story).toEqual(['2 Running', '2 Terminating', '1 Terminating', '0 Error'])
})

test('requests that take all of the grace leave the program two seconds', async () => {
  const gateway = busyGateway()
  cluster = await startCluster({ drained: gateway.drained })
  await cluster.client.create(podKind, revisionPod())
  await cluster.settle()
  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' })
  await cluster.settle()
  await cluster.real.advance(300_000)
  await cluster.settle()
  expect(cluster.runtime.last('user-container').stoppedWithMs).toBe(2000)
})

test('a second deletion that is in a hurry waits for no request', async () => {
  const gateway = busyGateway()
  cluster = await startCluster({ drained: gateway.drained })
  await cluster.client.create(podKind, revisionPod())
  await cluster.settle()
  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' })
  await cluster.settle()
  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' }, { gracePeriodSeconds: 1 })
  await cluster.settle()
  expect(cluster.runtime.last('user-container').stoppedWithMs).toBe(1000)
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'rev' })).toBeUndefined()
})

test('a program that ends by itself while its Pod drains is not started again', async () => {
  const gateway = busyGateway()
  cluster = await startCluster({ drained: gateway.drained })
  await cluster.client.create(podKind, revisionPod())
  await cluster.settle()
  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' })
  await cluster.settle()
  cluster.runtime.last('user-container').exit(1)
  await cluster.settle()
  gateway.answer()
  await cluster.settle()
  expect(cluster.runtime.processes).toHaveLength(1)
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'rev' })).toBeUndefined()
})

test('a Pod without a queue-proxy asks no gateway', async () => {
  const gateway = busyGateway()
  cluster = await startCluster({ drained: gateway.drained })
  await cluster.client.create(podKind, aPod('plain'))
  await cluster.settle()
  await cluster.client.delete(podKind, { namespace: 'default', name: 'plain' })
  await cluster.settle()
  expect(gateway.asked).toEqual([])
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'plain' })).toBeUndefined()
})

test('what a container ended with is shown before that it waits, and is its last state only from then on', async () => {
  cluster = await startCluster()
  await cluster.client.create(podKind, aPod('web'))
  await cluster.settle()
  const story = storyOf('web')
  const lastStates: (number | undefined)[] = []
  cluster.manager.informer(podKind).onChange(({ object }) => {
    const [status] = object.status!.containerStatuses!
    if (status!.state.terminated) lastStates.push(status!.lastState.terminated?.exitCode)
  })
  for (const exitCode of [3, 4]) {
    cluster.runtime.last('app').exit(exitCode)
    await cluster.settle()
  }
  expect(story).toEqual(['1 Running', '0 Error', '1 Running', '0 Error', '0 CrashLoopBackOff'])
  expect(lastStates).toEqual([undefined, 3])
  expect((await cluster.pod('web')).status!.containerStatuses![0]!.lastState.terminated).toMatchObject({ exitCode: 4 })
})

test("a queue-proxy's log begins with the program's first run and ends with the Pod", async () => {
  cluster = await startCluster()
  await cluster.client.create(podKind, revisionPod())
  await cluster.settle()
  expect([...cluster.runtime.openLogs]).toEqual([['queue-proxy', 'attempt 0']])
  cluster.runtime.last('user-container').exit(1)
  await cluster.settle()
  expect([...cluster.runtime.openLogs]).toEqual([['queue-proxy', 'attempt 0']])
  await cluster.client.delete(podKind, { namespace: 'default', name: 'rev' })
  await cluster.settle()
  expect([...cluster.runtime.openLogs]).toEqual([])
})
