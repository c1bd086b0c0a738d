import type { Condition } from '../../apimachinery/conditions.js'
import { shortAge } from './ages.js'

type Conditioned = { status?: { conditions?: readonly Condition[] } }

const ready = ({ status }: Conditioned): Condition | undefined => status?.conditions?.find(({ type }) => type === 'Ready')

/** The CONDITIONS cell: `3 OK / 3`. */
export function conditionsCell({ status }: Conditioned): string {
  const conditions = status?.conditions ?? []
  return `${conditions.filter((condition) => condition.status === 'True').length} OK / ${conditions.length}`
}

/** The READY cell. */
export function readyCell(object: Conditioned): string {
  return ready(object)?.status ?? '<unknown>'
}

/** The REASON cell: why an object is not ready, empty when it is. */
export function reasonCell(object: Conditioned): string {
  const condition = ready(object)
  if (!condition) return '<unknown>'
  if (condition.status === 'True') return ''
  return condition.message ? `${condition.reason ?? ''} : ${condition.message}`.trim() : (condition.reason ?? '')
}

/** The block that ends every describe. With `verbose` the reasons carry their messages. */
export function conditionLines(conditions: readonly Condition[] = [], { verbose, nowMs }: { verbose: boolean; nowMs: number }): string[] {
  const width = Math.max(0, ...conditions.map(({ type }) => type.length))
  const row = (ok: string, type: string, age: string, reason: string): string =>
    `  ${ok.padEnd(2)} ${type.padEnd(width)} ${age.padStart(6)} ${reason}`
  const rows = [...conditions].sort(byWeight).map((condition) => {
    const { reason = '', message = '' } = condition
    return row(
      symbol(condition),
      condition.type,
      shortAge(condition.lastTransitionTime, nowMs),
      verbose && reason ? `${reason} (${message})` : reason,
    )
  })
  return ['Conditions:  ', row('OK', 'TYPE', 'AGE', 'REASON'), ...rows]
}

function symbol({ status, severity }: Condition): string {
  if (status === 'True') return '++'
  if (status === 'Unknown') return '??'
  return severity === 'Warning' ? ' W' : severity === 'Info' ? ' I' : '!!'
}

const SEVERITIES = [undefined, 'Warning', 'Info']

function byWeight(a: Condition, b: Condition): number {
  if ((a.type === 'Ready') !== (b.type === 'Ready')) return a.type === 'Ready' ? -1 : 1
  const severity = SEVERITIES.indexOf(a.severity || undefined) - SEVERITIES.indexOf(b.severity || undefined)
  return severity || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)
}
