import { afterEach, beforeEach, expect, test } from 'vitest'
import { controllerRevisionKind } from '../../../../src/kinds/core/controllerrevision/kind.js'
import { daemonSetKind } from '../../../../src/kinds/core/daemonset/kind.js'
import type { DaemonSet } from '../../../../src/kinds/core/daemonset/schema.js'
import { nodeKind } from '../../../../src/kinds/core/node/kind.js'
import { NODE_NAME } from '../../../../src/kinds/core/node/schema.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { type Cluster, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'agent' }
const templateOf = (image: string, spec: object = {}) => ({
  metadata: { labels: { app: 'agent' } },
  spec: { containers: [{ name: 'app', image, ports: [{ containerPort: 80 }], readinessProbe: { tcpSocket: { port: 80 } } }], ...spec },
})
const create = async (spec: Partial<DaemonSet['spec']> = {}): Promise<void> => {
  await cluster.client.create(daemonSetKind, {
    metadata: ref,
    spec: { selector: { matchLabels: { app: 'agent' } }, template: templateOf('app:1'), ...spec },
  })
  await cluster.settle()
}
const change = async (spec: object): Promise<void> => {
  await cluster.client.patch(daemonSetKind, ref, { type: 'application/merge-patch+json', body: { spec } })
  await cluster.settle()
}
const set = () => cluster.client.get(daemonSetKind, ref)
const pods = () => cluster.client.list(podKind, 'default')
const images = async () => (await pods()).map(({ spec }) => spec.containers[0]!.image)

test('one pod runs on the node, tied to it and labelled with its template', async () => {
  await create()
  const [pod, ...others] = await pods()
  expect(others).toEqual([])
  const [revision] = await cluster.client.list(controllerRevisionKind, 'default')
  const hash = revision!.metadata.labels!['controller-revision-hash']!
  expect(revision).toMatchObject({ metadata: { name: `agent-${hash}` }, revision: 1 })
  expect(pod!.metadata).toMatchObject({
    name: expect.stringMatching(/^agent-[a-z0-9]{5}$/),
    labels: { app: 'agent', 'controller-revision-hash': hash, 'pod-template-generation': '1' },
  })
  expect(pod!.spec['tolerations']).toContainEqual({ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' })
  expect(pod!.spec['affinity']).toEqual({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [NODE_NAME] }] }],
      },
    },
  })
  expect((await set()).status).toEqual({
    observedGeneration: 1,
    currentNumberScheduled: 1,
    numberMisscheduled: 0,
    desiredNumberScheduled: 1,
    numberReady: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
  })
})

test('it runs on a cordoned node, and on none that its selector does not match', async () => {
  const node = await cluster.client.get(nodeKind, { name: NODE_NAME })
  await cluster.client.update(nodeKind, { ...node, spec: { unschedulable: true } })
  await create({ template: templateOf('app:1', { nodeSelector: { disk: 'fast' } }) })
  expect(await pods()).toEqual([])
  expect((await set()).status).toMatchObject({ desiredNumberScheduled: 0 })

  const labelled = await cluster.client.get(nodeKind, { name: NODE_NAME })
  await cluster.client.update(nodeKind, { ...labelled, metadata: { ...labelled.metadata, labels: { disk: 'fast' } } })
  await cluster.settle()
  expect((await pods())[0]!.status!.phase).toBe('Running')
})

test('a rolling update replaces the pod, the old one first', async () => {
  await create()
  let most = 0
  const stop = cluster.manager.informer(podKind).onChange(() => {
    most = Math.max(most, cluster.manager.informer(podKind).list('default').length)
  })
  await change({ template: templateOf('app:2') })
  stop()
  expect(await images()).toEqual(['app:2'])
  expect(most).toBe(1)
  expect((await set()).metadata.annotations).toEqual({ 'deprecated.daemonset.template.generation': '2' })
})

test('with a surge the old pod stays until the new one is available', async () => {
  await create({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } })
  cluster.failing.add('all')
  await change({ template: templateOf('app:2') })
  expect((await images()).sort()).toEqual(['app:1', 'app:2'])
  cluster.failing.clear()
  await cluster.real.advance(10_000)
  await cluster.settle()
  expect(await images()).toEqual(['app:2'])
})

test('with OnDelete the new template waits for someone to delete the pod', async () => {
  await create({ updateStrategy: { type: 'OnDelete' } })
  await change({ template: templateOf('app:2') })
  expect(await images()).toEqual(['app:1'])
  expect((await set()).status).not.toHaveProperty('updatedNumberScheduled')
  await cluster.client.delete(podKind, (await pods())[0]!.metadata)
  await cluster.settle()
  expect(await images()).toEqual(['app:2'])
})

test('an empty selector is refused by its name', async () => {
  await expect(create({ selector: {} })).rejects.toThrow('spec.selector: Invalid value: {}: empty selector is invalid for daemonset')
})
