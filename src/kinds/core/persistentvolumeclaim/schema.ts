import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'

export interface PersistentVolumeClaimSpec {
  accessModes?: string[]
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  selector?: LabelSelector
  storageClassName?: string
  volumeMode?: string
  volumeName?: string
  volumeAttributesClassName?: string
  dataSource?: Record<string, unknown>
  dataSourceRef?: Record<string, unknown>
}

export interface PersistentVolumeClaim extends KubeObject {
  spec: PersistentVolumeClaimSpec
  status?: { phase?: 'Pending' | 'Bound' | 'Lost'; accessModes?: string[]; capacity?: Record<string, string> }
}

/** Keeps a claim until no Pod uses it. */
export const PROTECTION_FINALIZER = 'kubernetes.io/pvc-protection'
