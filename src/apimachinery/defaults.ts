import { deepCopy, isJsonObject, type JsonObject, setValue } from './json.js'
import type { Schema } from './schema.js'

/**
 * A private copy of the object with the schema's defaults filled in: the caller may change it freely, nothing is shared
 * with the input or the schema. A null where the schema is not nullable counts as absent, as the API server treats it.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/defaulting/algorithm.go
 */
export function applySchemaDefaults<T extends object>(schema: Schema, object: T): T {
  return withDefaults(schema, object) as T
}

function withDefaults(schema: Schema | undefined, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (!schema) return deepCopy(value)
  if (Array.isArray(value)) return value.map((item) => withDefaults(schema.items, item))

  const { properties } = schema
  const additional = schema.additionalProperties === true ? undefined : schema.additionalProperties
  const copy: JsonObject = {}
  for (const key of Object.keys(value)) {
    const child = properties && Object.hasOwn(properties, key) ? properties[key] : additional
    const current = (value as JsonObject)[key]
    if (current === undefined || (current === null && child && isNeverNull(child))) continue
    setValue(copy, key, withDefaults(child, current))
  }
  for (const key in properties) {
    const child = properties[key]!
    if (child.default === undefined || Object.hasOwn(copy, key)) continue
    // A default may itself lack fields that have defaults.
    copy[key] = isJsonObject(child.default) ? withDefaults(child, child.default) : deepCopy(child.default)
  }
  return copy
}

function isNeverNull(schema: Schema): boolean {
  return !schema.nullable && (schema.type !== undefined || schema['x-kubernetes-int-or-string'] === true)
}
