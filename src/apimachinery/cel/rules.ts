import { causes } from '../causes.js'
import { deepEqual, isJsonObject, ownValue } from '../json.js'
import type { Schema, ValidationRule } from '../schema.js'
import type { Cause } from '../status-error.js'
import { unsupportedIn, usesOldSelf } from './check.js'
import { evaluateCel } from './evaluate.js'
import { celFromJson, withObjectFields } from './from-json.js'
import { CelSyntaxError, type Expr, parseCel } from './parser.js'
import { CelError, type CelValue } from './values.js'

/** The rules of a schema (x-kubernetes-validations), read once and ready to be held against objects. */
export interface SchemaRules {
  /** What the rules find wrong; `old` is the object before, on an update. */
  check(object: object, old: object | undefined): Cause[]
}

interface Rule {
  rule: ValidationRule
  expr: Expr
  message: Expr | undefined
  isTransition: boolean
}

/** A part of the schema that has rules, or parts that have. */
interface RuleNode {
  schema: Schema
  /** For converting values: the root and embedded resources have apiVersion, kind and metadata whatever the schema says. */
  valueSchema: Schema
  rules: readonly Rule[]
  properties: ReadonlyMap<string, RuleNode>
  additional: RuleNode | undefined
  items: RuleNode | undefined
}

/**
 * Reads the rules of a schema. Undefined when it has none. A rule that cannot be read or that calls what is not evaluated
 * here is left out: whoever stored the schema was told so (src/kinds/core/customresourcedefinition).
 */
export function compileRules(schema: Schema): SchemaRules | undefined {
  const root = nodeFor(schema, true)
  return root && { check: (object, old) => checked(root, object, old) }
}

function nodeFor(schema: Schema, isRoot = false): RuleNode | undefined {
  const rules = (schema['x-kubernetes-validations'] ?? []).flatMap(compiled)
  const properties = new Map<string, RuleNode>()
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const node = nodeFor(child)
    if (node) properties.set(name, node)
  }
  const { additionalProperties } = schema
  const additional = additionalProperties && additionalProperties !== true ? nodeFor(additionalProperties) : undefined
  const items = schema.items && nodeFor(schema.items)
  if (rules.length === 0 && properties.size === 0 && !additional && !items) return undefined
  return { schema, valueSchema: isRoot ? withObjectFields(schema) : schema, rules, properties, additional, items }
}

function compiled(rule: ValidationRule): Rule[] {
  try {
    const expr = parseCel(rule.rule)
    if (unsupportedIn(expr).length > 0) return []
    return [{ rule, expr, message: messageOf(rule), isTransition: usesOldSelf(expr) }]
  } catch (error) {
    if (error instanceof CelSyntaxError) return []
    throw error
  }
}

function messageOf({ messageExpression }: ValidationRule): Expr | undefined {
  if (!messageExpression) return undefined
  try {
    const expr = parseCel(messageExpression)
    return unsupportedIn(expr).length > 0 ? undefined : expr
  } catch (error) {
    if (error instanceof CelSyntaxError) return undefined
    throw error
  }
}

function checked(root: RuleNode, object: object, old: object | undefined): Cause[] {
  const found: Cause[] = []
  visit(root, object, old, '', found)
  return found
}

/** `old` is undefined where nothing before corresponds to the value. */
function visit(node: RuleNode, value: unknown, old: unknown, path: string, found: Cause[]): void {
  if (value === null || value === undefined) return
  if (node.rules.length > 0) runRules(node, value, old, path, found)
  if (Array.isArray(value)) {
    if (!node.items) return
    for (let index = 0; index < value.length; index++)
      visit(node.items, value[index], counterpartOf(node.schema, value[index], old), `${path}[${index}]`, found)
    return
  }
  if (!isJsonObject(value)) return
  const before = isJsonObject(old) ? old : undefined
  const prefix = path === '' ? '' : `${path}.`
  for (const key of Object.keys(value)) {
    const child = node.properties.get(key) ?? (Object.hasOwn(node.schema.properties ?? {}, key) ? undefined : node.additional)
    if (child) visit(child, value[key], before && ownValue(before, key), prefix + key, found)
  }
}

/** The item of a list that an item of the new one goes back to: only lists with keys tell. */
export function counterpartOf(list: Schema, item: unknown, old: unknown): unknown {
  const keys = list['x-kubernetes-list-map-keys']
  if (list['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || !isJsonObject(item)) return undefined
  return old.find((other) => isJsonObject(other) && keys.every((key) => deepEqual(ownValue(other, key), ownValue(item, key))))
}

function runRules(node: RuleNode, value: unknown, old: unknown, path: string, found: Cause[]): void {
  let self: CelValue | undefined
  let before: CelValue | undefined
  const isUnchanged = old !== undefined && deepEqual(value, old)
  for (const rule of node.rules) {
    const { optionalOldSelf } = rule.rule
    if (rule.isTransition && old === undefined && !optionalOldSelf) continue
    // What was wrong before and has not been touched is let be. @see KEP-4008, CRD validation ratcheting
    if (!rule.isTransition && isUnchanged) continue
    self ??= celFromJson(value, node.valueSchema)
    const scope = new Map([['self', self]])
    if (rule.isTransition) {
      if (old !== undefined) before ??= celFromJson(old, node.valueSchema)
      if (!optionalOldSelf) scope.set('oldSelf', before!)
      else scope.set('oldSelf', before === undefined ? { cel: 'optional' } : { cel: 'optional', value: before })
    }
    const cause = outcomeOf(rule, scope, typeNameOf(node.schema), path)
    if (cause) found.push(cause)
  }
}

const typeNameOf = (schema: Schema): string => schema.type ?? ''

/** @see kubernetes/apiextensions-apiserver v0.35 pkg/apiserver/schema/cel/validation.go, validateExpressions */
function outcomeOf({ rule, expr, message }: Rule, scope: ReadonlyMap<string, CelValue>, type: string, path: string): Cause | undefined {
  // The root of an object has no path, which upstream prints so.
  const own = path === '' ? '<nil>' : path
  const told = rule.message?.trim() || rule.rule.trim()
  try {
    if (evaluateCel(expr, scope) === true) return undefined
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    if (error.message.startsWith('no such overload'))
      return causes.invalid(
        own,
        type,
        `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${told}`,
      )
    if (error.message.startsWith('operation cancelled'))
      return causes.invalid(
        own,
        type,
        `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${told}`,
      )
    return causes.invalid(own, type, `${error.message} evaluating rule: ${told}`)
  }
  const field = rule.fieldPath ? joined(path, rule.fieldPath) : own
  const detail = messageText(message, scope) ?? (rule.message?.trim() || `failed rule: ${rule.rule.trim()}`)
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return causes.forbidden(field, detail)
    case 'FieldValueRequired':
      return causes.required(field, detail)
    case 'FieldValueDuplicate':
      return causes.duplicate(field, type)
    default:
      return causes.invalid(field, type, detail)
  }
}

/** An expression that fails or says nothing of use falls back to the plain message. */
function messageText(message: Expr | undefined, scope: ReadonlyMap<string, CelValue>): string | undefined {
  if (!message) return undefined
  try {
    const text = evaluateCel(message, scope)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : undefined
  } catch (error) {
    if (error instanceof CelError) return undefined
    throw error
  }
}

/** `spec` and `.replicas` is `spec.replicas`; keys in brackets stay in brackets. */
function joined(path: string, fieldPath: string): string {
  const plain = fieldPath.replace(/\['([^']*)'\]/g, '[$1]')
  return path === '' ? plain.replace(/^\./, '') : path + plain
}
