import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { fields, int32, objectSchema, text, time } from '../schema-parts.js'
import { leaseKind } from './kind.js'
import type { Lease } from './schema.js'

export const leaseServed: ServedKind<Lease> = {
  kind: {
    ...leaseKind,
    columns: [
      { name: 'Holder', type: 'string', description: 'Who holds the lease.', cell: ({ spec }: Lease) => spec?.holderIdentity ?? '' },
    ],
  },
  builtIn: true,
  // Leader election depends on losing a race.
  unconditionalUpdate: false,
  createsOnUpdate: true,
  generation: false,
  schema: objectSchema('Lease is held by one of several that want the same thing.', {
    spec: fields({
      acquireTime: time,
      holderIdentity: text,
      leaseDurationSeconds: int32,
      leaseTransitions: int32,
      preferredHolder: text,
      renewTime: time,
      strategy: text,
    }),
  }),
  validate({ spec }) {
    const { leaseDurationSeconds, leaseTransitions } = spec ?? {}
    const found = []
    if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
      found.push(causes.invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
    if (leaseTransitions !== undefined && leaseTransitions < 0)
      found.push(causes.invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'))
    return found
  },
}
