import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { qualifiedName } from '../../../apimachinery/names.js'
import { canonicalQuantity, parseQuantity } from '../../../apimachinery/quantity.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { described, fields, listOf, objectSchema, quantities, text, texts } from '../schema-parts.js'
import { resourceQuotaKind } from './kind.js'
import type { ResourceQuota } from './schema.js'
import { resourceCountedAs } from './usage.js'

const columns: readonly Column[] = [
  { name: 'Request', type: 'string', description: 'What is used, of how much.', cell: (quota: ResourceQuota) => usedText(quota, false) },
  { name: 'Limit', type: 'string', description: 'The same for limits.', cell: (quota: ResourceQuota) => usedText(quota, true) },
  { name: 'Age', type: 'string', cell: ({ metadata }: ResourceQuota, nowMs) => age(metadata.creationTimestamp, nowMs) },
]

/** How much a namespace may use in all: enforced by `admission.ts`, shown by `reconcile.ts`. */
export const resourceQuotaServed: ServedKind<ResourceQuota> = {
  kind: { ...resourceQuotaKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema('ResourceQuota says how much the objects of a namespace may use together.', {
    spec: fields({
      hard: described('The most of each, by name: `pods`, `limits.cpu`, `count/deployments.apps` …', quantities),
      scopeSelector: {
        ...fields({ matchExpressions: listOf(fields({ operator: text, scopeName: text, values: texts }, ['scopeName', 'operator'])) }),
        'x-kubernetes-map-type': 'atomic',
      },
      scopes: described('Which Pods count: all of these have to hold.', texts),
    }),
    status: fields({ hard: quantities, used: quantities }),
  }),
  defaults(quota) {
    quota.spec ??= {}
    for (const amounts of [quota.spec.hard, quota.status?.hard, quota.status?.used])
      for (const [name, amount] of Object.entries(amounts ?? {})) amounts![name] = canonicalQuantity(String(amount)) ?? amount
  },
  validate: (quota, { old }) => [
    ...hardCauses(quota),
    ...scopeCauses(quota),
    ...(old && !isSameJson([...(quota.spec.scopes ?? [])].sort(), [...(old.spec.scopes ?? [])].sort())
      ? [causes.invalid('spec.scopes', quota.spec.scopes ?? null, 'field is immutable')]
      : []),
  ],
}

/** `pods: 1/10, requests.cpu: 250m/1`, limits apart from the rest. */
function usedText({ status }: ResourceQuota, areLimits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith('limits') === areLimits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status!.hard![name]}`)
    .join(', ')
}

/** Counted in whole numbers. */
const isCount = (name: string): boolean =>
  name.startsWith('count/') ||
  /^(?:pods|services|configmaps|secrets|replicationcontrollers|resourcequotas|persistentvolumeclaims|services\.(?:nodeports|loadbalancers))$/.test(
    name,
  )

/** @see kubernetes/kubernetes v1.35 pkg/apis/core/validation/validation.go, ValidateResourceQuotaSpec */
function hardCauses({ spec }: ResourceQuota): Cause[] {
  return Object.entries(spec.hard ?? {}).flatMap(([name, text]) => {
    const field = `spec.hard[${name}]`
    const problems = qualifiedName(name)
    if (problems.length > 0) return problems.map((problem) => causes.invalid(field, name, problem))
    if (!name.includes('/') && resourceCountedAs(name) === undefined)
      return [
        causes.invalid(field, name, 'must be a standard resource for quota'),
        causes.invalid(field, name, 'must be a standard resource type or fully qualified'),
      ]
    const amount = parseQuantity(String(text))
    if (amount === undefined) return []
    if (amount < 0n) return [causes.invalid(field, text, 'must be greater than or equal to 0')]
    return isCount(name) && amount % 1_000_000_000n !== 0n ? [causes.invalid(field, text, 'must be an integer')] : []
  })
}

const SCOPES = ['Terminating', 'NotTerminating', 'BestEffort', 'NotBestEffort', 'PriorityClass', 'CrossNamespacePodAffinity']
const OPPOSITES = [
  ['Terminating', 'NotTerminating'],
  ['BestEffort', 'NotBestEffort'],
] as const
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist']

function scopeCauses({ spec }: ResourceQuota): Cause[] {
  const found: Cause[] = []
  const { scopes = [], scopeSelector } = spec
  const limited = Object.keys(spec.hard ?? {})
  const doesNotFit = (name: string, scope: string): boolean => {
    if (resourceCountedAs(name) !== 'pods' || name.startsWith('count/')) return true
    return scope === 'BestEffort' && name !== 'pods'
  }
  const check = (scope: string, field: string, all: readonly string[]): void => {
    if (!SCOPES.includes(scope)) found.push(causes.invalid(field, all, 'unsupported scope'))
    else if (limited.some((name) => doesNotFit(name, scope)))
      found.push(causes.invalid(field, all, 'unsupported scope applied to resource'))
  }
  for (const scope of scopes) check(scope, 'spec.scopes', scopes)
  for (const [one, other] of OPPOSITES)
    if (scopes.includes(one) && scopes.includes(other)) found.push(causes.invalid('spec.scopes', scopes, 'conflicting scopes'))
  for (const { scopeName, operator, values = [] } of scopeSelector?.matchExpressions ?? []) {
    const field = 'spec.scopeSelector.matchExpressions'
    check(scopeName, `${field}.scopeName`, [scopeName])
    if (!OPERATORS.includes(operator)) found.push(causes.invalid(`${field}.operator`, operator, 'not a valid selector operator'))
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      found.push(causes.required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      found.push(
        causes.invalid(`${field}.values`, values, "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"),
      )
    if (scopeName !== 'PriorityClass' && operator !== 'Exists' && OPERATORS.includes(operator))
      found.push(
        causes.invalid(
          `${field}.operator`,
          operator,
          "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      )
  }
  return found
}
