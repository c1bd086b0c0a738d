import type { Kind } from '../../../apimachinery/kind.js'
import type { Pod } from './schema.js'

export const podKind: Kind<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  status: true,
}
