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
import type { Credential, Oidc, SenderAccount } from './oidc.js'
import { ttlOf, withoutTtl, withTtlOf } from './ttl.js'

/** Where events go, whom https trusts there beside the machine's authorities, and for whom tokens are made that are shown there. */
export interface Target {
  readonly url: string
  readonly caCerts?: string | undefined
  readonly audience?: string | undefined
}

/** What a Trigger or Subscription asks for at this moment. */
export interface Plan {
  readonly place: HopPlace
  /** Undefined while the subscriber has no address. */
  readonly subscriber: Target | undefined
  /** A Trigger's replies go back to its Broker. */
  readonly reply: Target | 'origin' | undefined
  readonly deadLetterSink: Target | undefined
  /** As whom it sends; undefined while authentication-oidc is off. */
  readonly account: SenderAccount | undefined
  readonly policy: DeliveryPolicy
  readonly format: 'json' | 'binary'
  /** What the filter as it is now says: Knative asks at every attempt. */
  verdict(event: CloudEvent): 'pass' | 'fail' | 'crash'
}

/** Takes an event into a broker or channel of ours, if its sender may send it there. */
export type Intake = (logged: LoggedEvent, credential: Credential) => Promise<Answer>

export interface CarryDeps {
  origin: HopPlace
  send: Send
  /** The broker or channel of ours that a URL belongs to, if the authorities that are trusted there do not keep us out. */
  intakeOf(url: string, caCerts: string | undefined): Intake | undefined
  /** Where the broker or channel that the event comes from is, as others see it. */
  ownUrl(): string
  /** Takes a reply into the broker or channel that the event comes from, whose audience the account then knows. */
  ownIntake: (logged: LoggedEvent, account: SenderAccount | undefined) => Promise<Answer>
  tokenFor: Oidc['tokenFor']
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

/** What is answered for the subscriber where Knative's filter does it; the dead letter then says nothing about the error, the journal does. */
type Judged = Answer & { readonly isSilent?: boolean; readonly note?: string }

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
  /** Sends to a target, with a token where that has an audience. */
  const sendTo =
    (to: Target, account: SenderAccount | undefined): Send =>
    (outgoing, options) => {
      const addressed = { ...outgoing, url: to.url, caCerts: to.caCerts }
      if (!to.audience || !account) return busily(deps.send(addressed, options))
      return busily(
        deps.tokenFor(account, to.audience).then(
          (token) => deps.send({ ...addressed, headers: [...addressed.headers, ['authorization', `Bearer ${token}`]] }, options),
          (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
        ),
      )
    }
  const tell = (hop: { hop: 'dropped'; why: string } | { hop: 'looped'; cycle: readonly string[] }): void =>
    record({ ...known, atMs: clock.now(), ...hop })

  const cycle = stored.isLooping ? undefined : cycleOf(stored, place)
  const isLooping = stored.isLooping || cycle !== undefined
  if (cycle) {
    tell({ hop: 'looped', cycle })
    deps.log.warn('an event goes round in circles', { cycle: cycle.join(' → ') })
  }
  const toSubscriber = async (outgoing: Outgoing, options?: Parameters<Send>[1]): Promise<Judged> => {
    const plan = current()
    // A Trigger's filter may have changed since the last attempt; an event that it refuses counts as delivered.
    const verdict = plan.verdict(event)
    if (verdict === 'fail') return { statusCode: 200, note: 'not sent: the filter has changed and is not for it any more' }
    if (verdict === 'crash') return { error: 'EOF', isSilent: true, note: 'not sent: the filter does not survive this event' }
    if (isTrigger && ttlOf(event) === undefined) return { statusCode: 400, isSilent: true, note: 'not sent: the event has no TTL' }
    if (!plan.subscriber) return { statusCode: 404, isSilent: true, note: 'not sent: the subscriber has no address' }
    const answer = await sendTo(plan.subscriber, plan.account)(outgoing, options)
    return isTrigger ? judged(answer) : answer
  }

  let lastAnswer: Judged = {}
  let attempts = 0
  const destination = (): string => current().subscriber?.url ?? ''
  const outcome = await deliver(outgoingOf(withoutTtl(event), headers, current().format, true), policy, {
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
        ...(lastAnswer.note !== undefined && { note: lastAnswer.note }),
        ...(retryInMs !== undefined && { retryInMs }),
      })
    },
  })

  if (outcome.ok) {
    record({ ...known, atMs: clock.now(), hop: 'delivered', destination: destination(), attempts, statusCode: outcome.statusCode! })
    const failed = await carryReply(outcome)
    if (!failed) return
    return giveUp(failed.destination, failed.outcome, {})
  }
  return giveUp(destination(), outcome, lastAnswer)

  async function carryReply(answered: Outcome): Promise<{ destination: string; outcome: Outcome } | undefined> {
    const { reply: to, account } = current()
    const decoded = decodeMessage(answered.headers ?? [], answered.body ?? Buffer.alloc(0))
    if (!('event' in decoded)) return undefined
    deps.onReply(place, decoded.event)
    if (to === undefined) return undefined
    const reply = to === 'origin' ? withTtlOf(decoded.event, event) : decoded.event
    const url = to === 'origin' ? deps.ownUrl() : to.url
    const passed = nextHop([...passedThrough(answered.headers ?? []), ...tracing(stored.headers)], random)
    const logged: LoggedEvent = {
      event: reply,
      headers: passed,
      replyOf: { at: place, origin: deps.origin, offset: stored.offset },
      via: isLooping ? (stored.via ?? []) : [...(stored.via ?? []), placeText(place)],
      ...(isLooping && { isLooping }),
    }
    const outgoing = outgoingOf(reply, [...passed, ['kn-namespace', place.namespace]], 'binary', false)
    const send = sendReply(to, account, logged)
    const outcome = await deliver(outgoing, policy, { clock, realClock, signal, onWaiting, send })
    record({ ...known, atMs: clock.now(), hop: 'replied', destination: url, reply: identityOf(reply), ...resultOf(outcome) })
    return outcome.ok ? undefined : { destination: url, outcome }
  }

  function sendReply(to: Target | 'origin', account: SenderAccount | undefined, logged: LoggedEvent): Send {
    if (to === 'origin') return () => busily(deps.ownIntake(logged, account))
    const intake = deps.intakeOf(to.url, to.caCerts)
    return intake ? () => busily(intake(logged, { account, audience: to.audience })) : sendTo(to, account)
  }

  /** What fails goes to the dead letter sink as it came, even when it was the reply that failed. */
  async function giveUp(failedAt: string, failed: Outcome, { isSilent = false, note }: Judged): Promise<void> {
    if (!deadLetterSink) return tell({ hop: 'dropped', why: `${resultText(failed, note)}, and there is no dead letter sink` })
    const letter = deadLetterFrom(event, { destination: failedAt, answer: failed, isSilent })
    const outgoing = outgoingOf(letter, headers, 'binary', false)
    const send = sendTo(deadLetterSink, current().account)
    const outcome = await deliver(outgoing, policy, { clock, realClock, signal, onWaiting, send })
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
  const what = 'none' in decoded ? 'a body that is no event' : `a malformed event: ${decoded.problem}`
  return { statusCode: 502, isSilent: true, note: `answered ${answer.statusCode} with ${what}` }
}

/** The places of the round when an event comes back to one where it has been; it is delivered all the same, until its TTL is used up. */
function cycleOf({ via = [] }: StoredEvent, place: HopPlace): readonly string[] | undefined {
  const name = placeText(place)
  const from = via.indexOf(name)
  return from === -1 ? undefined : [...via.slice(from), name]
}

/** Without a URL yet: that is looked up for each attempt. */
function outgoingOf(event: CloudEvent, headers: readonly HeaderPair[], format: 'json' | 'binary', wantsReply: boolean): Outgoing {
  const { headers: own, body } = format === 'json' ? encodeStructured(event) : encodeBinary(event)
  return { url: '', headers: [...own, ...headers, ...(wantsReply ? [['prefer', 'reply'] as const] : [])], body }
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

function resultOf({ statusCode, error }: Answer): { statusCode?: number; error?: string } {
  return { ...(statusCode !== undefined && { statusCode }), ...(error !== undefined && { error }) }
}

function resultText({ statusCode, error }: Answer, note?: string): string {
  return `${error ?? `the last answer was ${statusCode}`}${note === undefined ? '' : ` (${note})`}`
}
