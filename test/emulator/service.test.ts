import { expect } from 'vitest'
import { configurationKind } from '../../src/kinds/configuration/kind.js'
import { deploymentKind } from '../../src/kinds/core/deployment/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import { replicaSetKind } from '../../src/kinds/core/replicaset/kind.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { serviceAccountKind } from '../../src/kinds/core/serviceaccount/kind.js'
import { imageKind } from '../../src/kinds/image/kind.js'
import { kingressKind } from '../../src/kinds/kingress/kind.js'
import { podAutoscalerKind } from '../../src/kinds/podautoscaler/kind.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import { routeKind } from '../../src/kinds/route/kind.js'
import { serverlessServiceKind } from '../../src/kinds/serverlessservice/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { PORT_ANNOTATION } from '../../src/kinds/service/schema.js'
import { processesWith, until } from '../support/daemon.js'
import { fetchFrom, test } from '../support/emulator.js'
import { aService, eventually, eventuallyIs, eventuallyNone } from '../support/objects.js'

const inDefault = (name: string) => ({ namespace: 'default', name })

test('a Service becomes ready with the children a cluster would have, and answers', async ({ client }) => {
  await client.create(serviceKind, aService({ name: 'hello', container: { env: [{ name: 'TARGET', value: 'World' }] } }))
  const service = await eventually(client, serviceKind, 'hello', { type: 'Ready', status: 'True' })
  expect(service.status).toMatchObject({
    latestCreatedRevisionName: 'hello-00001',
    latestReadyRevisionName: 'hello-00001',
    address: { url: 'http://hello.default.svc.cluster.local' },
  })
  expect(await fetchFrom(service.status!.url!)).toMatchObject({ status: 200, body: 'Hello World!\n' })

  for (const [kind, name] of [
    [configurationKind, 'hello'],
    [routeKind, 'hello'],
    [revisionKind, 'hello-00001'],
    [podAutoscalerKind, 'hello-00001'],
    [serverlessServiceKind, 'hello-00001'],
    [deploymentKind, 'hello-00001-deployment'],
    [imageKind, 'hello-00001-cache-user-container'],
    [kingressKind, 'hello'],
    [coreServiceKind, 'hello-00001'],
    [coreServiceKind, 'hello-00001-private'],
    [coreServiceKind, 'hello'],
  ] as const) {
    expect(await client.find<never>(kind as never, inDefault(name)), `${kind.kind} ${name}`).toBeDefined()
  }
  const [pod] = await client.list(podKind, 'default')
  expect(pod!.metadata.labels).toMatchObject({
    'serving.knative.dev/service': 'hello',
    'serving.knative.dev/configuration': 'hello',
    'serving.knative.dev/revision': 'hello-00001',
    app: 'hello-00001',
  })
  expect(pod!.spec.containers.map(({ name }) => name)).toEqual(['user-container', 'queue-proxy'])
})

test('a change of the environment makes a second revision, which takes the traffic; the first stays', async ({ client }) => {
  const service = await client
    .create(serviceKind, aService({ name: 'hello' }))
    .then(() => eventually(client, serviceKind, 'hello', { status: 'True' }))
  await client.update(serviceKind, {
    ...service,
    ...aService({ name: 'hello', container: { env: [{ name: 'TARGET', value: 'You' }] } }),
    metadata: service.metadata,
  } as typeof service)
  const updated = await eventually(client, serviceKind, 'hello', { status: 'True' })
  expect(updated.status!.latestReadyRevisionName).toBe('hello-00002')
  expect((await fetchFrom(updated.status!.url!)).body).toBe('Hello You!\n')
  expect((await client.list(revisionKind, 'default')).map(({ metadata }) => metadata.name)).toEqual(['hello-00001', 'hello-00002'])
  await eventuallyIs(
    client,
    revisionKind,
    inDefault('hello-00001'),
    5000,
    'in reserve',
    ({ metadata }) => metadata.labels?.['serving.knative.dev/routingState'] === 'reserve',
  )
})

test('an image that cannot run here makes the Revision not Ready, with Knative’s reason and what would run', async ({ client }) => {
  await client.create(serviceKind, aService({ name: 'other', container: { image: 'docker.io/library/nginx:1.27' } }))
  const revision = await eventually(client, revisionKind, 'other-00001', { type: 'Ready', status: 'False', reason: 'ContainerMissing' })
  const { message } = revision.status!.conditions!.find(({ type }) => type === 'Ready')!
  expect(message).toMatch(/^Unable to fetch image "docker\.io\/library\/nginx:1\.27": failed to resolve image to digest: .*kn image list/)
  const service = await eventually(client, serviceKind, 'other', { type: 'Ready', status: 'False', reason: 'RevisionMissing' })
  expect(service.status!.conditions!.find(({ type }) => type === 'ConfigurationsReady')).toMatchObject({
    status: 'False',
    reason: 'RevisionFailed',
  })
  expect(await client.list(deploymentKind, 'default')).toEqual([])
})

test('a program that ends makes the Revision not Ready with its exit code and last words', async ({ client }) => {
  await client.create(
    serviceKind,
    aService({ name: 'crash', container: { image: 'kn.local/shell', command: ['sh', '-c', 'echo out of luck; exit 3'] } }),
  )
  const revision = await eventually(client, revisionKind, 'crash-00001', { type: 'ContainerHealthy', status: 'False', reason: 'ExitCode3' })
  expect(revision.status!.conditions!.find(({ type }) => type === 'Ready')!.message).toContain('Container failed with: out of luck')
  const [pod] = await client.list(podKind, 'default')
  await eventuallyIs(client, podKind, pod!.metadata, 5000, 'restarted after exit code 3', ({ status }) => {
    const [user] = status?.containerStatuses ?? []
    return user!.restartCount > 0 && (user!.lastState.terminated ?? user!.state.terminated)?.exitCode === 3
  })
})

test('a Service whose account is not there says so, and comes up once it is', async ({ client, clock }) => {
  await client.create(serviceKind, aService({ name: 'hello', template: { serviceAccountName: 'robot' } }))
  const wanted = { type: 'ResourcesAvailable', status: 'False', reason: 'FailedCreate' } as const
  const revision = await eventually(client, revisionKind, 'hello-00001', wanted)
  expect(revision.status!.conditions!.find(({ type }) => type === 'Ready')!.message).toMatch(
    /^pods "hello-00001-deployment-[a-z0-9]+-" is forbidden: error looking up service account default\/robot: serviceaccount "robot" not found$/,
  )
  await client.create(serviceAccountKind, { metadata: { namespace: 'default', name: 'robot' }, imagePullSecrets: [{ name: 'pull' }] })
  // The back-off of its ReplicaSet, which has tried a few times.
  await clock.advance(10_000)
  await eventually(client, serviceKind, 'hello', { type: 'Ready', status: 'True' })
  const [pod] = await client.list(podKind, 'default')
  expect(pod!.spec).toMatchObject({ serviceAccountName: 'robot', imagePullSecrets: [{ name: 'pull' }] })
})

test('deleting a Service takes its children and its processes with it', async ({ client, emulator }) => {
  await client.create(serviceKind, aService({ name: 'hello' }))
  await eventually(client, serviceKind, 'hello', { status: 'True' })
  expect(processesWith(emulator.marker).length).toBeGreaterThan(0)
  await client.delete(serviceKind, inDefault('hello'))
  const kinds = [
    configurationKind,
    routeKind,
    revisionKind,
    podAutoscalerKind,
    serverlessServiceKind,
    deploymentKind,
    replicaSetKind,
    podKind,
    imageKind,
    kingressKind,
    coreServiceKind,
  ]
  await eventuallyNone(client, kinds, 'hello')
  await until(() => (processesWith(emulator.marker).length === 0 ? true : undefined), 5000, 'the end of the processes')
})

test('a request that comes while no instance is ready is held until one is, never refused', async ({ client }) => {
  const slow = aService({ name: 'slow', container: { image: 'kn.local/slow-start', env: [{ name: 'START_DELAY_MS', value: '300' }] } })
  await client.create(serviceKind, slow)
  const { status } = await eventually(client, serviceKind, 'slow', { status: 'True' })
  const [pod] = await client.list(podKind, 'default')
  await client.delete(podKind, pod!.metadata)
  await eventuallyIs(client, podKind, pod!.metadata, 5000, 'going', ({ metadata }) => metadata.deletionTimestamp !== undefined).catch(
    () => {},
  )
  expect((await fetchFrom(status!.url!)).status).toBe(200)
})

test('a Service answers on a loopback port of its own whatever Host is asked for', async ({ client }) => {
  await client.create(serviceKind, aService({ name: 'hello' }))
  const { metadata } = await eventually(client, serviceKind, 'hello', { status: 'True' })
  const port = Number(metadata.annotations![PORT_ANNOTATION])
  expect(port).toBeGreaterThanOrEqual(30000)
  expect(port).toBeLessThanOrEqual(32767)
  await until(async () => (await fetchFrom(`http://anything.example:${port}`).catch(() => undefined))?.status === 200 || undefined)
})

test('an unknown host is not found, and a private name is not served to the outside', async ({ client, emulator }) => {
  await client.create(serviceKind, aService({ name: 'hello' }))
  await eventually(client, serviceKind, 'hello', { status: 'True' })
  expect(await fetchFrom(`http://nobody.default.localhost:${emulator.ports.external}`)).toMatchObject({ status: 404, body: '' })
  expect((await fetchFrom(`http://hello.default.svc.cluster.local:${emulator.ports.external}`)).status).toBe(404)
  expect((await fetchFrom(`http://hello.default.svc.cluster.local:${emulator.ports.clusterLocal}`)).status).toBe(200)
})

test('a killed program is started again in place, and the restart is counted', async ({ client, emulator, clock }) => {
  await client.create(serviceKind, aService({ name: 'hello' }))
  const { status } = await eventually(client, serviceKind, 'hello', { status: 'True' })
  const [pid] = processesWith(emulator.marker)
  process.kill(pid!, 'SIGKILL')
  const [pod] = await client.list(podKind, 'default')
  const isRestarted = (found: typeof pod): boolean => (found!.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0
  for (let waited = 0; waited < 20 && !isRestarted(await client.get(podKind, pod!.metadata)); waited++) await clock.advance(1000)
  const restarted = await eventuallyIs(client, podKind, pod!.metadata, 10_000, 'restarted', isRestarted)
  expect(restarted.status!.containerStatuses![0]!.lastState.terminated).toMatchObject({ exitCode: 137 })
  expect((await fetchFrom(status!.url!)).status).toBe(200)
})
