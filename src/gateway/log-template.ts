import { type Args, FUNCTIONS, fieldOf, isTrue, printed, type Struct, type Value } from './log-template-values.js'

/** A template that has been read: data in, text out. Throws when the data lacks a field, or a function is given what it cannot take. */
export type Template = (data: Struct) => string

type Node = (data: Value) => string
type Pipeline = (data: Value) => Value
/** An operand, with what it is applied to: only functions and methods take arguments. */
type Operand = (data: Value, args: Args) => Value

const TOKEN =
  /\s*(?:("(?:[^"\\\n]|\\.)*"|`[^`]*`)|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|((?:\.[A-Za-z_]\w*)+)|(\.)(?![\w.])|([A-Za-z_]\w*)|([()|]))/y

/**
 * Go's text/template, as far as templates of request logs use it: fields and methods, the functions that the package has built
 * in, pipes, parentheses, if and else, comments, and the dashes that trim blanks. Throws for anything else (loops, variables, other
 * templates), and for what Go would not take either.
 *
 * @see golang/go src/text/template/doc.go
 */
export function parseTemplate(text: string): Template {
  const parts = partsOf(text)
  let at = 0

  /** Everything up to the `else` or `end` that belongs to the caller. */
  const block = (isInner: boolean): { nodes: Node[]; end: string } => {
    const nodes: Node[] = []
    while (at < parts.length) {
      const part = parts[at++]!
      if (!part.isAction) {
        nodes.push(() => part.text)
        continue
      }
      const word = /^\w*/.exec(part.text)![0]
      if (word === 'else' || word === 'end') {
        if (!isInner) throw new Error(`unexpected {{${word}}}`)
        return { nodes, end: part.text }
      }
      nodes.push(word === 'if' ? condition(part.text.slice(2)) : printing(pipelineFrom(part.text)))
    }
    if (isInner) throw new Error('unexpected EOF')
    return { nodes, end: '' }
  }
  const condition = (text: string): Node => {
    const test = pipelineFrom(text)
    const then = block(true)
    const elseIf = /^else\s+if\b/.exec(then.end)
    let otherwise: readonly Node[] = []
    if (elseIf) otherwise = [condition(then.end.slice(elseIf[0].length))]
    else if (then.end !== 'end') otherwise = lastBlock()
    return (data) => joined(isTrue(test(data)) ? then.nodes : otherwise, data)
  }
  const lastBlock = (): readonly Node[] => {
    const { nodes, end } = block(true)
    if (end !== 'end') throw new Error(`unexpected {{${end}}}`)
    return nodes
  }

  const { nodes } = block(false)
  return (data) => joined(nodes, data)
}

const joined = (nodes: readonly Node[], data: Value): string => nodes.map((node) => node(data)).join('')
const printing =
  (pipeline: Pipeline): Node =>
  (data) =>
    printed(pipeline(data))

/** Text and actions in turn. A dash at the inner side of a delimiter takes the blanks beyond it away. */
function partsOf(text: string): { isAction: boolean; text: string }[] {
  const parts: { isAction: boolean; text: string }[] = []
  let from = 0
  let isTrimmed = false
  for (;;) {
    const open = text.indexOf('{{', from)
    const between = text.slice(from, open < 0 ? text.length : open)
    const trimsBefore = open >= 0 && /^-\s/.test(text.slice(open + 2, open + 4))
    const plain = isTrimmed ? between.trimStart() : between
    parts.push({ isAction: false, text: trimsBefore ? plain.trimEnd() : plain })
    if (open < 0) return parts
    const start = open + (trimsBefore ? 3 : 2)
    const close = closingOf(text, start)
    isTrimmed = /\s-$/.test(text.slice(start, close))
    const action = text.slice(start, isTrimmed ? close - 1 : close).trim()
    if (!action.startsWith('/*')) parts.push({ isAction: true, text: action })
    from = close + 2
  }
}

/** Where the action that starts at `from` closes: not within a string. */
function closingOf(text: string, from: number): number {
  const scanner = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|}}|"|`/g
  scanner.lastIndex = from
  for (let found = scanner.exec(text); found; found = scanner.exec(text)) {
    if (found[0] === '}}') return found.index
    if (found[0].length === 1) throw new Error('unterminated quoted string')
  }
  throw new Error('unclosed action')
}

function pipelineFrom(text: string): Pipeline {
  const tokens = tokensOf(text)
  let at = 0

  const pipeline = (): Pipeline => {
    let whole = command(undefined)
    while (tokens[at] === '|') {
      at++
      whole = command(whole)
    }
    return whole
  }
  /** The value that is piped in is the last argument. */
  const command = (piped: Pipeline | undefined): Pipeline => {
    const first = operand()
    const args: Operand[] = []
    while (at < tokens.length && tokens[at] !== '|' && tokens[at] !== ')') args.push(operand())
    return (data) => {
      const values = args.map((arg) => arg(data, []))
      if (piped) values.push(piped(data))
      return first(data, values)
    }
  }
  const operand = (): Operand => {
    const token = tokens[at++]
    if (token === undefined || token === '|' || token === ')') throw new Error('missing value for command')
    if (token === '(') {
      const inner = pipeline()
      if (tokens[at++] !== ')') throw new Error('unclosed left paren')
      const chain = tokens[at]?.startsWith('.') && tokens[at] !== '.' ? tokens[at++]! : ''
      return chain ? (data, args) => fieldOf(inner(data), chain, args) : constant((data) => inner(data))
    }
    if (token === '.') return constant((data) => data)
    if (token.startsWith('.')) return (data, args) => fieldOf(data, token, args)
    if (token.startsWith('"') || token.startsWith('`')) {
      const text = token.startsWith('"') ? (JSON.parse(token) as string) : token.slice(1, -1)
      return constant(() => text)
    }
    if (/^[-\d]/.test(token)) return constant(() => Number(token))
    if (token === 'true' || token === 'false') return constant(() => token === 'true')
    const call = FUNCTIONS[token]
    if (!call) throw new Error(`function ${JSON.stringify(token)} not defined`)
    return (_data, args) => call(args)
  }

  const whole = pipeline()
  if (at < tokens.length) throw new Error(`unexpected ${JSON.stringify(tokens[at])} in command`)
  return whole
}

function constant(value: (data: Value) => Value): Operand {
  return (data, args) => {
    if (args.length > 0) throw new Error("can't give argument to non-function")
    return value(data)
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex
    const found = TOKEN.exec(text)
    if (!found) {
      if (text.slice(from).trim() === '') break
      throw new Error(`unexpected ${JSON.stringify(text.slice(from).trim())} in command`)
    }
    tokens.push(found[0].trim())
  }
  return tokens
}
