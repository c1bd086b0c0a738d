import type { DeliveryStatus } from '../apimachinery/delivery-spec.js'
import type { Addressable } from '../apimachinery/destination.js'

/** Writes the place of a dead letter sink into a status; undefined takes out what was there. */
export function setDeadLetterSink(status: DeliveryStatus, address: Addressable | undefined): void {
  setField(status, 'deadLetterSinkUri', address?.url)
  setField(status, 'deadLetterSinkCACerts', address?.CACerts)
  setField(status, 'deadLetterSinkAudience', address?.audience)
}

/** Sets a field, or takes it out when there is no value: in what is stored, absent and undefined are not the same. */
export function setField<T extends object, K extends keyof T>(target: T, field: K, value: T[K] | undefined): void {
  if (value === undefined) delete target[field]
  else target[field] = value
}
