import { causes } from '../../apimachinery/causes.js'
import { compileRules } from '../../apimachinery/cel/rules.js'
import { isJsonObject } from '../../apimachinery/json.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { checkSchema } from '../../apimachinery/schema-check.js'
import type { Cause } from '../../apimachinery/status-error.js'
import { ratcheted } from './ratchet.js'

/** Findings after which the rules are not looked at: they count on values of the right type and size. */
const BLOCKING: ReadonlySet<string> = new Set(['FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'])

const NOT_CHECKED: Cause = {
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  field: '<nil>',
}

/**
 * How objects of a user-defined version are held against its schema: keywords, embedded objects, then the rules in CEL.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/registry/customresource/strategy.go, Validate and ValidateUpdate
 */
export function createCheck(schema: Schema): (object: KubeObject, context: Pick<AdmissionContext, 'old'>) => readonly Cause[] {
  const rules = compileRules(schema)
  const hasEmbedded = holdsEmbedded(schema)
  return (object, { old }) => {
    const all = checkSchema(schema, object)
    if (hasEmbedded) checkEmbedded(schema, object, '', all)
    const found = old && all.length > 0 ? ratcheted(all, schema, object, old) : all
    if (!rules) return found
    if (found.some(({ reason }) => BLOCKING.has(reason))) return [...found, NOT_CHECKED]
    return [...found, ...rules.check(object, old)]
  }
}

function childSchemas({ properties, items, additionalProperties }: Schema): Schema[] {
  return [
    ...Object.values(properties ?? {}),
    ...(items ? [items] : []),
    ...(additionalProperties && additionalProperties !== true ? [additionalProperties] : []),
  ]
}

function holdsEmbedded(schema: Schema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true || childSchemas(schema).some(holdsEmbedded)
}

/** @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/objectmeta/validation.go */
function checkEmbedded(schema: Schema, value: unknown, path: string, found: Cause[]): void {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items) for (const [index, item] of value.entries()) checkEmbedded(items, item, `${path}[${index}]`, found)
    return
  }
  if (!isJsonObject(value)) return
  const prefix = path === '' ? '' : `${path}.`
  if (schema['x-kubernetes-embedded-resource']) {
    for (const field of ['apiVersion', 'kind'])
      if (typeof value[field] !== 'string' || value[field] === '') found.push(causes.required(prefix + field, 'must not be empty'))
  }
  const additional = schema.additionalProperties === true ? undefined : schema.additionalProperties
  for (const key of Object.keys(value)) {
    const child = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : additional
    if (child) checkEmbedded(child, value[key], prefix + key, found)
  }
}
