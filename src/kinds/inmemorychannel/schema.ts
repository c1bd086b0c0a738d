import { livingConditions } from '../../apimachinery/conditions.js'
import type { Schema } from '../../apimachinery/schema.js'
import { type Channelable, channelableSpecProperties, channelableStatusProperties } from '../messaging-schema.js'

/** A channel whose events src/eventing keeps and delivers. */
export type InMemoryChannel = Channelable

export const inMemoryChannelSchema: Schema = {
  description: 'InMemoryChannel takes events and delivers each of them to all of its Subscriptions.',
  type: 'object',
  properties: {
    spec: { type: 'object', properties: channelableSpecProperties },
    status: { type: 'object', properties: channelableStatusProperties },
  },
}

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/in_memory_channel_lifecycle.go */
export const IN_MEMORY_CHANNEL_CONDITIONS = livingConditions(
  'ServiceReady',
  'EndpointsReady',
  'Addressable',
  'ChannelServiceReady',
  'DeadLetterSinkResolved',
  'EventPoliciesReady',
)

export const IN_MEMORY_CHANNEL_REASONS = {
  serviceMissing: 'DispatcherServiceDoesNotExist',
  endpointsMissing: 'DispatcherEndpointsDoesNotExist',
  endpointsNotReady: 'DispatcherEndpointsNotReady',
  channelServiceFailed: 'ChannelServiceFailed',
  deadLetterSinkUnresolved: "Unable to get the DeadLetterSink's URI",
} as const

/** Who answers for all InMemoryChannels, in the system namespace: a core Service. */
export const DISPATCHER_NAME = 'imc-dispatcher'
/** On the core Service of a channel. */
export const CHANNEL_SERVICE_LABELS = { 'messaging.knative.dev/role': 'in-memory-channel' } as const
