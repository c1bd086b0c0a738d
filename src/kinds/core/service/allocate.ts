import { createHash } from 'node:crypto'
import { causes } from '../../../apimachinery/causes.js'
import type { AdmissionContext } from '../../../apimachinery/kind.js'
import { refusals } from '../../../apimachinery/status-error.js'
import { serviceKind } from '../../service/kind.js'
import { PORT_ANNOTATION } from '../../service/schema.js'
import { coreServiceKind } from './kind.js'
import type { CoreService } from './schema.js'

/** Service addresses are 10.96.0.0/12 as kubeadm gives them; the first belongs to the API server. */
const FIRST_IP = (10 << 24) + (96 << 16)
const IP_COUNT = 2 ** 20
const API_SERVER = { namespace: 'default', name: 'kubernetes' }
/** --service-node-port-range. */
const FIRST_NODE_PORT = 30_000
const NODE_PORT_COUNT = 2768

/**
 * Gives a service its cluster address, unless it has one, is headless or is an alias: a place that follows from its name,
 * so that making it again gives the same one, or the next free. Throws StatusError (422) for one that is taken.
 */
export function allocateClusterIp(service: CoreService, context: AdmissionContext<CoreService>): void {
  const { spec, metadata } = service
  if (spec.type === 'ExternalName' || spec.clusterIP === 'None') return
  if (spec.clusterIP && spec.clusterIP === context.old?.spec.clusterIP) return
  const taken = new Set(
    context
      .list(coreServiceKind)
      .filter(isOther(service))
      .map((other) => other.spec.clusterIP),
  )
  if (spec.clusterIP) {
    if (taken.has(spec.clusterIP))
      refuse(service, 'spec.clusterIPs', [spec.clusterIP], `failed to allocate IP ${spec.clusterIP}: provided IP is already allocated`)
    return
  }
  const isApiServer = metadata.namespace === API_SERVER.namespace && metadata.name === API_SERVER.name
  const start = isApiServer ? 1 : 2 + (placeOf(service, '') % (IP_COUNT - 3))
  for (let step = 0; step < IP_COUNT; step++) {
    const offset = isApiServer ? 1 + step : 2 + ((start - 2 + step) % (IP_COUNT - 3))
    const ip = ipText(FIRST_IP + offset)
    if (taken.has(ip)) continue
    spec.clusterIP = ip
    spec.clusterIPs = [ip]
    return
  }
  throw refusals.internal('failed to allocate a serviceIP: range is full')
}

/** Gives every port of a NodePort or LoadBalancer service its node port; Knative Services' own stable ports count as taken. */
export function allocateNodePorts(service: CoreService, context: AdmissionContext<CoreService>): void {
  const { spec } = service
  const wants = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
  if (!wants) return
  const others = context.list(coreServiceKind).filter(isOther(service))
  const taken = new Set(others.flatMap((other) => (other.spec.ports ?? []).map(({ nodePort }) => nodePort)))
  for (const { metadata } of context.list(serviceKind)) taken.add(Number(metadata.annotations?.[PORT_ANNOTATION]))
  const own = new Set<string>()
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (port.nodePort) {
      if (port.nodePort < FIRST_NODE_PORT || port.nodePort >= FIRST_NODE_PORT + NODE_PORT_COUNT)
        refuse(
          service,
          `spec.ports[${index}].nodePort`,
          port.nodePort,
          'provided port is not in the valid range. The range of valid ports is 30000-32767',
        )
      if (taken.has(port.nodePort) || own.has(`${port.protocol}/${port.nodePort}`))
        refuse(service, `spec.ports[${index}].nodePort`, port.nodePort, 'provided port is already allocated')
    } else {
      const start = placeOf(service, String(port.port))
      for (let step = 0; step < NODE_PORT_COUNT && !port.nodePort; step++) {
        const candidate = FIRST_NODE_PORT + ((start + step) % NODE_PORT_COUNT)
        if (!taken.has(candidate)) port.nodePort = candidate
      }
      if (!port.nodePort) throw refusals.internal('failed to allocate a nodePort: range is full')
      taken.add(port.nodePort)
    }
    own.add(`${port.protocol}/${port.nodePort}`)
  }
}

export function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}

function isOther({ metadata }: CoreService): (other: CoreService) => boolean {
  return (other) => other.metadata.name !== metadata.name || other.metadata.namespace !== metadata.namespace
}

function placeOf({ metadata }: CoreService, salt: string): number {
  return createHash('sha256').update(`${metadata.namespace}/${metadata.name}/${salt}`).digest().readUInt32BE(0)
}

function ipText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

function refuse(service: CoreService, field: string, value: unknown, why: string): never {
  throw refusals.invalid(coreServiceKind, service.metadata.name, [causes.invalid(field, value, why)])
}
