import { age } from '../../../apimachinery/age.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import {
  anyList,
  anyObject,
  conditions,
  fields,
  flag,
  int32,
  listMergedBy,
  listOf,
  objectSchema,
  quantities,
  text,
  textMap,
  textSet,
  texts,
  time,
} from '../schema-parts.js'
import { nodeKind } from './kind.js'
import type { Node } from './schema.js'

const ROLE_PREFIX = 'node-role.kubernetes.io/'

const addressCell = ({ status }: Node, type: string): string =>
  status?.addresses?.find((address) => address.type === type)?.address || '<none>'
const infoCell = ({ status }: Node, name: string): string => status?.nodeInfo?.[name] || '<unknown>'

const columns: readonly Column[] = [
  { name: 'Status', type: 'string', description: 'The status of the node.', cell: statusCell },
  { name: 'Roles', type: 'string', description: 'The roles of the node.', cell: rolesCell },
  { name: 'Age', type: 'string', cell: (node: Node, nowMs) => age(node.metadata.creationTimestamp, nowMs) },
  {
    name: 'Version',
    type: 'string',
    description: 'Kubelet version.',
    cell: (node: Node) => node.status?.nodeInfo?.['kubeletVersion'] ?? '',
  },
  { name: 'Internal-IP', type: 'string', priority: 1, cell: (node: Node) => addressCell(node, 'InternalIP') },
  { name: 'External-IP', type: 'string', priority: 1, cell: (node: Node) => addressCell(node, 'ExternalIP') },
  { name: 'OS-Image', type: 'string', priority: 1, cell: (node: Node) => infoCell(node, 'osImage') },
  { name: 'Kernel-Version', type: 'string', priority: 1, cell: (node: Node) => infoCell(node, 'kernelVersion') },
  { name: 'Container-Runtime', type: 'string', priority: 1, cell: (node: Node) => infoCell(node, 'containerRuntimeVersion') },
]

export const nodeServed: ServedKind<Node> = {
  kind: { ...nodeKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema('Node is where Pods run.', {
    spec: fields({
      configSource: anyObject,
      externalID: text,
      podCIDR: text,
      podCIDRs: textSet,
      providerID: text,
      taints: listOf(fields({ effect: text, key: text, timeAdded: time, value: text }, ['key', 'effect'])),
      unschedulable: flag,
    }),
    status: fields({
      addresses: listMergedBy(fields({ address: text, type: text }, ['type', 'address']), 'type'),
      allocatable: quantities,
      capacity: quantities,
      conditions: {
        ...conditions,
        items: { ...conditions.items!, properties: { ...conditions.items!.properties, lastHeartbeatTime: time } },
      },
      config: anyObject,
      daemonEndpoints: fields({ kubeletEndpoint: fields({ Port: int32 }, ['Port']) }),
      declaredFeatures: texts,
      features: anyObject,
      images: anyList,
      nodeInfo: { ...textMap, 'x-kubernetes-preserve-unknown-fields': true },
      phase: text,
      runtimeHandlers: anyList,
      volumesAttached: anyList,
      volumesInUse: texts,
    }),
  }),
  fieldSelectors: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
}

function statusCell({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady']
  if (spec?.unschedulable) words.push('SchedulingDisabled')
  return words.join(',')
}

function rolesCell({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([label, value]) => {
    if (label.startsWith(ROLE_PREFIX)) return [label.slice(ROLE_PREFIX.length)]
    return label === 'kubernetes.io/role' && value ? [value] : []
  })
  return roles.filter(Boolean).sort().join(',') || '<none>'
}
