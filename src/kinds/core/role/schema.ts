import type { KubeObject } from '../../../apimachinery/object.js'
import type { PolicyRule } from '../../../apimachinery/rbac.js'

export interface Role extends KubeObject {
  rules?: readonly PolicyRule[]
}
