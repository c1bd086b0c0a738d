import type { DeliverySpec } from '../../apimachinery/delivery-spec.js'
import type { Channelable, Subscriber } from '../messaging-schema.js'
import type { Subscription } from './schema.js'

/**
 * The entry of a Subscription in the spec of its channel. `status` is the Subscription's as it has just been resolved.
 * @see knative/eventing v1.22 pkg/reconciler/subscription/subscription.go, updateChannelAddSubscription
 */
export function subscriberFor(
  { metadata, spec }: Subscription,
  { physicalSubscription = {}, auth }: NonNullable<Subscription['status']>,
  channel: Channelable,
): Subscriber {
  const { subscriberUri, subscriberCACerts, subscriberAudience, replyUri, replyCACerts, replyAudience } = physicalSubscription
  const delivery = deliveryFor(spec.delivery ?? channel.spec?.delivery, physicalSubscription)
  return {
    uid: metadata.uid!,
    ...(metadata.generation !== undefined && { generation: metadata.generation }),
    name: metadata.name,
    ...(subscriberUri && { subscriberUri }),
    ...(subscriberCACerts && { subscriberCACerts }),
    ...(subscriberAudience && { subscriberAudience }),
    ...(replyUri && { replyUri }),
    ...(replyCACerts && { replyCACerts }),
    ...(replyAudience && { replyAudience }),
    ...(delivery && { delivery }),
    ...(auth && { auth }),
  }
}

/** All of it from one place, but for the dead letter sink, which has been resolved; `format` is for Triggers alone. */
function deliveryFor(
  given: DeliverySpec | undefined,
  {
    deadLetterSinkUri,
    deadLetterSinkCACerts,
    deadLetterSinkAudience,
  }: NonNullable<NonNullable<Subscription['status']>['physicalSubscription']>,
): DeliverySpec | undefined {
  const { retry, backoffPolicy, backoffDelay, timeout, retryAfterMax } = given ?? {}
  const delivery: DeliverySpec = {
    ...(deadLetterSinkUri && {
      deadLetterSink: {
        uri: deadLetterSinkUri,
        ...(deadLetterSinkCACerts && { CACerts: deadLetterSinkCACerts }),
        ...(deadLetterSinkAudience && { audience: deadLetterSinkAudience }),
      },
    }),
    ...(retry !== undefined && { retry }),
    ...(backoffPolicy !== undefined && { backoffPolicy }),
    ...(backoffDelay !== undefined && { backoffDelay }),
    ...(timeout !== undefined && { timeout }),
    ...(retryAfterMax !== undefined && { retryAfterMax }),
  }
  return Object.keys(delivery).length > 0 ? delivery : undefined
}

/** The list with `subscriber` in it, in the place where it was or at the end. */
export function withSubscriber(subscribers: readonly Subscriber[], subscriber: Subscriber): Subscriber[] {
  const isThere = subscribers.some(({ uid }) => uid === subscriber.uid)
  return isThere ? subscribers.map((entry) => (entry.uid === subscriber.uid ? subscriber : entry)) : [...subscribers, subscriber]
}

export function withoutSubscriber(subscribers: readonly Subscriber[], uid: string): Subscriber[] {
  return subscribers.filter((entry) => entry.uid !== uid)
}
