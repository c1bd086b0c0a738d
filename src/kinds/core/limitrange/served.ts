import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { qualifiedName } from '../../../apimachinery/names.js'
import { canonicalQuantity, parseQuantity } from '../../../apimachinery/quantity.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { roleColumns } from '../role/rules.js'
import { described, fields, listOf, objectSchema, quantities, text } from '../schema-parts.js'
import { limitRangeKind } from './kind.js'
import type { LimitRange, LimitRangeItem, Quantities } from './schema.js'

/** The maps of an item, in the order in which they are told. */
const MAPS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

const item = fields(
  {
    default: described('Limits of a container that names none.', quantities),
    defaultRequest: described('Requests of a container that names none.', quantities),
    max: described('The most that may be asked for.', quantities),
    maxLimitRequestRatio: described('How many times its request a limit may be.', quantities),
    min: described('The least that may be asked for.', quantities),
    type: described('Container, Pod or PersistentVolumeClaim.', text),
  },
  ['type'],
)

/** What Pods and claims of a namespace may ask for. What it means for them is in `admission.ts`. */
export const limitRangeServed: ServedKind<LimitRange> = {
  kind: { ...limitRangeKind, columns: roleColumns },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema('LimitRange says how much single objects of a namespace may ask for.', {
    spec: fields({ limits: listOf(item) }),
  }),
  defaults(limitRange) {
    limitRange.spec ??= { limits: [] }
    limitRange.spec.limits ??= []
    for (const limit of limitRange.spec.limits) defaultItem(limit)
  },
  validate: ({ spec }) => limitCauses(spec.limits),
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/core/v1/defaults.go, SetDefaults_LimitRangeItem */
function defaultItem(limit: LimitRangeItem): void {
  for (const name of MAPS) {
    for (const [resource, amount] of Object.entries(limit[name] ?? {})) limit[name]![resource] = canonicalQuantity(String(amount)) ?? amount
  }
  if (limit.type !== 'Container') return
  const limits: Quantities = { ...limit.max, ...limit.default }
  const requests: Quantities = { ...limit.min, ...limits, ...limit.defaultRequest }
  if (Object.keys(limits).length > 0) limit.default = limits
  if (Object.keys(requests).length > 0) limit.defaultRequest = requests
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/core/validation/validation.go, ValidateLimitRange */
function limitCauses(limits: readonly LimitRangeItem[]): Cause[] {
  const types = new Set<string>()
  return limits.flatMap((limit, index) => {
    const path = `spec.limits[${index}]`
    const found: Cause[] = []
    if (types.has(limit.type)) found.push(causes.duplicate(`${path}.type`, limit.type))
    types.add(limit.type)
    for (const problem of limit.type.includes('/') ? qualifiedName(limit.type) : [])
      found.push(causes.invalid(`${path}.type`, limit.type, problem))
    if (!['Container', 'Pod', 'PersistentVolumeClaim'].includes(limit.type) && !limit.type.includes('/'))
      found.push(causes.invalid(`${path}.type`, limit.type, 'must be a standard limit type or fully qualified'))
    if (limit.type === 'Pod') {
      for (const name of ['default', 'defaultRequest'] as const)
        if (limit[name]) found.push(causes.forbidden(`${path}.${name}`, 'may not be specified when `type` is Pod'))
    }
    if (limit.type === 'PersistentVolumeClaim' && limit.min?.['storage'] === undefined && limit.max?.['storage'] === undefined)
      found.push(causes.required(path, 'either minimum or maximum storage value is required, but neither was provided'))
    return [...found, ...orderCauses(limit, path)]
  })
}

/** Pairs of which the first may not be more than the second. */
const ORDER = [
  ['min', 'max', 'min value', 'max value', 'min'],
  ['min', 'defaultRequest', 'min value', 'default request value', 'defaultRequest'],
  ['defaultRequest', 'max', 'default request value', 'max value', 'defaultRequest'],
  ['defaultRequest', 'default', 'default request value', 'default limit value', 'defaultRequest'],
  ['min', 'default', 'min value', 'default value', 'default'],
  ['default', 'max', 'default value', 'max value', 'default'],
] as const

function orderCauses(limit: LimitRangeItem, path: string): Cause[] {
  const found: Cause[] = []
  const resources = new Set(MAPS.flatMap((name) => Object.keys(limit[name] ?? {})))
  const amount = (name: (typeof MAPS)[number], resource: string): bigint | undefined => {
    const given = limit[name] && Object.hasOwn(limit[name], resource) ? limit[name][resource] : undefined
    return given === undefined ? undefined : parseQuantity(String(given))
  }
  for (const resource of [...resources].sort()) {
    for (const [lower, upper, lowerName, upperName, told] of ORDER) {
      const [least, most] = [amount(lower, resource), amount(upper, resource)]
      if (least === undefined || most === undefined || least <= most) continue
      const why = `${lowerName} ${limit[lower]![resource]} is greater than ${upperName} ${limit[upper]![resource]}`
      found.push(causes.invalid(`${path}.${told}[${resource}]`, limit[told]![resource], why))
    }
    const ratio = amount('maxLimitRequestRatio', resource)
    if (ratio !== undefined && ratio < 1_000_000_000n) {
      const given = limit.maxLimitRequestRatio![resource]
      found.push(causes.invalid(`${path}.maxLimitRequestRatio[${resource}]`, given, `ratio ${given} is less than 1`))
    }
  }
  return found
}
