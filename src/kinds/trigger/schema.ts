import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import { type DeliverySpec, type DeliveryStatus, deliverySpecSchema, deliveryStatusProperties } from '../../apimachinery/delivery-spec.js'
import { type Destination, destinationSchema, type KReference, kReferenceSchema } from '../../apimachinery/destination.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'

/** One filter of the Subscriptions API; exactly one of its dialects is set. */
export interface EventFilter {
  exact?: Record<string, string>
  prefix?: Record<string, string>
  suffix?: Record<string, string>
  all?: EventFilter[]
  any?: EventFilter[]
  not?: EventFilter
  cesql?: string
}

export interface Trigger extends KubeObject {
  spec: {
    broker?: string
    /** Alpha: a Broker that may be in another namespace. */
    brokerRef?: KReference
    /** Attributes that an event has to have; `filters` come before it. */
    filter?: { attributes?: Record<string, string> }
    filters?: EventFilter[]
    subscriber?: Destination
    delivery?: DeliverySpec
  }
  status?: DeliveryStatus & {
    observedGeneration?: number
    conditions?: Condition[]
    annotations?: Record<string, string>
    subscriberUri?: string
    subscriberCACerts?: string
    subscriberAudience?: string
    auth?: { serviceAccountName?: string }
  }
}

/** Filters nest without end, which a structural schema cannot say: what is below the third level is kept as it is. */
function filterSchema(depth: number): Schema {
  const attributes: Schema = { type: 'object', additionalProperties: stringSchema }
  const nested: Schema = depth > 0 ? filterSchema(depth - 1) : { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    type: 'object',
    properties: {
      all: { type: 'array', items: nested, description: 'All of these have to hold.' },
      any: { type: 'array', items: nested, description: 'One of these has to hold.' },
      cesql: { type: 'string', description: 'An expression in CESQL that has to be true.' },
      exact: { ...attributes, description: 'Attributes with exactly these values.' },
      not: { ...nested, description: 'This must not hold.' },
      prefix: { ...attributes, description: 'Attributes whose values begin so.' },
      suffix: { ...attributes, description: 'Attributes whose values end so.' },
    },
  }
}

const FILTER_LEVELS = 2

export const filtersSchema: Schema = {
  description: 'All of these have to hold for an event to be delivered.',
  type: 'array',
  items: filterSchema(FILTER_LEVELS),
}

export const triggerSchema: Schema = {
  description: 'Trigger sends those events of a Broker that pass its filters to a subscriber.',
  type: 'object',
  properties: {
    spec: {
      description: 'Which events go where.',
      type: 'object',
      properties: {
        broker: { type: 'string', description: 'The Broker whose events these are; never changes.' },
        brokerRef: { ...kReferenceSchema, description: 'The Broker, possibly of another namespace. Alpha.' },
        delivery: { ...deliverySpecSchema, description: 'How events are delivered; in place of what the Broker says.' },
        filter: {
          description: 'Which events are wanted, by their attributes.',
          type: 'object',
          properties: { attributes: { ...stringMapSchema, description: 'Attributes an event has to have; an empty value means any.' } },
        },
        filters: filtersSchema,
        subscriber: { ...destinationSchema, description: 'Where the events go.' },
      },
      'x-kubernetes-preserve-unknown-fields': true,
    },
    status: {
      description: 'What is known of the Trigger.',
      type: 'object',
      properties: {
        ...deliveryStatusProperties,
        annotations: stringMapSchema,
        auth: {
          type: 'object',
          properties: { serviceAccountName: stringSchema, serviceAccountNames: { type: 'array', items: stringSchema } },
        },
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
        subscriberAudience: { type: 'string', description: 'OIDC audience of the subscriber.' },
        subscriberCACerts: { type: 'string', description: 'Certificate authorities of the subscriber.' },
        subscriberUri: { type: 'string', description: 'The resolved URI of the subscriber.' },
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/eventing/v1/trigger_lifecycle.go */
export const TRIGGER_CONDITIONS = livingConditions(
  'BrokerReady',
  'SubscriptionReady',
  'DependencyReady',
  'SubscriberResolved',
  'DeadLetterSinkResolved',
  'OIDCIdentityCreated',
)

/** Reasons of conditions and of Events alike. */
export const TRIGGER_REASONS = {
  noBroker: 'BrokerDoesNotExist',
  brokerNotConfigured: 'BrokerNotConfigured',
  noBrokerChannel: 'MissingBrokerChannel',
  subscriberUnresolved: "Unable to get the Subscriber's URI",
  deadLetterSinkUnresolved: "Unable to get the dead letter sink's URI",
  notSubscribed: 'NotSubscribed',
  subscriptionNotOwned: 'SubscriptionNotOwnedByTrigger',
  subscriptionNotConfigured: 'SubscriptionNotConfigured',
  subscriptionDeleteFailed: 'SubscriptionDeleteFailed',
  subscriptionCreateFailed: 'SubscriptionCreateFailed',
  referenceError: 'ReferenceError',
  noDependency: 'DependencyDoesNotExist',
  dependencyNotConfigured: 'DependencyNotConfigured',
  noLister: 'ListerDoesNotExist',
  generationNotEqual: 'GenerationNotEqual',
} as const

/** The Broker of a Trigger, wherever it is; no name: the Trigger names none. */
export function brokerOf({ metadata, spec }: Trigger): { namespace: string | undefined; name: string } {
  const { broker, brokerRef } = spec
  return { namespace: brokerRef?.namespace || metadata.namespace, name: brokerRef?.name || broker || '' }
}
