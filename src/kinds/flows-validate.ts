import type { DeliverySpec } from '../apimachinery/delivery-spec.js'
import type { Destination } from '../apimachinery/destination.js'
import { type FieldError, fieldError } from '../apimachinery/field-error.js'

/** `invalid value: {…}: spec.steps[1]`: what is wrong is not said, only what was there, as Go prints it. */
export function invalidElement(printed: string, path: string, index: number): FieldError {
  return fieldError(`invalid value: ${printed}`, `${path}[${index}]`)
}

/** A Destination as Go prints the value. */
export function printedDestination({ ref, uri, CACerts, audience }: Destination): string {
  return `{${printedPointer(ref)} ${uri ?? ''} ${printedPointer(CACerts)} ${printedPointer(audience)}}`
}

/** What a pointer leads to is not printed there; where it leads is nothing that anyone could know. */
export function printedPointer(value: Destination | DeliverySpec | object | string | undefined): string {
  return value === undefined ? '<nil>' : '0xc000000000'
}
