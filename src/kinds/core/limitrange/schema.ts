import type { KubeObject } from '../../../apimachinery/object.js'

export type Quantities = Record<string, string>

export interface LimitRangeItem {
  /** Container, Pod or PersistentVolumeClaim. */
  type: string
  max?: Quantities
  min?: Quantities
  default?: Quantities
  defaultRequest?: Quantities
  maxLimitRequestRatio?: Quantities
}

export interface LimitRange extends KubeObject {
  spec: { limits: LimitRangeItem[] }
}
