import type { KubeObject } from '../../../apimachinery/object.js'

export interface PersistentVolume extends KubeObject {
  spec: {
    accessModes?: string[]
    capacity?: Record<string, string>
    claimRef?: { apiVersion?: string; kind?: string; name?: string; namespace?: string; uid?: string; resourceVersion?: string }
    persistentVolumeReclaimPolicy?: 'Retain' | 'Recycle' | 'Delete'
    storageClassName?: string
    volumeMode?: string
    volumeAttributesClassName?: string
    [source: string]: unknown
  }
  status?: {
    phase?: 'Pending' | 'Available' | 'Bound' | 'Released' | 'Failed'
    reason?: string
    message?: string
    lastPhaseTransitionTime?: string
  }
}

/** Keeps a volume while it is bound. */
export const PV_PROTECTION_FINALIZER = 'kubernetes.io/pv-protection'
