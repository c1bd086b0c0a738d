import { isJsonObject } from '../json.js'
import type { Schema } from '../schema.js'
import { escapedProperty } from './names.js'
import { type CelValue, durationFrom, timestampFrom } from './values.js'

/** What rules may see of metadata: names only. @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/cel/model */
const META: Schema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }
const TEXT: Schema = { type: 'string' }

/** The fields that every whole object has, whatever its schema says. */
export function withObjectFields(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, apiVersion: TEXT, kind: TEXT, metadata: META } }
}

/** A JSON value as rules see it: numbers and times by the schema's types, properties under their escaped names. */
export function celFromJson(value: unknown, schema: Schema | undefined): CelValue {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return textFromJson(value, schema)
    case 'number':
      return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value)
  }
  if (Array.isArray(value)) return value.map((item) => celFromJson(item, schema?.items))
  if (!isJsonObject(value)) return null
  const known = schema?.['x-kubernetes-embedded-resource'] ? withObjectFields(schema) : schema
  const additional = known?.additionalProperties === true ? undefined : known?.additionalProperties
  const map = new Map<CelValue, CelValue>()
  for (const key of Object.keys(value)) {
    const property = known?.properties && Object.hasOwn(known.properties, key) ? known.properties[key] : undefined
    const name = property ? escapedProperty(key) : key
    if (name !== undefined) map.set(name, celFromJson(value[key], property ?? additional))
  }
  return map
}

function textFromJson(value: string, schema: Schema | undefined): CelValue {
  // int-or-string is dynamically typed, whatever its format says.
  if (schema?.type !== 'string') return value
  switch (schema.format) {
    case 'date':
    case 'date-time':
      return timestampFrom(value) ?? value
    case 'duration':
      return durationFrom(value) ?? value
    case 'byte':
      return Uint8Array.from(Buffer.from(value, 'base64'))
    default:
      return value
  }
}
