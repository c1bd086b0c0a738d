import type { Endpoints } from '../endpoints/schema.js'
import type { Endpoint, EndpointSlice } from '../endpointslice/schema.js'
import { isPodReady } from '../pod/conditions.js'
import type { Pod } from '../pod/schema.js'
import type { CoreService, ServicePort } from './schema.js'

type SlicePorts = NonNullable<EndpointSlice['ports']>
type EndpointSubset = NonNullable<Endpoints['subsets']>[number]

/** Endpoints that are reached on the same ports, all by addresses of one family. */
export interface EndpointGroup {
  addressType: 'IPv4' | 'IPv6'
  ports: SlicePorts
  endpoints: Endpoint[]
}

/**
 * The endpoints of a service's Pods, grouped by the ports its target ports mean in each. Pods without an address, or that
 * are over, have none; those on their way out are listed as terminating.
 * @see kubernetes/kubernetes v1.35 staging/src/k8s.io/endpointslice/reconciler.go
 */
export function groupsFor(service: CoreService, pods: readonly Pod[]): EndpointGroup[] {
  const { spec } = service
  const groups = new Map<string, EndpointGroup>()
  const withAddress = pods.filter(({ status }) => status?.podIP && status.phase !== 'Succeeded' && status.phase !== 'Failed')
  for (const pod of [...withAddress].sort((a, b) => (a.status!.podIP! < b.status!.podIP! ? -1 : 1))) {
    const ports = (spec.ports ?? []).flatMap((port) => slicePort(port, pod))
    if (ports.length === 0 && spec.ports?.length) continue
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { addressType: 'IPv4', ports, endpoints: [] }
    groups.set(key, group)
    group.endpoints.push(endpointOf(pod, service))
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}

/** The same as the older kind says it. Terminating Pods are left out there. */
export function subsetsFrom(groups: readonly EndpointGroup[]): EndpointSubset[] {
  return groups.flatMap(({ ports, endpoints }) => {
    const addressOf = ({ addresses, hostname, nodeName, targetRef }: Endpoint) => ({
      ip: addresses[0]!,
      ...(hostname && { hostname }),
      ...(nodeName && { nodeName }),
      ...(targetRef && { targetRef }),
    })
    const present = endpoints.filter(({ conditions }) => !conditions?.terminating || conditions.ready)
    const addresses = present.filter(({ conditions }) => conditions?.ready).map(addressOf)
    const notReadyAddresses = present.filter(({ conditions }) => !conditions?.ready).map(addressOf)
    if (addresses.length + notReadyAddresses.length === 0) return []
    return [
      {
        ...(addresses.length > 0 && { addresses }),
        ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
        ...(ports.length > 0 && {
          ports: ports.map(({ name, port, protocol, appProtocol }) => withoutEmpty({ name, port: port!, protocol, appProtocol })),
        }),
      },
    ]
  })
}

/** What someone wrote into Endpoints by hand, as slices carry it (the mirroring controller's work). */
export function groupsFromSubsets(subsets: readonly EndpointSubset[] = []): EndpointGroup[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const endpointFrom =
      (ready: boolean) =>
      ({ ip, hostname, nodeName, targetRef }: NonNullable<EndpointSubset['addresses']>[number]): Endpoint => ({
        addresses: [ip],
        conditions: { ready },
        ...(hostname && { hostname }),
        ...(nodeName && { nodeName }),
        ...(targetRef && { targetRef }),
      })
    const slicePorts = ports.map(({ name = '', port, protocol = 'TCP', appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol && { appProtocol }),
    }))
    const endpoints = [...addresses.map(endpointFrom(true)), ...notReadyAddresses.map(endpointFrom(false))]
    return (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
      const ofFamily = endpoints.filter(({ addresses: [address = ''] }) => address.includes(':') === (addressType === 'IPv6'))
      return ofFamily.length > 0 ? [{ addressType, ports: slicePorts, endpoints: ofFamily }] : []
    })
  })
}

function endpointOf(pod: Pod, service: CoreService): Endpoint {
  const { metadata, spec, status } = pod
  const publishNotReady = service.spec.publishNotReadyAddresses === true
  const isNamedBelow = spec.hostname && spec.subdomain === service.metadata.name
  const serving = isPodReady(pod)
  const terminating = metadata.deletionTimestamp !== undefined
  return {
    addresses: [status!.podIP!],
    conditions: { ready: publishNotReady || (serving && !terminating), serving: publishNotReady || serving, terminating },
    ...(isNamedBelow && { hostname: spec.hostname! }),
    targetRef: { kind: 'Pod', namespace: metadata.namespace!, name: metadata.name, uid: metadata.uid! },
    ...(spec.nodeName && { nodeName: spec.nodeName }),
  }
}

/** A named target port is whatever number the Pod gives it; a Pod without that name has no such endpoint. */
function slicePort({ name = '', protocol = 'TCP', targetPort, port, appProtocol }: ServicePort, pod: Pod): SlicePorts {
  const number =
    typeof targetPort === 'number' ? targetPort : (portNamed(pod, targetPort, protocol) ?? (targetPort === undefined ? port : undefined))
  return number === undefined ? [] : [{ name, protocol, port: number, ...(appProtocol && { appProtocol }) }]
}

function portNamed({ spec }: Pod, wanted: string | undefined, protocol: string): number | undefined {
  if (wanted === undefined) return undefined
  if (/^\d+$/.test(wanted)) return Number(wanted)
  for (const { ports = [] } of spec.containers) {
    const found = ports.find((port) => port.name === wanted && (port.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}

function withoutEmpty<
  T extends { name?: string | undefined; protocol?: string | undefined; appProtocol?: string | undefined; port: number },
>(port: T) {
  return {
    port: port.port,
    ...(port.name && { name: port.name }),
    ...(port.protocol && { protocol: port.protocol }),
    ...(port.appProtocol && { appProtocol: port.appProtocol }),
  }
}
