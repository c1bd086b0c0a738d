import { counterpartOf } from '../../apimachinery/cel/rules.js'
import { deepEqual, isJsonObject, type JsonObject, ownValue } from '../../apimachinery/json.js'
import type { Schema } from '../../apimachinery/schema.js'
import type { Cause } from '../../apimachinery/status-error.js'

/**
 * Lets go of findings about values that were there before and have not been touched: a schema may become stricter than what
 * is stored, and whoever changes something else is not to blame.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/validation/ratcheting.go, KEP-4008
 */
export function ratcheted(found: readonly Cause[], schema: Schema, object: object, old: object): readonly Cause[] {
  return found.filter((cause) => !isUntouched(valuePathOf(cause), schema, object, old))
}

/** The value whose rule was broken: a missing member is its parent's, a repeated item its list's. */
function valuePathOf({ field, reason, message }: Cause): string {
  if (field === '<nil>') return /^Invalid value: "": "([^"]*)" must/.exec(message)?.[1] ?? ''
  if (reason === 'FieldValueRequired') return field.replace(/(?:^|\.)[^.[\]]+$/, '')
  return reason === 'FieldValueDuplicate' ? field.replace(/\[\d+\]$/, '') : field
}

function isUntouched(path: string, schema: Schema, object: object, old: object): boolean {
  let value: unknown = object
  let before: unknown = old
  let known: Schema | undefined = schema
  let rest = path
  for (;;) {
    if (before === undefined || value === undefined) return false
    if (deepEqual(value, before)) return true
    if (rest === '') return false
    const index = /^\[(\d+)\]\.?/.exec(rest)
    if (index && Array.isArray(value)) {
      const item: unknown = value[Number(index[1])]
      before = known ? counterpartOf(known, item, before) : undefined
      value = item
      known = known?.items
      rest = rest.slice(index[0].length)
      continue
    }
    if (!isJsonObject(value)) return false
    const key = keyAhead(value, rest)
    if (key === undefined) return false
    value = ownValue(value, key)
    before = isJsonObject(before) ? ownValue(before, key) : undefined
    const additional: Schema | true | undefined = known?.additionalProperties
    const own: Schema | undefined = known?.properties && Object.hasOwn(known.properties, key) ? known.properties[key] : undefined
    known = own ?? (additional === true ? undefined : additional)
    rest = rest.slice(key.length).replace(/^\./, '')
  }
}

/** Keys may hold dots, so the longest one that fits is meant. */
function keyAhead(object: JsonObject, rest: string): string | undefined {
  let best: string | undefined
  for (const key of Object.keys(object)) {
    if (!rest.startsWith(key) || (best !== undefined && key.length <= best.length)) continue
    const next = rest[key.length]
    if (next === undefined || next === '.' || next === '[') best = key
  }
  return best
}
