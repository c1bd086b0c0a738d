import { canonicalQuantity } from '../../../apimachinery/quantity.js'
import type { PersistentVolumeClaimSpec } from './schema.js'

/** Defaults of a claim, in place: those of a StatefulSet's templates too. */
export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
  for (const amounts of [spec.resources?.requests, spec.resources?.limits])
    for (const [name, amount] of Object.entries(amounts ?? {})) amounts![name] = canonicalQuantity(String(amount)) ?? amount
}
