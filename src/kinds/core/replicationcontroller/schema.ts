import type { KubeObject } from '../../../apimachinery/object.js'
import type { PodTemplateSpec } from '../pod/schema.js'

export interface ReplicationController extends KubeObject {
  spec: { replicas?: number; minReadySeconds?: number; selector?: Record<string, string>; template?: PodTemplateSpec }
  status?: {
    observedGeneration?: number
    replicas: number
    readyReplicas?: number
    availableReplicas?: number
    fullyLabeledReplicas?: number
  }
}
