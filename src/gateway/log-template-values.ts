/** What templates of request logs work with, and the functions they may call. */

export type Value = string | number | boolean | null | readonly Value[] | ReadonlyMap<string, Value> | Struct
export interface Struct {
  readonly [field: string]: Value | Method
}
export type Args = readonly Value[]
export type Method = (args: Args) => Value

/** Follows `.A.B` from a value; the last one may be a method, which gets the arguments. Throws where there is no such field. */
export function fieldOf(from: Value, chain: string, args: Args): Value {
  const names = chain.slice(1).split('.')
  let value = from
  for (const [index, name] of names.entries()) {
    const given = index === names.length - 1 ? args : []
    const found = memberOf(value, name)
    if (found === undefined) throw new Error(`can't evaluate field ${name}`)
    if (typeof found === 'function') value = found(given)
    else if (given.length > 0) throw new Error(`${name} is not a method but has arguments`)
    else value = found
  }
  return value
}

function memberOf(value: Value, name: string): Value | Method | undefined {
  if (isMap(value)) return MAP_METHODS[name]?.(value) ?? value.get(name) ?? null
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Struct)[name] : undefined
}

/** Of http.Header, the one kind of map there is here: names in any case. */
const MAP_METHODS: Record<string, (map: ReadonlyMap<string, Value>) => Method> = {
  Get: (map) => (args) => {
    const values = map.get(canonicalHeader(textOf(args[0])))
    return Array.isArray(values) ? (values[0] ?? '') : ''
  },
  Values: (map) => (args) => map.get(canonicalHeader(textOf(args[0]))) ?? [],
}

/** A header's name as Go writes it: `x-b3-traceid` becomes `X-B3-Traceid`. */
export function canonicalHeader(name: string): string {
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
}

export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isMap(value) ? value.size > 0 : Boolean(value)
}

/** A value as `%v` prints it. */
export function printed(value: Value): string {
  if (value === null) return '<nil>'
  if (typeof value === 'number') return goNumber(value)
  if (typeof value !== 'object') return String(value)
  if (isList(value)) return `[${value.map(printed).join(' ')}]`
  if (isMap(value)) {
    const entries = [...value].sort(([one], [other]) => (one < other ? -1 : 1))
    return `map[${entries.map(([key, entry]) => `${key}:${printed(entry)}`).join(' ')}]`
  }
  return `{${Object.values(value)
    .flatMap((entry) => (typeof entry === 'function' ? [] : [printed(entry)]))
    .join(' ')}}`
}

/** The shortest text that means the number, with an exponent where Go has one. */
function goNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2')
  return String(value)
}

/** The functions of text/template, but for `call` and `slice`. @see golang/go src/text/template/funcs.go */
export const FUNCTIONS: Readonly<Record<string, Method>> = {
  js: (args) => escapedForScript(args.map(printed).join('')),
  html: (args) =>
    args
      .map(printed)
      .join('')
      .replace(/[&<>"'\0]/g, (sign) => HTML[sign]!),
  urlquery: (args) => new URLSearchParams({ '': args.map(printed).join('') }).toString().slice(1),
  print: (args) => args.map(printed).join(''),
  println: (args) => `${args.map(printed).join(' ')}\n`,
  printf: (args) => formatted(textOf(args[0]), args.slice(1)),
  len: ([value = null]) => {
    if (typeof value === 'string') return Buffer.byteLength(value)
    if (isList(value)) return value.length
    if (isMap(value)) return value.size
    throw new Error('error calling len')
  },
  index: ([value = null, ...keys]) => keys.reduce(entryOf, value),
  and: (args) => args.find((value) => !isTrue(value)) ?? args.at(-1) ?? null,
  or: (args) => args.find(isTrue) ?? args.at(-1) ?? null,
  not: ([value = null]) => !isTrue(value),
  eq: ([value, ...others]) => others.includes(value!),
  ne: ([value, other]) => value !== other,
  lt: ([one, other]) => numberOf(one) < numberOf(other),
  le: ([one, other]) => numberOf(one) <= numberOf(other),
  gt: ([one, other]) => numberOf(one) > numberOf(other),
  ge: ([one, other]) => numberOf(one) >= numberOf(other),
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;', '\0': '\ufffd' }

/** A key that is not in a map is the empty list there, since the values of headers are lists. */
function entryOf(value: Value, key: Value): Value {
  if (isMap(value)) return value.get(textOf(key)) ?? []
  const entry = isList(value) && typeof key === 'number' ? value[key] : undefined
  if (entry === undefined) throw new Error('error calling index: index out of range')
  return entry
}

function escapedForScript(text: string): string {
  return text.replace(/[\\'"<>&=\p{C}\u2028\u2029]/gu, (sign) => {
    if (sign === '\\' || sign === "'" || sign === '"') return `\\${sign}`
    return sign.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
  })
}

function formatted(format: string, args: Args): string {
  let next = 0
  return format.replace(
    /%([-0]?)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flag: string, width: string, digits: string | undefined, verb: string) => {
      if (verb === '%') return '%'
      if (next >= args.length) return `%!${verb}(MISSING)`
      const text = withVerb(args[next++]!, verb, digits === undefined ? undefined : Number(digits))
      if (flag === '-') return text.padEnd(Number(width))
      return text.padStart(Number(width), flag || ' ')
    },
  )
}

function withVerb(value: Value, verb: string, digits: number | undefined): string {
  switch (verb) {
    case 'v':
    case 't':
    case 'g':
      return printed(value)
    case 's':
      return printed(value).slice(0, digits)
    case 'q':
      return JSON.stringify(printed(value))
    case 'd':
      return String(Math.trunc(numberOf(value)))
    case 'f':
      return numberOf(value).toFixed(digits ?? 6)
    case 'x':
      return typeof value === 'number' ? value.toString(16) : Buffer.from(textOf(value)).toString('hex')
    default:
      return `%!${verb}(${printed(value)})`
  }
}

function textOf(value: Value | undefined): string {
  if (typeof value !== 'string') throw new Error('wrong type for value; expected string')
  return value
}

function numberOf(value: Value | undefined): number {
  if (typeof value !== 'number') throw new Error('wrong type for value; expected a number')
  return value
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map
}
