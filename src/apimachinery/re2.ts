const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
}

/** What only RE2 writes this way. */
const FOREIGN = /\(\?[a-zP]|\[:\^?[a-z]+:\]|\\[AzQpP]/

/**
 * A regular expression of Go's syntax (RE2) as a RegExp of this engine: leading flags, named groups, POSIX classes, `\A`,
 * `\z`, `\Q…\E` and Unicode classes are rewritten, the rest is the same in both. Throws SyntaxError for what is none.
 * @see google/re2 wiki, Syntax
 */
export function regExpFrom(pattern: string): RegExp {
  if (!FOREIGN.test(pattern)) return new RegExp(pattern)
  let source = pattern
  let flags = ''
  const leading = /^\(\?([ims]+)\)/.exec(source)
  if (leading) {
    flags = [...new Set(leading[1])].join('')
    source = source.slice(leading[0].length)
  }
  source = source
    .replace(/\\Q(.*?)(?:\\E|$)/gs, (_, literal: string) => literal.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .replace(/\(\?P</g, '(?<')
    .replace(/\[:(\^?)([a-z]+):\]/g, (whole, negated: string, name: string) => (!negated && CLASSES[name]) || whole)
    .replace(/\\A/g, flags.includes('m') ? '(?<![\\s\\S])' : '^')
    .replace(/\\z/g, flags.includes('m') ? '(?![\\s\\S])' : '$')
    .replace(/\\([pP])([A-Z])(?![a-z{])/g, '\\$1{$2}')
  if (/\\[pP]\{/.test(source)) flags += 'u'
  return new RegExp(source, flags)
}
