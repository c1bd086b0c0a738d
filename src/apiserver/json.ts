import { type JsonObject, setValue } from '../apimachinery/json.js'

/**
 * A deep copy that owes nothing to its origin. Members that are `undefined` are left out, as JSON would; with `dropNulls`
 * null members are left out too, which is how built-in types read them (Go decodes null into "not set").
 */
export function copyJson<T>(value: T, dropNulls = false): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => copyJson(item, dropNulls)) as T
  const result: JsonObject = {}
  for (const key of Object.keys(value)) {
    const member = (value as JsonObject)[key]
    if (member === undefined || (dropNulls && member === null)) continue
    setValue(result, key, copyJson(member, dropNulls))
  }
  return result as T
}

/** Removes members that are `undefined`, in place: code that fills in defaults may leave some, and JSON knows none. */
export function dropUndefined(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) {
    const member = (value as JsonObject)[key]
    if (member === undefined) delete (value as JsonObject)[key]
    else if (typeof member === 'object') dropUndefined(member)
  }
}
