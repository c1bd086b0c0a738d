/** As many levels of nesting as Go's reader takes. @see encoding/json scanner.go, maxNestingDepth */
const DEEPEST = 10_000

const TAB = 0x09
const NEWLINE = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Which bytes may follow a backslash, `u` apart. */
const ESCAPES = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map((letter) => letter.charCodeAt(0)))
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))

/** The first position from `at` that is no JSON white space. */
export function afterSpace(bytes: Buffer, at: number): number {
  for (let next = at; ; next++) {
    const byte = bytes[next]
    if (byte !== SPACE && byte !== NEWLINE && byte !== TAB && byte !== RETURN) return next
  }
}

/**
 * Where the JSON value that starts at `from` ends (the position behind its last byte), or the bitwise complement (`~`, so less than 0)
 * of the position where it stops being JSON. Looks at no more than the value; nesting costs no stack. UTF-8 is the caller's to check.
 */
export function endOfValue(bytes: Buffer, from: number): number {
  const open: number[] = []
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = endOfString(bytes, at)
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (open.length === DEEPEST) return ~at
      const closing = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
      at = afterSpace(bytes, at + 1)
      if (bytes[at] !== closing) {
        open.push(closing)
        if (closing === CLOSE_BRACE && (at = endOfName(bytes, at)) < 0) return at
        continue
      }
      at++
    } else {
      at = byte === MINUS || isDigit(byte) ? endOfNumber(bytes, at) : endOfLiteral(bytes, at)
    }
    if (at < 0) return at
    for (;;) {
      const closing = open.at(-1)
      if (closing === undefined) return at
      at = afterSpace(bytes, at)
      const next = bytes[at]
      if (next === closing) {
        open.pop()
        at++
      } else if (next === COMMA) {
        at = afterSpace(bytes, at + 1)
        if (closing === CLOSE_BRACE && (at = endOfName(bytes, at)) < 0) return at
        break
      } else {
        return ~at
      }
    }
  }
}

/** Whether all of `bytes` is one JSON value, white space around it allowed. */
export function isJson(bytes: Buffer): boolean {
  const end = endOfValue(bytes, afterSpace(bytes, 0))
  return end >= 0 && afterSpace(bytes, end) >= bytes.length
}

/** One member of an object or element of an array: where its value is. `name` is empty for elements. */
export type OnItem = (name: string, start: number, end: number) => void

/**
 * Walks the items of the one object (or array) that `bytes` must be. Answers a sentence about the first thing that is not as it
 * should be, or undefined. Items before that have been reported by then.
 */
export function eachItem(bytes: Buffer, shape: 'object' | 'array', onItem: OnItem): string | undefined {
  const isObject = shape === 'object'
  const [opening, closing] = isObject ? [OPEN_BRACE, CLOSE_BRACE] : [OPEN_BRACKET, CLOSE_BRACKET]
  let at = afterSpace(bytes, 0)
  if (bytes[at] !== opening) return `the body is not a JSON ${shape}`
  at = afterSpace(bytes, at + 1)
  if (bytes[at] === closing) return endProblem(bytes, at + 1)
  for (;;) {
    let name = ''
    let start = at
    if (isObject) {
      const endOfKey = bytes[at] === QUOTE ? endOfString(bytes, at) : ~at
      if (endOfKey < 0) return notJson(~endOfKey)
      name = textOf(bytes, at, endOfKey)
      start = endOfName(bytes, at)
      if (start < 0) return notJson(~start)
    }
    const end = endOfValue(bytes, start)
    if (end < 0) return notJson(~end)
    onItem(name, start, end)
    at = afterSpace(bytes, end)
    if (bytes[at] === closing) return endProblem(bytes, at + 1)
    if (bytes[at] !== COMMA) return notJson(at)
    at = afterSpace(bytes, at + 1)
  }
}

/** The text of the JSON string at `start`, which `endOfValue` has found to be one. Half a surrogate pair becomes U+FFFD, as in Go. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  for (let at = start + 1; at < end - 1; at++) {
    if (bytes[at] === BACKSLASH) return wellFormed(JSON.parse(bytes.toString('utf8', start, end)) as string)
  }
  return bytes.toString('utf8', start + 1, end - 1)
}

export function isString(bytes: Buffer, start: number): boolean {
  return bytes[start] === QUOTE
}

const HALF_PAIRS = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function wellFormed(text: string): string {
  return text.replace(HALF_PAIRS, '\ufffd')
}

function endProblem(bytes: Buffer, at: number): string | undefined {
  const end = afterSpace(bytes, at)
  return end < bytes.length ? notJson(end) : undefined
}

function notJson(at: number): string {
  return `the body is not JSON: unexpected at byte ${at}`
}

/** From the name of a member to where its value starts. */
function endOfName(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return ~at
  const end = endOfString(bytes, at)
  if (end < 0) return end
  const colon = afterSpace(bytes, end)
  return bytes[colon] === COLON ? afterSpace(bytes, colon + 1) : ~colon
}

function endOfString(bytes: Buffer, from: number): number {
  for (let at = from + 1; ; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === undefined || byte < SPACE) return ~at
    if (byte !== BACKSLASH) continue
    at++
    const escaped = bytes[at]
    if (escaped === LOWER_U) {
      for (let digit = 0; digit < 4; digit++) if (!isHex(bytes[++at])) return ~at
    } else if (escaped === undefined || !ESCAPES.has(escaped)) {
      return ~at
    }
  }
}

function endOfNumber(bytes: Buffer, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from
  if (!isDigit(bytes[at])) return ~at
  at = bytes[at] === ZERO ? at + 1 : afterDigits(bytes, at)
  if (bytes[at] === DOT) {
    if (!isDigit(bytes[at + 1])) return ~(at + 1)
    at = afterDigits(bytes, at + 1)
  }
  const exponent = bytes[at]
  if (exponent === 0x65 || exponent === 0x45) {
    at++
    if (bytes[at] === PLUS || bytes[at] === MINUS) at++
    if (!isDigit(bytes[at])) return ~at
    at = afterDigits(bytes, at)
  }
  return at
}

function endOfLiteral(bytes: Buffer, at: number): number {
  for (const literal of LITERALS) {
    if (bytes[at] === literal[0] && bytes.subarray(at, at + literal.length).equals(literal)) return at + literal.length
  }
  return ~at
}

function afterDigits(bytes: Buffer, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  return at
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && (isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))
}
