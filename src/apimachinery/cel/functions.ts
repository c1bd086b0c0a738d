import { isIPv4, isIPv6 } from 'node:net'
import { regExpFrom } from '../re2.js'
import { timeMethods } from './times.js'
import {
  CelError,
  type CelValue,
  compareCel,
  durationFrom,
  equalCel,
  int,
  isList,
  isMap,
  isTagged,
  noOverload,
  numberIn,
  quantityFrom,
  textOf,
  timestampFrom,
  typeName,
} from './values.js'

/** A function of the language; a method gets its target first. Throws CelError for arguments of the wrong type. */
export type CelFunction = (...values: CelValue[]) => CelValue

const text = (value: CelValue | undefined): string => {
  if (typeof value === 'string') return value
  throw noOverload()
}
const list = (value: CelValue | undefined): readonly CelValue[] => {
  if (value !== undefined && isList(value)) return value
  throw noOverload()
}
const whole = (value: CelValue | undefined): number => {
  if (typeof value === 'bigint') return Number(value)
  throw noOverload()
}
const optional = (value: CelValue | undefined): { value?: CelValue } => {
  if (value !== undefined && isTagged(value, 'optional')) return value
  throw noOverload()
}
const quantity = (value: CelValue | undefined): bigint => {
  if (value !== undefined && isTagged(value, 'quantity')) return value.nanos
  throw noOverload()
}
const nanosOf = (value: CelValue): bigint => (typeof value === 'bigint' ? value * NANOS : quantity(value))
const NANOS = 1_000_000_000n

function regExp(value: CelValue | undefined, flags = ''): RegExp {
  const pattern = text(value)
  try {
    const made = regExpFrom(pattern)
    return flags ? new RegExp(made.source, made.flags + flags) : made
  } catch {
    throw new CelError(`error parsing regexp: ${pattern}`)
  }
}

const points = (value: string): string[] => [...value]

function size(value: CelValue): bigint {
  if (typeof value === 'string') return BigInt(points(value).length)
  if (value instanceof Uint8Array) return BigInt(value.length)
  if (isList(value)) return BigInt(value.length)
  if (isMap(value)) return BigInt(value.size)
  throw noOverload()
}

function toInt(value: CelValue): bigint {
  if (typeof value === 'bigint') return value
  if (isTagged(value, 'uint')) return int(value.value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CelError('integer overflow')
    return int(BigInt(Math.trunc(value)))
  }
  if (typeof value === 'string' && /^[+-]?\d+$/.test(value)) return int(BigInt(value.replace('+', '')))
  if (isTagged(value, 'timestamp')) return value.nanos / NANOS
  if (typeof value === 'string') throw new CelError(`type conversion error from 'string' to 'int'`)
  throw noOverload()
}

function toDouble(value: CelValue): number {
  const number = numberIn(value)
  if (number !== undefined) return Number(number)
  if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value)
  throw noOverload()
}

function indexIn(value: CelValue, part: CelValue, from: CelValue | undefined, isLast: boolean): bigint {
  if (isList(value)) {
    const found = isLast ? value.findLastIndex((item) => equalCel(item, part)) : value.findIndex((item) => equalCel(item, part))
    return BigInt(found)
  }
  const haystack = points(text(value))
  const needle = points(text(part))
  const fits = (at: number): boolean => needle.every((point, index) => haystack[at + index] === point)
  const last = haystack.length - needle.length
  if (isLast) {
    for (let at = Math.min(from === undefined ? last : whole(from), last); at >= 0; at--) if (fits(at)) return BigInt(at)
  } else {
    for (let at = from === undefined ? 0 : whole(from); at <= last; at++) if (fits(at)) return BigInt(at)
  }
  return -1n
}

function substring(value: CelValue, from: CelValue, to: CelValue | undefined): string {
  const all = points(text(value))
  const start = whole(from)
  const end = to === undefined ? all.length : whole(to)
  if (start < 0 || end > all.length || start > end) throw new CelError(`index out of range: ${start}`)
  return all.slice(start, end).join('')
}

function split(value: CelValue, separator: CelValue, limit: CelValue | undefined): CelValue {
  const most = limit === undefined ? -1 : whole(limit)
  if (most === 0) return []
  const parts = text(separator) === '' ? points(text(value)) : text(value).split(text(separator))
  if (most < 0 || parts.length <= most) return parts
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(text(separator))]
}

function replace(value: CelValue, old: CelValue, next: CelValue, limit: CelValue | undefined): string {
  const parts = text(value).split(text(old))
  const most = limit === undefined || whole(limit) < 0 ? parts.length : whole(limit)
  return parts.map((part, index) => (index === parts.length - 1 ? part : part + (index < most ? text(next) : text(old)))).join('')
}

function extreme(items: readonly CelValue[], wanted: -1 | 1): CelValue {
  if (items.length === 0) throw new CelError(`${wanted < 0 ? 'min' : 'max'} called on empty list`)
  return items.reduce((best, item) => {
    const order = compareCel(item, best)
    if (order === undefined) throw noOverload()
    return Math.sign(order) === wanted ? item : best
  })
}

function sum(items: readonly CelValue[]): CelValue {
  if (items.every((item) => typeof item === 'bigint')) return int(items.reduce((total, item) => total + item, 0n))
  if (items.every((item) => isTagged(item, 'duration')))
    return { cel: 'duration', nanos: items.reduce((total, item) => total + item.nanos, 0n) }
  return items.reduce<number>((total, item) => {
    if (typeof item !== 'number') throw noOverload()
    return total + item
  }, 0)
}

const isZero = (value: CelValue): boolean => {
  if (value === null || value === false || value === '') return true
  const number = numberIn(value)
  if (number !== undefined) return Number(number) === 0
  if (isList(value)) return value.length === 0
  return isMap(value) && value.size === 0
}

/** Functions by name. Namespaced ones carry their namespace. */
export const FUNCTIONS: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['size', size],
  ['int', toInt],
  ['uint', (value) => ({ cel: 'uint', value: BigInt.asUintN(64, toInt(value)) })],
  ['double', toDouble],
  ['string', textOf],
  ['bytes', (value) => (value instanceof Uint8Array ? value : Uint8Array.from(Buffer.from(text(value))))],
  [
    'bool',
    (value) => {
      if (typeof value === 'boolean') return value
      if (value === 'true' || value === 'True' || value === 'TRUE' || value === 't' || value === '1') return true
      if (value === 'false' || value === 'False' || value === 'FALSE' || value === 'f' || value === '0') return false
      throw noOverload()
    },
  ],
  ['dyn', (value) => value],
  ['type', (value) => ({ cel: 'type', name: typeName(value) })],
  [
    'duration',
    (value) => {
      if (isTagged(value, 'duration')) return value
      const made = durationFrom(text(value))
      if (made === undefined) throw new CelError(`time: invalid duration ${JSON.stringify(value)}`)
      return made
    },
  ],
  [
    'timestamp',
    (value) => {
      if (isTagged(value, 'timestamp')) return value
      if (typeof value === 'bigint') return { cel: 'timestamp', nanos: value * NANOS }
      const made = timestampFrom(text(value))
      if (made === undefined) throw new CelError(`invalid timestamp ${JSON.stringify(value)}`)
      return made
    },
  ],
  ['matches', (value, pattern) => regExp(pattern).test(text(value))],
  [
    'quantity',
    (value) => {
      const made = quantityFrom(text(value))
      if (made === undefined)
        throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
      return made
    },
  ],
  ['isQuantity', (value) => quantityFrom(text(value)) !== undefined],
  ['isIP', (value) => isIPv4(text(value)) || isIPv6(text(value))],
  ['isURL', (value) => URL.canParse(text(value))],
  ['optional.of', (value) => ({ cel: 'optional', value })],
  ['optional.none', () => ({ cel: 'optional' })],
  ['optional.ofNonZeroValue', (value) => (isZero(value) ? { cel: 'optional' } : { cel: 'optional', value })],
  ['sets.contains', (all, some) => list(some).every((item) => list(all).some((other) => equalCel(item, other)))],
  ['sets.intersects', (one, two) => list(one).some((item) => list(two).some((other) => equalCel(item, other)))],
  [
    'sets.equivalent',
    (one, two) =>
      list(one).every((item) => list(two).some((other) => equalCel(item, other))) &&
      list(two).every((item) => list(one).some((other) => equalCel(item, other))),
  ],
])

/** Methods by name; the target is the first argument. */
export const METHODS: ReadonlyMap<string, CelFunction> = new Map<string, CelFunction>([
  ['size', size],
  ['matches', (value, pattern) => regExp(pattern).test(text(value))],
  ['startsWith', (value, part) => text(value).startsWith(text(part))],
  ['endsWith', (value, part) => text(value).endsWith(text(part))],
  ['contains', (value, part) => text(value).includes(text(part))],
  ['charAt', (value, at) => points(text(value))[whole(at)] ?? ''],
  ['indexOf', (value, part, from) => indexIn(value, part!, from, false)],
  ['lastIndexOf', (value, part, from) => indexIn(value, part!, from, true)],
  ['lowerAscii', (value) => text(value).replace(/[A-Z]/g, (letter) => letter.toLowerCase())],
  ['upperAscii', (value) => text(value).replace(/[a-z]/g, (letter) => letter.toUpperCase())],
  ['trim', (value) => text(value).trim()],
  ['reverse', (value) => (isList(value) ? value.toReversed() : points(text(value)).reverse().join(''))],
  ['substring', (value, from, to) => substring(value, from!, to)],
  ['split', (value, separator, limit) => split(value, separator!, limit)],
  ['replace', (value, old, next, limit) => replace(value, old!, next!, limit)],
  [
    'join',
    (value, separator) =>
      list(value)
        .map(text)
        .join(separator === undefined ? '' : text(separator)),
  ],
  ['find', (value, pattern) => regExp(pattern).exec(text(value))?.[0] ?? ''],
  [
    'findAll',
    (value, pattern, limit) => {
      const all = [...text(value).matchAll(regExp(pattern, 'g'))].map(([found]) => found)
      return limit === undefined || whole(limit) < 0 ? all : all.slice(0, whole(limit))
    },
  ],
  ['isSorted', (value) => list(value).every((item, index, all) => index === 0 || (compareCel(all[index - 1]!, item) ?? 1) <= 0)],
  ['sum', (value) => sum(list(value))],
  ['min', (value) => extreme(list(value), -1)],
  ['max', (value) => extreme(list(value), 1)],
  ['isGreaterThan', (a, b) => quantity(a) > quantity(b)],
  ['isLessThan', (a, b) => quantity(a) < quantity(b)],
  ['compareTo', (a, b) => (quantity(a) < quantity(b) ? -1n : quantity(a) > quantity(b) ? 1n : 0n)],
  ['add', (a, b) => ({ cel: 'quantity', nanos: quantity(a) + nanosOf(b!) })],
  ['sub', (a, b) => ({ cel: 'quantity', nanos: quantity(a) - nanosOf(b!) })],
  ['sign', (a) => (quantity(a) > 0n ? 1n : quantity(a) < 0n ? -1n : 0n)],
  ['isInteger', (a) => quantity(a) % NANOS === 0n],
  [
    'asInteger',
    (a) => {
      if (quantity(a) % NANOS !== 0n) throw new CelError('cannot convert value to integer')
      return quantity(a) / NANOS
    },
  ],
  ['asApproximateFloat', (a) => Number(quantity(a)) / 1e9],
  ['hasValue', (value) => optional(value).value !== undefined],
  [
    'value',
    (value) => {
      const { value: held } = optional(value)
      if (held === undefined) throw new CelError('optional.none() dereference')
      return held
    },
  ],
  ['orValue', (value, other) => optional(value).value ?? other!],
  ['or', (value, other) => (optional(value).value === undefined ? other! : value)],
  ...timeMethods,
])
