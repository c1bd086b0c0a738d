import { afterEach, beforeEach, expect, test } from 'vitest'
import { persistentVolumeKind } from '../../../../src/kinds/core/persistentvolume/kind.js'
import { persistentVolumeClaimKind } from '../../../../src/kinds/core/persistentvolumeclaim/kind.js'
import type { PersistentVolumeClaim } from '../../../../src/kinds/core/persistentvolumeclaim/schema.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { replicationControllerKind } from '../../../../src/kinds/core/replicationcontroller/kind.js'
import { storageClassKind } from '../../../../src/kinds/core/storageclass/kind.js'
import { aPod, type Cluster, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'data' }
const create = async (spec: Partial<PersistentVolumeClaim['spec']> = {}): Promise<void> => {
  const usual = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  await cluster.client.create(persistentVolumeClaimKind, { metadata: ref, spec: { ...usual, ...spec } })
  await cluster.settle()
}
const claim = () => cluster.client.get(persistentVolumeClaimKind, ref)
const volume = async (name: string, storage: string, spec: object = {}): Promise<void> => {
  await cluster.client.create(persistentVolumeKind, {
    metadata: { name },
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' }, ...spec },
  })
  await cluster.settle()
}

test('a claim that nobody serves is Pending, and its event says why', async () => {
  await create()
  expect((await claim()).status).toEqual({ phase: 'Pending' })
  expect(await cluster.events('FailedBinding')).toMatchObject([
    {
      type: 'Normal',
      message: 'no persistent volumes available for this claim and no storage class is set',
      source: { component: 'persistentvolume-controller' },
    },
  ])
})

test('a claim gets the default class, and waits for its provisioner', async () => {
  await cluster.client.create(storageClassKind, {
    metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'example.test/disks',
  })
  await create()
  expect((await claim()).spec.storageClassName).toBe('fast')
  expect((await cluster.events('ExternalProvisioning'))[0]!.message).toContain("external provisioner 'example.test/disks'")
})

test('a class that does not exist is a warning', async () => {
  await create({ storageClassName: 'ghost' })
  expect(await cluster.events('ProvisioningFailed')).toMatchObject([
    { type: 'Warning', message: 'storageclass.storage.k8s.io "ghost" not found' },
  ])
})

test('a claim is bound to the smallest volume that suffices, which is Released once the claim is gone', async () => {
  await volume('small', '500Mi')
  await volume('large', '10Gi')
  await volume('right', '2Gi')
  await create()
  expect(await claim()).toMatchObject({ spec: { volumeName: 'right' }, status: { phase: 'Bound', capacity: { storage: '2Gi' } } })
  const right = () => cluster.client.get(persistentVolumeKind, { name: 'right' })
  expect(await right()).toMatchObject({ spec: { claimRef: { namespace: 'default', name: 'data' } }, status: { phase: 'Bound' } })

  await cluster.client.delete(persistentVolumeClaimKind, ref)
  await cluster.settle()
  expect((await right()).status!.phase).toBe('Released')
})

test('a deleted claim stays until no pod uses it', async () => {
  await create()
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
  await cluster.client.create(podKind, aPod('user', { volumes, container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] } }))
  await cluster.settle()
  await cluster.client.delete(persistentVolumeClaimKind, ref)
  await cluster.settle()
  expect((await claim()).metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
  await cluster.client.delete(podKind, { namespace: 'default', name: 'user' })
  await cluster.settle()
  expect(await cluster.client.list(persistentVolumeClaimKind)).toEqual([])
})

test('a claim without a mode or a size is refused', async () => {
  await expect(create({ accessModes: [], resources: {} })).rejects.toThrow(
    'PersistentVolumeClaim "data" is invalid: [spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]',
  )
})

test('a ReplicationController keeps its pods, with the selector of its template', async () => {
  const template = { metadata: { labels: { app: 'old' } }, spec: { containers: [{ name: 'app', image: 'app' }] } }
  await cluster.client.create(replicationControllerKind, {
    metadata: { namespace: 'default', name: 'old' },
    spec: { replicas: 2, template },
  })
  await cluster.settle()
  const found = await cluster.client.get(replicationControllerKind, { namespace: 'default', name: 'old' })
  expect(found).toMatchObject({ spec: { selector: { app: 'old' } }, status: { replicas: 2, readyReplicas: 2 } })
  expect(await cluster.client.list(podKind, 'default')).toHaveLength(2)
})
