import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Kind } from '../../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../../src/apimachinery/object.js'
import { tableFor } from '../../../../src/apimachinery/table.js'
import { configMapKind } from '../../../../src/kinds/core/configmap/kind.js'
import { deploymentKind } from '../../../../src/kinds/core/deployment/kind.js'
import { eventKind } from '../../../../src/kinds/core/event/kind.js'
import { coreServedKinds } from '../../../../src/kinds/core/index.js'
import { leaseKind } from '../../../../src/kinds/core/lease/kind.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import type { ContainerStatus, Pod } from '../../../../src/kinds/core/pod/schema.js'
import { readyCell, restartsCell, statusCell } from '../../../../src/kinds/core/pod/status-cell.js'
import { secretKind } from '../../../../src/kinds/core/secret/kind.js'
import { aPod, type Cluster, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ controllers: () => [] })
})
afterEach(() => cluster.stop())

const columnsOf = (plural: string, group = ''): string[] => {
  const { kind } = coreServedKinds.find((served) => served.kind.plural === plural && served.kind.group === group)!
  const table = tableFor(kind, [], { nowMs: 0, includeObject: 'None', resourceVersion: '1' }) as {
    columnDefinitions: { name: string; priority: number }[]
  }
  return table.columnDefinitions.map(({ name, priority }) => (priority > 0 ? `(${name})` : name))
}

test.each([
  ['pods', '', 'Name Ready Status Restarts Age (IP) (Node) (Nominated Node) (Readiness Gates)'],
  ['deployments', 'apps', 'Name Ready Up-to-date Available Age (Containers) (Images) (Selector)'],
  ['replicasets', 'apps', 'Name Desired Current Ready Age (Containers) (Images) (Selector)'],
  ['statefulsets', 'apps', 'Name Ready Age (Containers) (Images)'],
  ['daemonsets', 'apps', 'Name Desired Current Ready Up-to-date Available Node Selector Age (Containers) (Images) (Selector)'],
  ['controllerrevisions', 'apps', 'Name Controller Revision Age'],
  ['jobs', 'batch', 'Name Status Completions Duration Age (Containers) (Images) (Selector)'],
  ['cronjobs', 'batch', 'Name Schedule Timezone Suspend Active Last Schedule Age (Containers) (Images) (Selector)'],
  ['horizontalpodautoscalers', 'autoscaling', 'Name Reference Targets MinPods MaxPods Replicas Age'],
  ['poddisruptionbudgets', 'policy', 'Name Min Available Max Unavailable Allowed Disruptions Age'],
  ['persistentvolumeclaims', '', 'Name Status Volume Capacity Access Modes StorageClass VolumeAttributesClass Age (VolumeMode)'],
  [
    'persistentvolumes',
    '',
    'Name Capacity Access Modes Reclaim Policy Status Claim StorageClass VolumeAttributesClass Reason Age (VolumeMode)',
  ],
  ['storageclasses', 'storage.k8s.io', 'Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age'],
  ['replicationcontrollers', '', 'Name Desired Current Ready Age (Containers) (Images) (Selector)'],
  ['services', '', 'Name Type Cluster-IP External-IP Port(s) Age (Selector)'],
  ['endpoints', '', 'Name Endpoints Age'],
  ['endpointslices', 'discovery.k8s.io', 'Name AddressType Ports Endpoints Age'],
  ['namespaces', '', 'Name Status Age'],
  ['configmaps', '', 'Name Data Age'],
  ['secrets', '', 'Name Type Data Age'],
  ['serviceaccounts', '', 'Name Secrets Age'],
  ['leases', 'coordination.k8s.io', 'Name Holder Age'],
  ['nodes', '', 'Name Status Roles Age Version (Internal-IP) (External-IP) (OS-Image) (Kernel-Version) (Container-Runtime)'],
])('%s are listed with the columns of a cluster', (plural, group, expected) => {
  expect(columnsOf(plural, group).join(' ')).toBe(expected)
})

test('an event is listed by when it was last seen, with its count', async () => {
  const about = { kind: 'Pod', name: 'web', namespace: 'default', fieldPath: 'spec.containers{app}' }
  await cluster.client.create(eventKind, {
    metadata: { namespace: 'default', name: 'web.1' },
    involvedObject: about,
    reason: 'BackOff',
    message: 'Back-off',
    type: 'Warning',
    source: { component: 'kubelet', host: 'kn-local' },
    count: 3,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:01:00Z',
  })
  const { kind } = coreServedKinds.find((served) => served.kind.plural === 'events')!
  const items = await cluster.client.list(eventKind, 'default')
  const table = tableFor(kind, items, { nowMs: Date.parse('2026-01-01T00:02:30Z'), includeObject: 'None', resourceVersion: '1' }) as {
    rows: { cells: unknown[] }[]
  }
  expect(table.rows[0]!.cells).toEqual([
    '90s (x3 over 2m30s)',
    'Warning',
    'BackOff',
    'pod/web',
    'spec.containers{app}',
    'kubelet, kn-local',
    'Back-off',
    '2m30s',
    '3',
    'web.1',
  ])
})

const status = (state: ContainerStatus['state'], more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'app',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  lastState: {},
  state,
  ...more,
})
const running = { running: { startedAt: '' } }
const ended = (exitCode: number, reason = '') => ({ terminated: { exitCode, reason, startedAt: '', finishedAt: '' } })
const shown = (podStatus: Pod['status'], more: Partial<Pod['metadata']> = {}, spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...more },
  spec: {
    containers: [
      { name: 'a', image: '' },
      { name: 'b', image: '' },
    ],
    ...spec,
  },
  status: podStatus!,
})

test.each<[string, Pod]>([
  ['Pending', shown({ phase: 'Pending' })],
  ['Running', shown({ phase: 'Running', containerStatuses: [status(running, { ready: true })] })],
  [
    'CrashLoopBackOff',
    shown({ phase: 'Running', containerStatuses: [status({ waiting: { reason: 'CrashLoopBackOff' } }), status(running)] }),
  ],
  ['Completed', shown({ phase: 'Succeeded', containerStatuses: [status(ended(0, 'Completed'))] })],
  ['ExitCode:3', shown({ phase: 'Failed', containerStatuses: [status(ended(3))] })],
  ['NotReady', shown({ phase: 'Running', containerStatuses: [status(ended(0, 'Completed')), status(running, { ready: true })] })],
  [
    'Init:1/2',
    shown(
      { phase: 'Pending', initContainerStatuses: [status(ended(0)), status(running)] },
      {},
      {
        initContainers: [
          { name: 'i', image: '' },
          { name: 'j', image: '' },
        ],
      },
    ),
  ],
  [
    'Init:Error',
    shown({ phase: 'Pending', initContainerStatuses: [status(ended(1, 'Error'))] }, {}, { initContainers: [{ name: 'i', image: '' }] }),
  ],
  [
    'Init:ErrImagePull',
    shown(
      { phase: 'Pending', initContainerStatuses: [status({ waiting: { reason: 'ErrImagePull' } })] },
      {},
      { initContainers: [{ name: 'i', image: '' }] },
    ),
  ],
  ['Terminating', shown({ phase: 'Running' }, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
])('the Status column says %s', (expected, pod) => {
  expect(statusCell(pod)).toBe(expected)
})

test('the Ready and Restarts columns count containers', () => {
  const lastState = ended(1)
  lastState.terminated.finishedAt = '2026-01-01T00:00:00Z'
  const pod = shown({ containerStatuses: [status(running, { ready: true, restartCount: 3, lastState }), status(running)] })
  expect(readyCell(pod)).toBe('1/2')
  expect(restartsCell(pod, Date.parse('2026-01-01T00:05:00Z'))).toBe('3 (5m ago)')
})

const refusal = async <T extends KubeObject>(kind: Kind<T>, draft: object): Promise<string> => {
  try {
    await cluster.client.create(kind, draft as never)
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}
const named = { namespace: 'default', name: 'x' }

test('pods are defaulted as the API server and its admission plugins default them', async () => {
  const { spec, status: stored } = await cluster.client.create(
    podKind,
    aPod('x', {
      container: {
        image: 'app:1',
        resources: { limits: { cpu: '1000m' } },
        ports: [{ containerPort: 80 }],
        readinessProbe: { httpGet: { port: 80 } },
      },
    }),
  )
  expect(spec).toMatchObject({
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: true,
    securityContext: {},
    serviceAccountName: 'default',
    serviceAccount: 'default',
    preemptionPolicy: 'PreemptLowerPriority',
    priority: 0,
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
  })
  expect(spec.containers[0]).toMatchObject({
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    readinessProbe: {
      httpGet: { path: '/', port: 80, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
  })
  expect(spec).not.toHaveProperty('volumes')
  expect(stored).toEqual({ phase: 'Pending', qosClass: 'Burstable' })
})

test.each([
  ['a container without image', aPod('x', { container: { image: '' } }), 'Pod "x" is invalid: spec.containers[0].image: Required value'],
  ['no container', { metadata: named, spec: { containers: [] } }, 'Pod "x" is invalid: spec.containers: Required value'],
  [
    'two containers of one name',
    aPod('x', {
      containers: [
        { name: 'a', image: 'a' },
        { name: 'a', image: 'a' },
      ],
    }),
    'Pod "x" is invalid: spec.containers[1].name: Duplicate value: "a"',
  ],
  [
    'an unknown restart policy',
    aPod('x', { restartPolicy: 'Sometimes' as never }),
    'Pod "x" is invalid: spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
  ],
  [
    'a mount without volume',
    aPod('x', { container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] } }),
    'Pod "x" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ],
  [
    'a probe without handler',
    aPod('x', { container: { readinessProbe: {} } }),
    'Pod "x" is invalid: spec.containers[0].readinessProbe: Required value: must specify a handler type',
  ],
])('a pod with %s is refused in the words of the API server', async (_, draft, message) => {
  expect(await refusal(podKind, draft)).toBe(message)
})

test('of a pod only images and a few other fields may change', async () => {
  const pod = await cluster.client.create(podKind, aPod('x'))
  const image = await cluster.client.update(podKind, {
    ...pod,
    spec: { ...pod.spec, containers: [{ ...pod.spec.containers[0]!, image: 'other' }] },
  })
  expect(image.spec.containers[0]!.image).toBe('other')
  for (const spec of [
    { ...image.spec, restartPolicy: 'Never' as const },
    { ...image.spec, nodeName: 'kn-local' },
  ])
    await expect(cluster.client.update(podKind, { ...image, spec })).rejects.toThrow(
      'Pod "x" is invalid: spec: Forbidden: pod updates may not change fields other than',
    )
})

test('deployments refuse a selector that does not match, and a selector that changes', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'app', image: 'app' }] } }
  expect(await refusal(deploymentKind, { metadata: named, spec: { selector: { matchLabels: { a: 'c' } }, template } })).toBe(
    'Deployment.apps "x" is invalid: spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  )
  const deployment = await cluster.client.create(deploymentKind, {
    metadata: named,
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  })
  expect(deployment.spec).toMatchObject({
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
  })
  const labels = { ...template.metadata.labels, c: 'd' }
  const changed = {
    ...deployment.spec,
    selector: { matchLabels: { c: 'd' } },
    template: { ...deployment.spec.template, metadata: { labels } },
  }
  await expect(cluster.client.update(deploymentKind, { ...deployment, spec: changed })).rejects.toThrow(
    'spec.selector: Invalid value: {"matchLabels":{"c":"d"}}: field is immutable',
  )
})

test('a secret keeps stringData as data, checks what its type promises and never changes its type', async () => {
  const secret = await cluster.client.create(secretKind, { metadata: named, stringData: { a: 'b' } })
  expect(secret).toMatchObject({ type: 'Opaque', data: { a: 'Yg==' } })
  expect(secret).not.toHaveProperty('stringData')
  expect(await refusal(secretKind, { metadata: { ...named, name: 'y' }, type: 'kubernetes.io/tls', data: {} })).toBe(
    'Secret "y" is invalid: [data[tls.crt]: Required value, data[tls.key]: Required value]',
  )
  await expect(cluster.client.update(secretKind, { ...secret, type: 'other' })).rejects.toThrow(
    'Secret "x" is invalid: type: Invalid value: "other": field is immutable',
  )
})

test('an immutable ConfigMap stays as it is', async () => {
  const map = await cluster.client.create(configMapKind, { metadata: named, data: { a: 'b' }, immutable: true })
  await expect(cluster.client.update(configMapKind, { ...map, data: { a: 'c' } })).rejects.toThrow(
    'ConfigMap "x" is invalid: data: Forbidden: field is immutable when `immutable` is set',
  )
})

test('a lease is made by the first who writes it, and a race for it has one winner', async () => {
  const lease = await cluster.client.update(leaseKind, {
    apiVersion: '',
    kind: '',
    metadata: named,
    spec: { holderIdentity: 'me', leaseDurationSeconds: 15 },
  })
  await cluster.client.update(leaseKind, { ...lease, spec: { ...lease.spec, holderIdentity: 'you' } })
  await expect(cluster.client.update(leaseKind, lease)).rejects.toThrow('the object has been modified')
  expect((await cluster.client.get(leaseKind, named)).spec!.holderIdentity).toBe('you')
})
