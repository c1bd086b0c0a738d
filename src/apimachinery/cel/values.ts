import { parseQuantity } from '../quantity.js'

/**
 * A value of a rule. CEL's int is a bigint, its double a number; what JavaScript has no type of its own for is tagged.
 * Maps have keys that compare as CEL compares them, so a key 1.0 is kept as 1.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly CelValue[]
  | CelMap
  | { readonly cel: 'uint'; readonly value: bigint }
  | { readonly cel: 'duration'; readonly nanos: bigint }
  | { readonly cel: 'timestamp'; readonly nanos: bigint }
  | { readonly cel: 'quantity'; readonly nanos: bigint }
  | { readonly cel: 'optional'; readonly value?: CelValue }
  | { readonly cel: 'type'; readonly name: string }

export type CelMap = ReadonlyMap<CelValue, CelValue>

/** What goes wrong while a rule is evaluated, in cel-go's words. */
export class CelError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'CelError'
  }
}

export const noOverload = (): CelError => new CelError('no such overload')

export function isList(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value)
}

export function isMap(value: CelValue): value is CelMap {
  return value instanceof Map
}

type Tagged = Exclude<Extract<CelValue, { cel: string }>, Uint8Array>

export function isTagged<T extends Tagged['cel']>(value: CelValue, cel: T): value is Extract<Tagged, { cel: T }> {
  return typeof value === 'object' && value !== null && 'cel' in value && value.cel === cel
}

export function typeName(value: CelValue): string {
  if (value === null) return 'null_type'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
  }
  if (value instanceof Uint8Array) return 'bytes'
  if (isList(value)) return 'list'
  if (isMap(value)) return 'map'
  if ('cel' in value) {
    switch (value.cel) {
      case 'duration':
        return 'google.protobuf.Duration'
      case 'timestamp':
        return 'google.protobuf.Timestamp'
      case 'quantity':
        return 'kubernetes.Quantity'
      case 'optional':
        return 'optional_type'
      default:
        return value.cel
    }
  }
  return 'dyn'
}

/** The number behind an int, a uint or a double; undefined for anything else. */
export function numberIn(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return isTagged(value, 'uint') ? value.value : undefined
}

/** Negative, zero or positive; undefined where two values have no order. Numbers of different types compare by value. */
export function compareCel(a: CelValue, b: CelValue): number | undefined {
  const left = numberIn(a)
  const right = numberIn(b)
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : left <= right ? 0 : Number.NaN
  if (typeof a === 'string' && typeof b === 'string') return comparePoints(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  for (const cel of ['duration', 'timestamp', 'quantity'] as const) {
    if (isTagged(a, cel) && isTagged(b, cel)) return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0
  }
  return undefined
}

/** CEL orders by code points, JavaScript by UTF-16 units; UTF-8 keeps the former. */
function comparePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

export function equalCel(a: CelValue, b: CelValue): boolean {
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => equalCel(item, b[index]!))
  if (isMap(a)) {
    if (!isMap(b) || a.size !== b.size) return false
    for (const [key, value] of a) {
      const other = b.get(key)
      if (other === undefined || !equalCel(value, other)) return false
    }
    return true
  }
  if (isTagged(a, 'optional')) {
    if (!isTagged(b, 'optional')) return false
    return a.value === undefined || b.value === undefined ? a.value === b.value : equalCel(a.value, b.value)
  }
  if (isTagged(a, 'type')) return isTagged(b, 'type') && a.name === b.name
  return a === b || compareCel(a, b) === 0
}

/** A map's key as it is kept. Throws for what cannot be one. */
export function keyOf(value: CelValue): CelValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (isTagged(value, 'uint')) return value.value
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value
  throw new CelError('unsupported key type')
}

const LEAST = -(2n ** 63n)
const MOST = 2n ** 63n - 1n

/** An int that fits; CEL's do not wrap around. */
export function int(value: bigint): bigint {
  if (value < LEAST || value > MOST) throw new CelError('integer overflow')
  return value
}

/** Text as `string()` makes it. */
export function textOf(value: CelValue): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (isTagged(value, 'uint')) return String(value.value)
  if (isTagged(value, 'duration')) return `${Number(value.nanos) / 1e9}s`
  if (isTagged(value, 'timestamp')) return timestampText(value.nanos)
  throw noOverload()
}

function timestampText(nanos: bigint): string {
  const seconds = nanos >= 0n ? nanos / NANOS_PER_SECOND : (nanos - NANOS_PER_SECOND + 1n) / NANOS_PER_SECOND
  const fraction = nanos - seconds * NANOS_PER_SECOND
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${whole}${fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`}Z`
}

const NANOS_PER_SECOND = 1_000_000_000n
const NANOS_PER_MILLISECOND = 1_000_000n

/** An RFC 3339 time, or a date; undefined when the text is neither. */
export function timestampFrom(text: string): CelValue | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[Tt](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?$/.exec(text)
  if (!parts) return undefined
  const [, date, time = '00:00:00', fraction = '', zone = 'Z'] = parts
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(ms)) return undefined
  return { cel: 'timestamp', nanos: BigInt(ms) * NANOS_PER_MILLISECOND + BigInt(fraction.slice(1).padEnd(9, '0').slice(0, 9)) }
}

/** A Go duration; undefined when the text is none. Finer than a nanosecond is cut off. */
export function durationFrom(text: string): CelValue | undefined {
  const signed = /^([+-]?)(.*)$/s.exec(text)!
  const body = signed[2]!
  if (body === '0') return { cel: 'duration', nanos: 0n }
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(body)) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit] of body.matchAll(/(\d*)\.?(\d*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g)) {
    const scale = UNIT_NANOS[unit!]!
    nanos += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
  }
  return { cel: 'duration', nanos: signed[1] === '-' ? -nanos : nanos }
}

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: NANOS_PER_MILLISECOND,
  s: NANOS_PER_SECOND,
  m: 60n * NANOS_PER_SECOND,
  h: 3600n * NANOS_PER_SECOND,
}

export function quantityFrom(text: string): CelValue | undefined {
  const nanos = parseQuantity(text)
  return nanos === undefined ? undefined : { cel: 'quantity', nanos }
}
