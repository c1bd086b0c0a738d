const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A Go duration ("1m30s", "1.5h", "0") in milliseconds, or undefined when it is none (Go's time.ParseDuration). */
export function goDurationMs(text: string): number | undefined {
  const signed = /^([+-]?)(.*)$/s.exec(text)!
  const body = signed[2]!
  if (body === '0') return 0
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) totalMs += Number(amount) * UNIT_MS[unit!]!
  return signed[1] === '-' ? -totalMs : totalMs
}

/** An ISO 8601 duration of days and smaller ("PT1S", "P1DT2H", "PT0.5S") in milliseconds, or undefined when it is none. */
export function isoDurationMs(text: string): number | undefined {
  const parts = /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (!parts || text.endsWith('T') || text === 'P') return undefined
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number]
  return ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000
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
