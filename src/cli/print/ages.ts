/**
 * How long ago something was, in one unit, as describe shows it: `45s`, `5m`, `3h`, `2d`, `1y`.
 * @see k8s.io/apimachinery pkg/util/duration/duration.go, ShortHumanDuration
 */
export function shortAge(time: string | undefined, nowMs: number): string {
  if (!time) return '<unknown>'
  const seconds = Math.trunc((nowMs - Date.parse(time)) / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 60) return `${Math.max(0, seconds)}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 60) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 24) return `${hours}h`
  return hours < 24 * 365 ? `${Math.trunc(hours / 24)}d` : `${Math.trunc(hours / 24 / 365)}y`
}
