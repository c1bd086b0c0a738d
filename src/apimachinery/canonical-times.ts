import { isJsonObject } from './json.js'
import type { Schema } from './schema.js'

/** Fields whose type is MicroTime rather than Time in Kubernetes' own kinds; a schema says date-time of both. */
const MICRO_TIMES: ReadonlySet<string> = new Set(['acquireTime', 'eventTime', 'lastObservedTime', 'renewTime'])

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/

/** Where times lie below a schema: by field, in every item of a list, in every entry of a map. */
interface Times {
  fields: readonly (readonly [name: string, below: Times | 'time' | 'microTime'])[]
  each?: Times | 'time' | 'microTime' | undefined
}

const known = new WeakMap<Schema, Times | undefined>()

/**
 * Writes the times of an object of a built-in kind, in place, as Go writes them: in UTC, to the second, or with six digits
 * where the type is MicroTime. Clients send fractions and offsets of any kind. What is no time is left to the schema's check.
 * @see kubernetes/apimachinery v0.35 pkg/apis/meta/v1/time.go, micro_time.go
 */
export function canonicalTimes(schema: Schema, object: unknown): void {
  const times = timesOf(schema)
  if (times) visit(times, object)
}

/** A time as Time (or, with `micro`, as MicroTime) spells it; undefined for a text that is none. */
export function canonicalTime(text: string, micro: boolean): string | undefined {
  const [, date = '', time = '', fraction = '', zone = ''] = DATE_TIME.exec(text) ?? []
  const epochMs = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(epochMs)) return undefined
  const seconds = new Date(epochMs).toISOString().slice(0, 19)
  return micro ? `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z` : `${seconds}Z`
}

function timesOf(schema: Schema): Times | undefined {
  if (known.has(schema)) return known.get(schema)
  // A schema that refers to itself has no times of its own yet.
  known.set(schema, undefined)
  const below = (name: string, child: Schema): Times['each'] =>
    child.format === 'date-time' ? (MICRO_TIMES.has(name) ? 'microTime' : 'time') : timesOf(child)
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const found = below(name, child)
    return found ? [[name, found] as const] : []
  })
  const child = schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined)
  const each = child && below('', child)
  const times = fields.length > 0 || each ? { fields, each } : undefined
  known.set(schema, times)
  return times
}

function visit({ fields, each }: Times, value: unknown): void {
  if (Array.isArray(value)) {
    if (each) for (const index of value.keys()) rewrite(value as never, index, each)
    return
  }
  if (!isJsonObject(value)) return
  for (const [name, below] of fields) if (Object.hasOwn(value, name)) rewrite(value, name, below)
  if (each) for (const name of Object.keys(value)) rewrite(value, name, each)
}

function rewrite(holder: Record<string | number, unknown>, key: string | number, below: NonNullable<Times['each']>): void {
  const value = holder[key]
  if (typeof below === 'object') visit(below, value)
  else if (typeof value === 'string') holder[key] = canonicalTime(value, below === 'microTime') ?? value
}
