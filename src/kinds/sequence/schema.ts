import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import { type DeliverySpec, deliverySpecSchema } from '../../apimachinery/delivery-spec.js'
import {
  type AddressStatus,
  type AppliedEventPolicies,
  addressStatusProperties,
  appliedPoliciesProperties,
  type Destination,
  destinationSchema,
} from '../../apimachinery/destination.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import {
  type ChannelStatusEntry,
  channelStatusEntrySchema,
  type SubscriptionStatusEntry,
  subscriptionStatusEntrySchema,
} from '../flows-schema.js'
import { type ChannelTemplate, channelTemplateSchema } from '../messaging-schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema } from '../serving-schema.js'

export interface SequenceStep extends Destination {
  delivery?: DeliverySpec
}

export interface Sequence extends KubeObject {
  spec: { steps?: SequenceStep[]; channelTemplate?: ChannelTemplate; reply?: Destination }
  status?: AddressStatus &
    AppliedEventPolicies & {
      observedGeneration?: number
      conditions?: Condition[]
      /** One per step, in order. */
      channelStatuses?: ChannelStatusEntry[]
      subscriptionStatuses?: SubscriptionStatusEntry[]
    }
}

export const sequenceSchema: Schema = {
  description: 'Sequence hands an event from step to step: what one answers, the next gets.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        channelTemplate: channelTemplateSchema,
        reply: { ...destinationSchema, description: 'Where the events go that the last step answers with.' },
        steps: {
          description: 'The steps, in order.',
          type: 'array',
          items: { type: 'object', properties: { ...destinationSchema.properties, delivery: deliverySpecSchema } },
        },
      },
    },
    status: {
      type: 'object',
      properties: {
        ...addressStatusProperties,
        ...appliedPoliciesProperties,
        annotations: stringMapSchema,
        channelStatuses: { type: 'array', items: channelStatusEntrySchema, description: 'The channel before each step.' },
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
        subscriptionStatuses: { type: 'array', items: subscriptionStatusEntrySchema, description: 'The Subscription of each step.' },
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/flows/v1/sequence_lifecycle.go */
export const SEQUENCE_CONDITIONS = livingConditions('ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady')
