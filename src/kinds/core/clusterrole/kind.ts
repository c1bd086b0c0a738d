import type { Kind } from '../../../apimachinery/kind.js'
import { RBAC_GROUP } from '../../../apimachinery/rbac.js'
import type { ClusterRole } from './schema.js'

export const clusterRoleKind: Kind<ClusterRole> = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
}
