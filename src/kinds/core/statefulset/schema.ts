import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'
import type { PersistentVolumeClaim } from '../persistentvolumeclaim/schema.js'
import type { PodTemplateSpec } from '../pod/schema.js'

export type RetentionPolicy = 'Retain' | 'Delete'

/** A claim as a StatefulSet lists it: an object without a name of its own place. */
export type ClaimTemplate = Omit<PersistentVolumeClaim, 'apiVersion' | 'kind'> & { apiVersion?: string; kind?: string }

export interface StatefulSet extends KubeObject {
  spec: {
    replicas?: number
    selector: LabelSelector
    template: PodTemplateSpec
    serviceName?: string
    podManagementPolicy?: 'OrderedReady' | 'Parallel'
    updateStrategy?: { type?: 'RollingUpdate' | 'OnDelete'; rollingUpdate?: { partition?: number; maxUnavailable?: number | string } }
    volumeClaimTemplates?: ClaimTemplate[]
    persistentVolumeClaimRetentionPolicy?: { whenDeleted?: RetentionPolicy; whenScaled?: RetentionPolicy }
    ordinals?: { start: number }
    minReadySeconds?: number
    revisionHistoryLimit?: number
  }
  status?: {
    observedGeneration?: number
    replicas: number
    readyReplicas?: number
    currentReplicas?: number
    updatedReplicas?: number
    availableReplicas?: number
    currentRevision?: string
    updateRevision?: string
    collisionCount?: number
  }
}

/** On each Pod: its own name, its ordinal, and which revision of the template it is of. */
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
export const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index'
export const REVISION_LABEL = 'controller-revision-hash'
