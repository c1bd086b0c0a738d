import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { decodeMessage, encodeBinary, encodeStructured } from '../cloudevents/http.js'
import type { DeliveryPolicy } from '../delivery/backoff.js'
import { deadLetterFrom } from '../delivery/dead-letter.js'
import { deliver, isSuccess, type Outcome } from '../delivery/deliver.js'
import type { Answer, Outgoing, Send } from '../delivery/send.js'
import type { EventIdentity, HopPlace, RecordHop } from '../journal/hop.js'
import type { Handling } from './consumer.js'
import type { HeaderPair, LoggedEvent, StoredEvent } from './event-record.js'
import { nextHop, passedThrough } from './headers.js'
import { ttlOf, withoutTtl, withTtlOf } from './ttl.js'

/** Where events go, and whom https trusts there beside the machine's authorities. */
export interface Target {
  readonly url: string
  readonly caCerts?: string | undefined
}

/** What a Trigger or Subscription asks for at this moment. */
export interface Plan {
  readonly place: HopPlace
  /** Undefined while the subscriber has no address. */
  readonly subscriber: Target | undefined
  /** A Trigger's replies go back to its Broker. */
  readonly reply: Target | 'origin' | undefined
  readonly deadLetterSink: Target | undefined
  readonly policy: DeliveryPolicy
  readonly format: 'json' | 'binary'
  /** What the filter as it is now says: Knative asks at every attempt. */
  verdict(event: CloudEvent): 'pass' | 'fail' | 'crash'
}

/** Takes an event into a broker or channel of ours. */
export type Intake = (logged: LoggedEvent) => Promise<Answer>

export interface CarryDeps {
  origin: HopPlace
  send: Send
  /** The broker or channel of ours that a URL belongs to. */
  intakeOf(url: string): Intake | undefined
  /** The log that the events come from. */
  ownIntake: Intake
  /** Told of each reply of a Trigger's subscriber. */
  onReply(at: HopPlace, reply: CloudEvent): void
  /** Named for as long as an attempt goes on. */
  busy(work: Promise<unknown>): void
  record: RecordHop
  clock: Clock
  realClock: Clock
  random: Random
  log: Logger
}

/** What is answered for the subscriber where Knative's filter does it; the dead letter then says nothing about the error. */
type Judged = Answer & { readonly isSilent?: boolean }

/**
 * Takes one event to one subscriber: attempts, the reply, the dead letter. Resolves when nothing more can be done; rejects only
 * when aborted.
 * @see knative/eventing v1.22 pkg/channel/fanout, pkg/broker/filter/filter_handler.go, pkg/kncloudevents/event_dispatcher.go
 */
export async function carry(stored: StoredEvent, current: () => Plan, handling: Handling, deps: CarryDeps): Promise<void> {
  const { clock, realClock, random, record } = deps
  const { signal, onWaiting } = handling
  const { place, policy, deadLetterSink } = current()
  const isTrigger = place.kind === 'Trigger'
  const { event } = stored
  const known = { event: identityOf(event), origin: deps.origin, offset: stored.offset, at: place }
  const headers: readonly HeaderPair[] = [...nextHop(stored.headers, random), ['kn-namespace', place.namespace]]
  const busily = <T>(work: Promise<T>): Promise<T> => {
    deps.busy(work)
    return work
  }
  const busySend: Send = (outgoing, options) => busily(deps.send(outgoing, options))
  const tell = (hop: { hop: 'dropped'; why: string }): void => record({ ...known, atMs: clock.now(), ...hop })

  const isLooping = stored.isLooping ?? noticeLoop(stored, place, (why) => tell({ hop: 'dropped', why }), deps.log)
  const toSubscriber = async (outgoing: Outgoing, options?: Parameters<Send>[1]): Promise<Judged> => {
    const plan = current()
    // A Trigger's filter may have changed since the last attempt; an event that it refuses counts as delivered.
    const verdict = plan.verdict(event)
    if (verdict === 'fail') return { statusCode: 200 }
    if (verdict === 'crash') return { error: 'EOF', isSilent: true }
    if (isTrigger && ttlOf(event) === undefined) return { statusCode: 400, isSilent: true }
    if (!plan.subscriber) return { statusCode: 404, isSilent: true }
    const answer = await busySend({ ...outgoing, url: plan.subscriber.url, caCerts: plan.subscriber.caCerts }, options)
    return isTrigger ? judged(answer) : answer
  }

  let lastAnswer: Judged = {}
  let attempts = 0
  const destination = (): string => current().subscriber?.url ?? ''
  const outcome = await deliver(outgoingOf(withoutTtl(event), '', headers, current().format, true), policy, {
    clock,
    realClock,
    signal,
    onWaiting,
    async send(outgoing, options) {
      lastAnswer = await toSubscriber(outgoing, options)
      return lastAnswer
    },
    onAttempt({ attempt, answer, tookMs, retryInMs }) {
      attempts = attempt
      record({
        ...known,
        atMs: clock.now(),
        hop: 'attempted',
        destination: destination(),
        attempt,
        tookMs,
        ...resultOf(answer),
        ...(retryInMs !== undefined && { retryInMs }),
      })
    },
  })

  if (outcome.ok) {
    record({ ...known, atMs: clock.now(), hop: 'delivered', destination: destination(), attempts, statusCode: outcome.statusCode! })
    const failed = await carryReply(outcome)
    if (!failed) return
    return giveUp(failed.destination, failed.outcome, false)
  }
  return giveUp(destination(), outcome, lastAnswer.isSilent ?? false)

  async function carryReply(answered: Outcome): Promise<{ destination: string; outcome: Outcome } | undefined> {
    const { reply: to } = current()
    const decoded = decodeMessage(answered.headers ?? [], answered.body ?? Buffer.alloc(0))
    if (!('event' in decoded)) return undefined
    deps.onReply(place, decoded.event)
    if (to === undefined) return undefined
    const reply = to === 'origin' ? withTtlOf(decoded.event, event) : decoded.event
    const url = to === 'origin' ? brokerText(deps.origin) : to.url
    const passed = nextHop([...passedThrough(answered.headers ?? []), ...tracing(stored.headers)], random)
    const intake = to === 'origin' ? deps.ownIntake : deps.intakeOf(to.url)
    const logged: LoggedEvent = {
      event: reply,
      headers: passed,
      replyOf: { at: place, origin: deps.origin, offset: stored.offset },
      via: isLooping ? (stored.via ?? []) : [...(stored.via ?? []), placeText(place)],
      ...(isLooping && { isLooping }),
    }
    const outgoing = outgoingOf(
      reply,
      url,
      [...passed, ['kn-namespace', place.namespace]],
      'binary',
      false,
      to === 'origin' ? undefined : to.caCerts,
    )
    const send: Send = intake ? () => busily(intake(logged)) : busySend
    const outcome = await deliver(outgoing, policy, { clock, realClock, signal, onWaiting, send })
    record({ ...known, atMs: clock.now(), hop: 'replied', destination: url, reply: identityOf(reply), ...resultOf(outcome) })
    return outcome.ok ? undefined : { destination: url, outcome }
  }

  /** What fails goes to the dead letter sink as it came, even when it was the reply that failed. */
  async function giveUp(failedAt: string, failed: Outcome, isSilent: boolean): Promise<void> {
    if (!deadLetterSink) return tell({ hop: 'dropped', why: `${resultText(failed)}, and there is no dead letter sink` })
    const letter = deadLetterFrom(event, { destination: failedAt, answer: failed, isSilent })
    const outgoing = outgoingOf(letter, deadLetterSink.url, headers, 'binary', false, deadLetterSink.caCerts)
    const outcome = await deliver(outgoing, policy, { clock, realClock, signal, onWaiting, send: busySend })
    record({ ...known, atMs: clock.now(), hop: 'dead-lettered', destination: deadLetterSink.url, ...resultOf(outcome) })
    if (!outcome.ok) tell({ hop: 'dropped', why: `the dead letter sink ${deadLetterSink.url} failed too: ${resultText(outcome)}` })
  }
}

/** What a Trigger makes of a 2xx answer: a body that is no event is a failure. @see knative/eventing v1.22 pkg/broker/filter/filter_handler.go */
function judged(answer: Answer): Judged {
  if (!isSuccess(answer)) return answer
  const body = answer.body ?? Buffer.alloc(0)
  const decoded = decodeMessage(answer.headers ?? [], body)
  if ('event' in decoded || ('none' in decoded && body.length === 0)) return answer
  return { statusCode: 502, isSilent: true }
}

/** Says once when an event comes back to where it has been; it is delivered all the same, until its TTL is used up. */
function noticeLoop({ via = [] }: StoredEvent, place: HopPlace, tell: (why: string) => void, log: Logger): boolean {
  const name = placeText(place)
  const from = via.indexOf(name)
  if (from === -1) return false
  const cycle = [...via.slice(from), name].join(' → ')
  tell(`loop: ${cycle}; it is delivered again and again until its TTL is used up`)
  log.warn('an event goes round in circles', { cycle })
  return true
}

function outgoingOf(
  event: CloudEvent,
  url: string,
  headers: readonly HeaderPair[],
  format: 'json' | 'binary',
  wantsReply: boolean,
  caCerts?: string | undefined,
): Outgoing {
  const { headers: own, body } = format === 'json' ? encodeStructured(event) : encodeBinary(event)
  return { url, headers: [...own, ...headers, ...(wantsReply ? [['prefer', 'reply'] as const] : [])], body, caCerts }
}

function tracing(headers: readonly HeaderPair[]): HeaderPair[] {
  return headers.filter(([name]) => name === 'traceparent' || name === 'tracestate' || name === 'baggage')
}

export function identityOf({ attributes }: CloudEvent): EventIdentity {
  const text = (name: string): string => String(attributes.get(name) ?? '')
  const subject = attributes.get('subject')
  return { id: text('id'), source: text('source'), type: text('type'), ...(subject !== undefined && { subject: String(subject) }) }
}

export function placeText({ kind, namespace, name }: HopPlace): string {
  return `${kind} ${namespace}/${name}`
}

/** @see knative/eventing v1.22 pkg/reconciler/broker/broker.go, the address of a Broker */
function brokerText({ namespace, name }: HopPlace): string {
  return `http://broker-ingress.knative-eventing.svc.cluster.local/${namespace}/${name}`
}

function resultOf({ statusCode, error }: Answer): { statusCode?: number; error?: string } {
  return { ...(statusCode !== undefined && { statusCode }), ...(error !== undefined && { error }) }
}

function resultText({ statusCode, error }: Answer): string {
  return error ?? `the last answer was ${statusCode}`
}
