import { deepEqual, isJsonObject, type JsonObject, ownValue } from '../json.js'
import type { Schema } from '../schema.js'
import { everyPath } from './extract.js'
import { EMPTY, type FieldSet, isEmpty, setOf, union } from './field-set.js'
import { fieldElement, type PathElement } from './path-element.js'
import { isLeaf, isVoid, itemsByElement, listKeys, memberSchema } from './typed.js'

/** What a change did, path by path. */
export interface Comparison {
  added: FieldSet
  modified: FieldSet
  removed: FieldSet
}

/**
 * Tells what became of every field between two states of an object. Costs a walk over what both do not share by reference.
 * @see kubernetes-sigs/structured-merge-diff v6 typed/compare.go
 */
export function compare(schema: Schema, before: JsonObject, after: JsonObject): Comparison {
  const found: Comparison = { added: EMPTY, modified: EMPTY, removed: EMPTY }
  const path: PathElement[] = []

  const note = (kind: keyof Comparison, node: FieldSet = EMPTY): void => {
    found[kind] = union(found[kind], setOf(path, node))
  }
  const within = (element: PathElement, of: Schema | undefined, old: unknown, next: unknown): void => {
    path.push(element)
    walk(of, old, next)
    path.pop()
  }

  const walk = (of: Schema | undefined, old: unknown, next: unknown): void => {
    if (old === next) return
    if (old === undefined) note('added', everyPath(of, next))
    else if (next === undefined) note('removed', everyPath(of, old))
    else walkBoth(of, old, next)
  }

  const walkBoth = (of: Schema | undefined, old: unknown, next: unknown): void => {
    const comparable = areMaps(old, next) || areLists(old, next)
    const whole = !comparable || isLeaf(of, old ?? next) || isLeaf(of, next ?? old) || (isVoid(old) && isVoid(next))
    if (whole) {
      if (!deepEqual(old, next)) note('modified')
    } else if (Array.isArray(old ?? next)) {
      walkItems(of, (old ?? []) as unknown[], (next ?? []) as unknown[])
    } else {
      walkMembers(of, (old ?? {}) as JsonObject, (next ?? {}) as JsonObject)
    }
  }

  const walkMembers = (of: Schema | undefined, old: JsonObject, next: JsonObject): void => {
    for (const key of Object.keys(old)) within(fieldElement(key), memberSchema(of, key), old[key], ownValue(next, key))
    for (const key of Object.keys(next))
      if (!Object.hasOwn(old, key)) within(fieldElement(key), memberSchema(of, key), undefined, next[key])
  }

  const walkItems = (of: Schema | undefined, old: readonly unknown[], next: readonly unknown[]): void => {
    const keys = listKeys(of)!
    const before = itemsByElement(of, keys, old)
    const after = itemsByElement(of, keys, next)
    for (const element of new Set([...before.keys(), ...after.keys()])) {
      const [mine = [], theirs = []] = [before.get(element), after.get(element)]
      if (mine.length <= 1 && theirs.length <= 1) within(element, of?.items, mine[0], theirs[0])
      else if (!deepEqual(mine, theirs)) {
        // Items that nothing tells apart are owned together.
        path.push(element)
        note(mine.length === 0 ? 'added' : theirs.length === 0 ? 'removed' : 'modified')
        path.pop()
      }
    }
  }

  walkMembers(schema, before, after)
  return found
}

export function isUnchanged({ added, modified, removed }: Comparison): boolean {
  return isEmpty(added) && isEmpty(modified) && isEmpty(removed)
}

/** Maps, null standing for one where the other is one. */
function areMaps(a: unknown, b: unknown): boolean {
  return (isJsonObject(a) && (isJsonObject(b) || b === null)) || (a === null && isJsonObject(b))
}

function areLists(a: unknown, b: unknown): boolean {
  return (Array.isArray(a) && (Array.isArray(b) || b === null)) || (a === null && Array.isArray(b))
}
