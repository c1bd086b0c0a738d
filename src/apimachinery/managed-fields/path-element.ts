import { isJsonObject, type JsonObject } from '../json.js'

/**
 * One step of a path, as fieldsV1 writes it: `f:<field>`, `k:{"name":"x"}` for the item of a list with keys, `v:<json>` for
 * the item of a set, `i:<n>` for a place in a list. Two elements are the same exactly when their texts are.
 * @see kubernetes-sigs/structured-merge-diff v6 fieldpath/serialize-pe.go
 */
export type PathElement = string

/** Stands in a field set for the element that the set hangs from. */
export const SELF = '.'

export const fieldElement = (name: string): PathElement => `f:${name}`
export const valueElement = (value: unknown): PathElement => `v:${JSON.stringify(value)}`

/** The item of a list with these key fields. */
export function keyElement(keys: JsonObject): PathElement {
  const fields = Object.keys(keys)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(keys[name])}`)
  return `k:{${fields.join(',')}}`
}

/**
 * The element in its one spelling; undefined for a kind of element that is not known, which upstream drops as well.
 * Throws SyntaxError for one that is malformed.
 */
export function canonicalElement(text: string): PathElement | undefined {
  if (text[1] !== ':') throw new SyntaxError(`missing colon: ${text}`)
  const content = text.slice(2)
  switch (text[0]) {
    case 'f':
      return text
    case 'k': {
      const keys: unknown = JSON.parse(content)
      if (!isJsonObject(keys)) throw new SyntaxError(`not a map of keys: ${content}`)
      return keyElement(keys)
    }
    case 'v':
      return valueElement(JSON.parse(content))
    case 'i':
      if (!/^-?\d+$/.test(content)) throw new SyntaxError(`not an index: ${content}`)
      return text
    default:
      return undefined
  }
}

/** The element as messages show it: `.spec`, `[name="x"]`, `[="x"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const content = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${content}`
    case 'k': {
      const keys = JSON.parse(content) as JsonObject
      return `[${Object.keys(keys)
        .map((name) => `${name}=${JSON.stringify(keys[name])}`)
        .join(',')}]`
    }
    case 'v':
      return `[=${content}]`
    default:
      return `[${content}]`
  }
}

const KINDS = 'fkvi'

/** The order in which sets are walked: fields by name, then items by their keys, then values, then places. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a[0] !== b[0]) return KINDS.indexOf(a[0]!) - KINDS.indexOf(b[0]!)
  if (a[0] === 'f') return a < b ? -1 : a > b ? 1 : 0
  if (a[0] === 'k') return compareKeys(JSON.parse(a.slice(2)) as JsonObject, JSON.parse(b.slice(2)) as JsonObject)
  return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)))
}

function compareKeys(a: JsonObject, b: JsonObject): number {
  const [names, others] = [Object.keys(a), Object.keys(b)]
  for (let index = 0; index < names.length && index < others.length; index++) {
    const [name, other] = [names[index]!, others[index]!]
    const order = name === other ? compareValues(a[name], b[name]) : name < other ? -1 : 1
    if (order !== 0) return order
  }
  return names.length - others.length
}

function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  // Numbers come before text, text before booleans.
  const [first, second] = [rank(a), rank(b)]
  if (first !== second) return first - second
  const [text, other] = [String(a), String(b)]
  return text < other ? -1 : text > other ? 1 : 0
}

function rank(value: unknown): number {
  return ['number', 'string', 'boolean'].indexOf(typeof value)
}
