import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject, ObjectMeta } from '../../apimachinery/object.js'
import type { RevisionSpec } from '../revision/schema.js'

export interface RevisionTemplate {
  metadata?: Partial<ObjectMeta>
  spec: RevisionSpec
}

export interface Configuration extends KubeObject {
  spec: { template: RevisionTemplate }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    latestCreatedRevisionName?: string
    latestReadyRevisionName?: string
  }
}
