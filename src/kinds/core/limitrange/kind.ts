import type { Kind } from '../../../apimachinery/kind.js'
import type { LimitRange } from './schema.js'

export const limitRangeKind: Kind<LimitRange> = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  namespaced: true,
}
