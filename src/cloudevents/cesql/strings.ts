/**
 * What strings are made of: characters, as the specification has it, or the bytes of their UTF-8, as Knative's evaluator counts them.
 * @see cloudevents/sdk-go sql/v2/function/string_functions.go
 */
export type Counting = 'characters' | 'bytes'

/** A string that can be indexed by what it is made of. */
export type Units = string | readonly string[]

export function unitsOf(text: string, counting: Counting): Units {
  if (counting === 'bytes') return /[^\x00-\x7f]/.test(text) ? Buffer.from(text).toString('latin1') : text
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text
}

/** The text of units; half a character becomes U+FFFD. */
export function textOf(units: Units, counting: Counting): string {
  if (typeof units !== 'string') return units.join('')
  return counting === 'bytes' && /[^\x00-\x7f]/.test(units) ? Buffer.from(units, 'latin1').toString() : units
}

const ONE = 1
const RUN = 2
type Piece = string | typeof ONE | typeof RUN

/** A test for a LIKE pattern: `%` is any run, `_` any one, a backslash makes either stand for itself. The whole string must match. */
export function likeFrom(pattern: string, counting: Counting): (text: string) => boolean {
  const pieces: Piece[] = []
  const units = unitsOf(pattern, counting)
  for (let at = 0; at < units.length; at++) {
    const unit = units[at]!
    const next = units[at + 1]
    if (unit === '\\' && (next === '%' || next === '_')) {
      pieces.push(next)
      at++
    } else if (unit !== '%') {
      pieces.push(unit === '_' ? ONE : unit)
    } else if (pieces.at(-1) !== RUN) {
      pieces.push(RUN)
    }
  }
  return (text) => matches(pieces, unitsOf(text, counting))
}

function matches(pieces: readonly Piece[], units: Units): boolean {
  let at = 0
  let piece = 0
  let runPiece = -1
  let runEnd = 0
  while (at < units.length) {
    if (piece < pieces.length && (pieces[piece] === ONE || pieces[piece] === units[at])) {
      piece++
      at++
    } else if (pieces[piece] === RUN) {
      runPiece = piece++
      runEnd = at
    } else if (runPiece >= 0) {
      // The last run takes one more, and everything behind it is tried anew.
      piece = runPiece + 1
      at = ++runEnd
    } else {
      return false
    }
  }
  while (pieces[piece] === RUN) piece++
  return piece === pieces.length
}

const SPACES = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/

/** Without the white space at either end; U+0085 is white space here, U+FEFF is not. @see unicode.IsSpace of Go */
export function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && SPACES.test(text[start]!)) start++
  while (end > start && SPACES.test(text[end - 1]!)) end--
  return text.slice(start, end)
}
