import { type CelValue, isTagged, noOverload } from './values.js'

type TimeMethod = (value: CelValue, zone?: CelValue) => CelValue

/** Parts of a moment in UTC or, with an offset such as `+02:00` or the name of a zone, there. */
function momentOf(value: CelValue, zone: CelValue | undefined): Date | undefined {
  if (!isTagged(value, 'timestamp')) return undefined
  const ms = Number(value.nanos / 1_000_000n)
  if (zone === undefined || zone === 'UTC') return new Date(ms)
  if (typeof zone !== 'string') throw noOverload()
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone)
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(ms + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  try {
    const format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    const part = Object.fromEntries(format.formatToParts(new Date(ms)).map(({ type, value: text }) => [type, text]))
    return new Date(Date.parse(`${part['year']}-${part['month']}-${part['day']}T${part['hour']}:${part['minute']}:${part['second']}Z`))
  } catch {
    throw noOverload()
  }
}

/** A method of timestamps, and of durations where `unitNanos` is given. */
function method(of: (moment: Date) => number, unitNanos?: bigint): TimeMethod {
  return (value, zone) => {
    if (unitNanos !== undefined && isTagged(value, 'duration')) return value.nanos / unitNanos
    const moment = momentOf(value, zone)
    if (!moment) throw noOverload()
    return BigInt(of(moment))
  }
}

/** @see google/cel-spec doc/langdef.md, timestamps and durations */
export const timeMethods: readonly [string, TimeMethod][] = [
  ['getFullYear', method((moment) => moment.getUTCFullYear())],
  ['getMonth', method((moment) => moment.getUTCMonth())],
  ['getDate', method((moment) => moment.getUTCDate())],
  ['getDayOfMonth', method((moment) => moment.getUTCDate() - 1)],
  ['getDayOfWeek', method((moment) => moment.getUTCDay())],
  ['getDayOfYear', method((moment) => Math.floor((moment.getTime() - Date.UTC(moment.getUTCFullYear(), 0, 1)) / 86_400_000))],
  ['getHours', method((moment) => moment.getUTCHours(), 3_600_000_000_000n)],
  ['getMinutes', method((moment) => moment.getUTCMinutes(), 60_000_000_000n)],
  ['getSeconds', method((moment) => moment.getUTCSeconds(), 1_000_000_000n)],
  ['getMilliseconds', method((moment) => moment.getUTCMilliseconds(), 1_000_000n)],
]
