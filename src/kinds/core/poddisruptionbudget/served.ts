import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { conditions, fields, int32, int64, intOrText, labelSelector, objectSchema, text, time } from '../schema-parts.js'
import { selectorCauses } from '../validate-workload.js'
import { podDisruptionBudgetKind } from './kind.js'
import type { PodDisruptionBudget } from './schema.js'

const POLICIES = ['AlwaysAllow', 'IfHealthyBudget']
const PERCENT_RULE =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

const columns: readonly Column[] = [
  {
    name: 'Min Available',
    type: 'string',
    description: 'How many Pods have to be there.',
    cell: ({ spec }: PodDisruptionBudget) => String(spec?.minAvailable ?? 'N/A'),
  },
  {
    name: 'Max Unavailable',
    type: 'string',
    description: 'How many Pods may be missing.',
    cell: ({ spec }: PodDisruptionBudget) => String(spec?.maxUnavailable ?? 'N/A'),
  },
  {
    name: 'Allowed Disruptions',
    type: 'integer',
    description: 'How many evictions are allowed now.',
    cell: ({ status }: PodDisruptionBudget) => status?.disruptionsAllowed ?? 0,
  },
  { name: 'Age', type: 'string', cell: (budget: PodDisruptionBudget, nowMs) => age(budget.metadata.creationTimestamp, nowMs) },
]

export const podDisruptionBudgetServed: ServedKind<PodDisruptionBudget> = {
  kind: { ...podDisruptionBudgetKind, columns },
  builtIn: true,
  unconditionalUpdate: false,
  schema: objectSchema('PodDisruptionBudget says how many of its Pods evictions have to leave.', {
    spec: fields({ maxUnavailable: intOrText, minAvailable: intOrText, selector: labelSelector, unhealthyPodEvictionPolicy: text }),
    status: fields({
      conditions,
      currentHealthy: int32,
      desiredHealthy: int32,
      disruptedPods: { type: 'object', additionalProperties: time },
      disruptionsAllowed: int32,
      expectedPods: int32,
      observedGeneration: int64,
    }),
  }),
  validate({ spec = {} }) {
    const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec
    const found: Cause[] = []
    if (minAvailable !== undefined && maxUnavailable !== undefined)
      found.push(causes.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
    found.push(...amountCauses(minAvailable, 'spec.minAvailable'), ...amountCauses(maxUnavailable, 'spec.maxUnavailable'))
    if (selector) found.push(...selectorCauses(selector, 'spec.selector'))
    if (policy !== undefined && !POLICIES.includes(policy))
      found.push(causes.notSupported('spec.unhealthyPodEvictionPolicy', policy, POLICIES))
    return found
  },
  prepare(budget, { operation }) {
    if (operation === 'CREATE') budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
  },
}

function amountCauses(amount: number | string | undefined, path: string): Cause[] {
  if (typeof amount === 'number' && amount < 0) return [causes.invalid(path, amount, 'must be greater than or equal to 0')]
  if (typeof amount !== 'string') return []
  if (!/^[0-9]+%$/.test(amount)) return [causes.invalid(path, amount, PERCENT_RULE)]
  return Number.parseInt(amount, 10) > 100 ? [causes.invalid(path, amount, 'must not be greater than 100%')] : []
}
