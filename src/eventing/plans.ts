import type { DeliverySpec } from '../apimachinery/delivery-spec.js'
import type { KubeObject } from '../apimachinery/object.js'
import { isoDurationMs } from '../base/duration.js'
import type { CesqlFunctions } from '../cloudevents/cesql.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { triggerFilter } from '../cloudevents/filters.js'
import type { DeliveryPolicy } from '../delivery/backoff.js'
import type { HopPlace } from '../journal/hop.js'
import type { Broker } from '../kinds/broker/schema.js'
import type { InMemoryChannel } from '../kinds/inmemorychannel/schema.js'
import type { Trigger } from '../kinds/trigger/schema.js'
import type { Plan, Target } from './carry.js'
import type { EventFilter } from './fan-out.js'
import type { SenderAccount } from './oidc.js'

/** One Subscription, as it stands in a channel's spec; its dead letter sink is a URI. */
export type Subscriber = NonNullable<InMemoryChannel['spec']['subscribers']>[number]

/** Attributes by whose exact value Triggers are found; others have aliases or forms of their own. */
const INDEXED = ['type', 'source', 'subject']

/** The filter of a Trigger, with the one value that it cannot do without. `functions`: what its expressions know beside CESQL's own. */
export function filterOf({ spec }: Trigger, functions: CesqlFunctions): EventFilter & Pick<Plan, 'verdict'> {
  const filter = triggerFilter(spec, functions)
  // With entries in `filters`, `filter` is not looked at.
  const [exact, path] = spec.filters?.length ? [spec.filters[0]!.exact, 'filters[0].exact'] : [spec.filter?.attributes, 'filter.attributes']
  const attribute = INDEXED.find((name) => exact && Object.hasOwn(exact, name) && exact[name])
  const verdict = (event: CloudEvent): 'pass' | 'fail' | 'crash' => {
    if (filter.test(event) !== 'fail') return 'pass'
    return filter.explain(event).crash ? 'crash' : 'fail'
  }
  return {
    verdict,
    mismatch(event) {
      if (filter.test(event) !== 'fail') return undefined
      const { clause, expected = '', actual, reason, hint, crash } = filter.explain(event)
      // Knative's filter ends by such an event: that is a delivery that fails.
      return crash ? undefined : { clause, expected, actual, reason, ...(hint !== undefined && { hint }) }
    },
    required: attribute === undefined ? undefined : { attribute, value: exact![attribute]!, clause: `${path}.${attribute}` },
  }
}

/**
 * What a Trigger asks for. Its own delivery, even an empty one, takes the place of the Broker's as a whole; the dead letter sink
 * is the one that its status names.
 * @see knative/eventing v1.22 pkg/reconciler/broker/trigger/trigger.go
 */
export function triggerPlan(trigger: Trigger, broker: Broker, verdict: Plan['verdict']): Plan {
  const { spec, status = {} } = trigger
  return {
    place: placeOf('Trigger', trigger),
    subscriber: targetFrom(status.subscriberUri, status.subscriberCACerts, status.subscriberAudience),
    reply: 'origin',
    deadLetterSink: targetFrom(status.deadLetterSinkUri, status.deadLetterSinkCACerts, status.deadLetterSinkAudience),
    account: accountFrom(trigger.metadata.namespace, status.auth),
    policy: policyFrom(spec.delivery ?? broker.spec?.delivery),
    format: spec.delivery?.format === 'json' ? 'json' : 'binary',
    verdict,
  }
}

/** What a Subscription asks for, by its entry in the channel. */
export function subscriberPlan(channel: InMemoryChannel, subscriber: Subscriber): Plan {
  const { delivery } = subscriber
  const { deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience } = channel.status ?? {}
  const { uri, CACerts, audience } = delivery?.deadLetterSink ?? {}
  const { namespace = channel.metadata.namespace ?? '', name = subscriber.uid } = subscriber
  return {
    place: { kind: 'Subscription', namespace, name },
    subscriber: targetFrom(subscriber.subscriberUri, subscriber.subscriberCACerts, subscriber.subscriberAudience),
    reply: targetFrom(subscriber.replyUri, subscriber.replyCACerts, subscriber.replyAudience),
    deadLetterSink: targetFrom(uri, CACerts, audience) ?? targetFrom(deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience),
    account: accountFrom(namespace, subscriber.auth),
    policy: policyFrom(delivery),
    format: 'binary',
    verdict: () => 'pass',
  }
}

function policyFrom(delivery: DeliverySpec = {}): DeliveryPolicy {
  const { retry = 0, backoffPolicy, backoffDelay, timeout, retryAfterMax } = delivery
  const periods = {
    backoffDelayMs: backoffDelay === undefined ? undefined : isoDurationMs(backoffDelay),
    timeoutMs: timeout === undefined ? undefined : isoDurationMs(timeout),
    retryAfterMaxMs: retryAfterMax === undefined ? undefined : isoDurationMs(retryAfterMax),
  }
  const known = Object.fromEntries(Object.entries(periods).filter(([, ms]) => ms !== undefined)) as Partial<DeliveryPolicy>
  return { retry, ...(backoffPolicy && { backoffPolicy }), ...known }
}

export function placeOf(kind: HopPlace['kind'], { metadata }: KubeObject): HopPlace {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name }
}

export function targetFrom(url: string | undefined, caCerts: string | undefined, audience: string | undefined): Target | undefined {
  return url === undefined || url === '' ? undefined : { url, caCerts, audience }
}

/** Under which account something sends, by its status. */
export function accountFrom(namespace = '', auth: { serviceAccountName?: string } | undefined): SenderAccount | undefined {
  return auth?.serviceAccountName ? { namespace, name: auth.serviceAccountName } : undefined
}
