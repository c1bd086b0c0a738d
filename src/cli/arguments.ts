import { UserError } from '../base/user-error.js'

/** What the parser must know about a flag; oclif's flag definitions have this shape. */
export interface FlagRule {
  type: 'boolean' | 'option'
  char?: string | undefined
  aliases?: readonly string[] | undefined
  /** Repeatable, each value taken verbatim. With `delimiter`, values also split on commas by CSV's quoting rules. */
  multiple?: boolean | undefined
  delimiter?: ',' | undefined
  /** A boolean with a `--no-` twin. Giving both, or an explicit false, is refused. */
  allowNo?: boolean | undefined
}

/** One flag as it stood on the command line. */
export interface GivenFlag {
  name: string
  /** `true` or `false` for booleans, turned round for a `--no-` twin. */
  value: string
  /** The value split on commas where the flag does that (nothing for an empty one); else just the value. */
  values: readonly string[]
}

export interface ParsedArguments {
  /** In the order of the command line. */
  given: readonly GivenFlag[]
  positionals: readonly string[]
  /** What is wrong with a `--x`/`--no-x` pair; kn tells it after help and before everything else. */
  pairProblem?: string
}

/** A mistake on the command line. Its text is kn's. */
export function usageError(what: string): UserError {
  return new UserError({ code: 'usage', what })
}

interface Known {
  name: string
  rule: FlagRule
  /** The flag is the `--no-` twin of `name`. */
  negates: boolean
}

/**
 * Splits a command line by the rules of kn's flag library, which differ from oclif's: a value is always the next word,
 * even when that looks like a flag; `--flag=false`, `-ojson` and `-o=json` work; single-letter flags may be grouped;
 * everything after `--` is positional. Throws a usage error in kn's words, without the name of the command.
 *
 * @see spf13/pflag v1 flag.go, FlagSet.parseArgs
 */
export function parseArguments(rules: Readonly<Record<string, FlagRule>>, argv: readonly string[]): ParsedArguments {
  const { byName, byChar } = index(rules)
  const given: GivenFlag[] = []
  const positionals: string[] = []
  const written = new Set<string>()

  const add = ({ name, rule, negates }: Known, value: string, label: string): void => {
    if (rule.type === 'boolean') {
      written.add(negates ? `no-${name}` : name)
      const isTrue = goBoolean(value)
      if (isTrue === undefined) throw invalidArgument(value, label, `strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`)
      if (rule.allowNo && !isTrue) {
        const [used, instead] = negates ? [`no-${name}`, name] : [name, `no-${name}`]
        problems.push(`use --${instead} instead of providing "false" to --${used}`)
      }
      const text = String(isTrue !== negates)
      given.push({ name, value: text, values: [text] })
    } else {
      given.push({ name, value, values: rule.multiple && rule.delimiter ? csvFields(value, label) : [value] })
    }
  }
  // Found while parsing, told afterwards: kn judges these once the whole line has been read.
  const problems: string[] = []

  let at = 0
  while (at < argv.length) {
    const word = argv[at++]!
    if (word === '--') {
      positionals.push(...argv.slice(at))
      break
    }
    if (word.startsWith('--')) {
      const [name, inline] = cut(word.slice(2), '=')
      if (name === '' || name.startsWith('-')) throw usageError(`bad flag syntax: ${word}`)
      const known = byName.get(name)
      if (!known) throw usageError(`unknown flag: --${name}`)
      if (inline !== undefined) add(known, inline, labelOf(known, name))
      else if (known.rule.type === 'boolean') add(known, 'true', labelOf(known, name))
      else if (at < argv.length) add(known, argv[at++]!, labelOf(known, name))
      else throw usageError(`flag needs an argument: --${name}`)
    } else if (word.startsWith('-') && word !== '-') {
      for (let rest = word.slice(1); rest !== ''; ) {
        const char = rest[0]!
        const known = byChar.get(char)
        if (!known) throw usageError(`unknown shorthand flag: '${char}' in -${rest}`)
        const label = labelOf(known, known.name)
        if (rest.length > 2 && rest[1] === '=') {
          add(known, rest.slice(2), label)
          rest = ''
        } else if (known.rule.type === 'boolean') {
          add(known, 'true', label)
          rest = rest.slice(1)
        } else if (rest.length > 1) {
          add(known, rest.slice(1), label)
          rest = ''
        } else if (at < argv.length) {
          add(known, argv[at++]!, label)
          rest = ''
        } else {
          throw usageError(`flag needs an argument: '${char}' in -${rest}`)
        }
      }
    } else {
      positionals.push(word)
    }
  }
  const pairProblem = pairProblemOf(rules, written) ?? problems[0]
  return { given, positionals, ...(pairProblem && { pairProblem }) }
}

function pairProblemOf(rules: Readonly<Record<string, FlagRule>>, written: ReadonlySet<string>): string | undefined {
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.allowNo && written.has(name) && written.has(`no-${name}`)) return `only one of --no-${name} and --${name} may be specified`
  }
  return undefined
}

/** `invalid argument "x" for "-p, --port" flag: why`. */
export function invalidArgument(value: string, label: string, why: string): UserError {
  return usageError(`invalid argument ${goQuote(value)} for ${goQuote(label)} flag: ${why}`)
}

/** A flag as error messages name it: `-p, --port`, or `--port` when it has no letter. */
export function flagLabel(name: string, rule: FlagRule | undefined): string {
  return rule?.char ? `-${rule.char}, --${name}` : `--${name}`
}

/**
 * A whole number as Go reads it with base 0: decimal, 0x, 0o, 0b or a leading 0, with underscores between digits.
 * Throws an Error with Go's text.
 */
export function goInteger(text: string): number {
  const fail = (why: string): never => {
    throw new Error(`strconv.ParseInt: parsing ${goQuote(text)}: ${why}`)
  }
  const parts = /^([+-]?)(?:0[xX](_?[\da-fA-F][\da-fA-F_]*)|0[bB](_?[01][01_]*)|0[oO]?(_?[0-7][0-7_]*)|(\d[\d_]*))$/.exec(text)
  if (!parts || text.endsWith('_') || text.includes('__')) return fail('invalid syntax')
  const [, sign, hex, binary, octal, decimal] = parts
  const clean = (digits: string): string => digits.replaceAll('_', '')
  const number =
    hex !== undefined
      ? Number.parseInt(clean(hex), 16)
      : binary !== undefined
        ? Number.parseInt(clean(binary), 2)
        : octal !== undefined
          ? Number.parseInt(clean(octal), 8)
          : Number(clean(decimal!))
  if (decimal !== undefined && decimal.length > 1 && decimal.startsWith('0')) return fail('invalid syntax')
  if (!Number.isSafeInteger(number)) return fail('value out of range')
  return sign === '-' ? -number : number
}

/** Text between double quotes as Go's %q writes it. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replaceAll('\\u00', '\\x')
}

function goBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  return undefined
}

function labelOf({ rule, negates }: Known, name: string): string {
  return negates ? `--${name}` : flagLabel(name, rule)
}

function index(rules: Readonly<Record<string, FlagRule>>): { byName: Map<string, Known>; byChar: Map<string, Known> } {
  const byName = new Map<string, Known>()
  const byChar = new Map<string, Known>()
  for (const [name, rule] of Object.entries(rules)) {
    const known: Known = { name, rule, negates: false }
    for (const alias of [name, ...(rule.aliases ?? [])]) byName.set(alias, known)
    if (rule.allowNo) byName.set(`no-${name}`, { name, rule, negates: true })
    if (rule.char) byChar.set(rule.char, known)
  }
  return { byName, byChar }
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** One line of CSV (RFC 4180 as Go reads it): quotes only around a whole field, doubled inside one. */
function csvFields(line: string, label: string): string[] {
  if (!line.includes('"')) return line === '' ? [] : line.split(',')
  const fields: string[] = []
  let at = 0
  const fail = (column: number, why: string): never => {
    throw invalidArgument(line, label, `parse error on line 1, column ${column}: ${why}`)
  }
  for (;;) {
    let field = ''
    if (line[at] === '"') {
      at++
      for (;;) {
        const quote = line.indexOf('"', at)
        if (quote < 0) fail(line.length + 1, 'extraneous or missing " in quoted-field')
        field += line.slice(at, quote)
        at = quote + 1
        if (line[at] !== '"') break
        field += '"'
        at++
      }
      if (at < line.length && line[at] !== ',') fail(at, 'extraneous or missing " in quoted-field')
    } else {
      const comma = line.indexOf(',', at)
      field = line.slice(at, comma < 0 ? line.length : comma)
      if (field.includes('"')) fail(at + field.indexOf('"') + 1, 'bare " in non-quoted field')
      at += field.length
    }
    fields.push(field)
    if (at >= line.length) return fields
    at++
  }
}
