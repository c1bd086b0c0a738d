import { CelSyntaxError, type Token, tokensOf } from './lexer.js'
import type { CelValue } from './values.js'

export { CelSyntaxError }

/** A macro that walks a list or the keys of a map. */
export type FoldKind = 'all' | 'exists' | 'exists_one' | 'map' | 'filter'

export type BinaryOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%'

/** A parsed expression; `at` is where in the source it stands. */
export type Expr = { at: number } & (
  | { op: 'literal'; value: CelValue }
  | { op: 'name'; name: string }
  | { op: 'select'; operand: Expr; field: string; optional: boolean }
  | { op: 'has'; operand: Expr; field: string }
  | { op: 'index'; operand: Expr; index: Expr; optional: boolean }
  | { op: 'call'; name: string; target: Expr | undefined; args: readonly Expr[] }
  | { op: 'list'; items: readonly { value: Expr; optional: boolean }[] }
  | { op: 'map'; entries: readonly { key: Expr; value: Expr; optional: boolean }[] }
  | { op: 'fold'; fold: FoldKind; range: Expr; variable: string; condition: Expr | undefined; body: Expr }
  | { op: 'optMap'; target: Expr; variable: string; body: Expr; flat: boolean }
  | { op: 'and' | 'or'; left: Expr; right: Expr }
  | { op: 'not' | 'negate'; operand: Expr }
  | { op: 'conditional'; condition: Expr; then: Expr; otherwise: Expr }
  | { op: 'binary'; operator: BinaryOperator; left: Expr; right: Expr }
)

const FOLDS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
const RELATIONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>='])
/** @see google/cel-spec doc/langdef.md, RESERVED */
const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)
/** How deep an expression may be nested (cel-go's default recursion limit). */
const DEEPEST = 250

/** Reads an expression, macros expanded. Throws CelSyntaxError. */
export function parseCel(source: string): Expr {
  const tokens = tokensOf(source)
  let position = 0
  let depth = 0

  const peek = (): Token => tokens[position]!
  const isOperator = (text: string): boolean => {
    const token = peek()
    return token.type === 'operator' && token.text === text
  }
  const isWord = (text: string): boolean => {
    const token = peek()
    return token.type === 'identifier' && token.text === text
  }
  const shown = (token: Token): string =>
    token.type === 'end' ? '<EOF>' : 'text' in token ? token.text : String('value' in token ? token.value : '')
  const fail = (token: Token, problem?: string): never => {
    throw new CelSyntaxError(source, token.at, `Syntax error: ${problem ?? `mismatched input '${shown(token)}'`}`)
  }
  const take = (text: string): boolean => {
    if (!isOperator(text)) return false
    position++
    return true
  }
  const expect = (text: string): void => {
    if (!take(text)) fail(peek(), `mismatched input '${shown(peek())}' expecting '${text}'`)
  }
  const identifier = (): string => {
    const token = peek()
    if (token.type !== 'identifier') return fail(token, `no viable alternative at input '${shown(token)}'`)
    position++
    return token.text
  }

  const expression = (): Expr => {
    if (++depth > DEEPEST) fail(peek(), 'expression recursion limit exceeded')
    const condition = disjunction()
    if (isOperator('?')) {
      const { at } = peek()
      position++
      const then = disjunction()
      expect(':')
      const otherwise = expression()
      depth--
      return { op: 'conditional', condition, then, otherwise, at }
    }
    depth--
    return condition
  }

  const disjunction = (): Expr => {
    let left = conjunction()
    while (isOperator('||')) {
      const { at } = peek()
      position++
      left = { op: 'or', left, right: conjunction(), at }
    }
    return left
  }

  const conjunction = (): Expr => {
    let left = relation()
    while (isOperator('&&')) {
      const { at } = peek()
      position++
      left = { op: 'and', left, right: relation(), at }
    }
    return left
  }

  const relation = (): Expr => {
    let left = addition()
    for (;;) {
      const token = peek()
      const operator = token.type === 'operator' && RELATIONS.has(token.text) ? token.text : isWord('in') ? 'in' : undefined
      if (operator === undefined) return left
      position++
      left = { op: 'binary', operator: operator as BinaryOperator, left, right: addition(), at: token.at }
    }
  }

  const binary = (operators: readonly string[], next: () => Expr): (() => Expr) => {
    return () => {
      let left = next()
      for (;;) {
        const token = peek()
        if (token.type !== 'operator' || !operators.includes(token.text)) return left
        position++
        left = { op: 'binary', operator: token.text as BinaryOperator, left, right: next(), at: token.at }
      }
    }
  }

  const unary = (): Expr => {
    const token = peek()
    if (token.type === 'operator' && (token.text === '!' || token.text === '-')) {
      if (++depth > DEEPEST) fail(token, 'expression recursion limit exceeded')
      position++
      const operand = unary()
      depth--
      if (token.text === '!') return { op: 'not', operand, at: token.at }
      if (operand.op === 'literal' && (typeof operand.value === 'bigint' || typeof operand.value === 'number'))
        return { ...operand, value: -operand.value, at: token.at }
      return { op: 'negate', operand, at: token.at }
    }
    return member()
  }
  const multiplication = binary(['*', '/', '%'], unary)
  const addition = binary(['+', '-'], multiplication)

  const member = (): Expr => {
    let operand = primary()
    for (;;) {
      const { at } = peek()
      if (take('.')) {
        const optional = take('?')
        const name = identifier()
        if (!optional && isOperator('(')) operand = methodCall(operand, name, at)
        else operand = { op: 'select', operand, field: name, optional, at }
      } else if (take('[')) {
        const optional = take('?')
        const index = expression()
        expect(']')
        operand = { op: 'index', operand, index, optional, at }
      } else if (isOperator('{')) {
        return fail(peek(), 'messages cannot be made in rules')
      } else return operand
    }
  }

  const args = (): Expr[] => {
    expect('(')
    const list: Expr[] = []
    if (take(')')) return list
    do list.push(expression())
    while (take(','))
    expect(')')
    return list
  }

  const methodCall = (target: Expr, name: string, at: number): Expr => {
    const list = args()
    const [first, second, third] = list
    if (FOLDS.has(name) && (list.length === 2 || (name === 'map' && list.length === 3)))
      return {
        op: 'fold',
        fold: name as FoldKind,
        range: target,
        variable: variableOf(first!),
        condition: third && second,
        body: third ?? second!,
        at,
      }
    if ((name === 'optMap' || name === 'optFlatMap') && list.length === 2)
      return { op: 'optMap', target, variable: variableOf(first!), body: second!, flat: name === 'optFlatMap', at }
    // Functions of a namespace (`optional.of`, `sets.contains`) look like methods of a name.
    if (target.op === 'name' && (target.name === 'optional' || target.name === 'sets' || target.name === 'math'))
      return { op: 'call', name: `${target.name}.${name}`, target: undefined, args: list, at }
    return { op: 'call', name, target, args: list, at }
  }

  const variableOf = (expr: Expr): string => {
    if (expr.op === 'name') return expr.name
    throw new CelSyntaxError(source, expr.at, 'argument must be a simple name')
  }

  const primary = (): Expr => {
    const token = peek()
    const { at } = token
    switch (token.type) {
      case 'int':
      case 'double':
      case 'string':
      case 'bytes':
        position++
        return { op: 'literal', value: token.value, at }
      case 'uint':
        position++
        return { op: 'literal', value: { cel: 'uint', value: token.value }, at }
      case 'identifier':
        return named(token.text, at)
      case 'end':
        return fail(token)
    }
    if (take('(')) {
      const inner = expression()
      expect(')')
      return inner
    }
    if (take('[')) return listLiteral(at)
    if (take('{')) return mapLiteral(at)
    // A leading dot names something in the outermost scope, which is the only one here.
    if (take('.')) return named(identifierAhead(), at)
    return fail(token)
  }

  const identifierAhead = (): string => {
    const token = peek()
    return token.type === 'identifier' ? token.text : fail(token)
  }

  const named = (text: string, at: number): Expr => {
    position++
    if (text === 'true' || text === 'false') return { op: 'literal', value: text === 'true', at }
    if (text === 'null') return { op: 'literal', value: null, at }
    if (RESERVED.has(text)) throw new CelSyntaxError(source, at, `Syntax error: reserved identifier: ${text}`)
    if (!isOperator('(')) return { op: 'name', name: text, at }
    const list = args()
    if (text !== 'has') return { op: 'call', name: text, target: undefined, args: list, at }
    const [only] = list
    if (list.length !== 1 || only?.op !== 'select' || only.optional) throw new CelSyntaxError(source, at, 'invalid argument to has() macro')
    return { op: 'has', operand: only.operand, field: only.field, at }
  }

  const listLiteral = (at: number): Expr => {
    const items: { value: Expr; optional: boolean }[] = []
    while (!isOperator(']')) {
      const optional = take('?')
      items.push({ value: expression(), optional })
      if (!take(',')) break
    }
    expect(']')
    return { op: 'list', items, at }
  }

  const mapLiteral = (at: number): Expr => {
    const entries: { key: Expr; value: Expr; optional: boolean }[] = []
    while (!isOperator('}')) {
      const optional = take('?')
      const key = expression()
      expect(':')
      entries.push({ key, value: expression(), optional })
      if (!take(',')) break
    }
    expect('}')
    return { op: 'map', entries, at }
  }

  const whole = expression()
  if (peek().type !== 'end') fail(peek(), `extraneous input '${shown(peek())}' expecting <EOF>`)
  return whole
}

/** Every expression inside `expr`, itself first. */
export function* partsOf(expr: Expr): Generator<Expr> {
  yield expr
  for (const child of childrenOf(expr)) yield* partsOf(child)
}

function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case 'literal':
    case 'name':
      return []
    case 'select':
    case 'has':
    case 'not':
    case 'negate':
      return [expr.operand]
    case 'index':
      return [expr.operand, expr.index]
    case 'call':
      return expr.target ? [expr.target, ...expr.args] : expr.args
    case 'list':
      return expr.items.map(({ value }) => value)
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value])
    case 'fold':
      return [expr.range, ...(expr.condition ? [expr.condition] : []), expr.body]
    case 'optMap':
      return [expr.target, expr.body]
    case 'and':
    case 'or':
    case 'binary':
      return [expr.left, expr.right]
    case 'conditional':
      return [expr.condition, expr.then, expr.otherwise]
  }
}
