import { causes } from '../../../apimachinery/causes.js'
import { dns1123Label, subdomain } from '../../../apimachinery/names.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isIpv4 } from './allocate.js'
import type { CoreService } from './schema.js'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const AFFINITIES = ['ClientIP', 'None']
const PORT_RULE = 'must be between 1 and 65535, inclusive'

/** @see kubernetes/kubernetes v1.35 pkg/apis/core/validation/validation.go ValidateService */
export function validateService({ spec }: CoreService, old: CoreService | undefined): Cause[] {
  const found: Cause[] = []
  const isHeadless = spec.clusterIP === 'None'
  if (!TYPES.includes(spec.type!)) return [causes.notSupported('spec.type', spec.type, TYPES)]
  if (!AFFINITIES.includes(spec.sessionAffinity!)) found.push(causes.notSupported('spec.sessionAffinity', spec.sessionAffinity, AFFINITIES))
  const ports = spec.ports ?? []
  if (ports.length === 0 && !isHeadless && spec.type !== 'ExternalName') found.push(causes.required('spec.ports'))
  found.push(...portCauses(ports))
  if (spec.type === 'ExternalName') found.push(...externalNameCauses(spec.externalName))
  else found.push(...addressCauses(spec, old?.spec))
  if (isHeadless && (spec.type === 'NodePort' || spec.type === 'LoadBalancer'))
    found.push(causes.invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  return found
}

function portCauses(ports: NonNullable<CoreService['spec']['ports']>): Cause[] {
  const names = new Set<string>()
  const numbers = new Set<string>()
  return ports.flatMap(({ name, port, protocol, targetPort }, index) => {
    const path = `spec.ports[${index}]`
    const found: Cause[] = []
    if (!name) {
      if (ports.length > 1) found.push(causes.required(`${path}.name`))
    } else {
      found.push(...dns1123Label(name).map((problem) => causes.invalid(`${path}.name`, name, problem)))
      if (names.has(name)) found.push(causes.duplicate(`${path}.name`, name))
      names.add(name)
    }
    if (!isPort(port)) found.push(causes.invalid(`${path}.port`, port, PORT_RULE))
    if (typeof targetPort === 'number' && !isPort(targetPort)) found.push(causes.invalid(`${path}.targetPort`, targetPort, PORT_RULE))
    if (!PROTOCOLS.includes(protocol!)) found.push(causes.notSupported(`${path}.protocol`, protocol, PROTOCOLS))
    const key = `${protocol}/${port}`
    if (numbers.has(key)) found.push({ ...causes.duplicate(path, { port, protocol }) })
    numbers.add(key)
    return found
  })
}

function externalNameCauses(name: string | undefined): Cause[] {
  const bare = (name ?? '').replace(/\.$/, '')
  if (bare === '') return [causes.required('spec.externalName')]
  return subdomain(bare).map((problem) => causes.invalid('spec.externalName', bare, problem))
}

function addressCauses(spec: CoreService['spec'], old: CoreService['spec'] | undefined): Cause[] {
  const { clusterIP, clusterIPs } = spec
  if (clusterIP && clusterIP !== 'None' && !isIpv4(clusterIP))
    return [causes.invalid('spec.clusterIPs[0]', clusterIP, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
  if (clusterIP && clusterIPs && clusterIPs[0] !== clusterIP)
    return [causes.invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`')]
  if (old?.type !== 'ExternalName' && old?.clusterIP && clusterIP !== old.clusterIP)
    return [causes.invalid('spec.clusterIPs[0]', clusterIPs?.[0] ?? clusterIP, 'may not change once set')]
  return []
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535
}
