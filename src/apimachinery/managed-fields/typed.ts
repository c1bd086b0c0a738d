import { isJsonObject, type JsonObject, ownValue } from '../json.js'
import { objectMetaSchema } from '../object-meta-schema.js'
import type { Schema } from '../schema.js'
import { keyElement, type PathElement, valueElement } from './path-element.js'

/**
 * How a schema tells values apart for merging. Where it says nothing (preserve-unknown-fields) the value itself decides:
 * maps are merged, everything else is one value.
 * @see kubernetes/kube-openapi pkg/schemaconv, kubernetes-sigs/structured-merge-diff v6 typed/helpers.go
 */

/** What a list's items are known by: key fields, [] for the item itself (a set); undefined for a list that is one value. */
export function listKeys(schema: Schema | undefined): readonly string[] | undefined {
  if (!schema) return undefined
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys']
  if (listType === 'atomic') return undefined
  if (listType === 'set') return []
  if (listType === 'map') return keys ?? []
  if (!schema['x-kubernetes-patch-strategy']?.split(',').includes('merge')) return undefined
  const mergeKey = schema['x-kubernetes-patch-merge-key']
  return keys ?? (mergeKey === undefined ? [] : [mergeKey])
}

export function isAtomicMap(schema: Schema | undefined): boolean {
  return schema?.['x-kubernetes-map-type'] === 'atomic'
}

/** Whether values of a schema are handled as a whole, as far as the schema alone can tell. */
export function isAtomic(schema: Schema | undefined): boolean {
  return isAtomicMap(schema) || (schema?.type === 'array' && listKeys(schema) === undefined)
}

/** Whether a value is handled as a whole: it is no container, or its schema says so. */
export function isLeaf(schema: Schema | undefined, value: unknown): boolean {
  if (Array.isArray(value)) return listKeys(schema) === undefined
  return !isJsonObject(value) || isAtomicMap(schema)
}

/** Whether a key is a field that the schema names, rather than the key of an entry. */
export function isNamed(schema: Schema | undefined, key: string): boolean {
  return schema?.properties !== undefined && Object.hasOwn(schema.properties, key)
}

/** The schema of a map's member; undefined where it decides for itself. */
export function memberSchema(schema: Schema | undefined, key: string): Schema | undefined {
  if (isNamed(schema, key)) return schema!.properties![key]
  const additional = schema?.additionalProperties
  return additional === true ? undefined : additional
}

/** Whether a map may have members under any key. */
export function isOpen(schema: Schema | undefined): boolean {
  if (!schema || schema['x-kubernetes-preserve-unknown-fields'] || schema.additionalProperties) return true
  return schema.properties === undefined && schema.type === undefined
}

/** Why an item has no place in its list, in upstream's words. */
export class ItemError extends Error {}

/** How an item of a list with `keys` is known. A key it leaves out takes its default. Throws ItemError where it has no identity. */
export function itemElement(schema: Schema | undefined, keys: readonly string[], item: unknown): PathElement {
  if (keys.length === 0) {
    if (isJsonObject(item)) throw new ItemError("associative list without keys has an element that's a map type")
    if (Array.isArray(item)) throw new ItemError('not supported: associative list with lists as elements')
    if (item === null) throw new ItemError("associative list without keys has an element that's an explicit null")
    return valueElement(item)
  }
  if (item === null || item === undefined) throw new ItemError('associative list with keys may not have a null element')
  if (!isJsonObject(item)) throw new ItemError('associative list with keys may not have non-map elements')
  const identity: JsonObject = {}
  for (const key of keys) {
    const value = ownValue(item, key) ?? schema?.items?.properties?.[key]?.default
    if (value === undefined)
      throw new ItemError(
        `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`,
      )
    identity[key] = value
  }
  return keyElement(identity)
}

/** The items of a stored list by their elements, in order. What has no identity or repeats another is told apart by its place. */
export function itemsByElement(schema: Schema | undefined, keys: readonly string[], list: readonly unknown[]): Map<PathElement, unknown[]> {
  const items = new Map<PathElement, unknown[]>()
  for (let index = 0; index < list.length; index++) {
    let element: PathElement
    try {
      element = itemElement(schema, keys, list[index])
    } catch (error) {
      if (!(error instanceof ItemError)) throw error
      element = `i:${index}`
    }
    const same = items.get(element)
    if (same) same.push(list[index])
    else items.set(element, [list[index]])
  }
  return items
}

const text: Schema = { type: 'string' }

/** The schema of a whole object: that of its kind, and what all objects have, whatever the kind says of it. */
export function wholeSchema(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, apiVersion: text, kind: text, metadata: objectMetaSchema } }
}

/** Null, {} or []. */
export function isVoid(value: unknown): boolean {
  if (value === null || value === undefined) return true
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0
}
