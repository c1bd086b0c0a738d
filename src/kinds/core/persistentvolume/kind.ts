import type { Kind } from '../../../apimachinery/kind.js'
import type { PersistentVolume } from './schema.js'

export const persistentVolumeKind: Kind<PersistentVolume> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  namespaced: false,
  status: true,
}
