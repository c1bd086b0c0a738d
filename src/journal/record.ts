import type { AttributeValue } from '../cloudevents/event.js'
import type { EventIdentity, Hop, HopPlace, Miss } from './hop.js'

/** One event as one Broker or channel took it, with everything that became of it there. Times are milliseconds of the virtual clock. */
export interface JournalRecord {
  identity: EventIdentity
  origin: HopPlace
  offset: number
  /** When it was accepted; of an event whose acceptance is not on record, when it was first heard of. */
  atMs: number
  /** Absent when its acceptance is not on record: the emulator was killed in the moment after it. */
  attributes?: Record<string, AttributeValue>
  /** Length of the payload as it came, and how much of it the journal kept; absent for an event without data. */
  dataBytes?: number
  dataKept?: number
  replyOf?: { at: HopPlace; origin: HopPlace; offset: number; record?: string }
  /** One for each Trigger or Subscription (or the Broker itself) that had to do with it, in the order in which they did. */
  steps: Step[]
  /** More places where it was filtered; `stepsOf` has them all. */
  missed?: { atMs: number; misses: readonly Miss[] }[]
}

/** What happened to an event at one place. */
export interface Step {
  at: HopPlace
  filtered?: { atMs: number; clause: string; expected: string; actual?: string; reason?: string; hint?: string }
  /** The newest ones; `attemptCount` counts all of them. */
  attempts: Attempt[]
  attemptCount: number
  delivered?: { atMs: number; destination: string; statusCode: number }
  reply?: { atMs: number; destination?: string; event: EventIdentity; statusCode?: number; error?: string; record?: string }
  deadLetter?: { atMs: number; destination: string; statusCode?: number; error?: string }
  /** `afterAttempts`: how many there had been. Where more follow it was no more than a remark. */
  dropped?: { atMs: number; why: string; afterAttempts: number }
  /** The places that a reply went through to come back here; the event is delivered all the same. */
  looped?: { atMs: number; cycle: readonly string[] }
}

export interface Attempt {
  atMs: number
  /** As the data path counts. */
  number: number
  destination: string
  statusCode?: number
  error?: string
  /** What the status alone does not say. */
  note?: string
  tookMs: number
  /** When the next one is due, from the end of this one; absent: there is none. */
  retryInMs?: number
}

/** What became of an event at one place. */
export const OUTCOMES = ['Pending', 'Filtered', 'Delivered', 'DeadLettered', 'Failed', 'Dropped'] as const
export type Outcome = (typeof OUTCOMES)[number]

/**
 * What became of an event at all of its places: the worst of them, `Delivering` while one is pending, `Filtered` when nobody
 * wanted it, `Accepted` while nothing is known.
 */
export const STATES = ['Accepted', 'Filtered', 'Delivering', 'Delivered', 'DeadLettered', 'Failed', 'Dropped'] as const
export type State = (typeof STATES)[number]

/** A policy may retry for days. */
const ATTEMPTS_KEPT = 50

/** The record of an event that has not been heard of before. */
export function recordFor({ event, origin, offset, atMs }: Hop): JournalRecord {
  return { identity: event, origin, offset, atMs, steps: [] }
}

/** Adds a hop to the record of its event, in place. Of a hop that comes twice (after a restart) the last one counts. */
export function addHop(record: JournalRecord, hop: Hop): void {
  switch (hop.hop) {
    case 'accepted': {
      record.identity = hop.event
      record.atMs = hop.atMs
      record.attributes = hop.attributes
      if (hop.data) record.dataBytes = hop.data.length
      if (hop.replyOf) record.replyOf = { ...record.replyOf, ...hop.replyOf }
      return
    }
    case 'filtered': {
      const { atMs, clause, expected, actual, reason, hint } = hop
      stepAt(record, hop.at).filtered = {
        atMs,
        clause,
        expected,
        ...(actual !== undefined && { actual }),
        ...(reason && { reason }),
        ...(hint && { hint }),
      }
      return
    }
    case 'missed': {
      record.missed ??= []
      record.missed.push({ atMs: hop.atMs, misses: hop.misses })
      return
    }
    case 'attempted': {
      const { atMs, attempt, destination, statusCode, error, note, tookMs, retryInMs } = hop
      const step = stepAt(record, hop.at)
      step.attempts.push({
        atMs,
        number: attempt,
        destination,
        ...(statusCode !== undefined && { statusCode }),
        ...(error !== undefined && { error }),
        ...(note !== undefined && { note }),
        tookMs,
        ...(retryInMs !== undefined && { retryInMs }),
      })
      if (step.attempts.length > ATTEMPTS_KEPT) step.attempts.shift()
      step.attemptCount++
      return
    }
    case 'delivered': {
      const { atMs, destination, statusCode } = hop
      stepAt(record, hop.at).delivered = { atMs, destination, statusCode }
      return
    }
    case 'replied': {
      const { atMs, destination, reply, statusCode, error } = hop
      const step = stepAt(record, hop.at)
      const known = step.reply?.record
      step.reply = { atMs, destination, event: reply, ...answerOf({ statusCode, error }), ...(known && { record: known }) }
      return
    }
    case 'dead-lettered': {
      const { atMs, destination, statusCode, error } = hop
      stepAt(record, hop.at).deadLetter = { atMs, destination, ...answerOf({ statusCode, error }) }
      return
    }
    case 'dropped': {
      const step = stepAt(record, hop.at)
      step.dropped = { atMs: hop.atMs, why: hop.why, afterAttempts: step.attemptCount }
      return
    }
    case 'looped': {
      stepAt(record, hop.at).looped = { atMs: hop.atMs, cycle: hop.cycle }
    }
  }
}

/** Links a record to that of the reply which came back in from one of its places, in place. */
export function addReply(record: JournalRecord, at: HopPlace, reply: { record: string; event: EventIdentity; atMs: number }): void {
  const step = stepAt(record, at)
  step.reply = { atMs: reply.atMs, event: reply.event, ...step.reply, record: reply.record }
}

function answerOf({ statusCode, error }: { statusCode: number | undefined; error: string | undefined }): {
  statusCode?: number
  error?: string
} {
  return { ...(statusCode !== undefined && { statusCode }), ...(error !== undefined && { error }) }
}

/** What happened at each place, those included that it merely was not for. */
export function stepsOf({ steps, missed = [] }: Pick<JournalRecord, 'steps' | 'missed'>): readonly Step[] {
  if (missed.length === 0) return steps
  const known = new Set(steps.map(({ at }) => placeKey(at)))
  const others = missed.flatMap(({ atMs, misses }) =>
    misses.flatMap(({ at, clause, expected, actual }): Step[] =>
      known.has(placeKey(at))
        ? []
        : [{ at, filtered: { atMs, clause, expected, ...(actual !== undefined && { actual }) }, attempts: [], attemptCount: 0 }],
    ),
  )
  return [...steps, ...others]
}

const placeKey = ({ kind, namespace, name }: HopPlace): string => `${kind}/${namespace}/${name}`

/** The text of lists that many records share; they never change. */
const listTexts = new WeakMap<readonly Miss[], string>()

/** The record as JSON. */
export function recordText({ missed, ...record }: JournalRecord): string {
  const text = JSON.stringify(record)
  if (!missed) return text
  const lists = missed.map(({ atMs, misses }) => {
    const list = listTexts.get(misses) ?? JSON.stringify(misses)
    listTexts.set(misses, list)
    return `{"atMs":${atMs},"misses":${list}}`
  })
  return `${text.slice(0, -1)},"missed":[${lists.join()}]}`
}

function stepAt(record: JournalRecord, { kind, namespace, name }: HopPlace): Step {
  const known = record.steps.find(({ at }) => at.name === name && at.kind === kind && at.namespace === namespace)
  if (known) return known
  const step: Step = { at: { kind, namespace, name }, attempts: [], attemptCount: 0 }
  record.steps.push(step)
  return step
}

/** What became of the event at a place. A reply that nobody took is a failure of the delivery, as in Knative. */
export function outcomeOf(step: Step): Outcome {
  const { deadLetter, dropped, reply, delivered, filtered, attemptCount } = step
  if (deadLetter) return isSuccess(deadLetter) ? 'DeadLettered' : 'Failed'
  if (delivered && (!reply || isSuccess(reply))) return 'Delivered'
  if (attemptCount === 0) return dropped ? 'Dropped' : filtered ? 'Filtered' : 'Pending'
  // After the last attempt, or a reply that nobody took, comes the dead letter, in its own time, or the word that there is none.
  return dropped?.afterAttempts === attemptCount ? 'Failed' : 'Pending'
}

const isSuccess = ({ statusCode, error }: { statusCode?: number; error?: string }): boolean =>
  error === undefined && (statusCode === undefined || (statusCode >= 200 && statusCode < 300))

const WORST_FIRST: readonly [outcome: Outcome, state: State][] = [
  ['Failed', 'Failed'],
  ['Dropped', 'Dropped'],
  ['Pending', 'Delivering'],
  ['DeadLettered', 'DeadLettered'],
  ['Delivered', 'Delivered'],
  ['Filtered', 'Filtered'],
]

export function stateOf({ steps, missed }: Pick<JournalRecord, 'steps' | 'missed'>): State {
  const outcomes = new Set(steps.map(outcomeOf))
  if (missed) outcomes.add('Filtered')
  return WORST_FIRST.find(([outcome]) => outcomes.has(outcome))?.[1] ?? 'Accepted'
}
