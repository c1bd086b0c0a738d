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
