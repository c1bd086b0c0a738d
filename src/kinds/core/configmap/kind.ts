import type { Kind } from '../../../apimachinery/kind.js'
import type { ConfigMap } from './schema.js'

export const configMapKind: Kind<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
}
