import type { Kind } from '../../../apimachinery/kind.js'
import type { Endpoints } from './schema.js'

export const endpointsKind: Kind<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
}
