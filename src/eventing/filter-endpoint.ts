import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { CesqlFunctions } from '../cloudevents/cesql.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { decodeMessage, encodeBinary, encodeStructured } from '../cloudevents/http.js'
import { isSuccess } from '../delivery/deliver.js'
import { type Answer, answerHeader, type Send } from '../delivery/send.js'
import type { Broker } from '../kinds/broker/schema.js'
import type { Subscription } from '../kinds/subscription/schema.js'
import { brokerOf, type Trigger } from '../kinds/trigger/schema.js'
import type { Target } from './carry.js'
import type { HeaderPair } from './event-record.js'
import { nextHop, passedThrough } from './headers.js'
import { answer, bodyOf, headerOf, type InsideAnswer, type InsideHandler, type InsideRequest, isProbe } from './inside.js'
import { authenticated, bearerOf, type Oidc, subjectText } from './oidc.js'
import { accountFrom, filterOf, targetFrom } from './plans.js'
import { ttlOf, withoutTtl, withTtlOf } from './ttl.js'

const ALLOW: [string, string] = ['allow', 'POST']
const plain = (status: number): InsideAnswer => ({ status, headers: [ALLOW] })

/** For whom tokens are made that are shown to the filter. @see knative/eventing v1.22 pkg/broker/filter/filter_handler.go, FilterAudience */
const FILTER_AUDIENCE = 'mt-broker-filter'

export type SubscriptionOf = (trigger: Trigger) => Subscription | undefined

export interface FilterEndpointDeps {
  triggers: Pick<Informer<Trigger>, 'get'>
  brokers: Pick<Informer<Broker>, 'get'>
  subscriptionOf: SubscriptionOf
  oidc: Oidc
  /** What expressions of Triggers know beside CESQL's own. */
  functions: CesqlFunctions
  send: Send
  realClock: Clock
  random: Random
}

/**
 * `POST /triggers/namespace/name/uid`, where on a cluster a broker's channel sends to: filters, sends the event once to the Trigger's
 * subscriber and answers with what that says. With OIDC, `…/reply` and `…/dls` lead to the Broker and to the dead letter sink, in the
 * name of the Trigger. Broker traffic does not pass here; who follows a Subscription's URI does.
 * @see knative/eventing v1.22 pkg/broker/filter/filter_handler.go
 */
export function createFilterEndpoint(deps: FilterEndpointDeps): InsideHandler {
  const { oidc } = deps
  const judge = async (request: InsideRequest): Promise<InsideAnswer> => {
    if (isProbe(request)) return { status: 200 }
    if (request.method !== 'POST') return plain(405)
    const [empty, prefix, namespace = '', name = '', uid, suffix, ...rest] = request.path.replace(/\/$/, '').split('/')
    const isKnownPath = suffix === undefined || suffix === 'reply' || suffix === 'dls'
    if (empty !== '' || prefix !== 'triggers' || uid === undefined || !isKnownPath || rest.length > 0) return plain(400)
    const trigger = deps.triggers.get({ namespace, name })
    if (!trigger) return plain(404)
    if (trigger.metadata.uid !== uid) return plain(400)
    const body = await bodyOf(request, deps.realClock)
    if (!(body instanceof Buffer)) return plain(400)
    const flat = request.headers.flat()
    const decoded = decodeMessage(flat, body)
    if (!('event' in decoded)) return plain(400)
    const refusal = oidc.isEnabled() ? refusalOf(request, trigger) : undefined
    if (refusal !== undefined) return plain(refusal)
    const passed = passedThrough(flat)
    if (suffix === undefined) return dispatch(trigger, decoded, passed)
    const broker = deps.brokers.get(brokerOf(trigger))
    if (!broker) return plain(404)
    const target = suffix === 'reply' ? addressOf(broker) : deadLetterSinkOf(trigger, broker)
    // Upstream's filter answers nothing then, which is 200.
    if (!target) return plain(suffix === 'reply' ? 500 : 200)
    return answerFor(target, await sendTo(target, trigger, encodeBinary(decoded.event), passed), undefined)
  }

  /** Nobody but the Trigger's own Subscription may send here. */
  const refusalOf = (request: InsideRequest, trigger: Trigger): number | undefined => {
    const subscription = deps.subscriptionOf(trigger)
    if (!subscription) return 404
    const account = accountFrom(subscription.metadata.namespace, subscription.status?.auth)
    if (!account) return 500
    const sender = authenticated(bearerOf(headerOf(request, 'authorization')), FILTER_AUDIENCE, oidc)
    if (sender.status !== undefined) return sender.status
    return sender.subject === subjectText(account) ? undefined : 403
  }

  const sendTo = async (
    target: Target,
    trigger: Trigger,
    message: { headers: readonly HeaderPair[]; body: Buffer },
    passed: readonly HeaderPair[],
  ): Promise<Answer> => {
    const account = accountFrom(trigger.metadata.namespace, trigger.status?.auth)
    let token: string | undefined
    try {
      token = target.audience && account ? await oidc.tokenFor(account, target.audience) : undefined
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
    const headers: HeaderPair[] = [
      ...message.headers,
      ...nextHop(passed, deps.random),
      ['kn-namespace', trigger.metadata.namespace ?? ''],
      ['prefer', 'reply'],
      ...(token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]),
    ]
    return deps.send({ url: target.url, headers, body: message.body, caCerts: target.caCerts })
  }

  const dispatch = async (
    trigger: Trigger,
    { event, mode }: Extract<ReturnType<typeof decodeMessage>, { mode: unknown }>,
    passed: readonly HeaderPair[],
  ): Promise<InsideAnswer> => {
    if (ttlOf(event) === undefined) return plain(400)
    const { subscriberUri, subscriberCACerts, subscriberAudience } = trigger.status ?? {}
    const target = targetFrom(subscriberUri, subscriberCACerts, subscriberAudience)
    if (!target) return plain(404)
    if (filterOf(trigger, deps.functions).mismatch(event)) return plain(200)
    const format = trigger.spec.delivery?.format ?? (mode === 'structured' ? 'json' : 'binary')
    const encoded = format === 'json' ? encodeStructured(withoutTtl(event)) : encodeBinary(withoutTtl(event))
    return answerFor(target, await sendTo(target, trigger, encoded, passed), event)
  }

  return (request) =>
    void judge(request).then(
      (judged) => answer(request, judged),
      () => request.abort(),
    )
}

/** What the filter answers when a destination has answered. A reply gets the TTL of `answered`, where that is given. */
function answerFor(target: Target, got: Answer, answered: CloudEvent | undefined): InsideAnswer {
  const body = got.body ?? Buffer.alloc(0)
  if (!isSuccess(got)) {
    const text = got.error === undefined ? body : Buffer.from(`dispatch error: ${got.error}`)
    const problem = { errdestination: target.url, errresponsebody: text.toString('base64') }
    const retryAfter = answerHeader(got, 'retry-after')
    const kept: [string, string][] = retryAfter === undefined ? [] : [['retry-after', retryAfter]]
    return {
      status: got.statusCode ?? 500,
      headers: [ALLOW, ['content-type', 'application/json'], ...kept],
      body: Buffer.from(JSON.stringify(problem)),
    }
  }
  const reply = decodeMessage(got.headers ?? [], body)
  if (!('event' in reply)) return plain('none' in reply && body.length === 0 ? got.statusCode! : 502)
  const message = encodeBinary(answered ? withTtlOf(reply.event, answered) : reply.event)
  const headers = passedThrough(got.headers ?? []).map(([name, value]): [string, string] => [name, value])
  return { status: got.statusCode!, headers: [ALLOW, ...message.headers, ...headers], body: message.body }
}

function addressOf({ status }: Broker): Target | undefined {
  const { url, CACerts, audience } = status?.address ?? {}
  return targetFrom(url, CACerts, audience)
}

function deadLetterSinkOf(trigger: Trigger, broker: Broker): Target | undefined {
  const { deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience } = trigger.status?.deadLetterSinkUri
    ? trigger.status
    : (broker.status ?? {})
  return targetFrom(deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience)
}
