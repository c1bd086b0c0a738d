/** What a token is: `name` has letters only and may name an attribute or a function, `alphanumeric` an attribute, `underscored` a function. */
export type TokenKind = 'keyword' | 'name' | 'alphanumeric' | 'underscored' | 'integer' | 'string' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** Keywords and names of functions are compared in capitals; a string is without its quotes. */
  readonly text: string
  /** Where it begins in the expression, from 0. */
  readonly at: number
}

/** Why an expression is refused, and where (from 0). */
export interface Refusal {
  readonly problem: string
  readonly at: number
}

const KEYWORDS = new Set(['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE'])
const SYMBOLS = ['!=', '<>', '<=', '>=', '(', ')', ',', '*', '/', '%', '+', '-', '=', '<', '>']

/**
 * The tokens of an expression, the last one of kind `end`. The longest reading wins; a sign directly before digits belongs to them, so
 * `4-1` is two integers.
 * @see cloudevents/spec cesql/CESQLLexer.g4
 */
export function tokensOf(text: string): Token[] | Refusal {
  const tokens: Token[] = []
  const runAt = (pattern: RegExp, at: number): string => {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0] ?? ''
  }
  const space = /[ \t\r\n]*/y
  const alphanumeric = /[A-Za-z0-9]+/y
  const underscored = /[A-Za-z][A-Za-z_]*/y
  const integer = /[+-]?[0-9]+/y
  let at = 0
  for (;;) {
    at += runAt(space, at).length
    if (at >= text.length) {
      tokens.push({ kind: 'end', text: '', at })
      return tokens
    }
    const quote = text[at]!
    if (quote === "'" || quote === '"') {
      const end = endOfString(text, at, quote)
      if (end < 0) return { problem: `the string that begins here has no closing ${quote}`, at }
      tokens.push({ kind: 'string', text: text.slice(at + 1, end - 1).replaceAll(`\\${quote}`, quote), at })
      at = end
      continue
    }
    const token = wordAt(at, runAt(alphanumeric, at), runAt(underscored, at), runAt(integer, at)) ?? symbolAt(text, at)
    if (!token) return { problem: `"${String.fromCodePoint(text.codePointAt(at)!)}" is no part of the language`, at }
    tokens.push(token)
    at += token.text.length
  }
}

function wordAt(at: number, alphanumeric: string, underscored: string, integer: string): Token | undefined {
  const longest = Math.max(alphanumeric.length, underscored.length, integer.length)
  if (longest === 0) return undefined
  if (integer.length === longest) return { kind: 'integer', text: integer, at }
  if (alphanumeric.length !== underscored.length) {
    return alphanumeric.length === longest
      ? { kind: 'alphanumeric', text: alphanumeric, at }
      : { kind: 'underscored', text: underscored.toUpperCase(), at }
  }
  const capitals = alphanumeric.toUpperCase()
  return KEYWORDS.has(capitals) ? { kind: 'keyword', text: capitals, at } : { kind: 'name', text: alphanumeric, at }
}

function symbolAt(text: string, at: number): Token | undefined {
  const symbol = SYMBOLS.find((candidate) => text.startsWith(candidate, at))
  return symbol === undefined ? undefined : { kind: 'symbol', text: symbol, at }
}

/** Behind the closing quote, or less than 0. A backslash keeps the next character from closing, a doubled quote does not close either. */
function endOfString(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote && text[at + 1] === quote) at++
    else if (text[at] === quote) return at + 1
  }
  return -1
}
