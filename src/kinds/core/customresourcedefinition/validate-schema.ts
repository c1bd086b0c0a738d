import { causes } from '../../../apimachinery/causes.js'
import { isJsonObject, type JsonObject } from '../../../apimachinery/json.js'
import { regExpFrom } from '../../../apimachinery/re2.js'
import type { Schema } from '../../../apimachinery/schema.js'
import { checkSchema } from '../../../apimachinery/schema-check.js'
import type { Cause } from '../../../apimachinery/status-error.js'

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']
/** What may not stand below allOf, anyOf, oneOf and not, and what it has to be instead. */
const NOT_BELOW_JUNCTORS: readonly (readonly [key: string, must: string])[] = [
  ['description', 'must be empty to be structural'],
  ['title', 'must be empty to be structural'],
  ['type', 'must be empty to be structural'],
  ['default', 'must be undefined to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
]

type Level = 'root' | 'field' | 'items'

/**
 * Whether a schema is structural: every value typed, nothing that only the whole of a schema could tell. Told with the path
 * of the schema's part.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/validation.go, pkg/apis/apiextensions/validation/validation.go
 */
export function validateStructural(schema: Schema, path: string): Cause[] {
  const found: Cause[] = []
  visit(schema, path, 'root', found)
  return found
}

function visit(schema: Schema, path: string, level: Level, found: Cause[]): void {
  validateType(schema, path, level, found)
  validateKeywords(schema, path, found)
  validateListType(schema, path, found)
  if (level === 'root' || schema['x-kubernetes-embedded-resource']) validateObjectFields(schema, path, level, found)
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [index, part] of (schema[junctor] ?? []).entries())
      validateJunctor(part, schema, `${path}.${junctor}[${index}]`, path, typesAllowed(schema, junctor), found)
  if (schema.not) validateJunctor(schema.not, schema, `${path}.not`, path, false, found)
  if (schema.default !== undefined) validateDefault(schema, path, found)

  for (const [name, child] of Object.entries(schema.properties ?? {})) visit(child, `${path}.properties[${name}]`, 'field', found)
  const { additionalProperties, items } = schema
  if (isJsonObject(additionalProperties)) visit(additionalProperties, `${path}.additionalProperties`, 'field', found)
  if (isJsonObject(items)) visit(items, `${path}.items`, 'items', found)
}

function validateType(schema: Schema, path: string, level: Level, found: Cause[]): void {
  const { type } = schema
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true
  if (type === undefined || (type as string) === '') {
    if (isIntOrString || (schema['x-kubernetes-preserve-unknown-fields'] && level !== 'root')) return
    const where = level === 'root' ? 'at the root' : level === 'items' ? 'for specified array items' : 'for specified object fields'
    found.push(causes.required(`${path}.type`, `must not be empty ${where}`))
    return
  }
  if ((type as string) === 'null')
    found.push(causes.forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'))
  else if (!TYPES.includes(type)) found.push(causes.notSupported(`${path}.type`, type, TYPES))
  else if (level === 'root' && type !== 'object') found.push(causes.invalid(`${path}.type`, type, 'must be object at the root'))
  if (isIntOrString) found.push(causes.invalid(`${path}.type`, type, 'must be empty if x-kubernetes-int-or-string is true'))
  if (schema['x-kubernetes-embedded-resource'] && type !== 'object')
    found.push(causes.invalid(`${path}.type`, type, 'must be object if x-kubernetes-embedded-resource is true'))
}

function validateKeywords(schema: Schema, path: string, found: Cause[]): void {
  const raw = schema as JsonObject
  for (const key of UNSUPPORTED) if (raw[key] !== undefined) found.push(causes.forbidden(`${path}.${key}`, `${key} is not supported`))
  if (raw['uniqueItems'] === true)
    found.push(causes.forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  if (Array.isArray(schema.items)) found.push(causes.forbidden(`${path}.items`, 'items must be a schema object and not an array'))
  if (raw['additionalProperties'] === false)
    found.push(causes.forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'))
  if (schema.properties && Object.keys(schema.properties).length > 0 && schema.additionalProperties !== undefined)
    found.push(causes.forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'))
  if (raw['x-kubernetes-preserve-unknown-fields'] === false)
    found.push(causes.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  if (
    schema['x-kubernetes-embedded-resource'] &&
    !schema['x-kubernetes-preserve-unknown-fields'] &&
    Object.keys(schema.properties ?? {}).length === 0
  )
    found.push(
      causes.required(
        `${path}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  if (schema.pattern !== undefined) validatePattern(schema.pattern, `${path}.pattern`, found)
}

function validatePattern(pattern: string, path: string, found: Cause[]): void {
  try {
    regExpFrom(pattern)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    found.push(causes.invalid(path, pattern, `must be a valid regular expression, but isn't: ${why}`))
  }
}

/** apiVersion, kind and metadata are there anyway: a schema may restrict names, and nothing else about them. */
function validateObjectFields(schema: Schema, path: string, level: Level, found: Cause[]): void {
  for (const name of ['apiVersion', 'kind']) {
    const type = schema.properties?.[name]?.type
    if (type !== undefined && type !== 'string') found.push(causes.invalid(`${path}.properties[${name}].type`, type, 'must be string'))
  }
  const metadata = schema.properties?.['metadata']
  if (!metadata) return
  const at = `${path}.properties[metadata]`
  if (metadata.type !== undefined && metadata.type !== 'object') found.push(causes.invalid(`${at}.type`, metadata.type, 'must be object'))
  const { description: _description, type: _type, properties = {}, ...more } = metadata as JsonObject & { properties?: object }
  const others = Object.keys(properties).filter((name) => name !== 'name' && name !== 'generateName')
  if (level === 'root' && (others.length > 0 || Object.keys(more).length > 0))
    found.push(causes.forbidden(at, 'must not specify anything other than name and generateName, but metadata is implicitly specified'))
}

/** int-or-string is the one thing that may be spelled out as an alternative of types. */
function typesAllowed(schema: Schema, junctor: 'allOf' | 'anyOf' | 'oneOf'): boolean {
  return schema['x-kubernetes-int-or-string'] === true && junctor !== 'oneOf'
}

function validateJunctor(part: Schema, outer: Schema | undefined, path: string, outerPath: string, mayType: boolean, found: Cause[]): void {
  const raw = part as JsonObject
  for (const [key, must] of NOT_BELOW_JUNCTORS) {
    if (raw[key] === undefined || raw[key] === false || raw[key] === '' || (key === 'type' && mayType)) continue
    found.push(causes.forbidden(`${path}.${key}`, must))
  }
  for (const key of UNSUPPORTED) if (raw[key] !== undefined) found.push(causes.forbidden(`${path}.${key}`, `${key} is not supported`))
  if (part.pattern !== undefined) validatePattern(part.pattern, `${path}.pattern`, found)
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const)
    for (const [index, inner] of (part[junctor] ?? []).entries())
      validateJunctor(inner, outer, `${path}.${junctor}[${index}]`, outerPath, mayType, found)
  if (part.not) validateJunctor(part.not, outer, `${path}.not`, outerPath, false, found)

  const isOpen = !outer || outer['x-kubernetes-preserve-unknown-fields'] === true
  for (const [name, child] of Object.entries(part.properties ?? {})) {
    const additional = outer?.additionalProperties === true ? undefined : outer?.additionalProperties
    const counterpart = outer?.properties?.[name] ?? additional
    const at = `${outerPath}.properties[${name}]`
    if (!counterpart && !isOpen) found.push(causes.required(at, `because it is defined in ${path}.properties[${name}]`))
    validateJunctor(child, counterpart, `${path}.properties[${name}]`, at, false, found)
  }
  if (!part.items) return
  if (!outer?.items && !isOpen) found.push(causes.required(`${outerPath}.items`, `because it is defined in ${path}.items`))
  validateJunctor(part.items, outer?.items, `${path}.items`, `${outerPath}.items`, false, found)
}

const LIST_TYPES = ['atomic', 'map', 'set']
const SCALARS = ['boolean', 'integer', 'number', 'string']

/** @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/validation.go, validateListMapKeysAndType */
function validateListType(schema: Schema, path: string, found: Cause[]): void {
  const listType = schema['x-kubernetes-list-type']
  const mapType = schema['x-kubernetes-map-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (mapType !== undefined) {
    if (schema.type !== 'object')
      found.push(causes.invalid(`${path}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'))
    if (!['granular', 'atomic'].includes(mapType))
      found.push(causes.notSupported(`${path}.x-kubernetes-map-type`, mapType, ['granular', 'atomic']))
  }
  if (listType !== undefined) {
    const detail = 'must be array if x-kubernetes-list-type is specified'
    if (schema.type === undefined) found.push(causes.required(`${path}.type`, detail))
    else if (schema.type !== 'array') found.push(causes.invalid(`${path}.type`, schema.type, detail))
    else if (!LIST_TYPES.includes(listType)) found.push(causes.notSupported(`${path}.x-kubernetes-list-type`, listType, LIST_TYPES))
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    found.push(
      listType === undefined
        ? causes.required(`${path}.x-kubernetes-list-type`, detail)
        : causes.invalid(`${path}.x-kubernetes-list-type`, listType, detail),
    )
  }
  if (listType !== 'map') return
  if (keys.length === 0)
    found.push(causes.required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'))
  const { items } = schema
  if (!isJsonObject(items)) {
    found.push(causes.required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
    return
  }
  if (items.type !== 'object')
    found.push(causes.invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"))
  for (const [index, key] of keys.entries()) validateListKey(items, key, `${path}.x-kubernetes-list-map-keys[${index}]`, path, found)
  if (new Set(keys).size < keys.length)
    found.push(causes.invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'))
}

function validateListKey(items: Schema, key: string, keyPath: string, path: string, found: Cause[]): void {
  const property = items.properties?.[key]
  const at = `${path}.items.properties[${key}]`
  if (!property) {
    found.push(causes.invalid(keyPath, key, 'entries must all be names of item properties'))
    return
  }
  if (!SCALARS.includes(property.type ?? '') && !property['x-kubernetes-int-or-string'])
    found.push(causes.invalid(`${at}.type`, property.type ?? '', "must be a scalar type if parent array's x-kubernetes-list-type is map"))
  if (!items.required?.includes(key) && property.default === undefined)
    found.push(
      causes.required(
        `${at}.default`,
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ),
    )
}

function validateDefault(schema: Schema, path: string, found: Cause[]): void {
  const { default: value, ...rest } = schema
  const judge: Schema = { type: 'object', properties: { default: rest } }
  for (const cause of checkSchema(judge, { default: value }))
    found.push({ ...cause, field: cause.field === '<nil>' ? `${path}.default` : `${path}.${cause.field}` })
}
