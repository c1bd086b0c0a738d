const NANO = 1_000_000_000n
/** The largest amount, in whole units; beyond it the API server caps. */
const MOST = (2n ** 63n - 1n) * NANO

type Format = 'decimal' | 'binary' | 'exponent'

const DECIMAL_EXPONENT: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const DECIMAL_SUFFIX: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(DECIMAL_EXPONENT).map(([suffix, exponent]) => [exponent, suffix]),
)
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

const QUANTITY = /^([+-]?)(\d+\.?\d*|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?\d{1,6})|([numkMGTPE]))?$/

function parsed(text: string): { nanos: bigint; format: Format } | undefined {
  const parts = QUANTITY.exec(text)
  if (!parts) return undefined
  const [, sign, number, binary, exponentText, decimal = ''] = parts
  const [whole = '', fraction = ''] = number!.split('.')
  const digits = BigInt(`0${whole}${fraction}`)
  const exponent = exponentText === undefined ? DECIMAL_EXPONENT[decimal]! : Number(exponentText)
  const factor = binary ? 1024n ** BigInt(BINARY_SUFFIXES.indexOf(binary)) : 1n
  const nanos = digits === 0n ? 0n : scaled(digits * factor, (binary ? 0 : exponent) - fraction.length + 9)
  const capped = nanos > MOST ? MOST : nanos
  return { nanos: sign === '-' ? -capped : capped, format: binary ? 'binary' : exponentText === undefined ? 'decimal' : 'exponent' }
}

/** value × 10^exponent, rounded away from zero as the API server rounds what is finer than a nano. */
function scaled(value: bigint, exponent: number): bigint {
  // Beyond these the answer is the cap or one nano; a power of a million digits would only take time.
  if (exponent > 40) return MOST + 1n
  if (exponent >= 0) return value * 10n ** BigInt(exponent)
  const magnitude = String(value).length
  if (-exponent > magnitude + 1) return 1n
  return roundedUp(value, 10n ** BigInt(-exponent))
}

const roundedUp = (value: bigint, divisor: bigint): bigint => (value + divisor - 1n) / divisor

/**
 * A quantity (`250m`, `64Mi`, `1e3`, `0.5`) in billionths of its unit; undefined when it is none. Finer amounts are rounded
 * away from zero, larger ones than 2^63-1 capped.
 * @see kubernetes/apimachinery v0.35 pkg/api/resource/quantity.go
 */
export function parseQuantity(text: string): bigint | undefined {
  return parsed(text)?.nanos
}

/** The form the API server stores: `1000m` is `1`, `1024Mi` is `1Gi`, `0.1` is `100m`; undefined when it is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parsed(text)
  if (!quantity) return undefined
  const { nanos, format } = quantity
  const sign = nanos < 0n ? '-' : ''
  const size = nanos < 0n ? -nanos : nanos
  if (size === 0n) return '0'
  if (format === 'binary' && size >= 1024n * NANO) return sign + binaryText(roundedUp(size, NANO))
  return sign + decimalText(size, format === 'exponent')
}

function binaryText(units: bigint): string {
  let power = 0
  let left = units
  while (left % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    left /= 1024n
    power++
  }
  return `${left}${BINARY_SUFFIXES[power]}`
}

function decimalText(nanos: bigint, asExponent: boolean): string {
  let exponent = -9
  let left = nanos
  while (left % 1000n === 0n && exponent < 18) {
    left /= 1000n
    exponent += 3
  }
  if (!asExponent) return `${left}${DECIMAL_SUFFIX[exponent]}`
  return exponent === 0 ? `${left}` : `${left}e${exponent}`
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`; NaN when either is no quantity. */
export function compareQuantities(a: string, b: string): number {
  const left = parseQuantity(a)
  const right = parseQuantity(b)
  if (left === undefined || right === undefined) return Number.NaN
  return left < right ? -1 : left > right ? 1 : 0
}
