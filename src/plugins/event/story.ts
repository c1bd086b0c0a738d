import { nearMiss } from '../../cloudevents/filters.js'
import type { EventRecord, HopOutcome, RecordAttempt, RecordHop, RecordPlace } from '../../kinds/emulator/eventrecord/schema.js'

/** A Trigger of the broker that took an event, as far as it matters here. */
export interface TriggerThere {
  name: string
  isReady: boolean
  /** Why it is not. */
  reason: string
  /** Milliseconds since 1970. */
  createdMs: number
}

/** What became of an event at one Trigger or Subscription, or why there is nothing to say of it. */
export interface StoryPart {
  at: RecordPlace
  outcome: HopOutcome | 'TooLate'
  /** Of a Trigger that has not looked at the event. */
  waitsFor?: string
  hop?: RecordHop
  /** What a person may have meant. */
  hint?: string
}

export interface Story {
  record: EventRecord
  verdict: 'delivered' | 'unmatched' | 'failed' | 'pending'
  parts: readonly StoryPart[]
}

/** Exit codes of `kn event why`, for scripts. An event that is not there is an error like any other: 1. */
export const VERDICT_CODES: Readonly<Record<Story['verdict'], number>> = { delivered: 0, unmatched: 3, failed: 4, pending: 4 }

/**
 * Why an event went where it went. `triggers` are those of its broker as they are now: one that has nothing on record was made later, or
 * is still to look at the event.
 */
export function storyOf(record: EventRecord, triggers: readonly TriggerThere[]): Story {
  const { hops } = record.status
  const parts: StoryPart[] = hops.map((hop) => {
    const hint = hop.outcome === 'Filtered' ? hintFor(hop.filtered!) : undefined
    return { at: hop.at, outcome: hop.outcome, hop, ...(hint && { hint }) }
  })
  const seen = new Set(hops.flatMap(({ at }) => (at.kind === 'Trigger' ? at.name : [])))
  // Creation is told to the second.
  const acceptedMs = Date.parse(record.spec.acceptedAt)
  for (const { name, isReady, reason, createdMs } of triggers) {
    if (seen.has(name)) continue
    const at = { kind: 'Trigger', namespace: record.spec.origin.namespace, name }
    if (createdMs > acceptedMs) parts.push({ at, outcome: 'TooLate' })
    else parts.push({ at, outcome: 'Pending', waitsFor: isReady ? 'its turn' : `the trigger to become ready${reason && ` (${reason})`}` })
  }
  return { record, verdict: verdictOf(parts), parts }
}

function hintFor({ clause, expected, actual, hint }: NonNullable<RecordHop['filtered']>): string | undefined {
  if (hint) return hint
  const comparison = /\.(prefix|suffix)\.[^.]*$/.exec(clause)?.[1] as 'prefix' | 'suffix' | undefined
  return actual === undefined ? undefined : nearMiss(expected, actual, comparison)
}

function verdictOf(parts: readonly StoryPart[]): Story['verdict'] {
  const outcomes = new Set(parts.map(({ outcome }) => outcome))
  if (outcomes.has('Failed') || outcomes.has('Dropped') || outcomes.has('DeadLettered')) return 'failed'
  if (outcomes.has('Pending')) return 'pending'
  return outcomes.has('Delivered') ? 'delivered' : 'unmatched'
}

const OUTCOME_WORDS: Readonly<Record<StoryPart['outcome'], string>> = {
  Delivered: 'delivered',
  Filtered: 'filtered out',
  Failed: 'failed',
  DeadLettered: 'failed, dead letter delivered',
  Dropped: 'dropped',
  Pending: 'pending',
  TooLate: 'made after this event',
}

const VERDICTS: Readonly<Record<Story['verdict'], string>> = {
  delivered: 'Delivered: every trigger whose filter let it pass has it.',
  unmatched: 'Unmatched: no trigger wanted it.',
  failed: 'Failed: not every trigger that wanted it got it.',
  pending: 'Pending: not every trigger is done with it.',
}

/** The story for people; `age` is how long ago the event was accepted. */
export function storyText({ record, parts, verdict }: Story, age: string): string {
  const { spec, metadata } = record
  const { origin, replyOf } = spec
  const head = [
    `Event '${spec.id}'`,
    `  type ${spec.type}, source ${spec.source}${spec.subject === undefined ? '' : `, subject ${spec.subject}`}`,
    `  taken by ${origin.kind} '${origin.name}' in namespace '${origin.namespace}' at ${spec.acceptedAt} (${age} ago), record ${metadata.name}`,
    ...(replyOf
      ? [`  the answer of ${placeText(replyOf.at)} to ${replyOf.record ? `record ${replyOf.record}` : 'an event that is not on record'}`]
      : []),
  ]
  const told = parts.map((part) => [`${placeText(part.at)}: ${OUTCOME_WORDS[part.outcome]}`, ...detailsOf(part).map((line) => `  ${line}`)])
  const nobody = parts.length === 0 ? [[`${origin.kind} '${origin.name}' has nobody who could want it.`]] : []
  return `${[head, ...told, ...nobody, [VERDICTS[verdict]]].map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function placeText({ kind, name }: RecordPlace): string {
  return `${kind} '${name}'`
}

function detailsOf({ hop, hint, waitsFor }: StoryPart): string[] {
  if (!hop) return waitsFor ? [`waits for ${waitsFor}`] : []
  const { filtered, attempts = [], attemptCount = 0, reply, deadLetter, dropped, looped } = hop
  const left = attemptCount - attempts.length
  return [
    ...(filtered && hop.outcome === 'Filtered' ? filteredLines(filtered, hint) : []),
    ...(looped ? [`goes round: ${looped.cycle.join(' → ')}; it is delivered again and again until its TTL is used up`] : []),
    ...(left > 0 ? [`${left} earlier attempts`] : []),
    ...attempts.map(attemptText),
    ...(reply ? [replyText(reply)] : []),
    ...(deadLetter ? [`dead letter to ${deadLetter.destination}: ${resultText(deadLetter)}`] : []),
    ...(dropped ? [`${hop.outcome === 'Delivered' ? 'note' : 'given up'}: ${dropped.why}`] : []),
  ]
}

function filteredLines({ clause, expected, actual, reason }: NonNullable<RecordHop['filtered']>, hint: string | undefined): string[] {
  const got = actual === undefined ? 'nothing' : `'${actual}'`
  // An expression asks for no one value: what it says and why it does not hold is all there is to tell.
  const isExpression = /\.cesql$/.test(clause)
  const told = isExpression && expected !== '' ? `${expected}: ${reason}` : reason
  const why = reason && (expected === '' || isExpression) ? told : `expected '${expected}', got ${got}`
  return [`${clause}: ${why}`, ...(hint ? [`hint: ${hint}`] : [])]
}

function attemptText({ number, destination, took, retryIn, note, ...result }: RecordAttempt): string {
  const next = retryIn === undefined ? '' : `, the next one ${retryIn} later`
  const why = note === undefined ? '' : ` (${note})`
  return `attempt ${number} to ${destination}: ${resultText(result)}${why} after ${took}${next}`
}

function replyText({ type, id, record, ...result }: NonNullable<RecordHop['reply']>): string {
  const became = record ? `record ${record}` : resultText(result)
  return `reply '${id}' of type ${type}: ${became}`
}

function resultText({ statusCode, error }: { statusCode?: number; error?: string }): string {
  if (error !== undefined) return statusCode === undefined ? error : `${statusCode}, ${error}`
  return statusCode === undefined ? 'done' : String(statusCode)
}
