import type { Schema } from '../schema.js'
import { withObjectFields } from './from-json.js'
import { FUNCTIONS, METHODS } from './functions.js'
import { escapedProperty } from './names.js'
import { CelSyntaxError, type Expr, partsOf } from './parser.js'

/** What is known of an expression before it is evaluated: a part of the schema, a type, or nothing (`dyn`). */
type Known = { schema: Schema } | { type: string } | 'dyn'

const TYPE_NAMES: ReadonlySet<string> = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type'])
const RETURNS_BOOL: ReadonlySet<string> = new Set(
  'matches startsWith endsWith contains isSorted isGreaterThan isLessThan isInteger hasValue isQuantity isIP isURL bool sets.contains sets.intersects sets.equivalent'.split(
    ' ',
  ),
)
const RETURNS: Readonly<Record<string, string>> = {
  size: 'int',
  int: 'int',
  indexOf: 'int',
  lastIndexOf: 'int',
  double: 'double',
  string: 'string',
  lowerAscii: 'string',
  upperAscii: 'string',
  trim: 'string',
  substring: 'string',
  replace: 'string',
  join: 'string',
  duration: 'duration',
  timestamp: 'timestamp',
}
const SCALARS: ReadonlySet<string> = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes'])
const NUMBERS: ReadonlySet<string> = new Set(['int', 'uint', 'double'])

/** The functions that a rule calls and that are not evaluated here, each once. */
export function unsupportedIn(expr: Expr): string[] {
  const missing = new Set<string>()
  for (const part of partsOf(expr)) {
    if (part.op === 'call' && !(part.target ? METHODS : FUNCTIONS).has(part.name)) missing.add(part.name)
  }
  return [...missing]
}

/** Whether a rule looks at the state before: it then holds for updates only. */
export function usesOldSelf(expr: Expr): boolean {
  for (const part of partsOf(expr)) if (part.op === 'name' && part.name === 'oldSelf') return true
  return false
}

/**
 * Holds an expression against the schema of `self`: names and fields that are not declared, comparisons of types that have
 * nothing in common, and a result of another type than `wanted`. Lighter than cel-go's checker: what it cannot tell is let
 * through and found when the rule is evaluated. Throws CelSyntaxError in cel-go's words.
 */
export function checkCel(
  source: string,
  expr: Expr,
  options: { schema: Schema; isWholeObject: boolean; oldSelf: 'absent' | 'plain' | 'optional'; wanted: 'bool' | 'string' },
): void {
  const self: Known = { schema: options.isWholeObject ? withObjectFields(options.schema) : options.schema }
  const names = new Map<string, Known>([['self', self]])
  if (options.oldSelf !== 'absent') names.set('oldSelf', options.oldSelf === 'plain' ? self : 'dyn')
  const result = typeOf(knownOf(expr, names, source))
  if (result !== undefined && result !== options.wanted)
    throw new Error(options.wanted === 'bool' ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string')
}

/**
 * Holds a yes-or-no question against the names it may use, of whose types nothing is known. Throws CelSyntaxError in cel-go's
 * words, or an Error for a result that is sure to be no bool.
 */
export function checkNames(source: string, expr: Expr, names: readonly string[]): void {
  const result = typeOf(knownOf(expr, new Map(names.map((name) => [name, 'dyn'])), source))
  if (result !== undefined && result !== 'bool') throw new Error('must evaluate to bool')
}

/** CEL's name for the type, where it is sure. */
function typeOf(known: Known): string | undefined {
  if (known === 'dyn') return undefined
  if ('type' in known) return known.type
  const { schema } = known
  if (schema['x-kubernetes-int-or-string'] || schema.nullable) return undefined
  switch (schema.type) {
    case 'boolean':
      return 'bool'
    case 'integer':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return schema.format === 'date' || schema.format === 'date-time'
        ? 'timestamp'
        : schema.format === 'duration'
          ? 'duration'
          : schema.format === 'byte'
            ? 'bytes'
            : 'string'
    case 'array':
      return 'list'
    case 'object':
      return 'map'
    default:
      return undefined
  }
}

function knownOf(expr: Expr, names: ReadonlyMap<string, Known>, source: string): Known {
  const inner = (other: Expr): Known => knownOf(other, names, source)
  switch (expr.op) {
    case 'literal':
      return literalType(expr.value)
    case 'name': {
      const known = names.get(expr.name)
      if (known !== undefined) return known
      if (TYPE_NAMES.has(expr.name)) return 'dyn'
      throw new CelSyntaxError(source, expr.at, `undeclared reference to '${expr.name}' (in container '')`)
    }
    case 'select': {
      const found = fieldOf(inner(expr.operand), expr.field, source, expr.at)
      return expr.optional ? 'dyn' : found
    }
    case 'has':
      fieldOf(inner(expr.operand), expr.field, source, expr.at)
      return { type: 'bool' }
    case 'index': {
      inner(expr.index)
      const operand = inner(expr.operand)
      return expr.optional ? 'dyn' : elementOf(operand)
    }
    case 'call':
      if (expr.target) inner(expr.target)
      for (const arg of expr.args) inner(arg)
      if (RETURNS_BOOL.has(expr.name)) return { type: 'bool' }
      return RETURNS[expr.name] === undefined ? 'dyn' : { type: RETURNS[expr.name]! }
    case 'list':
      for (const { value } of expr.items) inner(value)
      return { type: 'list' }
    case 'map':
      for (const { key, value } of expr.entries) {
        inner(key)
        inner(value)
      }
      return { type: 'map' }
    case 'fold':
      return foldType(expr, names, source)
    case 'optMap':
      inner(expr.target)
      knownOf(expr.body, new Map(names).set(expr.variable, 'dyn'), source)
      return 'dyn'
    case 'and':
    case 'or':
      for (const side of [expr.left, expr.right]) requireBool(inner(side), expr, expr.op === 'and' ? '_&&_' : '_||_', source)
      return { type: 'bool' }
    case 'not':
      requireBool(inner(expr.operand), expr, '!_', source)
      return { type: 'bool' }
    case 'negate':
      return inner(expr.operand)
    case 'conditional': {
      inner(expr.condition)
      const [then, otherwise] = [inner(expr.then), inner(expr.otherwise)]
      return typeOf(then) === typeOf(otherwise) ? then : 'dyn'
    }
    case 'binary':
      return binaryType(expr, inner(expr.left), inner(expr.right), source)
  }
}

function literalType(value: Extract<Expr, { op: 'literal' }>['value']): Known {
  if (value === null) return 'dyn'
  if (value instanceof Uint8Array) return { type: 'bytes' }
  switch (typeof value) {
    case 'boolean':
      return { type: 'bool' }
    case 'bigint':
      return { type: 'int' }
    case 'number':
      return { type: 'double' }
    case 'string':
      return { type: 'string' }
    default:
      return 'dyn'
  }
}

function fieldOf(known: Known, field: string, source: string, at: number): Known {
  if (known === 'dyn') return 'dyn'
  const type = typeOf(known)
  if (type !== undefined && type !== 'map') throw new CelSyntaxError(source, at, `type '${type}' does not support field selection`)
  if (!('schema' in known)) return 'dyn'
  const schema = known.schema['x-kubernetes-embedded-resource'] ? withObjectFields(known.schema) : known.schema
  for (const [name, property] of Object.entries(schema.properties ?? {})) if (escapedProperty(name) === field) return { schema: property }
  if (schema.additionalProperties !== undefined)
    return schema.additionalProperties === true ? 'dyn' : { schema: schema.additionalProperties }
  if (schema['x-kubernetes-preserve-unknown-fields'] || schema.type !== 'object') return 'dyn'
  throw new CelSyntaxError(source, at, `undefined field '${field}'`)
}

function elementOf(known: Known): Known {
  if (known === 'dyn' || !('schema' in known)) return 'dyn'
  const { items, additionalProperties } = known.schema
  if (items) return { schema: items }
  return additionalProperties && additionalProperties !== true ? { schema: additionalProperties } : 'dyn'
}

function foldType(expr: Extract<Expr, { op: 'fold' }>, names: ReadonlyMap<string, Known>, source: string): Known {
  const range = knownOf(expr.range, names, source)
  const type = typeOf(range)
  if (type !== undefined && type !== 'list' && type !== 'map')
    throw new CelSyntaxError(
      source,
      expr.range.at,
      `expression of type '${type}' cannot be range of a comprehension (must be list, map, or dynamic)`,
    )
  const item: Known = type === 'map' ? { type: 'string' } : elementOf(range)
  const within = new Map(names).set(expr.variable, item)
  if (expr.condition) knownOf(expr.condition, within, source)
  knownOf(expr.body, within, source)
  switch (expr.fold) {
    case 'filter':
      return type === 'list' ? range : { type: 'list' }
    case 'map':
      return { type: 'list' }
    default:
      return { type: 'bool' }
  }
}

function requireBool(known: Known, { at }: Expr, operator: string, source: string): void {
  const type = typeOf(known)
  if (type !== undefined && type !== 'bool') throw noOverloadFor(operator, [type], source, at)
}

function binaryType(expr: Extract<Expr, { op: 'binary' }>, left: Known, right: Known, source: string): Known {
  const [leftType, rightType] = [typeOf(left), typeOf(right)]
  switch (expr.operator) {
    case 'in':
      return { type: 'bool' }
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const bothKnown = leftType !== undefined && rightType !== undefined && SCALARS.has(leftType) && SCALARS.has(rightType)
      const fit = leftType === rightType || (NUMBERS.has(leftType ?? '') && NUMBERS.has(rightType ?? ''))
      if (bothKnown && !fit) throw noOverloadFor(`_${expr.operator}_`, [leftType, rightType], source, expr.at)
      return { type: 'bool' }
    }
    default:
      return leftType !== undefined && leftType === rightType && SCALARS.has(leftType) ? { type: leftType } : 'dyn'
  }
}

function noOverloadFor(operator: string, types: readonly string[], source: string, at: number): CelSyntaxError {
  return new CelSyntaxError(source, at, `found no matching overload for '${operator}' applied to '(${types.join(', ')})'`)
}
