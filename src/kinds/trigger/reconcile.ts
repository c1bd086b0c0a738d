import { type Conditions, conditionsOf, isReady, readyCondition } from '../../apimachinery/conditions.js'
import type { Controller, Outcome, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { brokerKind } from '../broker/kind.js'
import type { Broker } from '../broker/schema.js'
import { BROKER_CLASS_ANNOTATION, EVENTING_CONTROLLER_USER, MT_CHANNEL_BROKER_CLASS } from '../eventing-labels.js'
import { NO_DEAD_LETTER_SINK, reconcileIdentity, resolveDeadLetterSink, wokenByConfig } from '../eventing-status.js'
import { BROKER_FILTER_TLS, wokenByCertificate } from '../eventing-tls.js'
import { setDeadLetterSink, setField } from '../messaging-status.js'
import { subscriptionKind } from '../subscription/kind.js'
import { checkDependency } from './dependency.js'
import { triggerKind } from './kind.js'
import { brokerOf, TRIGGER_REASONS as REASONS, TRIGGER_CONDITIONS, type Trigger } from './schema.js'
import { channelOf, ensureSubscription } from './subscription.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'resolveUri' | 'track'>
type Status = NonNullable<Trigger['status']>

/**
 * Says whether a Trigger can deliver, and subscribes it to its Broker's channel. Sends nothing itself: whoever delivers
 * (src/eventing) watches the Triggers.
 * @see knative/eventing v1.22 pkg/reconciler/broker/trigger/trigger.go
 */
export function createTriggerController(): Controller<Trigger> {
  return {
    kind: triggerKind,
    actsAs: EVENTING_CONTROLLER_USER,
    owns: [subscriptionKind],
    wokenBy: [{ kind: brokerKind, wakes: ofBroker }, wokenByConfig(), wokenByCertificate(BROKER_FILTER_TLS)],
    create: (deps) => (trigger) => reconcileTrigger(trigger, deps),
  }
}

const ofBroker: Wake['wakes'] = ({ metadata }, all) =>
  all
    .list()
    .filter((trigger) => {
      const broker = brokerOf(trigger as Trigger)
      return broker.name === metadata.name && broker.namespace === metadata.namespace
    })
    .map((trigger) => trigger.metadata)

async function reconcileTrigger(trigger: Trigger, deps: Deps): Promise<Outcome<Trigger>> {
  const ref = brokerOf(trigger)
  const broker = await deps.client.find(brokerKind, ref)
  if (broker && broker.metadata.annotations?.[BROKER_CLASS_ANNOTATION] !== MT_CHANNEL_BROKER_CLASS) return {}
  const conditions = conditionsOf(trigger, TRIGGER_CONDITIONS, deps.clock.now())
  const status: Status = { ...trigger.status }
  if (!broker) {
    // No throw and no timer: the Broker's creation wakes this Trigger.
    conditions.isFalse('BrokerReady', REASONS.noBroker, `Broker ${JSON.stringify(ref.name)} does not exist`)
    return { status: { ...status, conditions: conditions.list() } }
  }
  const problem = await bringUp(trigger, broker, status, conditions, deps)
  if (problem) deps.event(trigger, 'Warning', 'InternalError', problem)
  return { status: { ...status, conditions: conditions.list() } }
}

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function bringUp(trigger: Trigger, broker: Broker, status: Status, conditions: Conditions, deps: Deps): Promise<string | undefined> {
  const ready = readyCondition(broker)
  if (ready) conditions.follows('BrokerReady', ready)
  else conditions.isUnknown('BrokerReady', REASONS.brokerNotConfigured, 'Broker has not yet been reconciled.')
  // Once it is ready, that wakes this Trigger.
  if (!isReady(broker)) return undefined
  const channel = channelOf(broker)
  if (!channel) {
    const why = 'Broker.Status.Annotations nil or missing values'
    conditions.isFalse(
      'BrokerReady',
      REASONS.noBrokerChannel,
      `Failed to get broker ${JSON.stringify(broker.metadata.name)} annotations: ${why}`,
    )
    return `failed to find Broker's Trigger channel: ${why}`
  }

  const { address, problem } = await deps.resolveUri(trigger.spec.subscriber, trigger)
  setField(status, 'subscriberUri', address?.url)
  setField(status, 'subscriberCACerts', address?.CACerts)
  setField(status, 'subscriberAudience', address?.audience)
  if (!address) {
    conditions.isFalse('SubscriberResolved', REASONS.subscriberUnresolved, problem)
    return problem
  }
  conditions.isTrue('SubscriberResolved')

  const unresolved = await resolveSink(trigger, broker, status, conditions, deps)
  if (unresolved !== undefined) return unresolved
  const noIdentity = await reconcileIdentity(trigger, triggerKind, status, conditions, deps)
  if (noIdentity !== undefined) return noIdentity

  const subscribed = await ensureSubscription({ ...trigger, status }, broker, channel, conditions, deps)
  if (subscribed.problem !== undefined) return subscribed.problem
  const subscriptionReady = subscribed.subscription && readyCondition(subscribed.subscription)
  if (subscriptionReady) conditions.follows('SubscriptionReady', subscriptionReady)
  else conditions.isUnknown('SubscriptionReady', REASONS.subscriptionNotConfigured, 'Subscription has not yet been reconciled.')

  return checkDependency(trigger, conditions, deps)
}

/** The Trigger's own dead letter sink, else what the Broker has found out about its own. */
async function resolveSink(
  trigger: Trigger,
  broker: Broker,
  status: Status,
  conditions: Conditions,
  deps: Deps,
): Promise<string | undefined> {
  if (trigger.spec.delivery?.deadLetterSink)
    return resolveDeadLetterSink(trigger, trigger.spec.delivery, status, conditions, REASONS.deadLetterSinkUnresolved, deps)
  setDeadLetterSink(status, undefined)
  if (!broker.spec?.delivery?.deadLetterSink) {
    conditions.isTrue('DeadLetterSinkResolved', NO_DEAD_LETTER_SINK)
    return undefined
  }
  const { deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience } = broker.status ?? {}
  const { name } = broker.metadata
  if (!deadLetterSinkUri) {
    conditions.isFalse('DeadLetterSinkResolved', `Broker ${name} didn't set status.deadLetterSinkURI`, '')
    return `broker ${name} didn't set status.deadLetterSinkURI`
  }
  setDeadLetterSink(status, {
    url: deadLetterSinkUri,
    ...(deadLetterSinkCACerts && { CACerts: deadLetterSinkCACerts }),
    ...(deadLetterSinkAudience && { audience: deadLetterSinkAudience }),
  })
  conditions.isTrue('DeadLetterSinkResolved')
  return undefined
}
