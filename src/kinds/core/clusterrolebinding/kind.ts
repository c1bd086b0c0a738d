import type { Kind } from '../../../apimachinery/kind.js'
import { RBAC_GROUP } from '../../../apimachinery/rbac.js'
import type { ClusterRoleBinding } from './schema.js'

export const clusterRoleBindingKind: Kind<ClusterRoleBinding> = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
}
