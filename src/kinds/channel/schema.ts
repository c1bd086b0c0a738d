import { livingConditions } from '../../apimachinery/conditions.js'
import { type KReference, kReferenceSchema } from '../../apimachinery/destination.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import {
  type ChannelableSpec,
  type ChannelableStatus,
  type ChannelTemplate,
  channelableSpecProperties,
  channelableStatusProperties,
  channelTemplateSchema,
} from '../messaging-schema.js'

export interface Channel extends KubeObject {
  spec: ChannelableSpec & { channelTemplate?: ChannelTemplate }
  status?: ChannelableStatus & {
    /** The channel that carries this one's events; it has the same name. */
    channel?: KReference
  }
}

export const channelSchema: Schema = {
  description: 'Channel is a channel whose kind someone else chose: it makes one of the kind of its template.',
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { channelTemplate: channelTemplateSchema, ...channelableSpecProperties } },
    status: {
      type: 'object',
      properties: { ...channelableStatusProperties, channel: { ...kReferenceSchema, description: 'The channel that was made.' } },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/channel_lifecycle.go */
export const CHANNEL_CONDITIONS = livingConditions('BackingChannelReady', 'Addressable', 'DeadLetterSinkResolved', 'EventPoliciesReady')

export const CHANNEL_REASONS = {
  backingChannelFailed: 'ChannelFailure',
  backingChannelNotConfigured: 'BackingChannelNotConfigured',
  emptyHostname: 'EmptyHostname',
} as const
