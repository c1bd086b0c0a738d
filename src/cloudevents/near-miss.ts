/** How a filter compares. */
export type Comparison = 'exact' | 'prefix' | 'suffix'

/**
 * A sentence for somebody whose filter just missed an event: what small difference, or which other dialect, it may be about. Undefined
 * when nothing is near.
 */
export function nearMiss(expected: string, actual: string, comparison: Comparison = 'exact'): string | undefined {
  if (expected === actual) return undefined
  if (comparison === 'exact') return pairHint(expected, actual) ?? dialectHint(expected, actual, 'exact')
  const part = comparison === 'prefix' ? actual.slice(0, expected.length) : actual.slice(Math.max(0, actual.length - expected.length))
  return dialectHint(expected, actual, comparison) ?? pairHint(expected, part)
}

function pairHint(expected: string, actual: string): string | undefined {
  if (expected === actual || expected === '' || actual === '') return undefined
  if (withoutSpace(expected) === withoutSpace(actual)) return 'the two differ in white space only'
  if (expected.toLowerCase() === actual.toLowerCase()) return 'the two differ in upper and lower case only'
  return editHint(expected, actual)
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, '')
}

/** One character more, less, changed, or swapped with its neighbour. */
function editHint(expected: string, actual: string): string | undefined {
  const [wanted, found] = [Array.from(expected), Array.from(actual)]
  if (Math.abs(wanted.length - found.length) > 1 || Math.max(wanted.length, found.length) < 3) return undefined
  let start = 0
  while (start < wanted.length && start < found.length && wanted[start] === found[start]) start++
  let end = 0
  while (end < wanted.length - start && end < found.length - start && wanted.at(-1 - end) === found.at(-1 - end)) end++
  const [lacking, extra] = [wanted.slice(start, wanted.length - end), found.slice(start, found.length - end)]
  if (lacking.length === 0 && extra.length === 1) return `the event's value has one character more: "${extra[0]}"`
  if (lacking.length === 1 && extra.length === 0) return `the event's value lacks one character: "${lacking[0]}"`
  if (lacking.length === 1 && extra.length === 1) return `one character differs: the event has "${extra[0]}", the filter "${lacking[0]}"`
  if (lacking.length === 2 && extra.length === 2 && lacking[0] === extra[1] && lacking[1] === extra[0]) {
    return `two characters are swapped: the event has "${extra.join('')}", the filter "${lacking.join('')}"`
  }
  return undefined
}

function dialectHint(expected: string, actual: string, comparison: Comparison): string | undefined {
  if (/[*%]/.test(expected)) return 'a filter has no wildcards here: use prefix, suffix, or LIKE in cesql'
  if (comparison !== 'prefix' && actual.startsWith(expected)) return "the event's value begins with it: a prefix filter would match"
  if (comparison !== 'suffix' && actual.endsWith(expected)) return "the event's value ends with it: a suffix filter would match"
  if (actual.includes(expected)) return `it is inside the event's value: LIKE '%${expected}%' in cesql would match`
  if (actual !== '' && expected.startsWith(actual)) return "the event's value is only the beginning of it"
  if (actual !== '' && expected.endsWith(actual)) return "the event's value is only the end of it"
  return undefined
}

/** The one of `names` that somebody may have meant by a name that is not there. */
export function nearName(name: string, names: Iterable<string>): string | undefined {
  for (const candidate of names) {
    if (candidate.toLowerCase() === name.toLowerCase() || editHint(name, candidate) !== undefined) return candidate
  }
  return undefined
}
