import type { BindingObject } from '../../../apimachinery/rbac.js'

export interface ClusterRoleBinding extends BindingObject {}
