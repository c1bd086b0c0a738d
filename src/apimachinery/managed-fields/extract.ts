import { isJsonObject, type JsonObject } from '../json.js'
import type { Schema } from '../schema.js'
import { child, EMPTY, type FieldSet, isEmpty, isMember, withSelf } from './field-set.js'
import { fieldElement, SELF } from './path-element.js'
import { isAtomic, isAtomicMap, isLeaf, isNamed, isVoid, itemsByElement, listKeys, memberSchema } from './typed.js'

/**
 * The fields that an applied object speaks for: its leaves, the entries of its maps and the items of its lists. A field that
 * only holds others is not one itself.
 * @see kubernetes-sigs/structured-merge-diff v6 typed/tofieldset.go
 */
export function fieldSetOf(schema: Schema, value: JsonObject): FieldSet {
  return contents(schema, value) ?? EMPTY
}

/** What lies below a value: EMPTY when it is one leaf, undefined when there is nothing. */
function contents(schema: Schema | undefined, value: unknown): FieldSet | undefined {
  if (isLeaf(schema, value)) return EMPTY
  const set: Record<string, FieldSet> = {}
  if (Array.isArray(value)) {
    for (const [element, items] of itemsByElement(schema, listKeys(schema)!, value))
      set[element] = items.length > 1 ? EMPTY : withSelf(contents(schema?.items, items[0]) ?? EMPTY)
  } else {
    for (const key of Object.keys(value as JsonObject)) {
      const member = (value as JsonObject)[key]
      const below = contents(memberSchema(schema, key), member)
      if (member === null || (isJsonObject(member) && isVoid(member))) set[fieldElement(key)] = EMPTY
      else if (!isNamed(schema, key)) set[fieldElement(key)] = withSelf(below ?? EMPTY)
      else if (below) set[fieldElement(key)] = below
    }
  }
  return isEmpty(set) ? undefined : set
}

/** Every path of a value, those that only hold others included, as a node of a set. */
export function everyPath(schema: Schema | undefined, value: unknown): FieldSet {
  if (isLeaf(schema, value) || isVoid(value)) return EMPTY
  const set: Record<string, FieldSet> = { [SELF]: EMPTY }
  if (Array.isArray(value)) {
    for (const [element, items] of itemsByElement(schema, listKeys(schema)!, value))
      set[element] = items.length > 1 ? EMPTY : everyPath(schema?.items, items[0])
  } else {
    for (const key of Object.keys(value as JsonObject))
      set[fieldElement(key)] = everyPath(memberSchema(schema, key), (value as JsonObject)[key])
  }
  return set
}

/**
 * The set, with every field that the schema names and that holds members as a member itself.
 * @see kubernetes-sigs/structured-merge-diff v6 fieldpath/set.go, EnsureNamedFieldsAreMembers
 */
export function withNamedFields(schema: Schema | undefined, set: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element of Object.keys(set)) {
    const node = set[element]!
    if (isEmpty(node)) {
      result[element] = node
      continue
    }
    const key = element.slice(2)
    const isField = element[0] === 'f'
    const below = withNamedFields(isField ? memberSchema(schema, key) : schema?.items, node)
    result[element] = isField && isNamed(schema, key) ? withSelf(below) : below
  }
  return result
}

/**
 * The set as the schema has it now: what has become one value is owned as one. Fields of what used to be one value and no
 * longer is stay with the value.
 * @see kubernetes-sigs/structured-merge-diff v6 typed/reconcile_schema.go
 */
export function reconciledFields(schema: Schema | undefined, set: FieldSet): FieldSet {
  let result: Record<string, FieldSet> | undefined
  for (const element of Object.keys(set)) {
    const node = set[element]!
    if (isEmpty(node)) continue
    const below = element[0] === 'f' ? memberSchema(schema, element.slice(2)) : schema?.items
    const next = isAtomic(below) ? EMPTY : reconciledFields(below, node)
    if (next === node) continue
    result ??= { ...set }
    result[element] = next
  }
  return result ?? set
}

/**
 * The object without what the set names; undefined when nothing is left. Shares with the object what stays as it is.
 * @see kubernetes-sigs/structured-merge-diff v6 typed/remove.go
 */
export function withoutFields(schema: Schema | undefined, value: unknown, set: FieldSet): unknown {
  if (isEmpty(set)) return value
  if (Array.isArray(value)) {
    const keys = listKeys(schema)
    if (!keys) return undefined
    const kept: unknown[] = []
    for (const [element, items] of itemsByElement(schema, keys, value)) {
      const node = child(set, element)
      if (!node) kept.push(...items)
      else if (!isMember(node)) kept.push(...items.map((item) => withoutFields(schema?.items, item, node)))
    }
    return kept.length === 0 ? undefined : kept
  }
  if (!isJsonObject(value)) return value
  if (isAtomicMap(schema)) return undefined
  const kept: JsonObject = {}
  for (const key of Object.keys(value)) {
    const node = child(set, fieldElement(key))
    if (node && isMember(node)) continue
    const left = node ? withoutFields(memberSchema(schema, key), value[key], node) : value[key]
    if (left !== undefined) Object.defineProperty(kept, key, { value: left, writable: true, enumerable: true, configurable: true })
  }
  return Object.keys(kept).length === 0 ? undefined : kept
}
