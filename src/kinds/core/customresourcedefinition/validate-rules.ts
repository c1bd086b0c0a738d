import { causes } from '../../../apimachinery/causes.js'
import { checkCel, unsupportedIn, usesOldSelf } from '../../../apimachinery/cel/check.js'
import { CelSyntaxError, type Expr, parseCel } from '../../../apimachinery/cel/parser.js'
import type { Schema, ValidationRule } from '../../../apimachinery/schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'

const REASONS = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueDuplicate']

/**
 * Reads the rules of a schema (x-kubernetes-validations). A rule that calls what is not evaluated here is accepted, and
 * `warn` is told; one that cannot be read, or that does not fit the schema, is refused as on a cluster.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apis/apiextensions/validation/validation.go, ValidateCustomResourceDefinitionOpenAPISchema
 */
export function validateRules(schema: Schema, path: string, warn: (text: string) => void): Cause[] {
  const found: Cause[] = []
  visit(schema, path, { isWholeObject: true, uncorrelatable: undefined }, found, warn)
  return found
}

interface Place {
  isWholeObject: boolean
  /** The list above, if any, whose items cannot be found again in an earlier state. */
  uncorrelatable: string | undefined
}

function visit(schema: Schema, path: string, place: Place, found: Cause[], warn: (text: string) => void): void {
  const rules = schema['x-kubernetes-validations'] ?? []
  const isWholeObject = place.isWholeObject || schema['x-kubernetes-embedded-resource'] === true
  for (const [index, rule] of rules.entries())
    validateRule(rule, schema, `${path}.x-kubernetes-validations[${index}]`, { ...place, isWholeObject }, found, warn)
  const within: Place = { isWholeObject: false, uncorrelatable: place.uncorrelatable }
  for (const [name, child] of Object.entries(schema.properties ?? {})) visit(child, `${path}.properties[${name}]`, within, found, warn)
  const { additionalProperties, items } = schema
  if (additionalProperties && additionalProperties !== true)
    visit(additionalProperties, `${path}.additionalProperties`, within, found, warn)
  if (items) {
    const uncorrelatable = within.uncorrelatable ?? (schema['x-kubernetes-list-type'] === 'map' ? undefined : path)
    visit(items, `${path}.items`, { isWholeObject: false, uncorrelatable }, found, warn)
  }
}

function validateRule(
  rule: ValidationRule,
  schema: Schema,
  path: string,
  place: Place,
  found: Cause[],
  warn: (text: string) => void,
): void {
  const { message, messageExpression, reason, fieldPath, optionalOldSelf } = rule
  if (!rule.rule?.trim()) {
    found.push(causes.required(`${path}.rule`, 'rule is not specified'))
    return
  }
  if (message !== undefined && message.trim() === '')
    found.push(causes.invalid(`${path}.message`, message, 'message must be non-empty if specified'))
  else if (message?.trim().includes('\n')) found.push(causes.invalid(`${path}.message`, message, 'message must not contain line breaks'))
  else if (rule.rule.trim().includes('\n') && !message)
    found.push(causes.required(`${path}.message`, 'message must be specified if rule contains line breaks'))
  if (messageExpression !== undefined && messageExpression.trim() === '')
    found.push(causes.required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'))
  if (reason !== undefined && !REASONS.includes(reason)) found.push(causes.notSupported(`${path}.reason`, reason, REASONS))
  if (fieldPath !== undefined && !leadsSomewhere(fieldPath, schema))
    found.push(causes.invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path: does not refer to a valid field'))

  const expr = compiled(
    { source: rule.rule, wanted: 'bool', schema, place, oldSelf: optionalOldSelf ? 'optional' : 'plain' },
    rule,
    `${path}.rule`,
    found,
    warn,
  )
  if (expr && place.uncorrelatable !== undefined && usesOldSelf(expr) && !optionalOldSelf)
    found.push(
      causes.invalid(
        `${path}.rule`,
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`,
      ),
    )
  if (optionalOldSelf !== undefined && expr && !usesOldSelf(expr))
    found.push(causes.invalid(`${path}.optionalOldSelf`, optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  if (messageExpression?.trim())
    compiled(
      { source: messageExpression, wanted: 'string', schema, place, oldSelf: 'plain' },
      rule,
      `${path}.messageExpression`,
      found,
      warn,
    )
}

function compiled(
  what: { source: string; wanted: 'bool' | 'string'; schema: Schema; place: Place; oldSelf: 'plain' | 'optional' },
  rule: ValidationRule,
  path: string,
  found: Cause[],
  warn: (text: string) => void,
): Expr | undefined {
  try {
    const expr = parseCel(what.source)
    checkCel(what.source, expr, {
      schema: what.schema,
      isWholeObject: what.place.isWholeObject,
      oldSelf: what.oldSelf,
      wanted: what.wanted,
    })
    const unsupported = unsupportedIn(expr)
    if (unsupported.length > 0)
      warn(
        `${path}: this rule is stored and not evaluated, since this server does not know ${unsupported.map((name) => `${name}()`).join(', ')}`,
      )
    return expr
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const problem = error instanceof CelSyntaxError ? `compilation failed: ${error.message}` : error.message
    found.push(causes.invalid(path, rule, problem))
    return undefined
  }
}

/** Whether `.a.b['c']` leads to a field that the schema declares. */
function leadsSomewhere(fieldPath: string, schema: Schema): boolean {
  let known: Schema | undefined = schema
  let rest = fieldPath.trim()
  if (rest === '') return false
  while (rest !== '') {
    const step = /^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^']+)'\])/.exec(rest)
    if (!step || !known) return false
    const name = (step[1] ?? step[2])!
    const additional: Schema | true | undefined = known.additionalProperties
    known = known.properties?.[name] ?? (step[2] !== undefined && additional !== true ? additional : undefined)
    if (!known) return false
    rest = rest.slice(step[0].length)
  }
  return true
}
