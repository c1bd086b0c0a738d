/** One step of a path, or a whole piece of a template. */
export type PathNode =
  | { type: 'text'; text: string }
  | { type: 'field'; name: string }
  | { type: 'wildcard' }
  | { type: 'recursive' }
  | { type: 'slice'; from: number | undefined; to: number | undefined; step: number | undefined; isIndex: boolean }
  | { type: 'union'; members: readonly PathNode[][] }
  | { type: 'filter'; left: readonly PathNode[]; operator: string; right: readonly PathNode[] }
  | { type: 'number'; value: number }
  | { type: 'boolean'; value: boolean }
  | { type: 'range' }
  | { type: 'end' }
  | { type: 'unknown'; name: string }

/** Literal text between braces, or the steps inside one pair of them. */
export type TemplatePiece = { text: string } | { steps: readonly PathNode[] }

/** A path or template that cannot be read; its message is upstream's. */
export class JsonPathError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JsonPathError'
  }
}

const TERMINATOR = /[\s.,[\]$@{}]/
const SLICE = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/
const COMPARISON = /^([^!<>=]+)([!<>=]+)(.+?)$/s

/**
 * Reads kubectl's template dialect: text with paths in braces.
 * @see kubernetes/client-go v0.35 util/jsonpath/parser.go
 */
export function parseTemplate(template: string): TemplatePiece[] {
  const pieces: TemplatePiece[] = []
  for (let position = 0; position < template.length; ) {
    const open = template.indexOf('{', position)
    if (open < 0) {
      pieces.push({ text: template.slice(position) })
      break
    }
    if (open > position) pieces.push({ text: template.slice(position, open) })
    const { steps, end } = readSteps(template, open + 1)
    pieces.push({ steps })
    position = end
  }
  return pieces
}

/** Reads one path without braces. */
export function parsePath(path: string): readonly PathNode[] {
  return readSteps(`${path}}`, 0).steps
}

/** Reads from inside a brace to behind its closing one. */
function readSteps(input: string, start: number): { steps: PathNode[]; end: number } {
  const steps: PathNode[] = []
  let position = start

  const upToTerminator = (): string => {
    const from = position
    while (position < input.length && !TERMINATOR.test(input[position]!)) position += input[position] === '\\' ? 2 : 1
    return input.slice(from, position)
  }
  const readField = (): void => {
    const name = upToTerminator()
    steps.push(name === '*' ? { type: 'wildcard' } : { type: 'field', name: name.replaceAll('\\', '') })
  }

  for (;;) {
    const character = input[position]
    if (character === undefined || character === '\n' || character === '\r') throw new JsonPathError('unclosed action')
    if (character === '}') return { steps, end: position + 1 }
    if (input.startsWith('[?(', position)) {
      position = readFilter(input, position + 3, steps)
    } else if (input.startsWith('..', position)) {
      if (steps.at(-1)?.type === 'recursive') throw new JsonPathError('invalid multiple recursive descent')
      steps.push({ type: 'recursive' })
      position += 2
      if (/[\p{L}\p{Nd}_]/u.test(input[position] ?? '')) readField()
    } else if (character === ' ' || character === '@' || character === '$') {
      position++
    } else if (character === '[') {
      const close = input.indexOf(']', position)
      if (close < 0 || input.slice(position, close).includes('\n')) throw new JsonPathError('unterminated array')
      steps.push(...bracketSteps(input.slice(position + 1, close)))
      position = close + 1
    } else if (character === '"' || character === "'") {
      const { text, end } = readQuoted(input, position)
      steps.push({ type: 'text', text })
      position = end
    } else if (character === '.') {
      position++
      readField()
    } else if (/[+\-\d]/.test(character)) {
      const number = /^[+-]?[\d.]*/.exec(input.slice(position))![0]
      const value = Number(number)
      if (number.trim() === '' || Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${number}`)
      steps.push({ type: 'number', value })
      position += number.length
    } else if (/[\p{L}_]/u.test(character)) {
      const name = upToTerminator()
      if (name === 'true' || name === 'false') steps.push({ type: 'boolean', value: name === 'true' })
      else steps.push(name === 'range' || name === 'end' ? { type: name } : { type: 'unknown', name })
    } else {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
      throw new JsonPathError(`unrecognized character in action: U+${code} '${character}'`)
    }
  }
}

/** What stands between square brackets: a key, an index, a slice, or several of them. */
function bracketSteps(text: string): PathNode[] {
  const members = text.split(',')
  if (members.length > 1) return [{ type: 'union', members: members.map((member) => bracketSteps(member.trim())) }]

  const key = /^'([^']*)'$/.exec(text) ?? /^"([^"]*)"$/.exec(text)
  if (key) return [...parsePath(`.${key[1]}`)]

  const slice = SLICE.exec(text === '*' ? ':' : text)
  if (!slice) throw new JsonPathError(`invalid array index ${text}`)
  const [, from = '', to, step] = slice
  const numberIn = (part: string | undefined): number | undefined =>
    part === undefined || part === '' || part === ':' ? undefined : Number(part.replace(':', ''))
  if ([from, to, step].some((part) => part === '-' || part === ':-')) throw new JsonPathError(`array index ${text} is not a number`)
  return [{ type: 'slice', from: numberIn(from), to: numberIn(to), step: numberIn(step), isIndex: to === undefined }]
}

/** Reads `… )]` after `[?(`; returns the position behind it. */
function readFilter(input: string, start: number, steps: PathNode[]): number {
  let position = start
  let quote: string | undefined
  for (; ; position++) {
    const character = input[position]
    if (character === undefined || character === '\n') throw new JsonPathError('unterminated filter')
    if (quote) {
      if (character === '\\') position++
      else if (character === quote) quote = undefined
    } else if (character === '"' || character === "'") quote = character
    else if (character === ')') break
  }
  if (input[position + 1] !== ']') throw new JsonPathError('unclosed array expect ]')
  const text = input.slice(start, position)
  const comparison = COMPARISON.exec(text)
  if (!comparison) steps.push({ type: 'filter', left: parsePath(text), operator: 'exists', right: [] })
  else {
    const [, left, operator, right] = comparison as unknown as [string, string, string, string]
    steps.push({ type: 'filter', left: parsePath(left), operator, right: parsePath(right) })
  }
  return position + 2
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }

function readQuoted(input: string, start: number): { text: string; end: number } {
  const quote = input[start]!
  let text = ''
  for (let position = start + 1; ; position++) {
    const character = input[position]
    if (character === undefined || character === '\n') throw new JsonPathError('unterminated quoted string')
    if (character === quote) return { text, end: position + 1 }
    if (character !== '\\') {
      text += character
      continue
    }
    const escaped = input[++position] ?? ''
    const hex = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(input.slice(position))
    if (hex) {
      text += String.fromCodePoint(Number.parseInt(hex[1] ?? hex[2] ?? hex[3]!, 16))
      position += hex[0].length - 1
    } else if (escaped === quote || escaped === '\\') text += escaped
    else if (Object.hasOwn(ESCAPES, escaped)) text += ESCAPES[escaped]
    else throw new JsonPathError(`unquote string ${input.slice(start, position + 1)} error invalid syntax`)
  }
}
