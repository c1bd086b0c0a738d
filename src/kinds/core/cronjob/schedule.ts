import { goDurationMs } from '../../../base/duration.js'
import { createTimeZone } from './time-zone.js'

/** When something is due, minute by minute. */
export interface Schedule {
  /** The first time after `ms` (milliseconds since 1970); undefined where there is none within five years. */
  next(ms: number): number | undefined
}

interface Bounds {
  least: number
  most: number
  names?: readonly string[]
}

interface Field {
  values: ReadonlySet<number>
  /** Written `*` or `?`: of the two fields for days, one that is does not widen the other. */
  isStar: boolean
}

const MINUTES: Bounds = { least: 0, most: 59 }
const HOURS: Bounds = { least: 0, most: 23 }
const DAYS: Bounds = { least: 1, most: 31 }
const MONTHS: Bounds = { least: 1, most: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] }
const WEEKDAYS: Bounds = { least: 0, most: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] }
const FIELDS = [MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS]

const DESCRIPTORS: Readonly<Record<string, string | undefined>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const MINUTE_MS = 60_000
const HORIZON_YEARS = 5

/** A schedule that cannot be read; the message is what the API server says of it. */
export class ScheduleError extends Error {}

/**
 * Reads five fields, or a word such as `@hourly` or `@every 90m`. `timeZone` is an IANA name; absent: UTC, as the
 * controller manager of a cluster has it. Throws {@link ScheduleError}.
 * @see robfig/cron v3 parser.go, spec.go
 */
export function scheduleFrom(text: string, timeZone?: string): Schedule {
  if (text === '') throw new ScheduleError('empty spec string')
  if (text.startsWith('@every ')) return everySchedule(text)
  const spec = text.startsWith('@') ? (Object.hasOwn(DESCRIPTORS, text) ? DESCRIPTORS[text] : undefined) : text
  if (spec === undefined) throw new ScheduleError(`unrecognized descriptor: ${text}`)
  const words = spec.trim().split(/\s+/).filter(Boolean)
  if (words.length !== FIELDS.length)
    throw new ScheduleError(`expected exactly ${FIELDS.length} fields, found ${words.length}: [${words.join(' ')}]`)
  const fields = words.map((word, index) => fieldFrom(word, FIELDS[index]!)) as [Field, Field, Field, Field, Field]
  return { next: (ms) => nextTime(fields, createTimeZone(timeZone), ms) }
}

function everySchedule(text: string): Schedule {
  const duration = text.slice('@every '.length)
  const everyMs = goDurationMs(duration)
  if (everyMs === undefined) throw new ScheduleError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  const stepMs = Math.max(1000, Math.floor(everyMs / 1000) * 1000)
  return { next: (ms) => Math.floor(ms / 1000) * 1000 + stepMs }
}

function fieldFrom(text: string, bounds: Bounds): Field {
  const values = new Set<number>()
  let isStar = false
  for (const part of text.split(',').filter(Boolean)) {
    const range = rangeFrom(part, bounds)
    isStar ||= range.isStar
    for (let value = range.first; value <= range.last; value += range.step) values.add(value)
  }
  return { values, isStar }
}

function rangeFrom(text: string, { least, most, names }: Bounds): { first: number; last: number; step: number; isStar: boolean } {
  const [ends = '', stepText, ...moreSteps] = text.split('/')
  const [low = '', high, ...moreEnds] = ends.split('-')
  const isAny = low === '*' || low === '?'
  const first = isAny ? least : valueFrom(low, names)
  let last = isAny ? most : first
  if (!isAny && moreEnds.length > 0) throw new ScheduleError(`too many hyphens: ${text}`)
  if (!isAny && high !== undefined) last = valueFrom(high, names)
  if (moreSteps.length > 0) throw new ScheduleError(`too many slashes: ${text}`)
  const step = stepText === undefined ? 1 : valueFrom(stepText)
  // `5/15` means from 5 on.
  if (stepText !== undefined && !isAny && high === undefined) last = most
  if (first < least) throw new ScheduleError(`beginning of range (${first}) below minimum (${least}): ${text}`)
  if (last > most) throw new ScheduleError(`end of range (${last}) above maximum (${most}): ${text}`)
  if (first > last) throw new ScheduleError(`beginning of range (${first}) beyond end of range (${last}): ${text}`)
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`)
  return { first, last, step, isStar: isAny && step <= 1 }
}

function valueFrom(text: string, names?: readonly string[]): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  // Months are counted from 1, days of the week from 0.
  if (named >= 0) return names!.length === MONTHS.most ? named + 1 : named
  if (!/^\+?\d+$/.test(text))
    throw new ScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/**
 * Goes from field to field as a person would: to the month, the day, the hour, the minute. It moves along real time and
 * asks the zone what the clocks show, so an hour that a zone skips is skipped, and one that it repeats is gone through twice.
 */
function nextTime(
  [minutes, hours, days, months, weekdays]: readonly [Field, Field, Field, Field, Field],
  zone: ReturnType<typeof createTimeZone>,
  afterMs: number,
): number | undefined {
  let ms = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS
  const lastYear = zone.show(ms).year + HORIZON_YEARS
  for (;;) {
    const { year, month, day, hour, minute, weekday } = zone.show(ms)
    if (year > lastYear) return undefined
    if (!months.values.has(month)) ms = zone.startOf(ms, month === 12 ? year + 1 : year, (month % 12) + 1, 1)
    else if (!isDay(days, weekdays, day, weekday)) ms = zone.startOf(ms, year, month, day + 1)
    else if (!hours.values.has(hour)) ms += (60 - minute) * MINUTE_MS
    else if (!minutes.values.has(minute)) ms += MINUTE_MS
    else return ms
  }
}

function isDay(days: Field, weekdays: Field, day: number, weekday: number): boolean {
  const [isDate, isWeekday] = [days.values.has(day), weekdays.values.has(weekday)]
  return days.isStar || weekdays.isStar ? isDate && isWeekday : isDate || isWeekday
}
