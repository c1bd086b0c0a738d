const SECOND_MS = 1000
const MINUTES_IN_HOUR = 60
const HOURS_IN_DAY = 24
const DAYS_IN_YEAR = 365

const twoParts = (major: number, majorUnit: string, minor: number, minorUnit: string): string =>
  `${major}${majorUnit}${minor === 0 ? '' : `${minor}${minorUnit}`}`

/**
 * A span of time as kubectl's AGE column shows it: `45s`, `5m30s`, `3h`, `2d4h`, `400d`, `3y12d`. Up to two seconds into the
 * future count as clock skew (`0s`), more is `<invalid>`.
 * @see kubernetes/apimachinery v0.35 pkg/util/duration/duration.go
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND_MS)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return twoParts(minutes, 'm', seconds % 60, 's')
  if (minutes < 3 * MINUTES_IN_HOUR) return `${minutes}m`
  const hours = Math.trunc(minutes / MINUTES_IN_HOUR)
  if (hours < 8) return twoParts(hours, 'h', minutes % MINUTES_IN_HOUR, 'm')
  if (hours < 2 * HOURS_IN_DAY) return `${hours}h`
  const days = Math.trunc(hours / HOURS_IN_DAY)
  if (days < 8) return twoParts(days, 'd', hours % HOURS_IN_DAY, 'h')
  if (days < 2 * DAYS_IN_YEAR) return `${days}d`
  const years = Math.trunc(days / DAYS_IN_YEAR)
  if (years < 8) return twoParts(years, 'y', days % DAYS_IN_YEAR, 'd')
  return `${years}y`
}

/** How long ago an RFC 3339 time was; `<unknown>` for none, `<invalid>` for what is no time. `nowMs` is since 1970. */
export function age(timestamp: string | null | undefined, nowMs: number): string {
  if (!timestamp) return '<unknown>'
  const thenMs = Date.parse(timestamp)
  return Number.isNaN(thenMs) ? '<invalid>' : humanDuration(nowMs - thenMs)
}
