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

export interface ParallelBranch {
  /** Answers with the event that goes on, or with nothing. */
  filter?: Destination
  subscriber?: Destination
  /** Absent: that of the Parallel. */
  reply?: Destination
  delivery?: DeliverySpec
}

/** Of one branch: the Subscription to its filter, the channel behind that, the Subscription to its subscriber. */
export interface BranchStatus {
  filterSubscriptionStatus?: SubscriptionStatusEntry
  filterChannelStatus?: ChannelStatusEntry
  subscriberSubscriptionStatus?: SubscriptionStatusEntry
}

export interface Parallel extends KubeObject {
  spec: { branches?: ParallelBranch[]; channelTemplate?: ChannelTemplate; reply?: Destination }
  status?: AddressStatus &
    AppliedEventPolicies & {
      observedGeneration?: number
      conditions?: Condition[]
      ingressChannelStatus?: ChannelStatusEntry
      /** One per branch, in order. */
      branchStatuses?: BranchStatus[]
    }
}

export const parallelSchema: Schema = {
  description: 'Parallel offers an event to several branches, each with a filter before its subscriber.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        branches: {
          description: 'The branches.',
          type: 'array',
          items: {
            type: 'object',
            properties: {
              delivery: deliverySpecSchema,
              filter: { ...destinationSchema, description: 'Says which events go on; absent: all of them.' },
              reply: { ...destinationSchema, description: 'Where the events go that the subscriber answers with.' },
              subscriber: { ...destinationSchema, description: 'Where the events go that passed the filter.' },
            },
            'x-kubernetes-preserve-unknown-fields': true,
          },
        },
        channelTemplate: channelTemplateSchema,
        reply: { ...destinationSchema, description: 'For branches without a reply of their own.' },
      },
    },
    status: {
      type: 'object',
      properties: {
        ...addressStatusProperties,
        ...appliedPoliciesProperties,
        annotations: stringMapSchema,
        branchStatuses: {
          description: 'What was made for each branch.',
          type: 'array',
          items: {
            type: 'object',
            properties: {
              filterChannelStatus: channelStatusEntrySchema,
              filterSubscriptionStatus: subscriptionStatusEntrySchema,
              subscriberSubscriptionStatus: subscriptionStatusEntrySchema,
            },
          },
        },
        conditions: conditionsSchema,
        ingressChannelStatus: { ...channelStatusEntrySchema, description: 'The channel that takes the events.' },
        observedGeneration: observedGenerationSchema,
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/flows/v1/parallel_lifecycle.go */
export const PARALLEL_CONDITIONS = livingConditions('ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady')
