import { age } from '../../../apimachinery/age.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { formatLabelSelector } from '../../../apimachinery/selectors.js'
import {
  anyObject,
  conditions,
  described,
  fields,
  flag,
  int32,
  intOrText,
  listMergedBy,
  listOf,
  objectSchema,
  text,
  textMap,
  texts,
} from '../schema-parts.js'
import { allocateClusterIp, allocateNodePorts } from './allocate.js'
import { coreServiceKind } from './kind.js'
import type { CoreService } from './schema.js'
import { validateService } from './validate.js'

const SESSION_TIMEOUT_SECONDS = 10_800

const columns: readonly Column[] = [
  { name: 'Type', type: 'string', description: 'How the service is exposed.', cell: ({ spec }: CoreService) => spec.type ?? '' },
  {
    name: 'Cluster-IP',
    type: 'string',
    description: 'Its address in the cluster.',
    cell: ({ spec }: CoreService) => spec.clusterIP || '<none>',
  },
  { name: 'External-IP', type: 'string', description: 'Its addresses outside.', cell: externalIpCell },
  { name: 'Port(s)', type: 'string', description: 'Its ports.', cell: portsCell },
  { name: 'Age', type: 'string', cell: (service: CoreService, nowMs) => age(service.metadata.creationTimestamp, nowMs) },
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    cell: ({ spec }: CoreService) => formatLabelSelector({ matchLabels: spec.selector ?? {} }) || '<none>',
  },
]

const port = fields(
  { appProtocol: text, name: text, nodePort: int32, port: int32, protocol: { type: 'string', default: 'TCP' }, targetPort: intOrText },
  ['port'],
)

export const coreServiceServed: ServedKind<CoreService> = {
  kind: { ...coreServiceKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  deleteReturnsObject: true,
  nameRule: 'dns1035Label',
  schema: objectSchema(
    'Service is a named abstraction of software that answers on a port.',
    {
      spec: fields({
        allocateLoadBalancerNodePorts: flag,
        clusterIP: described('Allocated unless given; None makes the service headless.', text),
        clusterIPs: texts,
        externalIPs: texts,
        externalName: described('A DNS name that this one is an alias of (type ExternalName).', text),
        externalTrafficPolicy: text,
        healthCheckNodePort: int32,
        internalTrafficPolicy: text,
        ipFamilies: texts,
        ipFamilyPolicy: text,
        loadBalancerClass: text,
        loadBalancerIP: text,
        loadBalancerSourceRanges: texts,
        ports: listMergedBy(port, 'port', ['port', 'protocol']),
        publishNotReadyAddresses: flag,
        selector: { ...textMap, 'x-kubernetes-map-type': 'atomic' },
        sessionAffinity: text,
        sessionAffinityConfig: fields({ clientIP: fields({ timeoutSeconds: int32 }) }),
        trafficDistribution: text,
        type: described('ClusterIP, NodePort, LoadBalancer or ExternalName.', text),
      }),
      status: fields({
        conditions,
        loadBalancer: fields({ ingress: listOf(fields({ hostname: text, ip: text, ipMode: text, ports: listOf(anyObject) })) }),
      }),
    },
    ['spec'],
  ),
  defaults({ spec }, { old }) {
    spec.type ||= 'ClusterIP'
    spec.sessionAffinity ||= 'None'
    if (spec.sessionAffinity === 'ClientIP') spec['sessionAffinityConfig'] ??= { clientIP: { timeoutSeconds: SESSION_TIMEOUT_SECONDS } }
    for (const each of spec.ports ?? []) {
      each.protocol ||= 'TCP'
      if (each.targetPort === undefined || each.targetPort === 0 || each.targetPort === '') each.targetPort = each.port
    }
    if (spec.type === 'ExternalName') {
      // An alias has no address; one that was a real service until now gives its own back.
      for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const) delete spec[field]
      return
    }
    // Left out of an update (PUT without it, kubectl replace) means unchanged, as long as there was one.
    if (!spec.clusterIP && old?.spec.clusterIP) {
      spec.clusterIP = old.spec.clusterIP
      spec.clusterIPs ??= old.spec.clusterIPs ?? [old.spec.clusterIP]
    }
    if (spec.clusterIP) spec.clusterIPs ??= [spec.clusterIP]
    else if (spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0]
    spec.ipFamilies ??= ['IPv4']
    spec.ipFamilyPolicy ??= 'SingleStack'
    spec.internalTrafficPolicy ??= 'Cluster'
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') spec.externalTrafficPolicy ||= 'Cluster'
    else for (const each of spec.ports ?? []) delete each.nodePort
    if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
    keepNodePorts(spec, old?.spec)
  },
  validate: (service, { old }) => validateService(service, old),
  prepare(service, context) {
    if (context.operation === 'CREATE') service.status = { loadBalancer: {} }
    allocateClusterIp(service, context)
    allocateNodePorts(service, context)
  },
  fieldSelectors: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type ?? '' },
}

/** A port that an update leaves without a node port keeps the one it has. */
function keepNodePorts(spec: CoreService['spec'], old: CoreService['spec'] | undefined): void {
  if (!old || (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer')) return
  for (const each of spec.ports ?? []) {
    const before = old.ports?.find((own) => own.port === each.port && own.protocol === each.protocol)
    if (!each.nodePort && before?.nodePort) each.nodePort = before.nodePort
  }
}

function externalIpCell({ spec, status }: CoreService): string {
  const given = (spec['externalIPs'] ?? []) as string[]
  if (spec.type === 'ExternalName') return spec.externalName || '<none>'
  if (spec.type !== 'LoadBalancer') return given.join(',') || '<none>'
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '')
  return [...ingress, ...given].filter(Boolean).join(',') || '<pending>'
}

function portsCell({ spec }: CoreService): string {
  const shown = (spec.ports ?? []).map(
    ({ port: number, nodePort, protocol }) => `${number}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`,
  )
  return shown.join(',') || '<none>'
}
