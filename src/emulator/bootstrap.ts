import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject, ObjectMeta } from '../apimachinery/object.js'
import { isAlreadyExists } from '../apimachinery/status-error.js'
import { KUBERNETES_VERSION } from '../base/versions.js'
import type { Client } from '../client/client.js'
import { configMapKind } from '../kinds/core/configmap/kind.js'
import { endpointsKind } from '../kinds/core/endpoints/kind.js'
import { namespaceKind } from '../kinds/core/namespace/kind.js'
import { nodeKind } from '../kinds/core/node/kind.js'
import { NODE_NAME } from '../kinds/core/node/schema.js'
import { priorityClassKind } from '../kinds/core/priorityclass/kind.js'
import { SYSTEM_PRIORITY_CLASSES } from '../kinds/core/priorityclass/served.js'
import { coreServiceKind } from '../kinds/core/service/kind.js'
import type { Ports } from './ports.js'

export const SERVING_NAMESPACE = 'knative-serving'
/** The ConfigMap of what only this program has: its ports, and the settings of the journal of events. */
export const LOCAL_CONFIG = { name: 'kn-local', namespace: SERVING_NAMESPACE }

/** Objects a cluster with Knative has from the start. Kubernetes' own namespaces, and Knative's. */
const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease', SERVING_NAMESPACE]

/** As installed, but for the domain: names below localhost resolve to this machine by themselves in curl and browsers. */
const SERVING_CONFIG: Record<string, Record<string, string>> = {
  'config-autoscaler': {},
  'config-defaults': {},
  'config-deployment': { 'queue-sidecar-image': 'gcr.io/knative-releases/knative.dev/serving/cmd/queue:v1.23.0' },
  'config-domain': { localhost: '' },
  'config-features': {},
  'config-gc': {},
  'config-network': {},
  'config-observability': {},
}

const MAX_PODS = '110'

/** Makes an object unless there is one of its name already, which stays as it is. */
export function ensureWith(
  client: Client,
): <T extends KubeObject>(kind: Kind<T>, draft: Record<string, unknown> & { metadata: Partial<ObjectMeta> }) => Promise<void> {
  return async (kind, draft) => {
    const { name, namespace } = draft.metadata
    if (await client.find(kind, { name: name!, namespace })) return
    await client.create(kind, draft as never).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }
}

/**
 * Makes sure that the first objects are there. What the user changed since (a ConfigMap, say) stays; only the ports in
 * `kn-local` are written each time, since they are this instance's and nobody's choice.
 */
export async function bootstrap(options: {
  client: Client
  ports: Ports
  cpus: number
  memoryBytes: number
  os: string
  arch: string
}): Promise<void> {
  const { client, ports } = options
  const ensure = ensureWith(client)

  for (const name of NAMESPACES) await ensure(namespaceKind, { metadata: { name } })
  for (const [name, value] of Object.entries(SYSTEM_PRIORITY_CLASSES)) await ensure(priorityClassKind, { metadata: { name }, value })
  await ensureNode(options, ensure)
  await ensure(coreServiceKind, {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { type: 'ClusterIP', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: ports.control }] },
  })
  await ensure(endpointsKind, {
    metadata: { name: 'kubernetes', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '10.244.0.1' }], ports: [{ name: 'https', port: ports.control, protocol: 'TCP' }] }],
  })
  for (const [name, data] of Object.entries(SERVING_CONFIG))
    await ensure(configMapKind, { metadata: { name, namespace: SERVING_NAMESPACE }, data })

  const data = {
    'external-port': String(ports.external),
    'cluster-local-port': String(ports.clusterLocal),
    'cluster-local-tls-port': String(ports.clusterLocalTls),
  }
  await ensure(configMapKind, { metadata: LOCAL_CONFIG, data })
  await client.patch(configMapKind, LOCAL_CONFIG, { type: 'application/merge-patch+json', body: { data } })
}

async function ensureNode(
  { client, cpus, memoryBytes, os, arch }: Parameters<typeof bootstrap>[0],
  ensure: (kind: Kind, draft: { metadata: Partial<ObjectMeta> }) => Promise<void>,
): Promise<void> {
  await ensure(nodeKind, {
    metadata: {
      name: NODE_NAME,
      labels: {
        'kubernetes.io/hostname': NODE_NAME,
        'kubernetes.io/os': os,
        'kubernetes.io/arch': arch,
        'node-role.kubernetes.io/control-plane': '',
      },
    },
  })
  const node = await client.get(nodeKind, { name: NODE_NAME })
  const capacity = { cpu: String(cpus), memory: `${Math.floor(memoryBytes / 1024)}Ki`, pods: node.status?.capacity?.['pods'] ?? MAX_PODS }
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  const time = node.metadata.creationTimestamp!
  await client.updateStatus(nodeKind, {
    ...node,
    status: {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address: '127.0.0.1' },
        { type: 'Hostname', address: NODE_NAME },
      ],
      conditions: [{ ...ready, lastHeartbeatTime: time, lastTransitionTime: time }],
      nodeInfo: {
        architecture: arch,
        bootID: '',
        containerRuntimeVersion: 'process://1.0',
        kernelVersion: '',
        kubeProxyVersion: '',
        kubeletVersion: KUBERNETES_VERSION.gitVersion,
        machineID: '',
        operatingSystem: os,
        osImage: 'kn-local',
        systemUUID: '',
      },
    },
  })
}
