import type { AdmissionPlugin } from '../../../apimachinery/admission-plugin.js'
import { canonicalQuantity, parseQuantity } from '../../../apimachinery/quantity.js'
import { refusals } from '../../../apimachinery/status-error.js'
import { type Amounts, amountsIn, podAmounts } from '../pod/resources.js'
import type { Container, Pod } from '../pod/schema.js'
import { limitRangeKind } from './kind.js'
import type { LimitRange, LimitRangeItem, Quantities } from './schema.js'

/** Says which containers were given what by a LimitRange. */
const ANNOTATION = 'kubernetes.io/limit-ranger'

/**
 * Gives new Pods what their namespace's LimitRanges say for containers that name nothing, and refuses Pods and claims that ask for
 * too much or too little. Pods are judged when they are made, claims whenever they are written.
 * @see kubernetes/kubernetes v1.35 plugin/pkg/admission/limitranger/admission.go
 */
export const limitRanger: AdmissionPlugin = {
  mutate(object, { resource, namespace, context }) {
    if (resource !== 'pods' || context.operation !== 'CREATE' || context.subresource !== '') return
    for (const limitRange of context.list(limitRangeKind, namespace)) fillIn(object as Pod, limitRange)
  },
  validate(object, { kind, resource, namespace, context }) {
    if (context.subresource !== '' || (resource !== 'pods' && resource !== 'persistentvolumeclaims')) return
    if (resource === 'pods' && context.operation !== 'CREATE') return
    for (const { spec } of [...context.list(limitRangeKind, namespace)].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const problems = spec.limits.flatMap((limit) =>
        resource === 'pods' ? podProblems(object as Pod, limit) : claimProblems(object, limit),
      )
      if (problems.length === 0) continue
      const text = problems.length === 1 ? problems[0]! : `[${[...new Set(problems)].join(', ')}]`
      throw refusals.forbidden({ group: kind.group, plural: kind.plural }, object.metadata.name, text)
    }
  },
}

function fillIn(pod: Pod, { spec }: LimitRange): void {
  const limits: Quantities = {}
  const requests: Quantities = {}
  for (const item of spec.limits) {
    if (item.type !== 'Container') continue
    Object.assign(limits, item.default)
    Object.assign(requests, item.defaultRequest)
  }
  const told: string[] = []
  const fill = (container: Container, sort: string): void => {
    container.resources ??= {}
    const add = (which: 'limits' | 'requests', defaults: Quantities): string[] => {
      const present = container.resources![which] ?? {}
      const missing = Object.keys(defaults).filter((name) => !Object.hasOwn(present, name))
      if (missing.length > 0)
        container.resources![which] = { ...present, ...Object.fromEntries(missing.map((name) => [name, defaults[name]!])) }
      return missing.sort()
    }
    const requested = add('requests', requests)
    const limited = add('limits', limits)
    if (requested.length > 0) told.push(`${requested.join(', ')} request for ${sort} ${container.name}`)
    if (limited.length > 0) told.push(`${limited.join(', ')} limit for ${sort} ${container.name}`)
  }
  for (const container of pod.spec.containers) fill(container, 'container')
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container')
  if (told.length === 0) return
  const text = `LimitRanger plugin set: ${told.join('; ')}`
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: text }
}

function podProblems({ spec }: Pod, limit: LimitRangeItem): string[] {
  if (limit.type === 'Container')
    return [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
      problemsOf(limit, amountsIn(resources?.requests), amountsIn(resources?.limits)),
    )
  if (limit.type !== 'Pod') return []
  return problemsOf(limit, podAmounts(spec, 'requests'), podAmounts(spec, 'limits'))
}

const byName = (quantities: Quantities | undefined): [name: string, text: string, amount: bigint][] =>
  Object.entries(quantities ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => [name, text, parseQuantity(String(text)) ?? 0n])

function problemsOf({ type, min, max, maxLimitRequestRatio }: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return [
    ...byName(min).flatMap(([name, text, least]) => {
      const rule = `minimum ${name} usage per ${type} is ${text}`
      const [request, limit] = [requests.get(name), limits.get(name)]
      if (request === undefined) return `${rule}.  No request is specified`
      if (request < least) return `${rule}, but request is ${quantityText(request, text)}`
      return limit !== undefined && limit < least ? `${rule}, but limit is ${quantityText(limit, text)}` : []
    }),
    ...byName(max).flatMap(([name, text, most]) => {
      const rule = `maximum ${name} usage per ${type} is ${text}`
      const [request, limit] = [requests.get(name), limits.get(name)]
      if (limit === undefined) return `${rule}.  No limit is specified`
      if (limit > most) return `${rule}, but limit is ${quantityText(limit, text)}`
      return request !== undefined && request > most ? `${rule}, but request is ${quantityText(request, text)}` : []
    }),
    ...byName(maxLimitRequestRatio).flatMap(([name, text, most]) => {
      const rule = `${name} max limit to request ratio per ${type} is ${text}`
      const [request, limit] = [requests.get(name), limits.get(name)]
      if (!request) return `${rule}, but no request is specified or request is 0`
      if (!limit) return `${rule}, but no limit is specified or limit is 0`
      return limit * 1_000_000_000n > most * request ? `${rule}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}` : []
    }),
  ]
}

function claimProblems(object: object, { type, min, max }: LimitRangeItem): string[] {
  if (type !== 'PersistentVolumeClaim') return []
  const { spec } = object as { spec?: { resources?: { requests?: Quantities } } }
  const requests = amountsIn(spec?.resources?.requests)
  return [
    ...byName(min).flatMap(([name, text, least]) => {
      const request = requests.get(name)
      const rule = `minimum ${name} usage per ${type} is ${text}`
      if (request === undefined) return `${rule}.  No request is specified`
      return request < least ? `${rule}, but request is ${quantityText(request, text)}` : []
    }),
    ...byName(max).flatMap(([name, text, most]) => {
      const request = requests.get(name)
      const rule = `maximum ${name} usage per ${type} is ${text}`
      if (request === undefined) return `${rule}.  No request is specified`
      return request > most ? `${rule}, but request is ${quantityText(request, text)}` : []
    }),
  ]
}

/** An amount as a quantity, in powers of two where the other one is. */
export function quantityText(amount: bigint, like = ''): string {
  const whole = amount % 1_000_000_000n === 0n
  if (whole && /[KMGTPE]i$/.test(like) && amount !== 0n) return binaryText(amount / 1_000_000_000n)
  return canonicalQuantity(`${amount}n`) ?? '0'
}

function binaryText(units: bigint): string {
  const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
  let power = 0
  let left = units
  while (left % 1024n === 0n && power < suffixes.length - 1) {
    left /= 1024n
    power++
  }
  return `${left}${suffixes[power]}`
}
