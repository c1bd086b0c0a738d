import { causes } from '../../../apimachinery/causes.js'
import type { AdmissionContext } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { goDurationMs } from '../../../base/duration.js'
import { CLOCK_NAME, clockTime, type EmulatorClock } from './schema.js'

/** Later times have no spelling that every client reads. */
const LATEST_MS = Date.parse('9999-12-31T23:59:59Z')

type Context = Pick<AdmissionContext<EmulatorClock>, 'nowMs' | 'old'>

/** What is wrong with a Clock: only a frozen one is advanced, and never backwards. */
export function validateClock({ metadata, spec }: EmulatorClock, context: Context): readonly Cause[] {
  const found: Cause[] = []
  const { mode, advanceBy, advanceTo } = spec
  if (metadata.name !== CLOCK_NAME)
    found.push(causes.invalid('metadata.name', metadata.name, `there is one clock, and its name is ${CLOCK_NAME}`))
  const isNewGoal = advanceTo !== undefined && advanceTo !== context.old?.spec.advanceTo
  const field = advanceBy !== undefined ? 'spec.advanceBy' : 'spec.advanceTo'
  if (mode !== 'Frozen' && (advanceBy !== undefined || isNewGoal))
    found.push(causes.forbidden(field, 'only a frozen clock can be advanced: set spec.mode to Frozen'))
  else if (advanceBy !== undefined && isNewGoal)
    found.push(causes.forbidden(field, 'may not be given together with another spec.advanceTo'))
  else if (advanceBy !== undefined) found.push(...problemsOfStep(advanceBy, context))
  else if (isNewGoal) found.push(...problemsOfGoal(advanceTo, context))
  return found
}

/** Last step before the store: a step becomes the time it leads to, which is what survives a restart. */
export function stepToGoal({ spec }: EmulatorClock, context: Context): void {
  if (spec.advanceBy === undefined) return
  spec.advanceTo = clockTime(standsAtMs(context) + goDurationMs(spec.advanceBy)!)
  delete spec.advanceBy
}

/** Where the clock will stand once the moves that are on their way have been made. */
function standsAtMs({ nowMs, old }: Context): number {
  const goal = old?.spec.advanceTo
  return Math.max(nowMs, goal === undefined ? nowMs : Date.parse(goal))
}

function problemsOfStep(step: string, context: Context): Cause[] {
  const ms = goDurationMs(step)
  if (ms === undefined || ms < 1)
    return [causes.invalid('spec.advanceBy', step, 'must be a duration of at least 1ms, such as 91s, 2m or 1h30m')]
  if (standsAtMs(context) + ms > LATEST_MS) return [causes.invalid('spec.advanceBy', step, 'must not lead beyond the year 9999')]
  return []
}

function problemsOfGoal(goal: string, context: Context): Cause[] {
  const ms = Date.parse(goal)
  if (!/^\d{4}-\d\d-\d\dT/.test(goal) || Number.isNaN(ms))
    return [causes.invalid('spec.advanceTo', goal, 'must be a time such as 2026-01-02T15:04:05Z')]
  if (ms < standsAtMs(context))
    return [causes.invalid('spec.advanceTo', goal, `must not be before the clock, which stands at ${clockTime(standsAtMs(context))}`)]
  return []
}
