import type { BindingObject } from '../../../apimachinery/rbac.js'

export interface RoleBinding extends BindingObject {}
