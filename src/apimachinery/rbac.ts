import type { KubeObject, LabelSelector } from './object.js'

/** The duck types of rbac.authorization.k8s.io that authorization, admission and the kinds themselves share. */

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

/** Verbs on resources of API groups, or on paths outside them. An empty list allows nothing. */
export interface PolicyRule {
  verbs: readonly string[]
  apiGroups?: readonly string[]
  // `pods`, `pods/log`, `*`, or `*/scale` for a subresource of any resource.
  resources?: readonly string[]
  /** Absent or empty: every name. */
  resourceNames?: readonly string[]
  nonResourceURLs?: readonly string[]
}

/** Who is meant by a binding. */
export interface Subject {
  kind: string
  apiGroup?: string
  name: string
  /** Of a ServiceAccount. */
  namespace?: string
}

export interface RoleRef {
  apiGroup: string
  kind: string
  name: string
}

/** A Role or a ClusterRole. */
export interface RoleObject extends KubeObject {
  rules?: readonly PolicyRule[] | null
  aggregationRule?: { clusterRoleSelectors?: readonly LabelSelector[] }
}

/** A RoleBinding or a ClusterRoleBinding. */
export interface BindingObject extends KubeObject {
  roleRef: RoleRef
  subjects?: readonly Subject[] | null
}
