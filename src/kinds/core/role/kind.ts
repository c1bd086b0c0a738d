import type { Kind } from '../../../apimachinery/kind.js'
import { RBAC_GROUP } from '../../../apimachinery/rbac.js'
import type { Role } from './schema.js'

export const roleKind: Kind<Role> = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  singular: 'role',
  namespaced: true,
}
