import type { CesqlFunction } from './functions.js'
import { type CesqlType, type CesqlValue, cast, type Run, report, typeOf, zeroOf } from './values.js'

/**
 * A part of an expression, ready to run. Every part has a value whatever goes wrong; what went wrong is in the run's errors. An operator
 * or function with an operand that went wrong, or cannot be cast, does not do its work: its value is the zero value of its own type.
 */
export interface Node {
  run(run: Run): CesqlValue
  /** Levels below and including this one. */
  readonly depth: number
}

const above = (...nodes: readonly Node[]): number => 1 + Math.max(0, ...nodes.map(({ depth }) => depth))

export function constantNode(value: CesqlValue): Node {
  return { run: () => value, depth: 1 }
}

export function attributeNode(name: string): Node {
  const run = (run: Run): CesqlValue => {
    const value = run.event.attributes.get(name)
    if (value !== undefined) return value
    report(run, 'missingAttribute', `the event has no ${name}`)
    return false
  }
  return { run, depth: 1 }
}

export function existsNode(name: string): Node {
  return { run: (run) => run.event.attributes.has(name), depth: 1 }
}

/** The value of an operand, or undefined when it went wrong. */
function sound(run: Run, node: Node): CesqlValue | undefined {
  const errorsBefore = run.errors?.length
  const value = node.run(run)
  return run.errors?.length === errorsBefore ? value : undefined
}

/** An operand cast to a type; undefined when it went wrong or has no such reading. */
function operand(run: Run, node: Node, type: CesqlType): CesqlValue | undefined {
  const value = sound(run, node)
  return value === undefined || typeOf(value) === type ? value : cast(run, type, value)
}

export function notNode(inner: Node): Node {
  return {
    run: (run) => {
      const value = operand(run, inner, 'Boolean')
      return value === undefined ? false : !value
    },
    depth: above(inner),
  }
}

export function minusNode(inner: Node, isWrapping: boolean): Node {
  return {
    run: (run) => {
      const value = operand(run, inner, 'Integer')
      return value === undefined ? 0 : inRange(run, -(value as number), isWrapping)
    },
    depth: above(inner),
  }
}

/** AND and OR leave the right side alone when the left one decides. */
export function andNode(left: Node, right: Node): Node {
  return { run: (run) => operand(run, left, 'Boolean') === true && operand(run, right, 'Boolean') === true, depth: above(left, right) }
}

export function orNode(left: Node, right: Node): Node {
  const run = (run: Run): CesqlValue => {
    const value = operand(run, left, 'Boolean')
    if (value === true) return true
    const other = operand(run, right, 'Boolean')
    return value !== undefined && other === true
  }
  return { run, depth: above(left, right) }
}

export function xorNode(left: Node, right: Node): Node {
  const run = (run: Run): CesqlValue => {
    const value = operand(run, left, 'Boolean')
    const other = operand(run, right, 'Boolean')
    return value !== undefined && other !== undefined && value !== other
  }
  return { run, depth: above(left, right) }
}

/** = and != : the left side is cast to what the right side is. */
export function equalityNode(left: Node, right: Node, isEqual: boolean): Node {
  const run = (run: Run): CesqlValue => {
    const value = sound(run, left)
    const other = sound(run, right)
    if (value === undefined || other === undefined) return false
    const type = typeOf(other)
    const same = typeOf(value) === type ? value : cast(run, type, value)
    return same === undefined ? false : (same === other) === isEqual
  }
  return { run, depth: above(left, right) }
}

export function orderNode(left: Node, right: Node, symbol: '<' | '<=' | '>' | '>='): Node {
  const run = (run: Run): CesqlValue => {
    const value = operand(run, left, 'Integer')
    const other = operand(run, right, 'Integer')
    if (value === undefined || other === undefined) return false
    if (symbol === '<') return value < other
    if (symbol === '<=') return value <= other
    return symbol === '>' ? value > other : value >= other
  }
  return { run, depth: above(left, right) }
}

export function mathNode(left: Node, right: Node, symbol: '*' | '/' | '%' | '+' | '-', isWrapping: boolean): Node {
  const run = (run: Run): CesqlValue => {
    const value = operand(run, left, 'Integer') as number | undefined
    const other = operand(run, right, 'Integer') as number | undefined
    if (value === undefined || other === undefined) return 0
    if (symbol === '+') return inRange(run, value + other, isWrapping)
    if (symbol === '-') return inRange(run, value - other, isWrapping)
    if (symbol === '*') {
      const product = value * other
      return Number.isSafeInteger(product) ? inRange(run, product, isWrapping) : overflow(run, Math.imul(value, other), isWrapping)
    }
    if (other === 0) {
      report(run, 'math', `${value} ${symbol} 0 has no value`)
      return 0
    }
    // Adding 0 turns -0 into 0.
    return symbol === '/' ? inRange(run, Math.trunc(value / other) + 0, isWrapping) : (value % other) + 0
  }
  return { run, depth: above(left, right) }
}

function inRange(run: Run, value: number, isWrapping: boolean): number {
  return value === (value | 0) ? value + 0 : overflow(run, value | 0, isWrapping)
}

/** What does not fit 32 bits is wrapped; Knative's evaluator says nothing about it. */
function overflow(run: Run, wrapped: number, isWrapping: boolean): number {
  if (!isWrapping) report(run, 'math', 'the result does not fit 32 bits')
  return wrapped
}

export function likeNode(left: Node, isLike: (text: string) => boolean, isNegated: boolean): Node {
  const run = (run: Run): CesqlValue => {
    const value = operand(run, left, 'String')
    return value === undefined ? false : isLike(value as string) !== isNegated
  }
  return { run, depth: above(left) }
}

/** IN: each element is cast to what the left side is, up to the first that is equal. */
export function inNode(left: Node, elements: readonly Node[], isNegated: boolean): Node {
  const run = (run: Run): CesqlValue => {
    const value = sound(run, left)
    if (value === undefined) return false
    const type = typeOf(value)
    for (const element of elements) {
      const other = operand(run, element, type)
      if (other === undefined) return false
      if (other === value) return !isNegated
    }
    return isNegated
  }
  return { run, depth: above(left, ...elements) }
}

export function callNode(called: CesqlFunction, args: readonly Node[]): Node {
  const run = (run: Run): CesqlValue => {
    const values: CesqlValue[] = []
    for (const [index, arg] of args.entries()) {
      const type = called.parameters[index] ?? called.rest ?? 'Any'
      const value = type === 'Any' ? sound(run, arg) : operand(run, arg, type)
      if (value === undefined) return zeroOf(called.returns)
      values.push(value)
    }
    return called.run(run, values)
  }
  return { run, depth: above(...args) }
}

export function missingFunctionNode(name: string, arity: number): Node {
  const run = (run: Run): CesqlValue => {
    report(run, 'missingFunction', `there is no function ${name} of ${arity} argument${arity === 1 ? '' : 's'}`)
    return false
  }
  return { run, depth: 1 }
}
