import { causes } from '../../../apimachinery/causes.js'
import type { DefinedVersion } from '../../../apimachinery/custom-resource.js'
import { compileJsonPath } from '../../../apimachinery/json-path.js'
import { dns1035Label } from '../../../apimachinery/names.js'
import type { Schema } from '../../../apimachinery/schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { validateRules } from './validate-rules.js'
import { validateStructural } from './validate-schema.js'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const MOST_SELECTABLE_FIELDS = 8
/** In characters (apiextensions validation.go). */
const LONGEST_DEPRECATION_WARNING = 256

/** @see kubernetes/apiextensions-apiserver v0.35 pkg/apis/apiextensions/validation/validation.go, validateCustomResourceDefinitionVersion */
export function validateVersion(version: DefinedVersion, path: string, warn: (text: string) => void): Cause[] {
  const found: Cause[] = []
  for (const problem of dns1035Label(String(version.name ?? ''))) found.push(causes.invalid(`${path}.name`, version.name ?? '', problem))
  found.push(...validateDeprecation(version, path))
  const schemaPath = `${path}.schema.openAPIV3Schema`
  const schema = version.schema?.openAPIV3Schema
  if (!schema) found.push(causes.required(schemaPath, 'schemas are required'))
  else {
    const structural = validateStructural(schema, schemaPath)
    found.push(...structural)
    // Rules are read against the schema, so there has to be one that makes sense.
    if (structural.length === 0) found.push(...validateRules(schema, schemaPath, warn))
  }
  found.push(...validateSubresources(version, `${path}.subresources`))
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries())
    found.push(...validateColumn(column, `${path}.additionalPrinterColumns[${index}]`))
  if (schema) found.push(...validateSelectable(version, schema, `${path}.selectableFields`))
  return found
}

function validateDeprecation({ deprecated, deprecationWarning }: DefinedVersion, path: string): Cause[] {
  if (deprecationWarning === undefined) return []
  const at = `${path}.deprecationWarning`
  if (!deprecated) return [causes.invalid(at, deprecationWarning, 'can only be set for deprecated versions')]
  if (deprecationWarning.length === 0) return [causes.invalid(at, deprecationWarning, 'must not be an empty string')]
  return [...deprecationWarning].length > LONGEST_DEPRECATION_WARNING
    ? [causes.invalid(at, deprecationWarning, `must be <= ${LONGEST_DEPRECATION_WARNING} characters`)]
    : []
}

function validateSubresources({ subresources }: DefinedVersion, path: string): Cause[] {
  const scale = subresources?.scale
  if (!scale) return []
  const found: Cause[] = []
  const check = (field: keyof typeof scale, roots: readonly string[], required: boolean, where: string): void => {
    const value = scale[field]
    const at = `${path}.scale.${field}`
    if (!value) {
      if (required) found.push(causes.required(at))
      return
    }
    if (value.includes('[') || !value.startsWith('.')) found.push(causes.invalid(at, value, 'should be a json path without array notation'))
    else if (!roots.some((root) => value.startsWith(root))) found.push(causes.invalid(at, value, `should be a json path under ${where}`))
  }
  check('specReplicasPath', ['.spec.'], true, '.spec')
  check('statusReplicasPath', ['.status.'], true, '.status')
  check('labelSelectorPath', ['.status.', '.spec.'], false, 'either .status or .spec')
  return found
}

function validateColumn(column: NonNullable<DefinedVersion['additionalPrinterColumns']>[number], path: string): Cause[] {
  const found: Cause[] = []
  if (!column.name) found.push(causes.required(`${path}.name`))
  if (!column.type) found.push(causes.required(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`))
  else if (!COLUMN_TYPES.includes(column.type))
    found.push(causes.invalid(`${path}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`))
  if (column.format && !COLUMN_FORMATS.includes(column.format))
    found.push(causes.invalid(`${path}.format`, column.format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  if (!column.jsonPath) found.push(causes.required(`${path}.jsonPath`))
  else if (!column.jsonPath.startsWith('.'))
    found.push(causes.invalid(`${path}.jsonPath`, column.jsonPath, 'must be a simple json path starting with .'))
  else {
    try {
      compileJsonPath(column.jsonPath)
    } catch (error) {
      found.push(causes.invalid(`${path}.jsonPath`, column.jsonPath, error instanceof Error ? error.message : String(error)))
    }
  }
  return found
}

/** @see KEP-4358, custom resource field selectors */
function validateSelectable({ selectableFields = [] }: DefinedVersion, schema: Schema, path: string): Cause[] {
  const found: Cause[] = []
  const seen = new Set<string>()
  if (selectableFields.length > MOST_SELECTABLE_FIELDS) found.push(causes.tooMany(path, selectableFields.length, MOST_SELECTABLE_FIELDS))
  for (const [index, { jsonPath }] of selectableFields.entries()) {
    const at = `${path}[${index}].jsonPath`
    if (!jsonPath) {
      found.push(causes.required(at))
      continue
    }
    if (seen.has(jsonPath)) found.push(causes.duplicate(at, jsonPath))
    seen.add(jsonPath)
    if (!/^(?:\.[A-Za-z_][A-Za-z0-9_-]*)+$/.test(jsonPath)) {
      found.push(causes.invalid(at, jsonPath, 'is an invalid path: must be a simple path of fields'))
      continue
    }
    const names = jsonPath.slice(1).split('.')
    if (names[0] === 'metadata') {
      found.push(causes.invalid(at, jsonPath, 'must not point to fields in metadata'))
      continue
    }
    const field = names.reduce<Schema | undefined>((known, name) => known?.properties?.[name], schema)
    if (!field) found.push(causes.invalid(at, jsonPath, 'is an invalid path: does not refer to a valid field'))
    else if (!['string', 'boolean', 'integer'].includes(field.type ?? '') || field.nullable)
      found.push(
        causes.invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      )
  }
  return found
}
