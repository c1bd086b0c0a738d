import type { KubeObject, ObjectMeta } from '../../../apimachinery/object.js'

export interface StorageClass extends KubeObject {
  provisioner: string
  parameters?: Record<string, string>
  reclaimPolicy?: 'Delete' | 'Retain'
  mountOptions?: string[]
  allowVolumeExpansion?: boolean
  volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer'
  allowedTopologies?: unknown[]
}

/** Marks the class that claims get which name none; the second is its older name. */
const DEFAULT_CLASS = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

export function isDefaultClass({ annotations }: ObjectMeta): boolean {
  return DEFAULT_CLASS.some((key) => annotations?.[key] === 'true')
}
