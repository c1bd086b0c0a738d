import type { Kind } from '../../../apimachinery/kind.js'
import { RBAC_GROUP } from '../../../apimachinery/rbac.js'
import type { RoleBinding } from './schema.js'

export const roleBindingKind: Kind<RoleBinding> = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
}
