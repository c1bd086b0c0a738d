import { entriesJson } from '../../apimachinery/managed-fields/entries.js'
import type { ObjectMeta } from '../../apimachinery/object.js'

/** JSON of immutable objects, kept so that lists and watches do not spell the same object again for every reader. */
export interface ObjectTexts {
  textOf(object: object): string
  /** The same without its leading apiVersion and kind, as items of built-in lists are sent. */
  untypedTextOf(object: object): string
}

/** How much text is kept: between once and twice this many characters. */
const KEPT_CHARACTERS = 8 * 1024 * 1024

/**
 * Texts live in two generations: when the younger one is full, the older one is dropped, so what nobody asked for lately is
 * forgotten even while its object lives.
 */
export function createObjectTexts(keptCharacters = KEPT_CHARACTERS): ObjectTexts {
  let young = new WeakMap<object, string>()
  let old = new WeakMap<object, string>()
  let size = 0

  const textOf = (object: object): string => {
    const known = young.get(object)
    if (known !== undefined) return known
    const text = old.get(object) ?? objectJson(object)
    if (size + text.length > keptCharacters) {
      old = young
      young = new WeakMap()
      size = 0
    }
    young.set(object, text)
    size += text.length
    return text
  }

  return {
    textOf,
    untypedTextOf(object) {
      const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown }
      const text = textOf(object)
      const head = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},`
      if (text.startsWith(head)) return `{${text.slice(head.length)}`
      return objectJson({ ...object, apiVersion: undefined, kind: undefined })
    },
  }
}

/** An object as clients know it: the sets of its managed fields, which are JSON texts in memory, become part of its own. */
export function objectJson(object: object): string {
  const { metadata } = object as { metadata?: ObjectMeta }
  if (!metadata?.managedFields) return JSON.stringify(object)
  const { managedFields, ...rest } = metadata
  const head = JSON.stringify(rest).slice(0, -1)
  const entries = `${head === '{' ? '' : ','}"managedFields":${entriesJson(managedFields)}`
  const members = Object.entries(object).flatMap(([key, value]) => {
    const text = key === 'metadata' ? `${head}${entries}}` : (JSON.stringify(value) as string | undefined)
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`]
  })
  return `{${members.join(',')}}`
}
