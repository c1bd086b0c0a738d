const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A Go duration ("1m30s", "1.5h", "0") in milliseconds, or undefined when it is none (Go's time.ParseDuration). */
export function goDurationMs(text: string): number | undefined {
  const signed = /^([+-]?)(.*)$/s.exec(text)!
  const body = signed[2]!
  if (body === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(body)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g))
    totalMs += Number(amount) * UNIT_MS[unit!]!
  return signed[1] === '-' ? -totalMs : totalMs
}

/** Days of a year as periods count them; a month is a twelfth (rickb777/period, daysPerYearE4). */
const DAYS_PER_YEAR = 365.2425
const DAY_MS = 86_400_000
/** Milliseconds of each part of a period, in the order in which they are written. */
const PERIOD_PARTS_MS = [DAYS_PER_YEAR * DAY_MS, (DAYS_PER_YEAR / 12) * DAY_MS, 7 * DAY_MS, DAY_MS, 3_600_000, 60_000, 1000] as const
const AMOUNT = '(\\d+(?:[.,]\\d+)?)'
const PERIOD = new RegExp(
  `^([+-]?)P(?:${AMOUNT}Y)?(?:${AMOUNT}M)?(?:${AMOUNT}W)?(?:${AMOUNT}D)?(?:T(?:${AMOUNT}H)?(?:${AMOUNT}M)?(?:${AMOUNT}S)?)?$`,
)

/**
 * An ISO 8601 period (`PT1S`, `P1DT2H`, `-PT0.5S`, `P0`) in milliseconds, or undefined when it is none. Only the last part may
 * have a fraction, with a point or a comma.
 * @see rickb777/period v1.13, by which Knative Eventing reads delivery specs
 */
export function isoDurationMs(text: string): number | undefined {
  if (/^[+-]?P0$/.test(text)) return 0
  const match = PERIOD.exec(text)
  if (!match) return undefined
  const [, sign, ...parts] = match
  const given = parts.flatMap((part, index) => (part === undefined ? [] : [{ part, unitMs: PERIOD_PARTS_MS[index]! }]))
  // A T with nothing behind it says no time at all.
  if (given.length === 0 || text.endsWith('T')) return undefined
  if (given.slice(0, -1).some(({ part }) => /[.,]/.test(part))) return undefined
  const totalMs = given.reduce((total, { part, unitMs }) => total + Number(part.replace(',', '.')) * unitMs, 0)
  return sign === '-' && totalMs > 0 ? -totalMs : totalMs
}

/** Milliseconds as Go prints a duration: `1h30m0s`, `2m0s`, `1.5s`, `20ms`, `0s` (time.Duration.String). */
export function goDurationText(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const whole = Math.round(Math.abs(ms))
  if (whole === 0) return '0s'
  if (whole < 1000) return `${sign}${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${(whole % 60_000) / 1000}s`
  if (minutes === 0) return sign + seconds
  return `${sign}${minutes < 60 ? '' : `${Math.floor(minutes / 60)}h`}${minutes % 60}m${seconds}`
}
