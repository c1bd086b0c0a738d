import type { Conditions } from '../../apimachinery/conditions.js'
import type { Destination } from '../../apimachinery/destination.js'
import { groupVersion } from '../../apimachinery/kind.js'
import { controllerReference, type Draft, isControlledBy } from '../../apimachinery/object.js'
import { isAlreadyExists, StatusError } from '../../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../../controller/reconcile.js'
import { brokerKind } from '../broker/kind.js'
import type { Broker } from '../broker/schema.js'
import { isDerivative } from '../deep-derivative.js'
import { isEnabled, transportEncryption } from '../eventing-config.js'
import {
  BROKER_FILTER_NAME,
  BROKER_LABEL,
  CHANNEL_API_VERSION_ANNOTATION,
  CHANNEL_KIND_ANNOTATION,
  CHANNEL_NAME_ANNOTATION,
  EVENTING_NAMESPACE,
  TRIGGER_LABEL,
} from '../eventing-labels.js'
import { authorityOf, BROKER_FILTER_TLS } from '../eventing-tls.js'
import { childName, serviceHost } from '../serving-names.js'
import { subscriptionKind } from '../subscription/kind.js'
import type { Subscription } from '../subscription/schema.js'
import { brokerOf, TRIGGER_REASONS as REASONS, type Trigger } from './schema.js'

/** The Subscription of a Trigger to its Broker's channel. */

type Deps = Pick<ReconcilerDeps, 'client' | 'configMap' | 'event' | 'informer'>
type Spec = Subscription['spec']

const FILTER_AUDIENCE = 'mt-broker-filter'

/** @see knative/eventing v1.22 pkg/reconciler/broker/resources/subscription.go */
export function subscriptionName(trigger: Trigger): string {
  return childName(`${brokerOf(trigger).name}-${trigger.metadata.name}-`, trigger.metadata.uid ?? '')
}

/** Where the filter is, and whom to trust there. */
interface FilterAt {
  origin: string
  CACerts?: string
}

/** The filter as transport-encryption has it now; `problem` where its certificate is not there. */
function filterAt(deps: Pick<Deps, 'configMap' | 'informer'>): FilterAt | { problem: string } {
  const host = serviceHost(BROKER_FILTER_NAME, EVENTING_NAMESPACE)
  if (transportEncryption(deps.configMap) === 'disabled') return { origin: `http://${host}` }
  const authority = authorityOf(BROKER_FILTER_TLS, deps)
  if (authority.problem !== undefined) return { problem: `failed to get CA certs: ${authority.problem}` }
  return { origin: `https://${host}`, ...(authority.CACerts && { CACerts: authority.CACerts }) }
}

/**
 * Where the filter takes a Trigger's events, or, by the suffix, its replies and dead letters. The UID keeps what was meant for a
 * predecessor from its successor of the same name.
 */
function filterDestination({ metadata }: Trigger, { origin, CACerts }: FilterAt, suffix = ''): Destination {
  return {
    uri: `${origin}/triggers/${metadata.namespace}/${metadata.name}/${metadata.uid}${suffix}`,
    ...(CACerts && { CACerts }),
  }
}

/** The Broker's channel as its status names it; undefined where it does not. */
export function channelOf({ status }: Broker): { apiVersion: string; kind: string; name: string } | undefined {
  const {
    [CHANNEL_API_VERSION_ANNOTATION]: apiVersion,
    [CHANNEL_KIND_ANNOTATION]: kind,
    [CHANNEL_NAME_ANNOTATION]: name,
  } = status?.annotations ?? {}
  return apiVersion && kind && name ? { apiVersion, kind, name } : undefined
}

/**
 * The Subscription as it is now, made, or made anew where its spec is no longer what it should be (its channel never changes);
 * sets condition SubscriptionReady where there is none, and returns undefined. `problem` ends the Trigger's reconcile.
 */
export async function ensureSubscription(
  trigger: Trigger,
  broker: Broker,
  channel: { apiVersion: string; kind: string; name: string },
  conditions: Conditions,
  deps: Deps,
): Promise<{ subscription?: Subscription; problem?: string }> {
  const { client, event } = deps
  const filter = filterAt(deps)
  if ('problem' in filter) {
    conditions.isFalse('SubscriptionReady', REASONS.notSubscribed, filter.problem)
    return { problem: filter.problem }
  }
  const wanted = subscriptionFor(trigger, broker, channel, filter, deps)
  const ref = { namespace: trigger.metadata.namespace, name: wanted.metadata.name! }
  const notSubscribed = (problem: string, reason: string = REASONS.notSubscribed): { problem: string } => {
    conditions.isFalse('SubscriptionReady', reason, problem)
    return { problem }
  }
  const present = await client.find(subscriptionKind, ref)
  if (present?.metadata.deletionTimestamp) {
    // It tells its channel first; when it is gone, that wakes the Trigger.
    return {}
  }
  if (present && !isControlledBy(present, trigger)) {
    const problem = `trigger ${JSON.stringify(trigger.metadata.name)} does not own subscription ${JSON.stringify(ref.name)}`
    return notSubscribed(problem, REASONS.subscriptionNotOwned)
  }
  if (present && isDerivative(wanted.spec, present.spec)) return { subscription: present }
  if (present) {
    const refused = await refusalOf(client.delete(subscriptionKind, ref))
    if (refused) {
      event(trigger, 'Warning', REASONS.subscriptionDeleteFailed, `Delete Trigger's subscription failed: ${refused}`)
      return notSubscribed(refused)
    }
    if (await client.find(subscriptionKind, ref)) return {}
  }
  let made: Subscription | undefined
  const refused = await refusalOf(
    client.create(subscriptionKind, wanted).then((created) => {
      made = created
    }),
  )
  if (!refused) return made ? { subscription: made } : {}
  if (present) event(trigger, 'Warning', REASONS.subscriptionCreateFailed, `Create Trigger's subscription failed: ${refused}`)
  return notSubscribed(refused)
}

/** What the API says against a write, in its words. Throws what another try may cure. */
async function refusalOf(write: Promise<unknown>): Promise<string | undefined> {
  try {
    await write
    return undefined
  } catch (error) {
    if (!(error instanceof StatusError) || error.code >= 500 || isAlreadyExists(error)) throw error
    return error.message
  }
}

function subscriptionFor(
  trigger: Trigger,
  broker: Broker,
  channel: { apiVersion: string; kind: string; name: string },
  filter: FilterAt,
  { configMap }: Pick<Deps, 'configMap'>,
): Draft<Subscription> {
  const { namespace, name } = trigger.metadata
  const isFar = broker.metadata.namespace !== namespace
  return {
    metadata: {
      name: subscriptionName(trigger),
      ...(namespace && { namespace }),
      labels: { [BROKER_LABEL]: broker.metadata.name, [TRIGGER_LABEL]: name },
      ownerReferences: [controllerReference(trigger)],
    },
    spec: {
      channel: { ...channel, ...(isFar && broker.metadata.namespace && { namespace: broker.metadata.namespace }) },
      ...(isEnabled(configMap, 'authentication-oidc') ? throughFilter(trigger, broker, filter) : straight(trigger, broker, filter)),
    },
  }
}

/** The delivery of the Trigger, else that of the Broker: always one of them as a whole. */
function deliveryOf(trigger: Trigger, broker: Broker): Spec['delivery'] {
  return trigger.spec.delivery ?? broker.spec?.delivery
}

function straight(trigger: Trigger, broker: Broker, filter: FilterAt): Pick<Spec, 'subscriber' | 'reply' | 'delivery'> {
  const { namespace, name } = broker.metadata
  const delivery = deliveryOf(trigger, broker)
  return {
    subscriber: filterDestination(trigger, filter),
    reply: { ref: { apiVersion: groupVersion(brokerKind), kind: brokerKind.kind, name, ...(namespace && { namespace }) } },
    ...(delivery && { delivery }),
  }
}

/** Replies and dead letters need the Trigger's identity too, which the filter alone has. */
function throughFilter(trigger: Trigger, broker: Broker, filter: FilterAt): Pick<Spec, 'subscriber' | 'reply' | 'delivery'> {
  const through = (suffix?: string): Destination => ({ ...filterDestination(trigger, filter, suffix), audience: FILTER_AUDIENCE })
  const delivery = deliveryOf(trigger, broker)
  const hasDeadLetterSink = trigger.status?.deadLetterSinkUri || delivery?.deadLetterSink
  const deadLetterSink = through('/dls')
  return {
    subscriber: through(),
    reply: through('/reply'),
    ...(delivery && { delivery: hasDeadLetterSink ? { ...delivery, deadLetterSink } : delivery }),
  }
}
