import { isJsonObject } from '../json.js'
import { canonicalElement, compareElements, elementText, type PathElement, SELF } from './path-element.js'

/**
 * A set of paths in the form of fieldsV1 itself: a tree in which an empty node, or one with a `.`, is a member of the set.
 * The root is never one. Sets are immutable, and whatever an operation leaves as it was is shared with its result, so
 * `union(a, b) === a` says that b added nothing.
 * @see kubernetes-sigs/structured-merge-diff v6 fieldpath/set.go, serialize.go
 */
export interface FieldSet {
  readonly [element: PathElement]: FieldSet
}

export const EMPTY: FieldSet = Object.freeze({})

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

/** Whether the element that this node hangs from is in the set itself, beside what lies below it. */
export function isMember(node: FieldSet): boolean {
  return Object.hasOwn(node, SELF) || isEmpty(node)
}

/** The node, with the element it hangs from as a member. */
export function withSelf(node: FieldSet): FieldSet {
  return isMember(node) ? node : { [SELF]: EMPTY, ...node }
}

export function child(set: FieldSet, element: PathElement): FieldSet | undefined {
  return Object.hasOwn(set, element) ? set[element] : undefined
}

/** Whether the set holds this very path. */
export function has(set: FieldSet, path: readonly PathElement[]): boolean {
  let node: FieldSet | undefined = set
  for (const element of path) node = node && child(node, element)
  return node !== undefined && path.length > 0 && isMember(node)
}

export function setOf(path: readonly PathElement[], node: FieldSet = EMPTY): FieldSet {
  return path.reduceRight<FieldSet>((below, element) => ({ [element]: below }), node)
}

/** What is in either. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  let result: Record<string, FieldSet> | undefined
  for (const element of Object.keys(b)) {
    const mine = child(a, element)
    const next = mine ? unionNode(mine, b[element]!) : b[element]!
    if (next === mine) continue
    result ??= { ...a }
    result[element] = next
  }
  return result ?? a
}

function unionNode(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return withSelf(a)
  if (isEmpty(a)) return withSelf(b)
  return union(a, b)
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? EMPTY : (intersectionNode(a, b) ?? EMPTY)
}

function intersectionNode(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a
  const result: Record<string, FieldSet> = {}
  for (const element of Object.keys(a)) {
    if (element === SELF) continue
    const other = child(b, element)
    const next = other && intersectionNode(a[element]!, other)
    if (next) result[element] = next
  }
  const both = isMember(a) && isMember(b)
  if (isEmpty(result)) return both ? EMPTY : undefined
  return both ? { [SELF]: EMPTY, ...result } : result
}

/** What is in `a` and not in `b`, path by path: taking away a parent leaves its children, and the other way round. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? a : (differenceNode(a, b, false) ?? EMPTY)
}

/** What is in `a` and neither in `b` nor below a member of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? a : (differenceNode(a, b, true) ?? EMPTY)
}

function differenceNode(a: FieldSet, b: FieldSet, recursive: boolean): FieldSet | undefined {
  const result: Record<string, FieldSet> = {}
  let changed = false
  for (const element of Object.keys(a)) {
    if (element === SELF) continue
    const mine = a[element]!
    const other = child(b, element)
    const next = !other ? mine : recursive && isMember(other) ? undefined : differenceNode(mine, other, recursive)
    if (next !== mine) changed = true
    if (next) result[element] = next
  }
  const wasMember = isMember(a)
  const staysMember = wasMember && !isMember(b)
  if (!changed && staysMember === wasMember) return a
  if (isEmpty(result)) return staysMember ? EMPTY : undefined
  return staysMember ? { [SELF]: EMPTY, ...result } : result
}

/** Every member as messages show it, in upstream's order: the members of a level, then what lies below them. */
export function pathsOf(set: FieldSet): string[] {
  const found: string[] = []
  const walk = (node: FieldSet, prefix: string): void => {
    const elements = Object.keys(node)
      .filter((element) => element !== SELF)
      .sort(compareElements)
    for (const element of elements) if (isMember(node[element]!)) found.push(prefix + elementText(element))
    for (const element of elements) if (!isEmpty(node[element]!)) walk(node[element]!, prefix + elementText(element))
  }
  walk(set, '')
  return found
}

/** The set as the JSON of fieldsV1, equal sets to equal texts. */
export function fieldsText(set: FieldSet): string {
  const elements = Object.keys(set)
  if (elements.length === 0) return '{}'
  if (elements.length > 1) elements.sort()
  let text = '{'
  for (let index = 0; index < elements.length; index++) {
    const element = elements[index]!
    text += `${index === 0 ? '' : ','}${JSON.stringify(element)}:${fieldsText(set[element]!)}`
  }
  return `${text}}`
}

/** The set that a fieldsV1 stands for. Throws SyntaxError where it stands for none. */
export function fieldSetFrom(fieldsV1: unknown): FieldSet {
  const node = (value: unknown): FieldSet => {
    if (!isJsonObject(value)) throw new SyntaxError('a field set must be a map')
    const result: Record<string, FieldSet> = {}
    for (const element of Object.keys(value)) {
      const canonical = element === SELF ? SELF : canonicalElement(element)
      if (canonical !== undefined) result[canonical] = element === SELF ? EMPTY : node(value[element])
    }
    return Object.keys(result).length === 1 && Object.hasOwn(result, SELF) ? EMPTY : result
  }
  const { [SELF]: _, ...set } = node(fieldsV1)
  return set
}
