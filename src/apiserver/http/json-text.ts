import { refusals } from '../../apimachinery/status-error.js'

/** A body as it was read: its value, and what fieldValidation has to judge. */
export interface Decoded {
  value: unknown
  /** `duplicate field "spec.size"` …: what the value no longer shows. */
  problems: readonly string[]
}

/** Objects and lists in one another, at most: everything behind walks them by recursion. Go's decoder stops at 10,000. */
export const DEEPEST = 1000

/** Reads JSON. Throws 400 for text that is none, or nested too deeply. Of repeated keys the last one counts, as in Go. */
export function decodeJson(text: string): Decoded {
  const problems = scan(text)
  try {
    return { value: JSON.parse(text), problems }
  } catch (error) {
    throw refusals.badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
}

interface Level {
  /** Keys seen so far; undefined in a list. */
  keys: Set<string> | undefined
  /** The key being read, or the place in the list. */
  at: string
  index: number
  expectsKey: boolean
}

/**
 * One pass over the text for what JSON.parse does not tell: depth and repeated keys. Broken text is left to JSON.parse,
 * so nothing here needs to be certain that it is well-formed.
 */
function scan(text: string): string[] {
  const problems: string[] = []
  const levels: Level[] = []
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      const end = endOfText(text, index + 1)
      const level = levels.at(-1)
      if (level?.expectsKey && level.keys) {
        level.at = keyFrom(text.slice(index, end + 1))
        level.expectsKey = false
        if (level.keys.has(level.at)) problems.push(`duplicate field ${JSON.stringify(pathOf(levels))}`)
        else level.keys.add(level.at)
      }
      index = end
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (levels.length >= DEEPEST) throw refusals.badRequest('exceeded max depth')
      levels.push({ keys: code === OPEN_OBJECT ? new Set() : undefined, at: '', index: 0, expectsKey: code === OPEN_OBJECT })
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      levels.pop()
    } else if (code === COMMA) {
      const level = levels.at(-1)
      if (level?.keys) level.expectsKey = true
      else if (level) level.index++
    }
  }
  return [...new Set(problems)]
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

/** The place of the closing quote. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start)
  while (end > 0) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

function keyFrom(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}

function pathOf(levels: readonly Level[]): string {
  let path = ''
  for (const { keys, at, index } of levels) {
    if (keys) path += path === '' ? at : `.${at}`
    else path += `[${index}]`
  }
  return path
}
