import { causes } from './causes.js'
import { hasFormat } from './formats.js'
import { deepEqual, isJsonObject, type JsonObject, ownValue } from './json.js'
import { regExpFrom } from './re2.js'
import type { Schema } from './schema.js'
import type { Cause } from './status-error.js'

export { applySchemaDefaults } from './defaults.js'
export { prune } from './prune.js'

/**
 * What the schema finds wrong with an object, in the API server's words. metadata is not looked at (names.ts does).
 * Empty when nothing is wrong, which costs no more than a walk over the object.
 * @see kubernetes/kube-openapi pkg/validation/validate, kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/validation and schema/listtype
 */
export function checkSchema(schema: Schema, object: object): Cause[] {
  const found: Cause[] = []
  checkValue(schema, object, '', found)
  return found
}

function checkValue(schema: Schema, value: unknown, path: string, found: Cause[]): void {
  if (value === null && schema.nullable) return
  if (!hasType(schema, value)) {
    const is = typeOf(value)
    const wanted = schema['x-kubernetes-int-or-string'] ? 'integer,string' : schema.type
    found.push(causes.typeInvalid(path, is, `${path} in body must be of type ${wanted}: "${is}"`))
    return
  }
  if (schema.enum && !schema.enum.some((allowed) => deepEqual(allowed, value))) {
    const supported = schema.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed)))
    found.push(causes.notSupported(path, value, supported))
  }
  if (typeof value === 'string') checkString(schema, value, path, found)
  else if (typeof value === 'number') checkNumber(schema, value, path, found)
  else if (Array.isArray(value)) checkList(schema, value, path, found)
  else if (isJsonObject(value)) checkObject(schema, value, path, found)
  if (schema.allOf || schema.anyOf || schema.oneOf || schema.not) checkJunctors(schema, value, path, found)
}

function hasType(schema: Schema, value: unknown): boolean {
  if (schema['x-kubernetes-int-or-string']) return typeof value === 'string' || Number.isInteger(value)
  switch (schema.type) {
    case undefined:
      return true
    case 'object':
      return isJsonObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === schema.type
  }
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function checkString(schema: Schema, value: string, path: string, found: Cause[]): void {
  const { minLength, maxLength, pattern, format } = schema
  if (maxLength !== undefined && value.length > maxLength && [...value].length > maxLength) found.push(causes.tooLong(path, maxLength))
  if (minLength !== undefined && (value.length < minLength || [...value].length < minLength)) {
    found.push(causes.invalid(path, value, `${path} in body should be at least ${minLength} chars long`))
  }
  // The engine keeps compiled patterns by their source, so this costs a lookup.
  if (pattern !== undefined && !regExpFrom(pattern).test(value)) {
    found.push(causes.invalid(path, value, `${path} in body should match '${pattern}'`))
  }
  if (format !== undefined && !hasFormat(format, value)) {
    found.push(causes.typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`))
  }
}

function checkNumber(schema: Schema, value: number, path: string, found: Cause[]): void {
  const { minimum, maximum, multipleOf } = schema
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
    found.push(
      causes.invalid(path, value, `${path} in body should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`),
    )
  }
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
    found.push(
      causes.invalid(path, value, `${path} in body should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`),
    )
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) {
    found.push(causes.invalid(path, value, `${path} in body should be a multiple of ${multipleOf}`))
  }
  if (schema.format === 'int32' && (value > 2 ** 31 - 1 || value < -(2 ** 31))) {
    found.push(causes.invalid(path, value, `${path} in body must be of type int32: "${typeOf(value)}"`))
  }
}

function checkList(schema: Schema, list: readonly unknown[], path: string, found: Cause[]): void {
  const { items, minItems, maxItems } = schema
  if (minItems !== undefined && list.length < minItems) {
    found.push(causes.invalid(path, list.length, `${path} in body should have at least ${minItems} items`))
  }
  if (maxItems !== undefined && list.length > maxItems) found.push(causes.tooMany(path, list.length, maxItems))
  if (items) for (let index = 0; index < list.length; index++) checkValue(items, list[index], `${path}[${index}]`, found)
  const listType = schema['x-kubernetes-list-type']
  if (list.length > 1 && (listType === 'set' || listType === 'map')) checkDuplicates(schema, list, path, found)
}

function checkDuplicates(schema: Schema, list: readonly unknown[], path: string, found: Cause[]): void {
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined
  const seen = new Set<string>()
  list.forEach((item, index) => {
    const identity = keys ? identityOf(item, keys, schema.items) : item
    const text = canonicalText(identity)
    if (seen.has(text)) found.push(causes.duplicate(`${path}[${index}]`, identity))
    seen.add(text)
  })
}

/** The keys of a map list's item; a missing key takes its default, as on a cluster. */
function identityOf(item: unknown, keys: readonly string[], items: Schema | undefined): JsonObject {
  const identity: JsonObject = {}
  if (!isJsonObject(item)) return identity
  for (const key of keys) {
    const value = ownValue(item, key) ?? items?.properties?.[key]?.default
    if (value !== undefined) identity[key] = value
  }
  return identity
}

function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null'
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`)
  return `{${fields.join(',')}}`
}

function checkObject(schema: Schema, object: JsonObject, path: string, found: Cause[]): void {
  const { properties, required, minProperties, maxProperties } = schema
  const additional = schema.additionalProperties === true ? undefined : schema.additionalProperties
  const prefix = path === '' ? '' : `${path}.`
  if (minProperties !== undefined || maxProperties !== undefined) {
    const count = Object.keys(object).length
    if (minProperties !== undefined && count < minProperties) {
      found.push(causes.invalid(path, count, `${path} in body should have at least ${minProperties} properties`))
    }
    if (maxProperties !== undefined && count > maxProperties) found.push(causes.tooMany(path, count, maxProperties))
  }
  for (const key of Object.keys(object)) {
    const value = object[key]
    // Code that builds objects may leave members undefined; JSON knows none.
    if (value === undefined) continue
    const child = properties && Object.hasOwn(properties, key) ? properties[key] : additional
    if (child) checkValue(child, value, prefix + key, found)
  }
  if (required) for (const key of required) if (ownValue(object, key) === undefined) found.push(causes.required(prefix + key))
}

function checkJunctors(schema: Schema, value: unknown, path: string, found: Cause[]): void {
  const findings = (other: Schema): Cause[] => {
    const own: Cause[] = []
    checkValue(other, value, path, own)
    return own
  }
  // Without a path of its own, upstream files these under its nil path.
  const add = (text: string): void => void found.push(causes.invalid('<nil>', '', `"${path}" ${text}`))

  if (schema.allOf) {
    const failed = schema.allOf.flatMap(findings)
    if (failed.length > 0) {
      found.push(...failed)
      add('must validate all the schemas (allOf)')
    }
  }
  if (schema.anyOf) {
    const attempts = schema.anyOf.map(findings)
    if (attempts.every((attempt) => attempt.length > 0)) {
      add('must validate at least one schema (anyOf)')
      found.push(...nearest(attempts))
    }
  }
  if (schema.oneOf) {
    const attempts = schema.oneOf.map(findings)
    const fitting = attempts.filter((attempt) => attempt.length === 0).length
    if (fitting === 0) {
      add('must validate one and only one schema (oneOf). Found none valid')
      found.push(...nearest(attempts))
    } else if (fitting > 1) add(`must validate one and only one schema (oneOf). Found ${fitting} valid alternatives`)
  }
  if (schema.not && findings(schema.not).length === 0) add('must not validate the schema (not)')
}

/** The alternative that came closest is the one worth telling about. */
function nearest(attempts: readonly Cause[][]): Cause[] {
  return attempts.reduce((best, attempt) => (attempt.length < best.length ? attempt : best))
}
