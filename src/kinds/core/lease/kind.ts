import type { Kind } from '../../../apimachinery/kind.js'
import type { Lease } from './schema.js'

export const leaseKind: Kind<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  namespaced: true,
}
