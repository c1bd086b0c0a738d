import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import { type DeliverySpec, type DeliveryStatus, deliverySpecSchema, deliveryStatusProperties } from '../../apimachinery/delivery-spec.js'
import { type Destination, destinationSchema, type KReference, kReferenceSchema } from '../../apimachinery/destination.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'

/** Where the events of a Subscription really go. */
export interface PhysicalSubscription extends DeliveryStatus {
  subscriberUri?: string
  subscriberCACerts?: string
  subscriberAudience?: string
  replyUri?: string
  replyCACerts?: string
  replyAudience?: string
}

export interface Subscription extends KubeObject {
  spec: {
    channel: KReference
    subscriber?: Destination
    reply?: Destination
    delivery?: DeliverySpec
  }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    physicalSubscription?: PhysicalSubscription
    auth?: { serviceAccountName?: string }
  }
}

export const subscriptionSchema: Schema = {
  description: 'Subscription sends the events of a channel to a subscriber, and what it answers to another place.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        channel: { ...kReferenceSchema, description: 'The channel; never changes.' },
        delivery: deliverySpecSchema,
        reply: { ...destinationSchema, description: 'Where the events go that the subscriber answers with.' },
        subscriber: { ...destinationSchema, description: 'Where the events of the channel go.' },
      },
    },
    status: {
      type: 'object',
      properties: {
        annotations: stringMapSchema,
        auth: { type: 'object', properties: { serviceAccountName: stringSchema } },
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
        physicalSubscription: {
          description: 'Where events really go.',
          type: 'object',
          properties: {
            ...deliveryStatusProperties,
            replyAudience: stringSchema,
            replyCACerts: stringSchema,
            replyUri: stringSchema,
            subscriberAudience: stringSchema,
            subscriberCACerts: stringSchema,
            subscriberUri: stringSchema,
          },
        },
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/subscription_lifecycle.go */
export const SUBSCRIPTION_CONDITIONS = livingConditions('ReferencesResolved', 'AddedToChannel', 'ChannelReady', 'OIDCIdentityCreated')

/** Reasons of conditions and of Events alike. */
export const SUBSCRIPTION_REASONS = {
  channelReferenceFailed: 'ChannelReferenceFailed',
  resolving: 'Resolving',
  subscriberResolveFailed: 'SubscriberResolveFailed',
  replyResolveFailed: 'ReplyResolveFailed',
  deadLetterSinkResolveFailed: 'DeadLetterSinkResolveFailed',
  physicalChannelSyncFailed: 'PhysicalChannelSyncFailed',
  notMarkedReadyByChannel: 'SubscriptionNotMarkedReadyByChannel',
} as const

/** Holds a Subscription back until its channel has been told. */
export const SUBSCRIPTION_FINALIZER = 'subscriptions.messaging.knative.dev'
