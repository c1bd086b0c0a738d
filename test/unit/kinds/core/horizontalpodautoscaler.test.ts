import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Kind } from '../../../../src/apimachinery/kind.js'
import { deploymentKind } from '../../../../src/kinds/core/deployment/kind.js'
import type { FirstAutoscaler } from '../../../../src/kinds/core/horizontalpodautoscaler/first-version.js'
import { horizontalPodAutoscalerKind } from '../../../../src/kinds/core/horizontalpodautoscaler/kind.js'
import type { HorizontalPodAutoscaler } from '../../../../src/kinds/core/horizontalpodautoscaler/schema.js'
import { type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'web' }
const firstKind = { ...horizontalPodAutoscalerKind, version: 'v1' } as unknown as Kind<FirstAutoscaler>
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const deploy = async (replicas: number): Promise<void> => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'app' }] } }
  await cluster.client.create(deploymentKind, { metadata: ref, spec: { replicas, selector: { matchLabels: { app: 'web' } }, template } })
  await cluster.settle()
}
const create = async (spec: Partial<HorizontalPodAutoscaler['spec']>): Promise<void> => {
  await cluster.client.create(horizontalPodAutoscalerKind, { metadata: ref, spec: { scaleTargetRef, maxReplicas: 3, ...spec } })
  await cluster.settle()
}
const autoscaler = () => cluster.client.get(horizontalPodAutoscalerKind, ref)
const replicas = async () => (await cluster.client.get(deploymentKind, ref)).spec.replicas

test('without metrics it says that it can scale and knows of nothing to scale by', async () => {
  await deploy(1)
  await create({})
  const why =
    'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)'
  const found = await autoscaler()
  expect(found.spec).toMatchObject({
    minReplicas: 1,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  })
  expect(condition(found, 'AbleToScale')).toMatchObject({
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
  })
  expect(condition(found, 'ScalingActive')).toMatchObject({
    status: 'False',
    reason: 'FailedGetResourceMetric',
    message: `the HPA was unable to compute the replica count: ${why}`,
  })
  expect(found.status).toMatchObject({ currentReplicas: 1, desiredReplicas: 1 })
  expect((await cluster.events('FailedComputeMetricsReplicas'))[0]!.message).toBe(
    `invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
  )
})

test('it keeps what it scales between its bounds, now and later', async () => {
  await deploy(1)
  await create({ minReplicas: 2 })
  expect(await replicas()).toBe(2)
  expect((await cluster.events('SuccessfulRescale'))[0]!.message).toBe(
    'New size: 2; reason: Current number of replicas below Spec.MinReplicas',
  )
  await cluster.client.patch(deploymentKind, ref, { type: 'application/merge-patch+json', body: { spec: { replicas: 9 } } })
  await cluster.settle()
  expect(await replicas()).toBe(3)
})

test('what is scaled to zero is left alone', async () => {
  await deploy(0)
  await create({ minReplicas: 2 })
  expect(await replicas()).toBe(0)
  expect(condition(await autoscaler(), 'ScalingActive')).toMatchObject({ status: 'False', reason: 'ScalingDisabled' })
})

test('a target that is not there is said so', async () => {
  await create({})
  expect(condition(await autoscaler(), 'AbleToScale')).toMatchObject({
    status: 'False',
    reason: 'FailedGetScale',
    message: 'the HPA controller was unable to get the target\'s current scale: deployments.apps "web" not found',
  })
})

test('v1 shows the same object with its one target, and an update through it loses nothing', async () => {
  await deploy(1)
  const memory = {
    type: 'Resource' as const,
    resource: { name: 'memory', target: { type: 'AverageValue' as const, averageValue: '100Mi' } },
  }
  const cpu = { type: 'Resource' as const, resource: { name: 'cpu', target: { type: 'Utilization' as const, averageUtilization: 50 } } }
  await create({ metrics: [cpu, memory], behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } })
  const first = await cluster.client.get(firstKind, ref)
  expect(first).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 50, maxReplicas: 3 } })
  expect(first.spec).not.toHaveProperty('metrics')

  await cluster.client.update(firstKind, { ...first, spec: { ...first.spec, targetCPUUtilizationPercentage: 70 } })
  await cluster.settle()
  const { spec, metadata, status } = await autoscaler()
  expect(spec.metrics).toEqual([memory, { ...cpu, resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }])
  expect(spec.behavior!.scaleDown!.stabilizationWindowSeconds).toBe(60)
  expect(metadata.annotations).toBeUndefined()
  expect(status!.conditions).toHaveLength(2)
})

test('one that is made in v1 is read in v2', async () => {
  await cluster.client.create(firstKind, { metadata: ref, spec: { scaleTargetRef, maxReplicas: 2 } })
  expect((await autoscaler()).spec).toMatchObject({ minReplicas: 1, maxReplicas: 2, metrics: [{ resource: { name: 'cpu' } }] })
})

test.each([
  [{ minReplicas: 5 }, 'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`'],
  [{ maxReplicas: 0 }, 'spec.maxReplicas: Invalid value: 0: must be greater than 0'],
  [{ metrics: [{ type: 'Pods' as const }] }, 'spec.metrics[0].pods: Required value: must populate information for the given metric source'],
  [{ scaleTargetRef: { kind: 'Deployment', name: '' } }, 'spec.scaleTargetRef.name: Required value'],
])('%j is refused', async (spec, message) => {
  await expect(create(spec)).rejects.toThrow(message)
})
