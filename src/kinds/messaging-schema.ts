import type { Condition } from '../apimachinery/conditions.js'
import { type DeliverySpec, type DeliveryStatus, deliverySpecSchema, deliveryStatusProperties } from '../apimachinery/delivery-spec.js'
import {
  type AddressStatus,
  type AppliedEventPolicies,
  addressStatusProperties,
  appliedPoliciesProperties,
} from '../apimachinery/destination.js'
import { also, type FieldError, findings } from '../apimachinery/field-error.js'
import type { KubeObject } from '../apimachinery/object.js'
import type { Schema } from '../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema, stringSchema } from './serving-schema.js'

/**
 * What channels of every kind share, and what is made from a channel template.
 * @see knative/eventing v1.22 pkg/apis/duck/v1/channelable_types.go, pkg/apis/messaging/v1
 */

/** The version of the contract by which Subscriptions write into a channel's spec and read its status. */
export const SUBSCRIBABLE_ANNOTATION = 'messaging.knative.dev/subscribable'
export const SUBSCRIBABLE_VERSION = 'v1'
/** `"true"` on an InMemoryChannel: senders are answered before delivery. */
export const ASYNC_HANDLER_ANNOTATION = 'messaging.knative.dev/async-handler'

/** One Subscription, as its controller writes it into the spec of the channel that is to deliver to it. */
export interface Subscriber {
  /** That of the Subscription, by which entries are told apart. */
  uid: string
  /** That of the Subscription when this was written. */
  generation?: number
  name?: string
  namespace?: string
  subscriberUri?: string
  subscriberCACerts?: string
  subscriberAudience?: string
  replyUri?: string
  replyCACerts?: string
  replyAudience?: string
  /** The dead letter sink is always a URI here. */
  delivery?: DeliverySpec
  auth?: { serviceAccountName?: string; serviceAccountNames?: string[] }
}

/** What a channel says about one subscriber. */
export interface SubscriberStatus {
  uid: string
  observedGeneration?: number
  ready?: 'True' | 'False' | 'Unknown'
  message?: string
}

export interface ChannelableSpec {
  /** For Subscriptions that bring no delivery of their own. */
  delivery?: DeliverySpec
  subscribers?: Subscriber[]
}

export interface ChannelableStatus extends AddressStatus, DeliveryStatus, AppliedEventPolicies {
  observedGeneration?: number
  conditions?: Condition[]
  subscribers?: SubscriberStatus[]
}

/** A channel of any kind, as far as Subscriptions, Sequences and Parallels need to know it. */
export interface Channelable extends KubeObject {
  spec: ChannelableSpec
  status?: ChannelableStatus
}

/** Which channels to make, and how. */
export interface ChannelTemplate {
  apiVersion: string
  kind: string
  /** Handed on as the spec of each channel. */
  spec?: Record<string, unknown>
}

export const channelTemplateSchema: Schema = {
  description: 'Which channels are made; by default those that default-ch-webhook names.',
  type: 'object',
  properties: {
    apiVersion: { type: 'string', description: 'API version of the channels.' },
    kind: { type: 'string', description: 'Kind of the channels.' },
    spec: { type: 'object', description: 'Spec of the channels, handed on as it is.', 'x-kubernetes-preserve-unknown-fields': true },
  },
}

const authSchema: Schema = {
  type: 'object',
  properties: { serviceAccountName: stringSchema, serviceAccountNames: { type: 'array', items: stringSchema } },
}

export const channelableSpecProperties: { readonly [name: string]: Schema } = {
  delivery: { ...deliverySpecSchema, description: 'How events are delivered to Subscriptions that say nothing about it.' },
  subscribers: {
    description: 'The Subscriptions of the channel. Written by their controller.',
    type: 'array',
    items: {
      type: 'object',
      properties: {
        auth: authSchema,
        delivery: deliverySpecSchema,
        generation: { type: 'integer', format: 'int64', description: 'Generation of the Subscription.' },
        name: { type: 'string', description: 'Name of the Subscription.' },
        namespace: { type: 'string', description: 'Namespace of the Subscription.' },
        replyAudience: stringSchema,
        replyCACerts: stringSchema,
        replyUri: { type: 'string', description: 'Where replies go.' },
        subscriberAudience: stringSchema,
        subscriberCACerts: stringSchema,
        subscriberUri: { type: 'string', description: 'Where events go.' },
        uid: { type: 'string', description: 'UID of the Subscription.' },
      },
    },
  },
}

export const channelableStatusProperties: { readonly [name: string]: Schema } = {
  ...addressStatusProperties,
  ...appliedPoliciesProperties,
  ...deliveryStatusProperties,
  annotations: stringMapSchema,
  conditions: conditionsSchema,
  observedGeneration: observedGenerationSchema,
  subscribers: {
    description: 'How each subscriber is doing.',
    type: 'array',
    items: {
      type: 'object',
      properties: {
        auth: authSchema,
        message: { type: 'string', description: 'Why a subscriber is not ready.' },
        observedGeneration: { type: 'integer', format: 'int64', description: 'Generation of the Subscription that was taken up.' },
        ready: { type: 'string', description: 'True, False or Unknown.' },
        uid: { type: 'string', description: 'UID of the Subscription.' },
      },
    },
  },
}

/** Says in an annotation by which contract the channel is subscribed to, unless it says so itself. */
export function markSubscribable(draft: KubeObject): void {
  if (draft.metadata.annotations?.[SUBSCRIBABLE_ANNOTATION] !== undefined) return
  draft.metadata.annotations = { ...draft.metadata.annotations, [SUBSCRIBABLE_ANNOTATION]: SUBSCRIBABLE_VERSION }
}

/** Paths are relative to the template. */
export function validateChannelTemplate({ kind, apiVersion }: Partial<ChannelTemplate>): FieldError | undefined {
  return also(kind ? undefined : findings.missingField('kind'), apiVersion ? undefined : findings.missingField('apiVersion'))
}
