import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'
import type { PolicyRule } from '../../../apimachinery/rbac.js'

export interface ClusterRole extends KubeObject {
  rules?: readonly PolicyRule[]
  /** Where it is set, a controller writes the rules. */
  aggregationRule?: { clusterRoleSelectors?: readonly LabelSelector[] }
}
