import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'

export interface TrafficTarget {
  tag?: string
  revisionName?: string
  configurationName?: string
  latestRevision?: boolean
  percent?: number
  url?: string
}

export interface Addressable {
  url?: string
  name?: string
  CACerts?: string
  audience?: string
}

export interface Route extends KubeObject {
  spec: { traffic?: TrafficTarget[] }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    url?: string
    address?: Addressable
    traffic?: TrafficTarget[]
  }
}
