import { afterEach, beforeEach, expect, test } from 'vitest'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import { deploymentKind } from '../../../../src/kinds/core/deployment/kind.js'
import { nodeKind } from '../../../../src/kinds/core/node/kind.js'
import { NODE_NAME } from '../../../../src/kinds/core/node/schema.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import type { PodSpec } from '../../../../src/kinds/core/pod/schema.js'
import { podDisruptionBudgetKind } from '../../../../src/kinds/core/poddisruptionbudget/kind.js'
import type { PodDisruptionBudget } from '../../../../src/kinds/core/poddisruptionbudget/schema.js'
import { aPod, type Cluster, startCluster } from './support.js'

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

const selector = { matchLabels: { app: 'web' } }
const deploy = async (replicas: number, spec: Partial<PodSpec> = {}): Promise<void> => {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'app' }], ...spec } }
  await cluster.client.create(deploymentKind, { metadata: { namespace: 'default', name: 'web' }, spec: { replicas, selector, template } })
  await cluster.settle()
}
const protect = async (spec: PodDisruptionBudget['spec'], name = 'web'): Promise<void> => {
  await cluster.client.create(podDisruptionBudgetKind, { metadata: { namespace: 'default', name }, spec: { selector, ...spec } })
  await cluster.settle()
}
const budget = () => cluster.client.get(podDisruptionBudgetKind, { namespace: 'default', name: 'web' })
const podNames = async () => (await cluster.client.list(podKind, 'default')).map(({ metadata }) => metadata.name)
const evict = async (name: string): Promise<number | StatusError> => {
  const object = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } }
  const { user, transport } = cluster.client
  const call = { user, verb: 'create' as const, group: '', version: 'v1', plural: 'pods', subresource: 'eviction' }
  return transport.call({ ...call, namespace: 'default', name, object }).then(
    ({ code }) => code,
    (error: unknown) => (error instanceof StatusError ? error : Promise.reject(error)),
  )
}

test('a budget counts its pods and says how many may go', async () => {
  await deploy(3)
  await protect({ minAvailable: 2 })
  expect((await budget()).status).toEqual({
    observedGeneration: 1,
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: 'True',
        reason: 'SufficientPods',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  })
})

test('an eviction is allowed as long as the budget lasts, and refused with 429 then', async () => {
  await deploy(2)
  await protect({ minAvailable: 1 })
  const [first, second] = await podNames()
  const [allowed, refused] = await Promise.all([evict(first!), evict(second!)])
  expect(allowed).toBe(201)
  expect((refused as StatusError).status).toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget', message: 'The disruption budget web needs 1 healthy pods and has 2 currently' }] },
  })
  await cluster.settle()
  // The Deployment has made another, so there is room again.
  expect((await budget()).status).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 2 })
  expect(await podNames()).not.toContain(first)
})

test('percentages and maxUnavailable are of what the owners ask for', async () => {
  await deploy(4)
  await protect({ maxUnavailable: '50%' })
  expect((await budget()).status).toMatchObject({ expectedPods: 4, desiredHealthy: 2, disruptionsAllowed: 2 })
  await cluster.client.patch(
    deploymentKind,
    { namespace: 'default', name: 'web' },
    { type: 'application/merge-patch+json', body: { spec: { replicas: 1 } } },
  )
  await cluster.settle()
  expect((await budget()).status).toMatchObject({ expectedPods: 1, desiredHealthy: 0, disruptionsAllowed: 1 })
})

test('without a budget any pod may go, and its condition says why it went', async () => {
  await cluster.client.create(podKind, aPod('lone'))
  await cluster.settle()
  let reasons: (string | undefined)[] = []
  const stop = cluster.manager.informer(podKind).onChange(({ object }) => {
    reasons = (object.status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`)
  })
  expect(await evict('lone')).toBe(201)
  await cluster.settle()
  stop()
  expect(reasons).toContain('DisruptionTarget EvictionByEvictionAPI')
  expect(await podNames()).toEqual([])
})

test('a pod that is not ready may go while the others suffice', async () => {
  await deploy(2)
  await protect({ minAvailable: 2 })
  await cluster.client.create(podKind, {
    ...aPod('sick', { container: { readinessProbe: { exec: { command: ['never'] } } } }),
    metadata: { namespace: 'default', name: 'sick', labels: { app: 'web' } },
  })
  await cluster.settle()
  expect(await evict('sick')).toBe(201)
  expect(await evict((await podNames()).find((name) => name !== 'sick')!)).toMatchObject({ code: 429 })
})

test('two budgets for one pod are one too many', async () => {
  await deploy(1)
  await protect({ minAvailable: 0 })
  await protect({ minAvailable: 0 }, 'other')
  const [name] = await podNames()
  expect(await evict(name!)).toMatchObject({
    code: 500,
    message: expect.stringContaining('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'),
  })
})

test.each([
  [{ minAvailable: 1, maxUnavailable: 1 }, 'minAvailable and maxUnavailable cannot be both set'],
  [{ minAvailable: '101%' }, 'spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
  [{ maxUnavailable: 'half' }, 'spec.maxUnavailable: Invalid value: "half": a valid percent string must be'],
])('%j is refused', async (spec, message) => {
  await expect(protect(spec)).rejects.toThrow(message)
})
