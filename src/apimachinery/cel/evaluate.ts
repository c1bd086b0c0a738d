import { FUNCTIONS, METHODS } from './functions.js'
import type { BinaryOperator, Expr } from './parser.js'
import {
  CelError,
  type CelMap,
  type CelValue,
  compareCel,
  equalCel,
  int,
  isList,
  isMap,
  isTagged,
  keyOf,
  noOverload,
  textOf,
} from './values.js'

/** What names in a rule stand for. */
export type Scope = ReadonlyMap<string, CelValue>

/** Steps one evaluation may take; upstream bounds a rule's cost likewise (apiextensions pkg/apis/…/cel, PerCallLimit). */
const MOST_STEPS = 1_000_000

/** The types that can be named: `type(self.x) == string`. */
const TYPES: ReadonlySet<string> = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map', 'null_type'])

/** What an expression comes to. Throws CelError. */
export function evaluateCel(expr: Expr, scope: Scope): CelValue {
  return valueIn(expr, scope, { left: MOST_STEPS })
}

function valueIn(expr: Expr, scope: Scope, budget: { left: number }): CelValue {
  if (--budget.left < 0) throw new CelError('operation cancelled: actual cost limit exceeded')
  const inner = (other: Expr): CelValue => valueIn(other, scope, budget)
  switch (expr.op) {
    case 'literal':
      return typeof expr.value === 'bigint' ? int(expr.value) : expr.value
    case 'name':
      return named(expr.name, scope)
    case 'select':
      return selected(inner(expr.operand), expr.field, expr.optional)
    case 'has':
      return has(inner(expr.operand), expr.field)
    case 'index':
      return indexed(inner(expr.operand), inner(expr.index), expr.optional)
    case 'call':
      return called(expr, inner)
    case 'list':
      return listOf(expr, inner)
    case 'map':
      return mapOf(expr, inner)
    case 'fold':
      return folded(expr, scope, budget)
    case 'optMap': {
      const target = inner(expr.target)
      if (!isTagged(target, 'optional')) throw noOverload()
      if (target.value === undefined) return target
      const made = valueIn(expr.body, new Map(scope).set(expr.variable, target.value), budget)
      return expr.flat ? made : { cel: 'optional', value: made }
    }
    case 'and':
      return junction(expr.left, expr.right, false, inner)
    case 'or':
      return junction(expr.left, expr.right, true, inner)
    case 'not': {
      const value = inner(expr.operand)
      if (typeof value !== 'boolean') throw noOverload()
      return !value
    }
    case 'negate': {
      const value = inner(expr.operand)
      if (typeof value === 'bigint') return int(-value)
      if (typeof value === 'number') return -value
      if (isTagged(value, 'duration')) return { cel: 'duration', nanos: -value.nanos }
      throw noOverload()
    }
    case 'conditional': {
      const value = inner(expr.condition)
      if (typeof value !== 'boolean') throw noOverload()
      return inner(value ? expr.then : expr.otherwise)
    }
    case 'binary':
      return operated(expr.operator, inner(expr.left), inner(expr.right))
  }
}

function named(name: string, scope: Scope): CelValue {
  const value = scope.get(name)
  if (value !== undefined) return value
  if (TYPES.has(name)) return { cel: 'type', name }
  throw new CelError(`no such attribute(s): ${name}`)
}

/** Either side may decide alone, whatever is wrong with the other: both operators are commutative in CEL. */
function junction(left: Expr, right: Expr, decisive: boolean, inner: (expr: Expr) => CelValue): boolean {
  let problem: unknown
  for (const side of [left, right]) {
    try {
      const value = inner(side)
      if (value === decisive) return decisive
      if (typeof value !== 'boolean') problem ??= noOverload()
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      problem ??= error
    }
  }
  if (problem !== undefined) throw problem
  return !decisive
}

function selected(operand: CelValue, field: string, isOptional: boolean): CelValue {
  if (isTagged(operand, 'optional')) {
    if (operand.value === undefined) return operand
    return selected(operand.value, field, true)
  }
  if (!isMap(operand)) throw isOptional ? noOverload() : new CelError(`no such key: ${field}`)
  const value = operand.get(field)
  if (isOptional) return value === undefined ? { cel: 'optional' } : { cel: 'optional', value }
  if (value === undefined) throw new CelError(`no such key: ${field}`)
  return value
}

function has(operand: CelValue, field: string): boolean {
  if (isTagged(operand, 'optional')) return operand.value !== undefined && has(operand.value, field)
  if (!isMap(operand)) throw noOverload()
  return operand.has(field)
}

function indexed(operand: CelValue, index: CelValue, isOptional: boolean): CelValue {
  if (isTagged(operand, 'optional')) return operand.value === undefined ? operand : indexed(operand.value, index, true)
  let value: CelValue | undefined
  if (isList(operand)) {
    const at = keyOf(index)
    if (typeof at !== 'bigint') throw noOverload()
    value = at < 0n ? undefined : operand[Number(at)]
    if (value === undefined && !isOptional) throw new CelError(`index out of bounds: ${at}`)
  } else if (isMap(operand)) {
    value = operand.get(keyOf(index))
    if (value === undefined && !isOptional) throw new CelError(`no such key: ${textOf(index)}`)
  } else throw noOverload()
  if (!isOptional) return value!
  return value === undefined ? { cel: 'optional' } : { cel: 'optional', value }
}

function called({ name, target, args }: Extract<Expr, { op: 'call' }>, inner: (expr: Expr) => CelValue): CelValue {
  const run = (target ? METHODS : FUNCTIONS).get(name)
  if (!run) throw new CelError(`function ${name} is not evaluated`)
  return run(...(target ? [inner(target)] : []), ...args.map(inner))
}

function listOf({ items }: Extract<Expr, { op: 'list' }>, inner: (expr: Expr) => CelValue): CelValue {
  return items.flatMap(({ value: expr, optional }) => {
    const value = inner(expr)
    if (!optional) return [value]
    if (!isTagged(value, 'optional')) throw noOverload()
    return value.value === undefined ? [] : [value.value]
  })
}

function mapOf({ entries }: Extract<Expr, { op: 'map' }>, inner: (expr: Expr) => CelValue): CelMap {
  const map = new Map<CelValue, CelValue>()
  for (const { key: keyExpr, value: valueExpr, optional } of entries) {
    const key = keyOf(inner(keyExpr))
    const value = inner(valueExpr)
    if (map.has(key)) throw new CelError(`Failed with repeated key`)
    if (!optional) map.set(key, value)
    else if (!isTagged(value, 'optional')) throw noOverload()
    else if (value.value !== undefined) map.set(key, value.value)
  }
  return map
}

function folded(expr: Extract<Expr, { op: 'fold' }>, scope: Scope, budget: { left: number }): CelValue {
  const range = valueIn(expr.range, scope, budget)
  const items = isList(range) ? range : isMap(range) ? [...range.keys()] : undefined
  if (!items) throw noOverload()
  const within = new Map(scope)
  const bodyFor = (item: CelValue, body = expr.body): CelValue => valueIn(body, within.set(expr.variable, item), budget)
  const truth = (item: CelValue, body = expr.body): boolean => {
    const value = bodyFor(item, body)
    if (typeof value !== 'boolean') throw noOverload()
    return value
  }
  switch (expr.fold) {
    case 'all':
      return quantified(items, truth, false)
    case 'exists':
      return quantified(items, truth, true)
    case 'exists_one':
      return items.filter((item) => truth(item)).length === 1
    case 'filter':
      return items.filter((item) => truth(item))
    case 'map': {
      const { condition } = expr
      return items.filter((item) => !condition || truth(item, condition)).map((item) => bodyFor(item))
    }
  }
}

/** `all` and `exists` are chains of && and ||: one decisive item outweighs errors of others. */
function quantified(items: readonly CelValue[], truth: (item: CelValue) => boolean, decisive: boolean): boolean {
  let problem: CelError | undefined
  for (const item of items) {
    try {
      if (truth(item) === decisive) return decisive
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      problem ??= error
    }
  }
  if (problem) throw problem
  return !decisive
}

function operated(operator: BinaryOperator, left: CelValue, right: CelValue): CelValue {
  switch (operator) {
    case '==':
      return equalCel(left, right)
    case '!=':
      return !equalCel(left, right)
    case 'in':
      if (isList(right)) return right.some((item) => equalCel(item, left))
      if (isMap(right)) return right.has(keyOf(left))
      throw noOverload()
    case '<':
    case '<=':
    case '>':
    case '>=':
      return ordered(operator, left, right)
    default:
      return calculated(operator, left, right)
  }
}

function ordered(operator: '<' | '<=' | '>' | '>=', left: CelValue, right: CelValue): boolean {
  const order = compareCel(left, right)
  if (order === undefined || isTagged(left, 'quantity')) throw noOverload()
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

function calculated(operator: '+' | '-' | '*' | '/' | '%', left: CelValue, right: CelValue): CelValue {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int(calculatedInt(operator, left, right))
  if (isTagged(left, 'uint') && isTagged(right, 'uint')) {
    const value = calculatedInt(operator, left.value, right.value)
    if (value < 0n || value > 2n ** 64n - 1n) throw new CelError('unsigned integer overflow')
    return { cel: 'uint', value }
  }
  if (typeof left === 'number' && typeof right === 'number' && operator !== '%')
    return operator === '+' ? left + right : operator === '-' ? left - right : operator === '*' ? left * right : left / right
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right
    if (isList(left) && isList(right)) return [...left, ...right]
    if (left instanceof Uint8Array && right instanceof Uint8Array) return Uint8Array.from([...left, ...right])
  }
  return calculatedTime(operator, left, right)
}

function calculatedInt(operator: '+' | '-' | '*' | '/' | '%', left: bigint, right: bigint): bigint {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      if (right === 0n) throw new CelError('division by zero')
      return left / right
    case '%':
      if (right === 0n) throw new CelError('modulus by zero')
      return left % right
  }
}

function calculatedTime(operator: string, left: CelValue, right: CelValue): CelValue {
  const isDuration = (value: CelValue) => isTagged(value, 'duration')
  const isTimestamp = (value: CelValue) => isTagged(value, 'timestamp')
  const nanos = (value: CelValue): bigint => (value as { nanos: bigint }).nanos
  if (operator === '+') {
    if (isDuration(left) && isDuration(right)) return { cel: 'duration', nanos: nanos(left) + nanos(right) }
    if ((isTimestamp(left) && isDuration(right)) || (isDuration(left) && isTimestamp(right)))
      return { cel: 'timestamp', nanos: nanos(left) + nanos(right) }
  }
  if (operator === '-') {
    if ((isDuration(left) && isDuration(right)) || (isTimestamp(left) && isTimestamp(right)))
      return { cel: 'duration', nanos: nanos(left) - nanos(right) }
    if (isTimestamp(left) && isDuration(right)) return { cel: 'timestamp', nanos: nanos(left) - nanos(right) }
  }
  throw noOverload()
}
