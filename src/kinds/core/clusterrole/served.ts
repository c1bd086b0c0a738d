import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { roleColumns, ruleCauses, rulesSchema } from '../role/rules.js'
import { described, fields, labelSelector, listOf, objectSchema } from '../schema-parts.js'
import { clusterRoleKind } from './kind.js'
import type { ClusterRole } from './schema.js'

export const clusterRoleServed: ServedKind<ClusterRole> = {
  kind: { ...clusterRoleKind, columns: roleColumns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  nameRule: 'pathSegment',
  schema: objectSchema('ClusterRole holds rules for the whole cluster, or for the namespace of the RoleBinding that refers to it.', {
    aggregationRule: described(
      'Which ClusterRoles this one takes its rules from. Rules that are set by hand are overwritten then.',
      fields({ clusterRoleSelectors: described('ClusterRoles that match any of these.', listOf(labelSelector)) }),
    ),
    rules: rulesSchema,
  }),
  validate: (role) => [...ruleCauses(role.rules, { namespaced: false }), ...aggregationCauses(role)],
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/rbac/validation/validation.go, ValidateClusterRole */
function aggregationCauses({ aggregationRule }: ClusterRole): Cause[] {
  if (!aggregationRule) return []
  const field = 'aggregationRule.clusterRoleSelectors'
  const { clusterRoleSelectors = [] } = aggregationRule
  if (clusterRoleSelectors.length === 0)
    return [causes.required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  return clusterRoleSelectors.flatMap(({ matchExpressions = [] }, index) =>
    matchExpressions.flatMap(({ operator, values = [] }, at) => {
      const path = `${field}[${index}].matchExpressions[${at}]`
      if (operator === 'In' || operator === 'NotIn')
        return values.length === 0 ? [causes.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")] : []
      if (operator === 'Exists' || operator === 'DoesNotExist')
        return values.length > 0
          ? [causes.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
          : []
      return [causes.invalid(`${path}.operator`, operator, 'not a valid selector operator')]
    }),
  )
}
