import type { KubeObject } from '../../../apimachinery/object.js'
import type { PersistentVolumeClaim } from '../persistentvolumeclaim/schema.js'
import { qosClassOf } from '../pod/qos.js'
import { type Amounts, amountsIn, podAmounts } from '../pod/resources.js'
import type { Pod } from '../pod/schema.js'
import type { CoreService } from '../service/schema.js'
import type { ResourceQuota, ScopeRequirement } from './schema.js'

/** One whole unit of what is counted, as amounts are kept. */
const ONE = 1_000_000_000n

/** Kinds that are counted under their bare names as well, which is how quotas named them first. */
const COUNTED_BARE: ReadonlySet<string> = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'])
const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'] as const
const COMPUTE_NAMES: ReadonlySet<string> = new Set(COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]))

/** What Kubernetes' own resources are called in a quota without a prefix. */
const NATIVE = /^(?:cpu|memory|storage|pods|services|configmaps|secrets)$/

/**
 * Which resource a name in a quota is about: `pods` for `limits.cpu`, `deployments.apps` for `count/deployments.apps`. Undefined
 * for a name that nothing is counted under.
 * @see kubernetes/kubernetes v1.35 pkg/quota/v1/evaluator/core
 */
export function resourceCountedAs(name: string): string | undefined {
  if (name.startsWith('count/')) return name.slice('count/'.length)
  if (COUNTED_BARE.has(name)) return name
  if (name === 'pods' || COMPUTE_NAMES.has(name) || name.startsWith('hugepages-')) return 'pods'
  if (name === 'services' || name.startsWith('services.')) return 'services'
  if (name === 'persistentvolumeclaims' || name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/'))
    return 'persistentvolumeclaims'
  if (name.startsWith('requests.') && !NATIVE.test(name.slice('requests.'.length))) return 'pods'
  return undefined
}

/** What one object uses of everything that quotas may limit. `nowMs` is the virtual time. */
export function usageOf(resource: string, object: KubeObject, nowMs: number): Amounts {
  const usage: Amounts = new Map([[`count/${resource}`, ONE]])
  if (COUNTED_BARE.has(resource)) usage.set(resource, ONE)
  if (resource === 'pods') addPod(usage, object as Pod, nowMs)
  else if (resource === 'services') addService(usage, object as CoreService)
  else if (resource === 'persistentvolumeclaims') addClaim(usage, object as PersistentVolumeClaim)
  return usage
}

/** A Pod that is over uses nothing any more but its place in the store. */
function addPod(usage: Amounts, pod: Pod, nowMs: number): void {
  const { phase } = pod.status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (
    deletionTimestamp &&
    deletionGracePeriodSeconds !== undefined &&
    nowMs > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
  )
    return
  usage.set('pods', ONE)
  addCompute(usage, podAmounts(pod.spec, 'requests'), podAmounts(pod.spec, 'limits'))
}

function addCompute(usage: Amounts, requests: Amounts, limits: Amounts): void {
  for (const [name, amount] of requests) {
    const isCompute = (COMPUTE as readonly string[]).includes(name)
    if (isCompute || name.startsWith('hugepages-')) usage.set(name, amount)
    usage.set(`requests.${name}`, amount)
  }
  for (const name of COMPUTE) {
    const limit = limits.get(name)
    if (limit !== undefined) usage.set(`limits.${name}`, limit)
  }
}

function addService(usage: Amounts, { spec }: CoreService): void {
  const { type, ports = [], allocateLoadBalancerNodePorts } = spec
  const nodePorts = type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
  const ownPorts = ports.filter(({ nodePort }) => (nodePort ?? 0) !== 0)
  usage.set('services', ONE)
  usage.set('services.nodeports', BigInt(nodePorts ? ports.length : type === 'LoadBalancer' ? ownPorts.length : 0) * ONE)
  usage.set('services.loadbalancers', type === 'LoadBalancer' ? ONE : 0n)
}

function addClaim(usage: Amounts, { spec, metadata }: PersistentVolumeClaim): void {
  const storageClass = metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName
  const storage = amountsIn(spec.resources?.requests).get('storage')
  const prefixes = storageClass ? ['', `${storageClass}.storageclass.storage.k8s.io/`] : ['']
  for (const prefix of prefixes) {
    usage.set(`${prefix}persistentvolumeclaims`, ONE)
    if (storage !== undefined) usage.set(`${prefix}requests.storage`, storage)
  }
}

/** Whether an object falls under a quota's scopes; a quota with scopes is about Pods. */
export function isInScope({ spec }: ResourceQuota, resource: string, object: KubeObject): boolean {
  const scopes: ScopeRequirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ]
  if (scopes.length === 0) return true
  return resource === 'pods' && scopes.every((scope) => podMatches(object as Pod, scope))
}

function podMatches({ spec }: Pod, { scopeName, operator, values = [] }: ScopeRequirement): boolean {
  const deadline = spec['activeDeadlineSeconds']
  const priorityClass = spec['priorityClassName'] as string | undefined
  switch (scopeName) {
    case 'Terminating':
      return typeof deadline === 'number' && deadline >= 0
    case 'NotTerminating':
      return !(typeof deadline === 'number' && deadline >= 0)
    case 'BestEffort':
      return qosClassOf(spec) === 'BestEffort'
    case 'NotBestEffort':
      return qosClassOf(spec) !== 'BestEffort'
    case 'PriorityClass':
      if (operator === 'Exists') return Boolean(priorityClass)
      if (operator === 'DoesNotExist') return !priorityClass
      return values.includes(priorityClass ?? '') === (operator === 'In')
    case 'CrossNamespacePodAffinity':
      return looksAcrossNamespaces(spec['affinity'] as Affinity | undefined)
    default:
      return false
  }
}

interface AffinityTerm {
  namespaces?: string[]
  namespaceSelector?: object
}
interface Terms {
  requiredDuringSchedulingIgnoredDuringExecution?: AffinityTerm[]
  preferredDuringSchedulingIgnoredDuringExecution?: { podAffinityTerm?: AffinityTerm }[]
}
interface Affinity {
  podAffinity?: Terms
  podAntiAffinity?: Terms
}

function looksAcrossNamespaces(affinity: Affinity | undefined): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((terms) =>
    [
      ...(terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm ?? {}),
    ].some(({ namespaces, namespaceSelector }) => (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined),
  )
}

/** Containers must say what they need of these where a quota limits them. */
const REQUIRED: ReadonlySet<string> = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

/** What is wrong with a Pod whose containers are silent about what a quota limits; undefined when they are not. */
export function silenceOf({ spec }: Pod, limited: readonly string[]): string | undefined {
  const missing = new Map<string, string[]>()
  for (const { name: container, resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const said: Amounts = new Map()
    addCompute(said, amountsIn(resources?.requests), amountsIn(resources?.limits))
    for (const name of limited) if (REQUIRED.has(name) && !said.has(name)) missing.set(name, [...(missing.get(name) ?? []), container])
  }
  if (missing.size === 0) return undefined
  const texts = [...missing].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, containers]) => `${name} for: ${containers.sort().join(',')}`)
  return `must specify ${texts.join('; ')}`
}
