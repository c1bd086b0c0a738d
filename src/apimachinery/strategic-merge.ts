import { deepCopy, deepEqual, isJsonObject, type JsonObject, ownValue, setValue } from './json.js'
import type { Schema } from './schema.js'
import { refusals, StatusError } from './status-error.js'
import { isReplaced, type MergeRule, mergeRule } from './strategic-merge-keys.js'

const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const ORDER_PREFIX = '$setElementOrder/'
const DELETION_PREFIX = '$deleteFromPrimitiveList/'

/** Where in the object a merge is: its schema, the name of the field it stands in, the resource. */
interface Place {
  schema: Schema | undefined
  field: string
  resource: string
}

/**
 * Applies a strategic merge patch: maps are merged, lists by their merge key or replaced, null deletes, and the directives
 * `$patch`, `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…` are followed. The arguments are not changed.
 * Throws StatusError: 400 for directives that cannot be read, 422 for a patch that does not fit.
 * @see kubernetes/apimachinery v0.35 pkg/util/strategicpatch/patch.go
 */
export function applyStrategicMerge(
  current: JsonObject,
  patch: JsonObject,
  { schema, resource = '' }: { schema?: Schema | undefined; resource?: string | undefined } = {},
): JsonObject {
  return mergedMap(deepCopy(current), deepCopy(patch), { schema, field: '', resource })
}

/** Both arguments belong to the merge and may be changed. */
function mergedMap(current: JsonObject, patch: JsonObject, place: Place): JsonObject {
  const directive = ownValue(patch, DIRECTIVE)
  if (directive === 'replace') {
    delete patch[DIRECTIVE]
    return patch
  }
  if (directive === 'delete') return {}
  if (directive === 'merge') delete patch[DIRECTIVE]
  else if (directive !== undefined) throw doesNotFit()

  retainKeys(current, patch)
  for (const key of Object.keys(patch)) if (key.startsWith(ORDER_PREFIX)) mergeOrdered(current, patch, key, place)
  for (const key of Object.keys(patch)) {
    if (key.startsWith(DELETION_PREFIX)) deletePrimitives(current, key.slice(DELETION_PREFIX.length), patch[key])
    else mergeField(current, key, patch[key], childPlace(place, key))
  }
  return current
}

function mergeField(current: JsonObject, key: string, next: unknown, place: Place): void {
  if (next === null) {
    delete current[key]
    return
  }
  const previous = ownValue(current, key)
  if (isJsonObject(next) && isJsonObject(previous)) {
    setValue(current, key, isReplaced(place.schema) ? withoutDirectives(next) : mergedMap(previous, next, place))
  } else if (Array.isArray(next) && Array.isArray(previous)) {
    const rule = ruleAt(place)
    setValue(current, key, rule.merges ? mergedList(previous, next, rule, place) : withoutDirectives(next))
  } else setValue(current, key, withoutDirectives(next))
}

function childPlace(place: Place, key: string): Place {
  const { properties, additionalProperties } = place.schema ?? {}
  const schema =
    properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties === true ? undefined : additionalProperties
  return { schema, field: place.field ? `${place.field}.${key}` : key, resource: place.resource }
}

function ruleAt({ schema, field, resource }: Place): MergeRule {
  const path = field.split('.')
  return mergeRule(schema, path.at(-1)!, path.at(-2) ?? '', resource)
}

/** A map with $retainKeys keeps only the keys it names; all keys of the patch must be among them. */
function retainKeys(current: JsonObject, patch: JsonObject): void {
  const keys = ownValue(patch, RETAIN_KEYS)
  if (keys === undefined) return
  if (!Array.isArray(keys)) throw refusals.badRequest('invalid patch format of retainKeys')
  delete patch[RETAIN_KEYS]
  const kept = new Set(keys)
  for (const key of Object.keys(patch)) {
    if (!key.startsWith('$') && patch[key] !== null && !kept.has(key))
      throw refusals.badRequest("patch content doesn't match retainKeys list")
  }
  for (const key of Object.keys(current)) if (!kept.has(key)) delete current[key]
}

function deletePrimitives(current: JsonObject, field: string, gone: unknown): void {
  if (!Array.isArray(gone)) throw refusals.badRequest('invalid patch format of primitive list')
  const list = ownValue(current, field)
  if (Array.isArray(list))
    setValue(
      current,
      field,
      list.filter((item) => !gone.some((other) => deepEqual(item, other))),
    )
}

/** `$setElementOrder/containers` with or without `containers`: merges, then brings the list into the wanted order. */
function mergeOrdered(current: JsonObject, patch: JsonObject, directive: string, place: Place): void {
  const order = patch[directive]
  const field = directive.slice(ORDER_PREFIX.length)
  if (!Array.isArray(order)) throw refusals.badRequest('invalid patch format of setElementOrder list')
  delete patch[directive]
  const fieldPlace = childPlace(place, field)
  const rule = ruleAt(fieldPlace)

  const previous = ownValue(current, field)
  const next = ownValue(patch, field)
  if (next === null) return
  if ((previous !== undefined && !Array.isArray(previous)) || (next !== undefined && !Array.isArray(next))) return
  if (previous === undefined && next === undefined) return
  if (next !== undefined) {
    delete patch[field]
    checkOrder(next, order, field, rule)
  }

  const merged = next === undefined ? previous! : rule.merges ? mergedList(previous ?? [], next, rule, fieldPlace) : withoutDirectives(next)
  setValue(current, field, ordered(merged, order, previous ?? [], rule))
}

/** Items of the patch must come in the order that is asked for. */
function checkOrder(items: readonly unknown[], order: readonly unknown[], field: string, rule: MergeRule): void {
  let position = 0
  for (const item of items) {
    if (isJsonObject(item) && ownValue(item, DIRECTIVE) !== undefined) continue
    const at = order.findIndex((other, index) => index >= position && isSameItem(item, other, rule))
    if (at < 0) throw refusals.badRequest(`The order in patch list doesn't match ${ORDER_PREFIX}${field} list`)
    position = at + 1
  }
}

function isSameItem(a: unknown, b: unknown, { key }: MergeRule): boolean {
  if (key === undefined || !isJsonObject(a) || !isJsonObject(b)) return deepEqual(a, b)
  return ownValue(a, key) !== undefined && deepEqual(ownValue(a, key), ownValue(b, key))
}

function mergedList(current: unknown[], patch: unknown[], rule: MergeRule, place: Place): unknown[] {
  const [sample] = patch.length > 0 ? patch : current
  if (sample === undefined) return []
  if (Array.isArray(sample)) throw doesNotFit()
  if (!isJsonObject(sample)) {
    const all = [...current, ...patch]
    const merged = all.filter((item, index) => all.findIndex((other) => deepEqual(item, other)) === index)
    return ordered(merged, patch, current, rule)
  }
  if (rule.key === undefined) throw refusals.badRequest(`cannot merge lists without merge key for ${place.field}`)
  return mergedItems(current, patch, { ...rule, key: rule.key }, place)
}

function mergedItems(current: unknown[], patch: unknown[], rule: MergeRule & { key: string }, place: Place): unknown[] {
  let result = [...current]
  const items: JsonObject[] = []
  let replaces = false
  for (const item of patch) {
    if (!isJsonObject(item)) throw refusals.badRequest('invalid JSON document')
    const directive = ownValue(item, DIRECTIVE)
    if (directive === undefined) items.push(item)
    else if (directive === 'replace') replaces = true
    else if (directive === 'delete') {
      requireKey(item, rule.key)
      result = result.filter((other) => !isSameItem(item, other, rule))
    } else if (directive === 'merge') throw refusals.badRequest('merging lists cannot yet be specified in the patch')
    else throw doesNotFit()
  }
  if (replaces) return items.map(withoutDirectives)

  const itemPlace: Place = { ...place, schema: place.schema?.items }
  for (const item of items) {
    requireKey(item, rule.key)
    const index = result.findIndex((other) => isSameItem(item, other, rule))
    const previous = result[index]
    if (isJsonObject(previous)) result[index] = mergedMap(previous, item, itemPlace)
    else result.push(withoutDirectives(item))
  }
  return ordered(result, items, current, rule)
}

function requireKey(item: JsonObject, key: string): void {
  if (ownValue(item, key) !== undefined) return
  throw refusals.badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
}

/**
 * Items that `order` names stand in that order; the others keep theirs and go before the first named item that followed
 * them in `previous`. Upstream weaves the two lists the same way.
 */
function ordered(list: unknown[], order: readonly unknown[], previous: readonly unknown[], rule: MergeRule): unknown[] {
  const placeIn = (where: readonly unknown[], item: unknown): number => where.findIndex((other) => isSameItem(item, other, rule))
  const named: { item: unknown; rank: number }[] = []
  const others: { item: unknown; rank: number }[] = []
  for (const item of list) {
    const rank = placeIn(order, item)
    if (rank >= 0) named.push({ item, rank })
    else others.push({ item, rank: placeIn(previous, item) })
  }
  named.sort((a, b) => a.rank - b.rank)
  others.sort((a, b) => a.rank - b.rank)

  const result: unknown[] = []
  let next = 0
  for (const { item } of named) {
    const rank = placeIn(previous, item)
    while (next < others.length && rank >= 0 && others[next]!.rank >= 0 && others[next]!.rank < rank) result.push(others[next++]!.item)
    result.push(item)
  }
  while (next < others.length) result.push(others[next++]!.item)
  return result
}

/** What a patch inserts where nothing was: itself without directives and nulls. */
function withoutDirectives<T>(value: T): T {
  if (Array.isArray(value)) return value.filter((item) => !isDeletion(item)).map(withoutDirectives) as T
  if (!isJsonObject(value)) return value
  const clean: JsonObject = {}
  for (const key of Object.keys(value)) {
    const inner = (value as JsonObject)[key]
    const isDirective = key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER_PREFIX) || key.startsWith(DELETION_PREFIX)
    if (!isDirective && inner !== null && !isDeletion(inner)) setValue(clean, key, withoutDirectives(inner))
  }
  return clean as T
}

/** Items that only say what to do with the list. */
function isDeletion(value: unknown): boolean {
  return isJsonObject(value) && (value[DIRECTIVE] === 'delete' || (value[DIRECTIVE] === 'replace' && Object.keys(value).length === 1))
}

/** What the API server refuses without saying why. */
function doesNotFit(): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  })
}
