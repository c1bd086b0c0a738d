import type { Cause } from './status-error.js'

/** A value as findings quote it: strings in double quotes, numbers and booleans bare, the rest as JSON. */
function valueText(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

const withDetail = (text: string, detail: string): string => (detail ? `${text}: ${detail}` : text)
const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/**
 * Findings in the words of the API server, one maker per type of finding.
 * @see kubernetes/apimachinery v0.35 pkg/util/validation/field/errors.go
 */
export const causes = {
  required: (field: string, detail = ''): Cause => ({ reason: 'FieldValueRequired', message: withDetail('Required value', detail), field }),
  invalid: (field: string, value: unknown, detail: string): Cause => ({
    reason: 'FieldValueInvalid',
    message: withDetail(`Invalid value: ${valueText(value)}`, detail),
    field,
  }),
  typeInvalid: (field: string, value: unknown, detail: string): Cause => ({
    reason: 'FieldValueTypeInvalid',
    message: withDetail(`Invalid value: ${valueText(value)}`, detail),
    field,
  }),
  notSupported: (field: string, value: unknown, supported: readonly string[]): Cause => ({
    reason: 'FieldValueNotSupported',
    message: withDetail(
      `Unsupported value: ${valueText(value)}`,
      supported.length > 0 ? `supported values: ${supported.map(valueText).join(', ')}` : '',
    ),
    field,
  }),
  duplicate: (field: string, value: unknown): Cause => ({
    reason: 'FieldValueDuplicate',
    message: `Duplicate value: ${valueText(value)}`,
    field,
  }),
  forbidden: (field: string, detail: string): Cause => ({ reason: 'FieldValueForbidden', message: withDetail('Forbidden', detail), field }),
  notFound: (field: string, value: unknown): Cause => ({ reason: 'FieldValueNotFound', message: `Not found: ${valueText(value)}`, field }),
  tooLong: (field: string, mostBytes: number): Cause => ({
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${counted(mostBytes, 'byte', 'bytes')}`,
    field,
  }),
  tooMany: (field: string, count: number, most: number): Cause => ({
    reason: 'FieldValueTooMany',
    message: `Too many: ${count}: must have at most ${counted(most, 'item', 'items')}`,
    field,
  }),
}
