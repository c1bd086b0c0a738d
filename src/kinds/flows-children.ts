import { type Condition, readyCondition } from '../apimachinery/conditions.js'
import { defaultDelivery } from '../apimachinery/delivery-spec.js'
import { type Addressable, defaultDestination } from '../apimachinery/destination.js'
import { groupVersion, type Kind } from '../apimachinery/kind.js'
import { controllerReference, type Draft, isControlledBy, type KubeObject } from '../apimachinery/object.js'
import { isAlreadyExists, isNotFound, StatusError } from '../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../controller/reconcile.js'
import { type ChannelStatusEntry, FLOW_REASONS, type SubscriptionStatusEntry } from './flows-schema.js'
import type { Channelable } from './messaging-schema.js'
import { semanticEqual } from './semantic-equal.js'
import { subscriptionKind } from './subscription/kind.js'
import type { Subscription } from './subscription/schema.js'

/** The Subscriptions and channels that a Sequence or a Parallel is made of. */

type Deps = Pick<ReconcilerDeps, 'client' | 'informer'>

export type EnsuredSubscription = { subscription: Subscription; problem?: undefined } | { problem: string }

/**
 * A Subscription as wanted. Its channel cannot be changed, so one on another channel is deleted first; that wakes the owner,
 * which then makes the new one. Throws what another try may cure; what the API refuses is a problem.
 */
export async function ensureSubscription(
  owner: KubeObject,
  name: string,
  given: Subscription['spec'],
  { client, informer }: Deps,
): Promise<EnsuredSubscription> {
  const { namespace } = owner.metadata
  const spec = defaulted(given, namespace)
  const ref = { namespace, name }
  try {
    const existing = informer(subscriptionKind).get(ref)
    if (!existing) {
      const metadata = { name, ...(namespace && { namespace }), ownerReferences: [controllerReference(owner)] }
      return { subscription: await client.create(subscriptionKind, { metadata, spec } satisfies Draft<Subscription>) }
    }
    if (semanticEqual(existing.spec, spec)) return { subscription: existing }
    if (!existing.metadata.deletionTimestamp && semanticEqual(existing.spec.channel, spec.channel)) {
      return { subscription: await client.update(subscriptionKind, { ...existing, spec }) }
    }
    if (!existing.metadata.deletionTimestamp) await client.delete(subscriptionKind, ref)
    return { problem: `subscriptions.messaging.knative.dev ${JSON.stringify(name)} is being deleted` }
  } catch (error) {
    // The cache is behind: what it missed wakes the owner.
    if (isAlreadyExists(error) || isNotFound(error)) return { problem: (error as StatusError).message }
    if (error instanceof StatusError && error.code < 500 && error.code !== 409) {
      return { problem: error.message }
    }
    throw error
  }
}

/** As the webhook stores it, so that what is stored can be compared with it. */
function defaulted(spec: Subscription['spec'], namespace: string | undefined): Subscription['spec'] {
  const copy = structuredClone(spec)
  defaultDestination(copy.subscriber, namespace)
  defaultDestination(copy.reply, namespace)
  defaultDelivery(copy.delivery, namespace)
  return copy
}

/** Deletes the objects of a kind that `owner` controls and that are not among `names`: those of steps that are no more. */
export async function removeOthers(owner: KubeObject, kind: Kind, names: ReadonlySet<string>, { client, informer }: Deps): Promise<void> {
  for (const object of informer(kind).list(owner.metadata.namespace)) {
    const { deletionTimestamp, name } = object.metadata
    if (deletionTimestamp || names.has(name) || !isControlledBy(object, owner)) continue
    await client.delete(kind, object.metadata).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}

/** A channel counts as ready once it has an address, whatever its conditions say. */
export function channelEntry(channel: Channelable, kind: Kind): ChannelStatusEntry {
  const { namespace, name } = channel.metadata
  const isAddressable = addressOf(channel) !== undefined
  return {
    channel: { kind: kind.kind, ...(namespace && { namespace }), name, apiVersion: groupVersion(kind) },
    ready: isAddressable
      ? { type: 'Ready', status: 'True' }
      : { type: 'Ready', status: 'False', reason: FLOW_REASONS.notAddressable, message: 'Channel is not addressable' },
  }
}

export function addressOf({ status }: Channelable): Addressable | undefined {
  return status?.address?.url ? status.address : undefined
}

/** Of a Subscription that nobody has looked at yet, the condition is blank, as Go writes one. */
export function subscriptionEntry(subscription: Subscription): SubscriptionStatusEntry {
  const { namespace, name } = subscription.metadata
  return {
    subscription: { kind: subscriptionKind.kind, ...(namespace && { namespace }), name, apiVersion: groupVersion(subscriptionKind) },
    ready: readyCondition(subscription) ?? ({ type: '', status: '' } as unknown as Condition),
  }
}

export function areReady(entries: readonly { ready: Condition }[]): boolean {
  return entries.length > 0 && entries.every(({ ready }) => ready.status === 'True')
}
