import type { Condition } from '../apimachinery/conditions.js'
import type { Schema } from '../apimachinery/schema.js'
import { stringSchema } from './serving-schema.js'

/** What Sequence and Parallel say of the objects they are made of. */

export interface ChildReference {
  apiVersion: string
  kind: string
  name: string
  namespace?: string
}

export interface ChannelStatusEntry {
  channel: ChildReference
  ready: Condition
}

export interface SubscriptionStatusEntry {
  subscription: ChildReference
  ready: Condition
}

const childReferenceSchema: Schema = {
  type: 'object',
  properties: {
    apiVersion: stringSchema,
    fieldPath: stringSchema,
    kind: stringSchema,
    name: stringSchema,
    namespace: stringSchema,
    resourceVersion: stringSchema,
    uid: stringSchema,
  },
}

const readySchema: Schema = {
  type: 'object',
  properties: {
    lastTransitionTime: stringSchema,
    message: stringSchema,
    reason: stringSchema,
    severity: stringSchema,
    status: { type: 'string', description: 'True, False or Unknown.' },
    type: stringSchema,
  },
  required: ['status', 'type'],
}

export const channelStatusEntrySchema: Schema = { type: 'object', properties: { channel: childReferenceSchema, ready: readySchema } }

export const subscriptionStatusEntrySchema: Schema = {
  type: 'object',
  properties: { ready: readySchema, subscription: childReferenceSchema },
}

export const FLOW_REASONS = {
  channelsNotReady: 'ChannelsNotReady',
  subscriptionsNotReady: 'SubscriptionsNotReady',
  notAddressable: 'NotAddressable',
  emptyAddress: 'emptyAddress',
} as const
