/** An expression that cannot be read, in cel-go's words. */
export class CelSyntaxError extends Error {
  constructor(source: string, at: number, problem: string) {
    const before = source.slice(0, at)
    const line = before.split('\n').length
    const column = at - (before.lastIndexOf('\n') + 1)
    const text = source.split('\n')[line - 1] ?? ''
    super(`ERROR: <input>:${line}:${column + 1}: ${problem}\n | ${text}\n | ${'.'.repeat(column)}^`)
    this.name = 'CelSyntaxError'
  }
}

export type Token =
  | { type: 'identifier'; text: string; at: number }
  | { type: 'operator'; text: string; at: number }
  | { type: 'int' | 'uint'; value: bigint; at: number }
  | { type: 'double'; value: number; at: number }
  | { type: 'string'; value: string; at: number }
  | { type: 'bytes'; value: Uint8Array; at: number }
  | { type: 'end'; at: number }

const SPACE = /(?:\s|\/\/[^\n]*)+/y
const NUMBER = /(?:(0x[0-9a-fA-F]+)|(\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(\d+))([uU]?)/y
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y
const QUOTED_IDENTIFIER = /`([A-Za-z0-9_.\-/ ]+)`/y
const STRING_START = /([rRbB]{0,2})("""|'''|"|')/y
const OPERATORS = [
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '!',
  '?',
  ':',
  '.',
  ',',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
]

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}

/** The words of an expression. Throws CelSyntaxError. @see google/cel-spec doc/langdef.md */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  while (at < source.length) {
    const space = match(SPACE)
    if (space) {
      at += space[0].length
      continue
    }
    const text = match(STRING_START)
    if (text) {
      const { token, end } = stringToken(source, at, text[1]!.toLowerCase(), text[2]!)
      tokens.push(token)
      at = end
      continue
    }
    const number = match(NUMBER)
    if (number) {
      tokens.push(numberToken(source, at, number))
      at += number[0].length
      continue
    }
    const identifier = match(IDENTIFIER)
    if (identifier) {
      tokens.push({ type: 'identifier', text: identifier[0], at })
      at += identifier[0].length
      continue
    }
    const quoted = match(QUOTED_IDENTIFIER)
    if (quoted) {
      tokens.push({ type: 'identifier', text: quoted[1]!, at })
      at += quoted[0].length
      continue
    }
    const operator = OPERATORS.find((each) => source.startsWith(each, at))
    if (!operator) throw new CelSyntaxError(source, at, `Syntax error: token recognition error at: '${source[at]}'`)
    tokens.push({ type: 'operator', text: operator, at })
    at += operator.length
  }
  tokens.push({ type: 'end', at })
  return tokens
}

function numberToken(source: string, at: number, [, hex, double, digits, unsigned]: RegExpExecArray): Token {
  if (double !== undefined && !unsigned) return { type: 'double', value: Number(double), at }
  const text = hex ?? digits
  if (text === undefined) throw new CelSyntaxError(source, at, 'Syntax error: invalid number')
  const value = BigInt(text)
  // The sign is not part of a literal, so 2^63 may be meant as a negative number; arithmetic finds what is too large.
  if (value > 2n ** 64n - 1n || (!unsigned && value > 2n ** 63n)) throw new CelSyntaxError(source, at, 'Syntax error: invalid int literal')
  return { type: unsigned ? 'uint' : 'int', value, at }
}

function stringToken(source: string, at: number, prefix: string, quote: string): { token: Token; end: number } {
  const isRaw = prefix.includes('r')
  const isBytes = prefix.includes('b')
  let value = ''
  const bytes: number[] = []
  const add = (text: string): void => {
    if (isBytes) bytes.push(...Buffer.from(text))
    else value += text
  }
  let index = at + prefix.length + quote.length
  for (;;) {
    if (index >= source.length || (quote.length === 1 && source[index] === '\n'))
      throw new CelSyntaxError(source, at, 'Syntax error: unterminated string literal')
    if (source.startsWith(quote, index)) break
    if (source[index] !== '\\' || isRaw) {
      const character = String.fromCodePoint(source.codePointAt(index)!)
      add(character)
      index += character.length
      continue
    }
    const escapes = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[xX]([0-9a-fA-F]{2})|([0-3][0-7]{2})|([abfnrtv\\?"'`]))/y
    escapes.lastIndex = index
    const found = escapes.exec(source)
    if (!found) throw new CelSyntaxError(source, index, 'Syntax error: unable to unescape string')
    const [whole, short, long, hex, octal, simple] = found
    if (simple !== undefined) add(ESCAPES[simple]!)
    else {
      const code = octal === undefined ? Number.parseInt((short ?? long ?? hex)!, 16) : Number.parseInt(octal, 8)
      if (code > 0x10ffff) throw new CelSyntaxError(source, index, 'Syntax error: unable to unescape string')
      // In bytes \x and octal escapes are octets, \u is a character.
      if (isBytes && short === undefined && long === undefined) bytes.push(code)
      else add(String.fromCodePoint(code))
    }
    index += whole.length
  }
  const end = index + quote.length
  return { token: isBytes ? { type: 'bytes', value: Uint8Array.from(bytes), at } : { type: 'string', value, at }, end }
}
