import { isJsonObject, type JsonObject } from '../json.js'
import type { Schema } from '../schema.js'
import { elementText, fieldElement } from './path-element.js'
import { ItemError, isNamed, isOpen, itemElement, listKeys, memberSchema } from './typed.js'

/**
 * What keeps a configuration from being applied as this type, in the words of the API server: fields that the schema does not
 * declare, values of the wrong type, items without an identity or with that of another. Empty when nothing does.
 * @see kubernetes-sigs/structured-merge-diff v6 typed/validate.go
 */
export function typeErrors(schema: Schema, config: JsonObject): string[] {
  const found: string[] = []
  checkValue(schema, config, '', found)
  return found
}

/** Several findings as one text: `errors:` and a line for each. */
export function typeErrorsText(found: readonly string[]): string {
  return found.length === 1 ? found[0]! : ['errors:', ...found.map((text) => `  ${text}`)].join('\n')
}

function checkValue(schema: Schema | undefined, value: unknown, path: string, found: string[]): void {
  if (value === null) return
  const add = (text: string): void => void found.push(path === '' ? text : `${path}: ${text}`)
  const type = typeOf(schema)
  if (type === 'array') {
    if (Array.isArray(value)) checkItems(schema!, value, path, found)
    else add(`expected list, got ${containerText(value)}`)
  } else if (type === 'object') {
    if (isJsonObject(value)) checkMembers(schema, value, path, found)
    else add(`expected map, got ${containerText(value)}`)
  } else if (type === 'string') {
    if (typeof value !== 'string') add(`expected string, got ${scalarText(value)}`)
  } else if (type === 'boolean') {
    if (typeof value !== 'boolean') add(`expected boolean, got ${scalarText(value)}`)
  } else if (type === 'integer' || type === 'number') {
    if (typeof value !== 'number') add(`expected numeric (int or float), got ${scalarText(value)}`)
  } else if (isJsonObject(value)) {
    checkMembers(schema, value, path, found)
  }
}

function typeOf(schema: Schema | undefined): Schema['type'] | undefined {
  // Quantities and the like are text or number, as they come.
  return schema?.['x-kubernetes-int-or-string'] ? undefined : schema?.type
}

function checkItems(schema: Schema, list: readonly unknown[], path: string, found: string[]): void {
  const keys = listKeys(schema)
  const seen = new Set<string>()
  for (let index = 0; index < list.length; index++) {
    let place = `[${index}]`
    if (keys) {
      try {
        const element = itemElement(schema, keys, list[index])
        place = elementText(element)
        if (seen.has(element)) found.push(`${path}: duplicate entries for key ${place}`)
        seen.add(element)
      } catch (error) {
        if (!(error instanceof ItemError)) throw error
        found.push(`${path}: element ${index}: ${error.message}`)
        continue
      }
    }
    checkValue(schema.items, list[index], path + place, found)
  }
}

function checkMembers(schema: Schema | undefined, map: JsonObject, path: string, found: string[]): void {
  for (const key of Object.keys(map)) {
    const place = path + elementText(fieldElement(key))
    if (!isNamed(schema, key) && !isOpen(schema)) found.push(`${place}: field not declared in schema`)
    else checkValue(memberSchema(schema, key), map[key], place, found)
  }
}

/** As Go prints a value of the wrong type where a scalar belongs. */
function scalarText(value: unknown): string {
  return `&value.valueUnstructured{Value:${goSyntax(value)}}`
}

function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.keys(value).map((key) => `${JSON.stringify(key)}:${goSyntax(value[key])}`)
  return `map[string]interface {}{${members.join(', ')}}`
}

/** As Go prints one where a container belongs. */
function containerText(value: unknown): string {
  return `&{${goText(value)}}`
}

function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isJsonObject(value)) return String(value)
  return `map[${Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`)
    .join(' ')}]`
}
