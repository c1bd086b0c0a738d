import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import { type DeliverySpec, type DeliveryStatus, deliverySpecSchema, deliveryStatusProperties } from '../../apimachinery/delivery-spec.js'
import {
  type AddressStatus,
  type AppliedEventPolicies,
  addressStatusProperties,
  appliedPoliciesProperties,
  type KReference,
  kReferenceSchema,
} from '../../apimachinery/destination.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema } from '../serving-schema.js'

export interface Broker extends KubeObject {
  spec?: {
    /** What the Broker is configured by: a ConfigMap with a channel template, for the class that is built in. */
    config?: KReference
    /** For Triggers that bring no delivery of their own. */
    delivery?: DeliverySpec
  }
  status?: AddressStatus &
    DeliveryStatus &
    AppliedEventPolicies & {
      observedGeneration?: number
      conditions?: Condition[]
      /** Where the Broker's channel is: `knative.dev/channelAddress` and others. */
      annotations?: Record<string, string>
    }
}

export const brokerSchema: Schema = {
  description: 'Broker takes events and hands them to the Triggers that want them.',
  type: 'object',
  properties: {
    spec: {
      description: 'What the Broker is made from.',
      type: 'object',
      properties: {
        config: { ...kReferenceSchema, description: 'The configuration of the Broker; never changes.' },
        delivery: { ...deliverySpecSchema, description: 'How events are delivered for Triggers that say nothing about it.' },
      },
    },
    status: {
      description: 'What is known of the Broker.',
      type: 'object',
      properties: {
        ...addressStatusProperties,
        ...appliedPoliciesProperties,
        ...deliveryStatusProperties,
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/eventing/v1/broker_lifecycle_mt.go */
export const BROKER_CONDITIONS = livingConditions(
  'IngressReady',
  'TriggerChannelReady',
  'FilterReady',
  'Addressable',
  'DeadLetterSinkResolved',
  'EventPoliciesReady',
)

export const BROKER_REASONS = {
  channelTemplateFailed: 'ChannelTemplateFailed',
  channelFailure: 'ChannelFailure',
  noAddress: 'NoAddress',
  serviceFailure: 'ServiceFailure',
  endpointSlicesUnavailable: 'EndpointSlicesUnavailable',
  deadLetterSinkUnresolved: "Unable to get the dead letter sink's URI",
} as const
