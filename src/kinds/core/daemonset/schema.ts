import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'
import type { PodTemplateSpec } from '../pod/schema.js'

export interface DaemonSet extends KubeObject {
  spec: {
    selector: LabelSelector
    template: PodTemplateSpec
    updateStrategy?: {
      type?: 'RollingUpdate' | 'OnDelete'
      rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string }
    }
    minReadySeconds?: number
    revisionHistoryLimit?: number
  }
  status?: {
    observedGeneration?: number
    currentNumberScheduled: number
    numberMisscheduled: number
    desiredNumberScheduled: number
    numberReady: number
    updatedNumberScheduled?: number
    numberAvailable?: number
    numberUnavailable?: number
    collisionCount?: number
  }
}

/** Counts the changes of the template; on the DaemonSet an annotation, on its Pods a label. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
export const POD_GENERATION_LABEL = 'pod-template-generation'
/** On Pods and ControllerRevisions: which template. */
export const HASH_LABEL = 'controller-revision-hash'
