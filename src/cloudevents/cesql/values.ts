import type { CloudEvent } from '../event.js'

/** A value of the language; integers are signed and have 32 bits. */
export type CesqlValue = string | number | boolean
export type CesqlType = 'String' | 'Integer' | 'Boolean'

/** @see cloudevents/spec cesql/spec.md section 3.3; a parse error is no error of an evaluation, it prevents one */
export type CesqlErrorKind = 'math' | 'cast' | 'missingFunction' | 'missingAttribute' | 'functionEvaluation' | 'generic'

export interface CesqlError {
  readonly kind: CesqlErrorKind
  readonly message: string
  /** Knative's evaluator does not survive this: the handler of the request crashes. */
  readonly crash?: true
}

/** One evaluation. */
export interface Run {
  readonly event: CloudEvent
  errors: CesqlError[] | undefined
}

export function report(run: Run, kind: CesqlErrorKind, message: string): void {
  run.errors ??= []
  run.errors.push({ kind, message })
}

export function typeOf(value: CesqlValue): CesqlType {
  return typeof value === 'string' ? 'String' : typeof value === 'number' ? 'Integer' : 'Boolean'
}

export function zeroOf(type: CesqlType): CesqlValue {
  return type === 'String' ? '' : type === 'Integer' ? 0 : false
}

const MAX_INT_32 = 2 ** 31 - 1
const MIN_INT_32 = -(2 ** 31)

/** The integer that a text spells: an optional sign, decimal digits, 32 bits. */
export function integerFrom(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined
  const number = Number(text)
  // Adding 0 turns -0 into 0.
  return number >= MIN_INT_32 && number <= MAX_INT_32 ? number + 0 : undefined
}

/** Casts by the table of the specification (section 3.7); undefined: the value has no such reading, which the caller reports. */
export function castTo(type: CesqlType, value: CesqlValue): CesqlValue | undefined {
  if (type === 'String') return typeof value === 'string' ? value : String(value)
  if (type === 'Integer') return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : integerFrom(value)
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  const lower = value.length > 5 ? '' : value.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

/** Casts, and reports what cannot be cast. */
export function cast(run: Run, type: CesqlType, value: CesqlValue): CesqlValue | undefined {
  const result = castTo(type, value)
  if (result === undefined) report(run, 'cast', `${JSON.stringify(value)} is no ${type}`)
  return result
}
