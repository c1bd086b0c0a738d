import type { Kind } from '../../../apimachinery/kind.js'
import type { StorageClass } from './schema.js'

export const storageClassKind: Kind<StorageClass> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  namespaced: false,
}
