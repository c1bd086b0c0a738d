import { expect } from 'vitest'
import type { VirtualClock } from '../../src/base/clock.js'
import type { Client } from '../../src/client/client.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { deploymentKind } from '../../src/kinds/core/deployment/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import { podAutoscalerKind } from '../../src/kinds/podautoscaler/kind.js'
import type { PodAutoscaler } from '../../src/kinds/podautoscaler/schema.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import { serverlessServiceKind } from '../../src/kinds/serverlessservice/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { until } from '../support/daemon.js'
import { fetchFrom, type TestEmulator, test } from '../support/emulator.js'
import { aService, eventually, eventuallyIs } from '../support/objects.js'
import { conditionText } from '../support/serving.js'

const REVISION = { namespace: 'default', name: 'hello-00001' }
const NO_TRAFFIC = 'False NoTraffic: The target is not receiving traffic.'

/** Lets virtual seconds pass one by one, each with all that follows from it. */
async function pass(seconds: number, { clock, emulator }: { clock: VirtualClock; emulator: TestEmulator }): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await clock.advance(1000)
    await emulator.settled()
  }
}

/** What `kubectl get kpa,sks,rev,deploy,pods` would show of the Revision. */
async function shown(client: Client) {
  const autoscaler = await client.get(podAutoscalerKind, REVISION)
  const sks = await client.get(serverlessServiceKind, REVISION)
  const revision = await client.get(revisionKind, REVISION)
  const deployment = await client.get(deploymentKind, { namespace: 'default', name: 'hello-00001-deployment' })
  const pods = await client.list(podKind, 'default')
  return {
    autoscaler: [autoscaler.status?.desiredScale, autoscaler.status?.actualScale, conditionText(autoscaler, 'Active')],
    sks: [sks.spec.mode, sks.spec.numActivators, conditionText(sks, 'Ready')],
    revision: [conditionText(revision, 'Ready'), conditionText(revision, 'Active')],
    replicas: deployment.spec.replicas,
    pods: pods.filter(({ metadata }) => !metadata.deletionTimestamp).length,
  }
}

async function createHello(client: Client, annotations: Record<string, string> = {}, template: object = {}): Promise<string> {
  const full = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]))
  await client.create(serviceKind, aService({ name: 'hello', annotations: full, template }))
  return (await eventually(client, serviceKind, 'hello', { status: 'True' })).status!.url!
}

async function configure(client: Client, data: Record<string, string>): Promise<void> {
  await client.patch(
    configMapKind,
    { namespace: 'knative-serving', name: 'config-autoscaler' },
    { type: 'application/merge-patch+json', body: { data } },
  )
}

const isGone = (client: Client) => until(async () => (await client.list(podKind, 'default')).length === 0, 10_000, 'the end of the Pods')
const autoscalerIs = (client: Client, what: string, holds: (pa: PodAutoscaler) => boolean) =>
  eventuallyIs(client, podAutoscalerKind, REVISION, 10_000, what, holds)

test('a Service without traffic is inactive after a minute and has no Pod three seconds later', async ({ client, clock, emulator }) => {
  await createHello(client)
  await emulator.settled()
  expect(await shown(client)).toEqual({
    autoscaler: [-1, 1, 'True'],
    sks: ['Proxy', 4, 'True'],
    revision: ['True', 'True'],
    replicas: 1,
    pods: 1,
  })
  await pass(59, { clock, emulator })
  expect(await shown(client)).toEqual({
    autoscaler: [1, 1, 'True'],
    sks: ['Proxy', 4, 'True'],
    revision: ['True', 'True'],
    replicas: 1,
    pods: 1,
  })
  await pass(1, { clock, emulator })
  const inactive = { autoscaler: [0, 1, NO_TRAFFIC], sks: ['Proxy', 4, 'True'], revision: ['True', NO_TRAFFIC], replicas: 1, pods: 1 }
  expect(await shown(client)).toEqual(inactive)
  await pass(2, { clock, emulator })
  expect(await shown(client)).toEqual(inactive)
  await pass(1, { clock, emulator })
  await isGone(client)
  await emulator.settled()
  expect(await shown(client)).toEqual({
    autoscaler: [0, 0, NO_TRAFFIC],
    sks: ['Proxy', 3, 'Unknown NoHealthyBackends: K8s Service is not ready'],
    revision: ['True', NO_TRAFFIC],
    replicas: 0,
    pods: 0,
  })
  expect(conditionText(await client.get(podAutoscalerKind, REVISION), 'Ready')).toBe(NO_TRAFFIC)
  expect(conditionText(await client.get(podAutoscalerKind, REVISION), 'SKSReady')).toBe('Unknown NotReady: K8s Service is not ready')
  expect(conditionText(await client.get(serviceKind, { namespace: 'default', name: 'hello' }), 'Ready')).toBe('True')
})

test('a request to a Service at zero is held until a Pod is ready, and time does not have to pass for that', async ({
  client,
  clock,
  emulator,
}) => {
  const url = await createHello(client)
  await pass(63, { clock, emulator })
  await isGone(client)
  const startedMs = clock.now()
  expect(await fetchFrom(url)).toMatchObject({ status: 200, body: 'Hello World!\n' })
  expect(clock.now()).toBe(startedMs)
  await autoscalerIs(client, 'active', (pa) => conditionText(pa, 'Active') === 'True')
  await emulator.settled()
  expect(await shown(client)).toEqual({
    autoscaler: [1, 1, 'True'],
    sks: ['Proxy', 4, 'True'],
    revision: ['True', 'True'],
    replicas: 1,
    pods: 1,
  })
})

test('while its first Pod starts a Revision is queued, and many requests wait for it', async ({ client, clock, emulator }) => {
  const image = { containers: [{ image: 'kn.local/slow-start', env: [{ name: 'START_DELAY_MS', value: '400' }] }] }
  const url = await createHello(client, {}, image)
  await pass(63, { clock, emulator })
  await isGone(client)
  const answers = Array.from({ length: 20 }, () => fetchFrom(url))
  await autoscalerIs(client, 'queued', (pa) => conditionText(pa, 'Active').startsWith('Unknown Queued'))
  const revision = await eventuallyIs(client, revisionKind, REVISION, 5000, 'queued', (object) =>
    conditionText(object, 'Active').startsWith('Unknown Queued'),
  )
  expect(conditionText(revision, 'Ready')).toBe('True')
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(20).fill(200))
})

test('a short request now and then keeps the last Pod', async ({ client, clock, emulator }) => {
  const url = await createHello(client)
  const [first] = await client.list(podKind, 'default')
  for (let round = 0; round < 4; round++) {
    expect((await fetchFrom(url)).status).toBe(200)
    await pass(50, { clock, emulator })
  }
  expect((await shown(client)).autoscaler).toEqual([1, 1, 'True'])
  const [last] = await client.list(podKind, 'default')
  expect(last!.metadata.uid).toBe(first!.metadata.uid)
})

test('a burst beyond containerConcurrency starts more Pods, and they go again when it is over', async ({ client, clock, emulator }) => {
  const url = await createHello(client, {}, { containerConcurrency: 1, containers: [{ image: 'ghcr.io/knative/autoscale-go' }] })
  await pass(2, { clock, emulator })
  const answers = Array.from({ length: 6 }, () => fetchFrom(`${url}?sleep=1500`))
  await until(async () => {
    await pass(1, { clock, emulator })
    return ((await client.get(podAutoscalerKind, REVISION)).status?.actualScale ?? 0) >= 6
  })
  expect((await shown(client)).sks.slice(0, 1)).toEqual(['Proxy'])
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(6).fill(200))
  await pass(130, { clock, emulator })
  await isGone(client)
  expect((await shown(client)).autoscaler).toEqual([0, 0, NO_TRAFFIC])
})

test('a minimum scale keeps its Pods without traffic, a maximum holds under load', async ({ client, clock, emulator }) => {
  await createHello(client, { 'min-scale': '2', 'max-scale': '2' })
  await pass(200, { clock, emulator })
  expect(await shown(client)).toMatchObject({ autoscaler: [2, 2, 'True'], replicas: 2, pods: 2 })
})

test('with an initial scale of 0 a Service is ready without ever having had a Pod, and the first request starts one', async ({
  client,
  emulator,
}) => {
  await configure(client, { 'allow-zero-initial-scale': 'true' })
  const url = await createHello(client, { 'initial-scale': '0' })
  await emulator.settled()
  expect(await shown(client)).toEqual({
    autoscaler: [-1, 0, NO_TRAFFIC],
    sks: ['Proxy', 3, 'Unknown NoHealthyBackends: K8s Service is not ready'],
    revision: ['True', NO_TRAFFIC],
    replicas: 0,
    pods: 0,
  })
  expect((await fetchFrom(url)).status).toBe(200)
  await autoscalerIs(client, 'active', (pa) => conditionText(pa, 'Active') === 'True')
})

test('config-autoscaler takes effect at once: scale to zero switched off and on, a window of six seconds', async ({
  client,
  clock,
  emulator,
}) => {
  await createHello(client)
  await configure(client, { 'enable-scale-to-zero': 'false' })
  await pass(120, { clock, emulator })
  expect(await shown(client)).toMatchObject({ autoscaler: [1, 1, 'True'], pods: 1 })

  await configure(client, { 'enable-scale-to-zero': 'true', 'stable-window': '6s' })
  await emulator.settled()
  expect((await shown(client)).autoscaler).toEqual([0, 1, NO_TRAFFIC])
  await pass(3, { clock, emulator })
  await isGone(client)

  await configure(client, { 'enable-scale-to-zero': 'false' })
  await autoscalerIs(client, 'active', (pa) => conditionText(pa, 'Active') === 'True')
  await configure(client, { 'enable-scale-to-zero': 'true' })
  await pass(8, { clock, emulator })
  expect((await shown(client)).autoscaler).toEqual([0, 1, NO_TRAFFIC])
})

test('without burst capacity requests go straight to the Pod, and it stays for the grace period once they end', async ({
  client,
  clock,
  emulator,
}) => {
  const url = await createHello(client, { 'target-burst-capacity': '0', window: '10s' })
  await pass(2, { clock, emulator })
  await fetchFrom(url)
  expect((await shown(client)).sks).toEqual(['Serve', 2, 'True'])
  await pass(14, { clock, emulator })
  expect(await shown(client)).toMatchObject({ autoscaler: [0, 1, NO_TRAFFIC], sks: ['Proxy', 2, 'True'], pods: 1 })
  await pass(25, { clock, emulator })
  expect((await shown(client)).pods).toBe(1)
  await pass(7, { clock, emulator })
  await isGone(client)
})

test('the last Pod is retained as long as its annotation says', async ({ client, clock, emulator }) => {
  await createHello(client, { 'scale-to-zero-pod-retention-period': '2m' })
  await pass(60 + 119, { clock, emulator })
  expect(await shown(client)).toMatchObject({ autoscaler: [0, 1, NO_TRAFFIC], pods: 1 })
  await pass(1, { clock, emulator })
  await isGone(client)
})

test('a Revision that an update put aside goes to zero, minimum scale or not', async ({ client, clock, emulator }) => {
  await createHello(client, { 'min-scale': '1' })
  const service = await client.get(serviceKind, { namespace: 'default', name: 'hello' })
  const container = { env: [{ name: 'TARGET', value: 'You' }] }
  const annotations = { 'autoscaling.knative.dev/min-scale': '1' }
  await client.update(serviceKind, {
    ...service,
    ...aService({ name: 'hello', container, annotations }),
    metadata: service.metadata,
  } as typeof service)
  await eventuallyIs(
    client,
    revisionKind,
    REVISION,
    10_000,
    'put aside',
    ({ metadata }) => metadata.labels?.['serving.knative.dev/routingState'] === 'reserve',
  )
  await emulator.settled()
  await pass(65, { clock, emulator })
  await until(async () => (await client.list(podKind, 'default')).length === 1, 10_000, 'the end of the first Pod')
  const [pod] = await client.list(podKind, 'default')
  expect(pod!.metadata.labels).toMatchObject({ 'serving.knative.dev/revision': 'hello-00002' })
  const old = await client.get(revisionKind, REVISION)
  expect([conditionText(old, 'Ready'), conditionText(old, 'Active')]).toEqual(['True', NO_TRAFFIC])
})
