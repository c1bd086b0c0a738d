import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'
import type { PodTemplateSpec } from '../pod/schema.js'

export interface ReplicaSet extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; selector: LabelSelector; template?: PodTemplateSpec }
  status?: {
    observedGeneration?: number
    replicas: number
    fullyLabeledReplicas?: number
    readyReplicas?: number
    availableReplicas?: number
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[]
  }
}
