/** What the clocks of a zone show at a time. Months are counted from 1, days of the week from Sunday, 0. */
export interface Shown {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  weekday: number
}

export interface TimeZone {
  show(ms: number): Shown
  /** The first moment of a day, which lies after `ms`. Days beyond the end of a month belong to the next. */
  startOf(ms: number, year: number, month: number, day: number): number
  /** Minutes that its clocks are ahead of UTC at a time. */
  offsetMinutes(ms: number): number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Whether there is a time zone of this IANA name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return !/^[+-]/.test(name)
  } catch {
    return false
  }
}

/** A zone by its IANA name; absent: UTC. Throws RangeError for a name that is none. */
export function createTimeZone(name: string | undefined): TimeZone {
  const format =
    name === undefined || name === 'UTC'
      ? undefined
      : new Intl.DateTimeFormat('en-US', {
          timeZone: name,
          hourCycle: 'h23',
          year: 'numeric',
          month: 'numeric',
          day: 'numeric',
          hour: 'numeric',
          minute: 'numeric',
          second: 'numeric',
        })

  /** The time at which clocks in UTC show what those of the zone show. */
  const asUtcMs = (ms: number): number => {
    if (!format) return ms
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value)
    return Date.UTC(parts['year']!, parts['month']! - 1, parts['day'], parts['hour'], parts['minute'], parts['second'])
  }
  return {
    show(ms) {
      const date = new Date(asUtcMs(ms))
      return {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
        weekday: date.getUTCDay(),
      }
    },
    startOf(ms, year, month, day) {
      const wanted = Date.UTC(year, month - 1, day)
      // Clocks are at most a day away from UTC; from there on, by what is missing until they show it.
      let at = Math.max(ms, wanted - 24 * HOUR_MS)
      for (let left = wanted - asUtcMs(at); left > 0; left = wanted - asUtcMs(at)) at += left > HOUR_MS ? left - HOUR_MS : MINUTE_MS
      return Math.floor(at / MINUTE_MS) * MINUTE_MS
    },
    offsetMinutes: (ms) => Math.round((asUtcMs(ms) - Math.floor(ms / 1000) * 1000) / MINUTE_MS),
  }
}

/** RFC 3339 with the zone's offset, as Go writes it: `2026-01-01T09:00:00+01:00`. */
export function zonedTimestamp(ms: number, name: string | undefined): string {
  const offset = createTimeZone(name).offsetMinutes(ms)
  const text = new Date(ms + offset * MINUTE_MS).toISOString().slice(0, 19)
  if (offset === 0) return `${text}Z`
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
}
