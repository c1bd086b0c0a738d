import type { Kind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'

export interface PriorityClass extends KubeObject {
  value: number
  globalDefault?: boolean
  description?: string
  preemptionPolicy?: string
}

export const priorityClassKind: Kind<PriorityClass> = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  namespaced: false,
}
