import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { PodSpec } from '../core/pod/schema.js'

export interface RevisionSpec extends PodSpec {
  containerConcurrency?: number
  timeoutSeconds?: number
  responseStartTimeoutSeconds?: number
  idleTimeoutSeconds?: number
}

export interface Revision extends KubeObject {
  spec: RevisionSpec
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    logUrl?: string
    containerStatuses?: { name: string; imageDigest?: string }[]
    initContainerStatuses?: { name: string; imageDigest?: string }[]
    actualReplicas?: number
    desiredReplicas?: number
  }
}
