import { type CesqlFunctions, functionFor } from './functions.js'
import {
  andNode,
  attributeNode,
  callNode,
  constantNode,
  equalityNode,
  existsNode,
  inNode,
  likeNode,
  mathNode,
  minusNode,
  missingFunctionNode,
  type Node,
  notNode,
  orderNode,
  orNode,
  xorNode,
} from './nodes.js'
import { type Counting, likeFrom } from './strings.js'
import { type Refusal, type Token, tokensOf } from './tokens.js'
import { integerFrom } from './values.js'

/** As deep as expressions go; deeper ones would not fit the stack. */
const DEEPEST = 1000

/** How tightly what stands between or behind operands binds. NOT and unary minus bind tighter than all of them. */
const LIKE = 9
const IN = 7
const TIMES = 6
const PLUS = 5
const COMPARES = 4
const LOGIC = 3

class Refused extends Error {
  readonly at: number

  constructor(problem: string, at: number) {
    super(problem)
    this.at = at
  }
}

/**
 * Reads an expression. AND, OR and XOR are on one level and group to the right, as in the official grammar.
 * @see cloudevents/spec cesql/CESQLParser.g4
 */
export function parse(text: string, counting: Counting, functions?: CesqlFunctions): Node | Refusal {
  const tokens = tokensOf(text)
  if (!Array.isArray(tokens)) return tokens
  try {
    return parseTokens(tokens, counting, functions)
  } catch (error) {
    if (error instanceof Refused) return { problem: error.message, at: error.at }
    throw error
  }
}

function parseTokens(tokens: readonly Token[], counting: Counting, functions: CesqlFunctions | undefined): Node {
  const isWrapping = counting === 'bytes'
  let next = 0
  let depth = 0

  const peek = (): Token => tokens[next]!
  const take = (): Token => tokens[next++]!
  const isNext = (kind: Token['kind'], text: string): boolean => peek().kind === kind && peek().text === text
  const expectSymbol = (symbol: string): void => {
    if (!isNext('symbol', symbol)) throw refusalOf(peek(), `"${symbol}"`)
    next++
  }
  const checked = (node: Node, at: number): Node => {
    if (node.depth > DEEPEST) throw new Refused(`nested deeper than ${DEEPEST}`, at)
    return node
  }

  function expression(power: number): Node {
    if (++depth > DEEPEST) throw new Refused(`nested deeper than ${DEEPEST}`, peek().at)
    let left = primary()
    for (;;) {
      const at = peek().at
      const joined = infix(left, power)
      if (!joined) break
      left = checked(joined, at)
    }
    depth--
    return left
  }

  function infix(left: Node, power: number): Node | undefined {
    const { kind, text } = peek()
    if (kind === 'keyword') return keywordInfix(left, power, text)
    if (kind !== 'symbol') return undefined
    if ((text === '*' || text === '/' || text === '%') && power <= TIMES) {
      next++
      return mathNode(left, expression(TIMES + 1), text, isWrapping)
    }
    if ((text === '+' || text === '-') && power <= PLUS) {
      next++
      return mathNode(left, expression(PLUS + 1), text, isWrapping)
    }
    if ((text === '<' || text === '<=' || text === '>' || text === '>=') && power <= COMPARES) {
      next++
      return orderNode(left, expression(COMPARES + 1), text)
    }
    if ((text === '=' || text === '!=' || text === '<>') && power <= COMPARES) {
      next++
      return equalityNode(left, expression(COMPARES + 1), text === '=')
    }
    return undefined
  }

  function keywordInfix(left: Node, power: number, text: string): Node | undefined {
    const isNegated = text === 'NOT'
    const word = isNegated && tokens[next + 1]?.kind === 'keyword' ? tokens[next + 1]!.text : text
    if (word === 'LIKE' && power <= LIKE) {
      next += isNegated ? 2 : 1
      const pattern = take()
      if (pattern.kind !== 'string') throw refusalOf(pattern, 'a pattern in quotes')
      return likeNode(left, likeFrom(pattern.text, counting), isNegated)
    }
    if (word === 'IN' && power <= IN) {
      next += isNegated ? 2 : 1
      expectSymbol('(')
      return inNode(left, list(), isNegated)
    }
    if (power > LOGIC || (text !== 'AND' && text !== 'OR' && text !== 'XOR')) return undefined
    next++
    const right = expression(LOGIC)
    return text === 'AND' ? andNode(left, right) : text === 'OR' ? orNode(left, right) : xorNode(left, right)
  }

  /** One expression or more, and the closing bracket. */
  function list(): Node[] {
    const nodes = [expression(0)]
    while (isNext('symbol', ',')) {
      next++
      nodes.push(expression(0))
    }
    expectSymbol(')')
    return nodes
  }

  function primary(): Node {
    const token = take()
    const { kind, text, at } = token
    if (kind === 'string') return constantNode(text)
    if (kind === 'integer') {
      const value = integerFrom(text)
      if (value === undefined) throw new Refused(`${text} does not fit 32 bits`, at)
      return constantNode(value)
    }
    if (kind === 'keyword' && (text === 'TRUE' || text === 'FALSE')) return constantNode(text === 'TRUE')
    if ((kind === 'keyword' && text === 'NOT') || (kind === 'symbol' && text === '-')) {
      if (++depth > DEEPEST) throw new Refused(`nested deeper than ${DEEPEST}`, at)
      const inner = primary()
      depth--
      return checked(text === 'NOT' ? notNode(inner) : minusNode(inner, isWrapping), at)
    }
    if (kind === 'keyword' && text === 'EXISTS') {
      const name = take()
      if (name.kind !== 'name' && name.kind !== 'alphanumeric') throw refusalOf(name, 'the name of an attribute')
      return existsNode(name.text.toLowerCase())
    }
    if (kind === 'symbol' && text === '(') {
      const inner = expression(0)
      expectSymbol(')')
      return inner
    }
    if ((kind === 'name' || kind === 'underscored') && isNext('symbol', '(')) {
      next++
      return checked(call(text.toUpperCase()), at)
    }
    if (kind === 'name' || kind === 'alphanumeric') return attributeNode(text.toLowerCase())
    throw refusalOf(token, 'a value, an attribute or a function')
  }

  function call(name: string): Node {
    let args: Node[] = []
    if (isNext('symbol', ')')) next++
    else args = list()
    const called = functionFor(name, args.length, counting, functions)
    return called ? callNode(called, args) : missingFunctionNode(name, args.length)
  }

  const root = expression(0)
  if (peek().kind !== 'end') throw refusalOf(peek(), 'an operator or the end')
  return root
}

function refusalOf({ kind, text, at }: Token, expected: string): Refused {
  const found = kind === 'end' ? 'the expression ends' : kind === 'string' ? 'there is a string' : `there is "${text}"`
  return new Refused(`${found} where ${expected} should be`, at)
}
