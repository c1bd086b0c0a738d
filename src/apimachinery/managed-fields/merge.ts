import { isJsonObject, type JsonObject, ownValue, setValue } from '../json.js'
import type { Schema } from '../schema.js'
import type { PathElement } from './path-element.js'
import { isAtomicMap, isVoid, itemsByElement, listKeys, memberSchema } from './typed.js'

/**
 * The live object with an applied configuration laid over it: maps merged, items of sets and keyed lists matched, everything
 * else replaced. Changes neither, and shares parts with both.
 * @see kubernetes-sigs/structured-merge-diff v6 typed/merge.go
 */
export function merged(schema: Schema | undefined, live: unknown, config: unknown): unknown {
  if (config === undefined) return live
  if (live === undefined || (isVoid(live) && isVoid(config))) return config
  // A null says nothing about a container that has something in it.
  if (config === null) return isJsonObject(live) && !isAtomicMap(schema) ? live : Array.isArray(live) && listKeys(schema) ? live : null
  if (Array.isArray(config)) {
    const keys = listKeys(schema)
    return keys && Array.isArray(live) ? mergedLists(schema, keys, live, config) : config
  }
  if (!isJsonObject(config) || !isJsonObject(live) || isAtomicMap(schema)) return config
  const result: JsonObject = { ...live }
  for (const key of Object.keys(config)) setValue(result, key, merged(memberSchema(schema, key), ownValue(live, key), config[key]))
  return result
}

/**
 * Items of the configuration come in its order; an item that only the live list has keeps its place before the next one of
 * the configuration that it stood before.
 */
function mergedLists(schema: Schema | undefined, keys: readonly string[], live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const mine = itemsByElement(schema, keys, live)
  const theirs = itemsByElement(schema, keys, config)
  const result: unknown[] = []
  const takeApplied = (element: PathElement): void => {
    const own = mine.get(element)
    // Live items that nothing tells apart cannot be merged with: what is applied takes their place.
    result.push(merged(schema?.items, own?.length === 1 ? own[0] : undefined, theirs.get(element)![0]))
  }
  const liveOrder = [...mine.keys()]
  const appliedOrder = [...theirs.keys()]
  const shared = appliedOrder.filter((element) => mine.has(element))
  let [left, right] = [0, 0]
  while (left < liveOrder.length || right < appliedOrder.length) {
    const element = liveOrder[left]
    const applied = appliedOrder[right]
    if (element !== undefined && applied !== undefined) {
      if (element === applied) {
        takeApplied(element)
        left++
        right++
        shared.shift()
        continue
      }
      if (theirs.has(element) && shared[0] !== undefined && shared[0] !== element) {
        // It comes where the configuration has it.
        left++
        continue
      }
    }
    if (element !== undefined && !theirs.has(element)) {
      result.push(...mine.get(element)!)
      left++
    } else if (applied !== undefined) {
      takeApplied(applied)
      right++
      if (shared[0] === applied) shared.shift()
    } else {
      left++
    }
  }
  return result
}
