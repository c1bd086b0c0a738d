import { isJsonObject, type JsonObject, setValue } from './json.js'
import { objectMetaSchema } from './object-meta-schema.js'
import type { Schema } from './schema.js'

/**
 * Leaves out every field that the schema does not know. What was left out is in `unknown`, sorted, as `spec.foo` or
 * `spec.containers[0].bar`. apiVersion, kind and metadata stay at the root and in embedded resources; metadata is held
 * against ObjectMeta. The input is not changed; parts without a finding are shared with the result.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/pruning/algorithm.go
 */
export function prune<T extends object>(schema: Schema, object: T): { object: T; unknown: string[] } {
  const unknown: string[] = []
  const pruned = prunedObject(schema, object as JsonObject, '', true, unknown)
  if (unknown.length > 1) unknown.sort()
  return { object: pruned as T, unknown }
}

function prunedValue(schema: Schema, value: unknown, path: string, unknown: string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value)) {
    return prunedObject(schema, value as JsonObject, path, schema['x-kubernetes-embedded-resource'] === true, unknown)
  }
  const { items } = schema
  if (!items) return value
  let copy: unknown[] | undefined
  for (let index = 0; index < value.length; index++) {
    const item = prunedValue(items, value[index], `${path}[${index}]`, unknown)
    if (item === value[index]) continue
    copy ??= value.slice()
    copy[index] = item
  }
  return copy ?? value
}

function prunedObject(schema: Schema, object: JsonObject, path: string, isResource: boolean, unknown: string[]): JsonObject {
  const { properties, additionalProperties } = schema
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true
  const additional = additionalProperties === true ? undefined : additionalProperties
  let copy: JsonObject | undefined

  const keys = Object.keys(object)
  for (let position = 0; position < keys.length; position++) {
    const key = keys[position]!
    const value = object[key]
    let next = value
    if (isResource && key === 'metadata') {
      if (isJsonObject(value)) next = prunedObject(objectMetaSchema, value, path === '' ? 'metadata' : `${path}.metadata`, false, unknown)
    } else if (!(isResource && (key === 'apiVersion' || key === 'kind'))) {
      const child = properties && Object.hasOwn(properties, key) ? properties[key] : additional
      if (child) {
        if (typeof value === 'object' && value !== null) next = prunedValue(child, value, path === '' ? key : `${path}.${key}`, unknown)
      } else if (!keepsUnknown) {
        unknown.push(path === '' ? key : `${path}.${key}`)
        copy ??= shallowCopy(object)
        delete copy[key]
        continue
      }
    }
    if (next === value) continue
    copy ??= shallowCopy(object)
    setValue(copy, key, next)
  }
  return copy ?? object
}

function shallowCopy(object: JsonObject): JsonObject {
  const copy: JsonObject = {}
  for (const key of Object.keys(object)) setValue(copy, key, object[key])
  return copy
}
