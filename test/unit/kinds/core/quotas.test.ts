import { describe, expect, test } from 'vitest'
import type { LimitRange } from '../../../../src/kinds/core/limitrange/schema.js'
import { limitRangeServed } from '../../../../src/kinds/core/limitrange/served.js'
import { podAmounts } from '../../../../src/kinds/core/pod/resources.js'
import type { Container, Pod, PodSpec } from '../../../../src/kinds/core/pod/schema.js'
import type { ResourceQuota } from '../../../../src/kinds/core/resourcequota/schema.js'
import { resourceQuotaServed } from '../../../../src/kinds/core/resourcequota/served.js'
import { isInScope, resourceCountedAs, silenceOf, usageOf } from '../../../../src/kinds/core/resourcequota/usage.js'

const UNIT = 1_000_000_000n
const aContainer = (name: string, cpu: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'x',
  resources: { requests: { cpu } },
  ...more,
})
const aPod = (spec: Partial<PodSpec>, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...metadata },
  spec: { containers: [], ...spec },
})
const aQuota = (spec: ResourceQuota['spec']): ResourceQuota => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec })
const context = { operation: 'CREATE' } as never

test('a Pod asks for its containers and sidecars together, or for its greediest init container', () => {
  const cpuOf = (spec: Partial<PodSpec>): bigint | undefined => podAmounts(aPod(spec).spec, 'requests').get('cpu')
  const two = [aContainer('a', '100m'), aContainer('b', '200m')]
  expect(cpuOf({ containers: two })).toBe((UNIT * 3n) / 10n)
  expect(cpuOf({ containers: two, initContainers: [aContainer('i', '1')] })).toBe(UNIT)
  expect(cpuOf({ containers: two, initContainers: [aContainer('s', '500m', { restartPolicy: 'Always' }), aContainer('i', '100m')] })).toBe(
    (UNIT * 8n) / 10n,
  )
  expect(cpuOf({ containers: two, overhead: { cpu: '50m' } })).toBe((UNIT * 35n) / 100n)
})

test('a Pod that is over uses only its place in the store', () => {
  const pod = aPod({ containers: [aContainer('a', '1')] })
  expect(usageOf('pods', pod, 0)).toEqual(
    new Map([
      ['count/pods', UNIT],
      ['pods', UNIT],
      ['cpu', UNIT],
      ['requests.cpu', UNIT],
    ]),
  )
  const done = { ...pod, status: { phase: 'Succeeded' as const } }
  expect(usageOf('pods', done, 0)).toEqual(new Map([['count/pods', UNIT]]))
  const leaving = aPod(pod.spec, { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 })
  const start = Date.parse('2026-01-01T00:00:00Z')
  expect(usageOf('pods', leaving, start).has('pods')).toBe(true)
  expect(usageOf('pods', leaving, start + 31_000).has('pods')).toBe(false)
})

test('services count their node ports and load balancers', () => {
  const service = (spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec })
  const ports = [{ port: 80, nodePort: 30_001 }, { port: 81 }]
  const used = (spec: object): unknown[] =>
    ['services', 'services.nodeports', 'services.loadbalancers'].map((name) =>
      Number(usageOf('services', service(spec), 0).get(name)! / UNIT),
    )
  expect(used({ type: 'ClusterIP', ports })).toEqual([1, 0, 0])
  expect(used({ type: 'NodePort', ports })).toEqual([1, 2, 0])
  expect(used({ type: 'LoadBalancer', ports, allocateLoadBalancerNodePorts: false })).toEqual([1, 1, 1])
})

test.each([
  ['limits.memory', 'pods'],
  ['requests.nvidia.com/gpu', 'pods'],
  ['count/deployments.apps', 'deployments.apps'],
  ['fast.storageclass.storage.k8s.io/requests.storage', 'persistentvolumeclaims'],
  ['services.nodeports', 'services'],
  ['configmaps', 'configmaps'],
  ['widgets', undefined],
])('%s is counted on %s', (name, resource) => expect(resourceCountedAs(name)).toBe(resource))

test('scopes choose the Pods that count', () => {
  const plain = aPod({ containers: [{ name: 'a', image: 'x' }] })
  const job = aPod({ containers: [aContainer('a', '1')], activeDeadlineSeconds: 10, priorityClassName: 'high' })
  const scoped = (scopes: string[]): boolean[] => [plain, job].map((pod) => isInScope(aQuota({ scopes }), 'pods', pod))
  expect(scoped(['Terminating'])).toEqual([false, true])
  expect(scoped(['BestEffort'])).toEqual([true, false])
  expect(scoped(['NotBestEffort', 'NotTerminating'])).toEqual([false, false])
  const selected = (operator: string, values?: string[]): boolean[] =>
    [plain, job].map((pod) =>
      isInScope(
        aQuota({ scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator, ...(values && { values }) }] } }),
        'pods',
        pod,
      ),
    )
  expect(selected('In', ['high'])).toEqual([false, true])
  expect(selected('NotIn', ['high'])).toEqual([true, false])
  expect(selected('Exists')).toEqual([false, true])
})

test('containers that are silent about what is limited are named', () => {
  const pod = aPod({ containers: [{ name: 'b', image: 'x' }, { name: 'a', image: 'x' }, aContainer('c', '1')] })
  expect(silenceOf(pod, ['pods', 'requests.cpu', 'limits.memory'])).toBe('must specify limits.memory for: a,b,c; requests.cpu for: a,b')
})

describe('what is refused when it is written', () => {
  test('a quota on what nobody counts, a negative one, a broken one, scopes that do not fit', () => {
    const found = (spec: ResourceQuota['spec']): string[] =>
      resourceQuotaServed.validate!(aQuota(spec), context).map(({ field, message }) => `${field}: ${message}`)
    expect(found({ hard: { widgets: '1' } })).toContain(
      'spec.hard[widgets]: Invalid value: "widgets": must be a standard resource for quota',
    )
    expect(found({ hard: { pods: '-1' } })).toEqual(['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'])
    expect(found({ hard: { pods: '1500m' } })).toEqual(['spec.hard[pods]: Invalid value: "1500m": must be an integer'])
    expect(found({ hard: { services: '1' }, scopes: ['Terminating'] })).toEqual([
      'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
    ])
    expect(found({ hard: { pods: '1' }, scopes: ['Terminating', 'NotTerminating'] })).toEqual([
      'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
    ])
    expect(found({ hard: { pods: '1', 'requests.cpu': '500m', 'count/widgets.example.com': '2' } })).toEqual([])
  })

  test('a LimitRange gets its defaults from its bounds, and bounds that contradict each other are told', () => {
    const range = (limits: LimitRange['spec']['limits']): LimitRange => ({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l' },
      spec: { limits },
    })
    const filled = range([{ type: 'Container', min: { cpu: '100m' }, max: { cpu: '2000m', memory: '1024Mi' } }])
    limitRangeServed.defaults!(filled, context)
    expect(filled.spec.limits[0]).toEqual({
      type: 'Container',
      min: { cpu: '100m' },
      max: { cpu: '2', memory: '1Gi' },
      default: { cpu: '2', memory: '1Gi' },
      defaultRequest: { cpu: '2', memory: '1Gi' },
    })
    const found = limitRangeServed.validate!(
      range([
        { type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } },
        { type: 'Pod', default: { cpu: '1' } },
        { type: 'PersistentVolumeClaim' },
      ]),
      context,
    ).map(({ field, message }) => `${field}: ${message}`)
    expect(found).toEqual([
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      'spec.limits[1].default: Forbidden: may not be specified when `type` is Pod',
      'spec.limits[2]: Required value: either minimum or maximum storage value is required, but neither was provided',
    ])
  })
})
