import { causes } from '../../../apimachinery/causes.js'
import type { Column } from '../../../apimachinery/kind.js'
import type { PolicyRule } from '../../../apimachinery/rbac.js'
import type { Schema } from '../../../apimachinery/schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { described, fields, listOf, texts } from '../schema-parts.js'

/** What Roles and ClusterRoles have in common. */

export const rulesSchema: Schema = described(
  'All the rules of this role.',
  listOf(
    fields(
      {
        apiGroups: described('API groups of the resources; "" is the core group, "*" every group.', texts),
        nonResourceURLs: described('Paths outside the API groups; "*" stands for the rest of a path. Only for ClusterRoles.', texts),
        resourceNames: described('Names that this rule is restricted to; empty means every name.', texts),
        resources: described('Resources, "*" for all.', texts),
        verbs: described('What may be done, "*" for everything.', texts),
      },
      ['verbs'],
    ),
  ),
)

/** Roles tell when they were made rather than how old they are. */
export const roleColumns: readonly Column[] = [
  {
    name: 'Created At',
    type: 'date',
    description: 'When this object was created.',
    cell: ({ metadata }: { metadata: { creationTimestamp?: string } }) => metadata.creationTimestamp ?? null,
  },
]

/** @see kubernetes/kubernetes v1.35 pkg/apis/rbac/validation/validation.go, ValidatePolicyRule */
export function ruleCauses(rules: readonly PolicyRule[] | undefined, { namespaced }: { namespaced: boolean }): Cause[] {
  return (rules ?? []).flatMap((rule, index) => causesOf(rule, `rules[${index}]`, namespaced))
}

function causesOf(rule: PolicyRule, path: string, namespaced: boolean): Cause[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const found: Cause[] = []
  if (verbs.length === 0) found.push(causes.required(`${path}.verbs`, 'verbs must contain at least one value'))
  if (nonResourceURLs.length > 0) {
    const field = `${path}.nonResourceURLs`
    if (namespaced) found.push(causes.invalid(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0)
      found.push(causes.invalid(field, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
    return found
  }
  if (apiGroups.length === 0) found.push(causes.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (resources.length === 0) found.push(causes.required(`${path}.resources`, 'resource rules must supply at least one resource'))
  return found
}
