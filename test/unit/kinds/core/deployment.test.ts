import { afterEach, beforeEach, expect, test } from 'vitest'
import { deploymentKind } from '../../../../src/kinds/core/deployment/kind.js'
import type { Deployment } from '../../../../src/kinds/core/deployment/schema.js'
import { nodeKind } from '../../../../src/kinds/core/node/kind.js'
import { NODE_NAME } from '../../../../src/kinds/core/node/schema.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { replicaSetKind } from '../../../../src/kinds/core/replicaset/kind.js'
import { type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
  await cluster.client.patch(
    nodeKind,
    { name: NODE_NAME },
    { type: 'application/merge-patch+json', body: { status: { allocatable: { pods: '110' } } }, subresource: 'status' },
  )
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'web' }
const create = async (spec: Partial<Deployment['spec']> = {}): Promise<void> => {
  await cluster.client.create(deploymentKind, {
    metadata: ref,
    spec: { selector: { matchLabels: { app: 'web' } }, template: templateOf('app:1'), ...spec },
  })
  await cluster.settle()
}
const templateOf = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 80 }], readinessProbe: { tcpSocket: { port: 80 } } }] },
})
const change = async (body: object): Promise<void> => {
  await cluster.client.patch(deploymentKind, ref, { type: 'application/merge-patch+json', body })
}
const deployment = () => cluster.client.get(deploymentKind, ref)
const sets = async () => (await cluster.client.list(replicaSetKind, 'default')).slice().sort((a, b) => revision(a) - revision(b))
const revision = ({ metadata }: { metadata: { annotations?: Record<string, string> } }) =>
  Number(metadata.annotations?.['deployment.kubernetes.io/revision'])
const images = async () => (await cluster.client.list(podKind, 'default')).map(({ spec }) => spec.containers[0]!.image).sort()

test('a deployment makes a ReplicaSet of its template, which makes the pods', async () => {
  await create({ replicas: 2 })

  const [set] = await sets()
  const hash = set!.metadata.labels!['pod-template-hash']!
  expect(set!.metadata).toMatchObject({
    name: `web-${hash}`,
    annotations: {
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '2',
      'deployment.kubernetes.io/max-replicas': '3',
    },
  })
  const pods = await cluster.client.list(podKind, 'default')
  expect(pods).toHaveLength(2)
  for (const { metadata } of pods)
    expect(metadata).toMatchObject({
      name: expect.stringMatching(new RegExp(`^web-${hash}-[a-z0-9]{5}$`)),
      labels: { app: 'web', 'pod-template-hash': hash },
    })
  const { status, metadata } = await deployment()
  expect(metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' })
  expect(metadata.generation).toBe(1)
  expect(status).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 })
  expect(status).not.toHaveProperty('unavailableReplicas')
  expect(condition(await deployment(), 'Available')).toMatchObject({
    status: 'True',
    reason: 'MinimumReplicasAvailable',
    message: 'Deployment has minimum availability.',
  })
  expect(condition(await deployment(), 'Progressing')).toMatchObject({
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    message: `ReplicaSet "web-${hash}" has successfully progressed.`,
  })
  expect((await cluster.events('ScalingReplicaSet')).map(({ message }) => message)).toEqual([
    `Scaled up replica set web-${hash} from 0 to 2`,
  ])
  expect(await cluster.events('SuccessfulCreate')).toHaveLength(2)
})

test('a rollout never has fewer available pods than maxUnavailable 0 allows, nor more pods than the surge', async () => {
  await create({ replicas: 4, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } })
  const seen: { available: number; total: number }[] = []
  const stop = cluster.manager.informer(replicaSetKind).onChange(() => {
    const all = cluster.manager.informer(replicaSetKind).list()
    const count = (of: (set: (typeof all)[number]) => number | undefined) => all.reduce((total, set) => total + (of(set) ?? 0), 0)
    seen.push({ available: count(({ status }) => status?.availableReplicas), total: count(({ spec }) => spec.replicas) })
  })
  await change({ spec: { template: templateOf('app:2') } })
  await cluster.settle()
  stop()

  expect(await images()).toEqual(['app:2', 'app:2', 'app:2', 'app:2'])
  expect(Math.min(...seen.map(({ available }) => available))).toBeGreaterThanOrEqual(4)
  expect(Math.max(...seen.map(({ total }) => total))).toBe(5)
  expect((await sets()).map((set) => [revision(set), set.spec.replicas])).toEqual([
    [1, 0],
    [2, 4],
  ])
})

test('a template that was used before is rolled back to under a new revision', async () => {
  await create()
  await change({ spec: { template: templateOf('app:2') } })
  await cluster.settle()
  await change({ spec: { template: templateOf('app:1') } })
  await cluster.settle()

  const all = await sets()
  expect(
    all.map((set) => [revision(set), set.metadata.annotations!['deployment.kubernetes.io/revision-history'], set.spec.replicas]),
  ).toEqual([
    [2, undefined, 0],
    [3, '1', 1],
  ])
  expect((await deployment()).metadata.annotations!['deployment.kubernetes.io/revision']).toBe('3')
})

test('a rollout that gets nowhere exceeds its deadline, and recovers when pods become ready', async () => {
  cluster.failing.add('all')
  await create({ progressDeadlineSeconds: 60 })
  const name = (await sets())[0]!.metadata.name
  expect(condition(await deployment(), 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
  await cluster.clock.advance(59_000)
  expect(condition(await deployment(), 'Progressing')).toMatchObject({
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message: `ReplicaSet "${name}" is progressing.`,
  })
  await cluster.clock.advance(3_000)
  expect(condition(await deployment(), 'Progressing')).toMatchObject({
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: `ReplicaSet "${name}" has timed out progressing.`,
  })

  cluster.failing.clear()
  await cluster.real.advance(20_000)
  await cluster.settle()
  expect(condition(await deployment(), 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
})

test('Recreate starts the new pods only after the old ones are gone', async () => {
  await create({ replicas: 2, strategy: { type: 'Recreate' } })
  cluster.runtime.polite = false
  await change({ spec: { template: templateOf('app:2') } })
  for (let turn = 0; turn < 10; turn++) await cluster.real.advance(10)
  expect(await images()).toEqual(['app:1', 'app:1'])

  for (const process of cluster.runtime.processes.slice(0, 2)) process.exit(0)
  await cluster.settle()
  expect(await images()).toEqual(['app:2', 'app:2'])
})

test('scaling by the scale subresource changes the size and nothing else', async () => {
  await create({ revisionHistoryLimit: 0 })
  await cluster.client.patch(deploymentKind, ref, {
    type: 'application/merge-patch+json',
    body: { spec: { replicas: 3 } },
    subresource: 'scale',
  })
  await cluster.settle()
  expect(await images()).toHaveLength(3)
  await change({ spec: { replicas: 0 } })
  await cluster.settle()
  expect(await images()).toEqual([])
  expect((await deployment()).status).toMatchObject({ observedGeneration: 3, conditions: expect.anything() })
  expect(await sets()).toHaveLength(1)

  await change({ spec: { replicas: 1, template: templateOf('app:2') } })
  await cluster.settle()
  expect(await images()).toEqual(['app:2'])
  expect(await sets()).toHaveLength(1)
})

test('a paused deployment rolls nothing out until it is resumed', async () => {
  await create()
  await change({ spec: { paused: true, template: templateOf('app:2') } })
  await cluster.settle()
  expect(await images()).toEqual(['app:1'])
  expect(condition(await deployment(), 'Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' })

  await change({ spec: { paused: false } })
  await cluster.settle()
  expect(await images()).toEqual(['app:2'])
})

test('a pod that goes away is replaced, and a deleted deployment takes everything with it', async () => {
  await create()
  const [pod] = await cluster.client.list(podKind, 'default')
  await cluster.client.delete(podKind, pod!.metadata)
  await cluster.settle()
  const [replacement] = await cluster.client.list(podKind, 'default')
  expect(replacement!.metadata.uid).not.toBe(pod!.metadata.uid)

  await cluster.client.delete(deploymentKind, ref, { propagationPolicy: 'Background' })
  await cluster.settle()
  expect(await sets()).toEqual([])
  expect(await images()).toEqual([])
  expect(cluster.runtime.processes.every((process) => !process.isRunning())).toBe(true)
})

test('pods that are refused show as FailedCreate and as a ReplicaFailure', async () => {
  // Templates may carry any finalizer, Pods only qualified names.
  await cluster.client.create(replicaSetKind, {
    metadata: { namespace: 'default', name: 'bad' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'bad' } },
      template: {
        metadata: { labels: { app: 'bad' }, finalizers: ['not qualified!'] },
        spec: { containers: [{ name: 'app', image: 'a' }] },
      },
    },
  })
  await cluster.settle()

  const [set] = await cluster.client.list(replicaSetKind, 'default')
  expect(condition(set!, 'ReplicaFailure')).toMatchObject({
    status: 'True',
    reason: 'FailedCreate',
    message: expect.stringContaining('is invalid'),
  })
  expect((await cluster.events('FailedCreate'))[0]!.message).toMatch(/^Error creating: Pod .* is invalid/)
})
