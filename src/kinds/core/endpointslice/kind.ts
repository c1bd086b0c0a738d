import type { Kind } from '../../../apimachinery/kind.js'
import type { EndpointSlice } from './schema.js'

export const endpointSliceKind: Kind<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
}
