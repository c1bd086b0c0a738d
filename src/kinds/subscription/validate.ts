import { validateDelivery } from '../../apimachinery/delivery-spec.js'
import { type Destination, type KReference, validateDestination, validateReference } from '../../apimachinery/destination.js'
import { also, type FieldError, fieldError, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { deliveryRules, isEnabled } from '../eventing-config.js'
import { notAllowedToSubscribe } from '../eventing-links.js'
import { semanticEqual } from '../semantic-equal.js'
import { shortDiff } from '../short-diff.js'
import type { Subscription } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/subscription_validation.go */
export function validateSubscription(subscription: Subscription, context: AdmissionContext<Subscription>): FieldError | undefined {
  const spec: Partial<Subscription['spec']> = subscription.spec ?? {}
  return also(
    viaField('spec', validateSpec(subscription, context)),
    context.old ? validateChange(spec.channel, context.old.spec.channel) : undefined,
  )
}

function validateSpec(subscription: Subscription, context: AdmissionContext<Subscription>): FieldError | undefined {
  const { channel, subscriber, reply, delivery }: Partial<Subscription['spec']> = subscription.spec ?? {}
  const rules = deliveryRules(context.configMap)
  const mayBeFar = isEnabled(context.configMap, 'cross-namespace-event-links')
  if (isEmpty(channel)) return fieldError('missing field(s)', 'channel', 'the Subscription must reference a channel')
  return also(
    viaField('channel', validateChannelReference(channel!, rules.allowsGroup, mayBeFar)),
    mayBeFar ? notAllowedToSubscribe(channel!, subscription, context) : undefined,
    isEmpty(subscriber)
      ? fieldError('missing field(s)', 'subscriber', 'the Subscription must reference a subscriber')
      : viaField('subscriber', validateDestination(subscriber, rules)),
    isEmpty(reply) ? undefined : viaField('reply', validateDestination(reply, rules)),
    viaField('delivery', validateDelivery(delivery, rules)),
  )
}

const isEmpty = (value: Destination | KReference | undefined): boolean => semanticEqual(value, undefined)

function validateChannelReference(channel: KReference, allowsGroup: boolean, mayBeFar: boolean): FieldError | undefined {
  const { namespace, ...rest } = channel
  return also(
    validateReference(rest, { allowsGroup }),
    namespace && !mayBeFar
      ? fieldError(
          'must not set the field(s)',
          'namespace',
          'only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled',
        )
      : undefined,
  )
}

/** Everything but the channel may change. */
function validateChange(channel: KReference | undefined, old: KReference): FieldError | undefined {
  if (semanticEqual(channel, old)) return undefined
  return fieldError(
    'Immutable fields changed (-old +new)',
    'spec',
    shortDiff('v1.SubscriptionSpec', { Channel: inGo(old) }, { Channel: inGo(channel) }),
  )
}

/** Named as Go's fields are, which is how they are shown. */
function inGo(channel: Partial<KReference> | undefined): object {
  const { kind = '', namespace = '', name = '', apiVersion = '', group = '' } = channel ?? {}
  return { Kind: kind, Namespace: namespace, Name: name, APIVersion: apiVersion, Group: group }
}
