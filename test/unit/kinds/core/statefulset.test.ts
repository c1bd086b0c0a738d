import { afterEach, beforeEach, expect, test } from 'vitest'
import { controllerRevisionKind } from '../../../../src/kinds/core/controllerrevision/kind.js'
import { coreControllers } from '../../../../src/kinds/core/index.js'
import { nodeKind } from '../../../../src/kinds/core/node/kind.js'
import { NODE_NAME } from '../../../../src/kinds/core/node/schema.js'
import { persistentVolumeClaimKind } from '../../../../src/kinds/core/persistentvolumeclaim/kind.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { statefulSetKind } from '../../../../src/kinds/core/statefulset/kind.js'
import type { StatefulSet } from '../../../../src/kinds/core/statefulset/schema.js'
import { type Cluster, startCluster } from './support.js'

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
const templateOf = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 80 }], readinessProbe: { tcpSocket: { port: 80 } } }] },
})
const create = async (spec: Partial<StatefulSet['spec']> = {}): Promise<void> => {
  await cluster.client.create(statefulSetKind, {
    metadata: ref,
    spec: { serviceName: 'web', selector: { matchLabels: { app: 'web' } }, template: templateOf('app:1'), ...spec },
  })
  await cluster.settle()
}
const change = async (spec: object): Promise<void> => {
  await cluster.client.patch(statefulSetKind, ref, { type: 'application/merge-patch+json', body: { spec } })
  await cluster.settle()
}
const set = () => cluster.client.get(statefulSetKind, ref)
const pods = async () => [...(await cluster.client.list(podKind, 'default'))].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
const names = async () => (await pods()).map(({ metadata }) => metadata.name)
const images = async () => (await pods()).map(({ spec }) => spec.containers[0]!.image)

test('its pods have names, hostnames and labels of their own, and its revision is kept', async () => {
  await create({ replicas: 2 })

  expect(await names()).toEqual(['web-0', 'web-1'])
  const [first] = await pods()
  const { status } = await set()
  expect(status!.updateRevision).toMatch(/^web-[a-z0-9]+$/)
  expect(first!.metadata.labels).toEqual({
    app: 'web',
    'statefulset.kubernetes.io/pod-name': 'web-0',
    'apps.kubernetes.io/pod-index': '0',
    'controller-revision-hash': status!.updateRevision,
  })
  expect(first!.spec).toMatchObject({ hostname: 'web-0', subdomain: 'web' })
  expect(status).toEqual({
    observedGeneration: 1,
    replicas: 2,
    readyReplicas: 2,
    currentReplicas: 2,
    updatedReplicas: 2,
    availableReplicas: 2,
    currentRevision: status!.updateRevision,
    updateRevision: status!.updateRevision,
    collisionCount: 0,
  })
  const [revision] = await cluster.client.list(controllerRevisionKind, 'default')
  expect(revision).toMatchObject({
    metadata: { name: status!.updateRevision, labels: { app: 'web' }, ownerReferences: [{ kind: 'StatefulSet', name: 'web' }] },
    revision: 1,
    data: { spec: { template: { $patch: 'replace', metadata: { labels: { app: 'web' } } } } },
  })
  expect((await cluster.events('SuccessfulCreate')).map(({ message }) => message)).toEqual([
    'create Pod web-0 in StatefulSet web successful',
    'create Pod web-1 in StatefulSet web successful',
  ])
})

test('a pod is made only once its predecessor is ready, and the last goes first', async () => {
  cluster.failing.add('all')
  await create({ replicas: 3 })
  expect(await names()).toEqual(['web-0'])

  cluster.failing.clear()
  await cluster.real.advance(10_000)
  await cluster.settle()
  expect(await names()).toEqual(['web-0', 'web-1', 'web-2'])

  const gone: string[] = []
  const stop = cluster.manager.informer(podKind).onChange(({ type, object }) => {
    if (type === 'DELETED') gone.push(object.metadata.name)
  })
  await change({ replicas: 1 })
  stop()
  expect(gone).toEqual(['web-2', 'web-1'])
})

test('with Parallel all pods are made at once', async () => {
  cluster.failing.add('all')
  await create({ replicas: 3, podManagementPolicy: 'Parallel', ordinals: { start: 5 } })
  expect(await names()).toEqual(['web-5', 'web-6', 'web-7'])
})

test('a rolling update goes from the last ordinal to the first, one pod at a time', async () => {
  await create({ replicas: 3 })
  const before = (await pods()).map(({ metadata }) => metadata.uid)
  const seen: string[] = []
  let fewest = 3
  const stop = cluster.manager.informer(podKind).onChange(({ type, object }) => {
    if (type === 'ADDED' && !before.includes(object.metadata.uid)) seen.push(object.metadata.name)
    const up = cluster.manager.informer(podKind).list('default')
    fewest = Math.min(fewest, up.filter(({ metadata }) => !metadata.deletionTimestamp).length)
  })
  await change({ template: templateOf('app:2') })
  stop()

  expect(seen).toEqual(['web-2', 'web-1', 'web-0'])
  expect(fewest).toBe(2)
  expect(await images()).toEqual(['app:2', 'app:2', 'app:2'])
  const { status } = await set()
  expect(status!.currentRevision).toBe(status!.updateRevision)
  expect((await cluster.client.list(controllerRevisionKind, 'default')).map(({ revision }) => revision).sort()).toEqual([1, 2])
})

test('a partition holds the lower ordinals back, also when one of them is made anew', async () => {
  await create({ replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
  await change({ template: templateOf('app:2') })
  expect(await images()).toEqual(['app:1', 'app:1', 'app:2'])
  const { status } = await set()
  expect(status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 })
  expect(status!.currentRevision).not.toBe(status!.updateRevision)

  await cluster.client.delete(podKind, { namespace: 'default', name: 'web-0' })
  await cluster.settle()
  expect(await images()).toEqual(['app:1', 'app:1', 'app:2'])
})

test('with OnDelete a pod gets the new template when someone deletes it', async () => {
  await create({ replicas: 2, updateStrategy: { type: 'OnDelete' } })
  await change({ template: templateOf('app:2') })
  expect(await images()).toEqual(['app:1', 'app:1'])
  await cluster.client.delete(podKind, { namespace: 'default', name: 'web-1' })
  await cluster.settle()
  expect(await images()).toEqual(['app:1', 'app:2'])
})

test('going back to an old template makes its revision the newest, and history beyond the limit is forgotten', async () => {
  await create({ revisionHistoryLimit: 1 })
  const first = (await set()).status!.updateRevision
  await change({ template: templateOf('app:2') })
  await change({ template: templateOf('app:1') })
  expect((await set()).status!.updateRevision).toBe(first)
  const revisions = await cluster.client.list(controllerRevisionKind, 'default')
  expect(revisions.find(({ metadata }) => metadata.name === first)!.revision).toBe(3)
  await change({ template: templateOf('app:3') })
  await change({ template: templateOf('app:4') })
  expect(await cluster.client.list(controllerRevisionKind, 'default')).toHaveLength(2)
})

test('claim templates become claims that stay when the set is scaled down', async () => {
  await create({
    replicas: 1,
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
      },
    ],
  })
  const [claim] = await cluster.client.list(persistentVolumeClaimKind, 'default')
  expect(claim).toMatchObject({
    metadata: { name: 'data-web-0', labels: { app: 'web' } },
    spec: { resources: { requests: { storage: '1Gi' } }, volumeMode: 'Filesystem' },
    status: { phase: 'Pending' },
  })
  expect(claim!.metadata.ownerReferences).toBeUndefined()
  expect((await pods())[0]!.spec.volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } })
  await change({ replicas: 0 })
  expect(await names()).toEqual([])
  expect(await cluster.client.list(persistentVolumeClaimKind, 'default')).toHaveLength(1)
})

test('claims go with their pods, and with the set, where the retention policy says so', async () => {
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  await create({
    replicas: 2,
    podManagementPolicy: 'Parallel',
    persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' },
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
  })
  const claims = async () => (await cluster.client.list(persistentVolumeClaimKind, 'default')).map(({ metadata }) => metadata.name).sort()
  expect(await claims()).toEqual(['data-web-0', 'data-web-1'])
  await change({ replicas: 1 })
  expect(await claims()).toEqual(['data-web-0'])
  await cluster.client.delete(statefulSetKind, ref, { propagationPolicy: 'Background' })
  await cluster.settle()
  expect(await claims()).toEqual([])
})

test('a pod that has ended is made anew under its name', async () => {
  await cluster.stop()
  cluster = await startCluster({ controllers: (engines) => coreControllers(engines).filter(({ kind }) => kind.kind !== 'Pod') })
  await create({ replicas: 1 })
  const [before] = await pods()
  await cluster.client.updateStatus(podKind, { ...before!, status: { ...before!.status, phase: 'Failed' } })
  await cluster.settle()
  expect(await names()).toEqual(['web-0'])
  expect((await pods())[0]!.metadata.uid).not.toBe(before!.metadata.uid)
  expect((await cluster.events('RecreatingFailedPod')).map(({ message }) => message)).toEqual([
    'StatefulSet default/web is recreating failed Pod web-0',
  ])
})

test('minReadySeconds pass before the next pod is made', async () => {
  await create({ replicas: 2, minReadySeconds: 30 })
  expect(await names()).toEqual(['web-0'])
  expect((await set()).status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 })
  await cluster.clock.advance(30_000)
  await cluster.settle()
  expect(await names()).toEqual(['web-0', 'web-1'])
})

test('most of the spec cannot be changed', async () => {
  await create({ replicas: 0 })
  await expect(
    cluster.client.patch(statefulSetKind, ref, { type: 'application/merge-patch+json', body: { spec: { serviceName: 'other' } } }),
  ).rejects.toThrow(
    "StatefulSet.apps \"web\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  )
})

test('a selector that does not find its pods is refused', async () => {
  await expect(create({ selector: { matchLabels: { app: 'other' } } })).rejects.toThrow(
    'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
  )
})
