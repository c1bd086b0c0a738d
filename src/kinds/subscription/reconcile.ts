import { type Conditions, conditionsOf, isReady } from '../../apimachinery/conditions.js'
import type { Addressable, Destination, KReference } from '../../apimachinery/destination.js'
import type { Kind } from '../../apimachinery/kind.js'
import { isConflict, isNotFound, refusals, StatusError } from '../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import type { Resolution } from '../../controller/resolve-uri.js'
import { channelKind } from '../channel/kind.js'
import type { Channel } from '../channel/schema.js'
import { EVENTING_CONTROLLER_USER } from '../eventing-labels.js'
import { reconcileIdentity, wokenByConfig } from '../eventing-status.js'
import { NO_SUCH_KIND } from '../messaging-channels.js'
import type { Channelable, Subscriber } from '../messaging-schema.js'
import { setDeadLetterSink, setField } from '../messaging-status.js'
import { semanticEqual } from '../semantic-equal.js'
import { subscriptionKind } from './kind.js'
import {
  type PhysicalSubscription,
  SUBSCRIPTION_REASONS as REASONS,
  SUBSCRIPTION_CONDITIONS,
  SUBSCRIPTION_FINALIZER,
  type Subscription,
} from './schema.js'
import { subscriberFor, withoutSubscriber, withSubscriber } from './subscribers.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'resolveUri' | 'track'>
type Status = NonNullable<Subscription['status']>
/** The channel that carries the events: never a Channel, but what that has made. */
type FoundChannel = { channel: Channelable; kind: Kind<Channelable>; problem?: undefined } | { problem: string; isMissing: boolean }

/**
 * Finds out where the events of a channel are to go, and writes it into that channel's spec.
 * @see knative/eventing v1.22 pkg/reconciler/subscription/subscription.go
 */
export function createSubscriptionController(): Controller<Subscription> {
  return {
    kind: subscriptionKind,
    actsAs: EVENTING_CONTROLLER_USER,
    wokenBy: [wokenByConfig()],
    create: (deps) => (subscription) =>
      subscription.metadata.deletionTimestamp ? finalize(subscription, deps) : reconcileSubscription(subscription, deps),
  }
}

async function reconcileSubscription(subscription: Subscription, deps: Deps): Promise<Outcome<Subscription>> {
  const { finalizers = [], name } = subscription.metadata
  if (!finalizers.includes(SUBSCRIPTION_FINALIZER)) {
    await setFinalizers(subscription, [...finalizers, SUBSCRIPTION_FINALIZER], deps)
    deps.event(subscription, 'Normal', 'FinalizerUpdate', `Updated ${JSON.stringify(name)} finalizers`)
    // The write wakes this Subscription again, at its new version.
    return {}
  }
  const conditions = conditionsOf(subscription, SUBSCRIPTION_CONDITIONS, deps.clock.now())
  const status: Status = { ...subscription.status }
  await settle(subscription, status, conditions, deps)
  return { status: { ...status, conditions: conditions.list() } }
}

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function settle(subscription: Subscription, status: Status, conditions: Conditions, deps: Deps): Promise<void> {
  if ((await reconcileIdentity(subscription, subscriptionKind, status, conditions, deps)) !== undefined) return
  const found = await channelOf(subscription, deps)
  if (found.problem !== undefined) {
    const message = `Failed to get Spec.Channel or backing channel: ${found.problem}`
    conditions.isUnknown('ReferencesResolved', REASONS.channelReferenceFailed, message)
    deps.event(subscription, 'Warning', REASONS.channelReferenceFailed, message)
    return
  }
  if (!(await resolve(subscription, found.channel, status, conditions, deps))) return

  const added = await addToChannel(subscription, status, found, conditions, deps)
  // A channel that was just written to answers, and that wakes this Subscription again.
  if (added === 'already') followChannel(subscription, found.channel, conditions, deps)
}

/** Makes sure that the channel's spec says what this Subscription wants. */
async function addToChannel(
  subscription: Subscription,
  status: Status,
  found: { channel: Channelable; kind: Kind<Channelable> },
  conditions: Conditions,
  deps: Deps,
): Promise<'already' | 'written' | 'refused'> {
  const wanted = subscriberFor(subscription, status, found.channel)
  const present = found.channel.spec?.subscribers?.find(({ uid }) => uid === wanted.uid)
  const channelName = JSON.stringify(found.channel.metadata.name)
  try {
    const isWritten =
      !semanticEqual(present, wanted) && (await patchSubscribers(found, (subscribers) => withSubscriber(subscribers, wanted), deps))
    conditions.isTrue('AddedToChannel')
    if (!isWritten) return 'already'
    deps.event(subscription, 'Normal', 'SubscriberSync', `Subscription was synchronized to channel ${channelName}`)
    return 'written'
  } catch (error) {
    if (!(error instanceof StatusError) || isConflict(error) || error.code >= 500) throw error
    const reason = REASONS.physicalChannelSyncFailed
    conditions.isFalse('AddedToChannel', reason, `Failed to sync physical Channel: ${error.message}`)
    deps.event(subscription, 'Warning', reason, `Failed to synchronize to channel ${channelName}: ${error.message}`)
    return 'refused'
  }
}

/** What the channel says about this Subscription at its present generation. */
function followChannel(subscription: Subscription, channel: Channelable, conditions: Conditions, { event }: Deps): void {
  const { uid, generation, name } = subscription.metadata
  const told = channel.status?.subscribers?.find((entry) => entry.uid === uid && entry.observedGeneration === generation)
  if (!told) {
    const problem = `subscription ${JSON.stringify(name)} not present in channel ${JSON.stringify(channel.metadata.name)} subscriber's list`
    conditions.isUnknown('ChannelReady', REASONS.notMarkedReadyByChannel, `Failed to get subscription status: ${problem}`)
    event(subscription, 'Warning', REASONS.notMarkedReadyByChannel, problem)
  } else if (told.ready === 'True') conditions.isTrue('ChannelReady')
  else if (told.ready === 'False') {
    conditions.isFalse('ChannelReady', REASONS.notMarkedReadyByChannel, 'Subscription marked by Channel as False')
  } else conditions.isUnknown('ChannelReady', REASONS.notMarkedReadyByChannel, 'Subscription marked by Channel as Unknown')
}

/** The channel that a Subscription names, or the one that carries the events of the Channel it names. */
async function channelOf(subscription: Subscription, { track }: Deps): Promise<FoundChannel> {
  const by = subscription.metadata
  const { namespace } = by
  const find = async ({ apiVersion = '', kind, name, ...reference }: KReference): Promise<FoundChannel> => {
    const tracked = await track({ apiVersion, kind, namespace: reference.namespace || namespace, name }, by)
    if (!tracked.kind) return { problem: NO_SUCH_KIND, isMissing: true }
    if (!tracked.object) return { problem: refusals.notFound(tracked.kind, name).message, isMissing: true }
    return { channel: tracked.object as Channelable, kind: tracked.kind as Kind<Channelable> }
  }
  const named = await find(subscription.spec.channel)
  if (named.problem !== undefined || named.kind.group !== channelKind.group || named.kind.kind !== channelKind.kind) return named
  const { status, ...channel } = named.channel as Channel
  if (!isReady({ ...channel, ...(status && { status }) }) || !status?.channel) return { problem: 'channel is not ready.', isMissing: false }
  return find(status.channel)
}

/** Brings physicalSubscription up to date. Returns whether everything could be resolved. */
async function resolve(
  subscription: Subscription,
  channel: Channelable,
  status: Status,
  conditions: Conditions,
  deps: Deps,
): Promise<boolean> {
  const { subscriber, reply, delivery } = subscription.spec
  const physical: PhysicalSubscription = { ...status.physicalSubscription }
  status.physicalSubscription = physical
  conditions.isUnknown('ReferencesResolved', REASONS.resolving, 'Subscription resolution interrupted.')

  const failed = (reason: string, field: string, problem: string): false => {
    const message = `Failed to resolve ${field}: ${problem}`
    conditions.isFalse('ReferencesResolved', reason, message)
    deps.event(subscription, 'Warning', reason, message)
    return false
  }
  const toSubscriber = await resolveOwn(subscriber, subscription, deps)
  if (toSubscriber?.problem !== undefined) return failed(REASONS.subscriberResolveFailed, 'spec.subscriber', toSubscriber.problem)
  setField(physical, 'subscriberUri', toSubscriber?.address.url)
  setField(physical, 'subscriberCACerts', toSubscriber?.address.CACerts)
  setField(physical, 'subscriberAudience', toSubscriber?.address.audience)

  const toReply = await resolveOwn(reply, subscription, deps)
  if (toReply?.problem !== undefined) return failed(REASONS.replyResolveFailed, 'spec.reply', toReply.problem)
  setField(physical, 'replyUri', toReply?.address.url)
  setField(physical, 'replyCACerts', toReply?.address.CACerts)
  setField(physical, 'replyAudience', toReply?.address.audience)

  const toDeadLetters = await resolveOwn(delivery?.deadLetterSink, subscription, deps)
  if (toDeadLetters?.problem !== undefined) {
    return failed(REASONS.deadLetterSinkResolveFailed, 'spec.delivery.deadLetterSink', toDeadLetters.problem)
  }
  setDeadLetterSink(physical, toDeadLetters?.address ?? deadLetterSinkOf(channel))
  conditions.isTrue('ReferencesResolved')
  return true
}

/** References of a Subscription lead to objects of its own namespace, whatever they say. Undefined for a destination that says nothing. */
async function resolveOwn(destination: Destination | undefined, subscription: Subscription, deps: Deps): Promise<Resolution | undefined> {
  if (!destination || semanticEqual(destination, {})) return undefined
  const { namespace } = subscription.metadata
  const own = destination.ref && namespace ? { ...destination, ref: { ...destination.ref, namespace } } : destination
  return deps.resolveUri(own, subscription)
}

/** That of the channel serves Subscriptions without one of their own, even those that bring a delivery. */
function deadLetterSinkOf({ status }: Channelable): Addressable | undefined {
  if (!status?.deadLetterSinkUri) return undefined
  const { deadLetterSinkUri: url, deadLetterSinkCACerts: CACerts, deadLetterSinkAudience: audience } = status
  return { url, ...(CACerts && { CACerts }), ...(audience && { audience }) }
}

/** Changes the list in the channel as it is stored now; others change it at the same time. Returns whether there was anything to change. */
async function patchSubscribers(
  { channel, kind }: { channel: Channelable; kind: Kind<Channelable> },
  change: (subscribers: readonly Subscriber[]) => readonly Subscriber[],
  { client }: Deps,
): Promise<boolean> {
  const newest = await client.get(kind, channel.metadata)
  const subscribers = change(newest.spec?.subscribers ?? [])
  if (semanticEqual(subscribers, newest.spec?.subscribers)) return false
  const body = {
    metadata: { resourceVersion: newest.metadata.resourceVersion },
    spec: { subscribers: subscribers.length > 0 ? subscribers : null },
  }
  await client.patch(kind, channel.metadata, { type: 'application/merge-patch+json', body })
  return true
}

async function finalize(subscription: Subscription, deps: Deps): Promise<Outcome<Subscription>> {
  const found = await channelOf(subscription, deps)
  const isAdded = subscription.status?.conditions?.some(({ type, status }) => type === 'AddedToChannel' && status === 'True')
  if (found.problem !== undefined && !found.isMissing) {
    deps.event(subscription, 'Warning', 'InternalError', found.problem)
    return {}
  }
  if (found.problem === undefined && isAdded) {
    const { uid = '' } = subscription.metadata
    const channelName = JSON.stringify(found.channel.metadata.name)
    try {
      if (await patchSubscribers(found, (subscribers) => withoutSubscriber(subscribers, uid), deps))
        deps.event(subscription, 'Normal', 'SubscriberRemoved', `Subscription was removed from channel ${channelName}`)
    } catch (error) {
      // Gone since the cache was filled: so is the entry.
      if (!isNotFound(error)) throw error
    }
  }
  const rest = (subscription.metadata.finalizers ?? []).filter((finalizer) => finalizer !== SUBSCRIPTION_FINALIZER)
  await setFinalizers(subscription, rest, deps)
  return {}
}

/** With the version that was read: someone else's finalizer is never overwritten. */
async function setFinalizers({ metadata }: Subscription, finalizers: string[], { client }: Deps): Promise<void> {
  const body = { metadata: { finalizers, resourceVersion: metadata.resourceVersion } }
  await client.patch(subscriptionKind, metadata, { type: 'application/merge-patch+json', body })
}
