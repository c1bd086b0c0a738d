import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import { type DeliverySpec, deliverySpecSchema } from '../../apimachinery/delivery-spec.js'
import {
  type AddressStatus,
  type AppliedEventPolicies,
  addressStatusProperties,
  appliedPoliciesProperties,
  type KReference,
  kReferenceSchema,
} from '../../apimachinery/destination.js'
import type { KubeObject, ObjectRef } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, integerSchema, observedGenerationSchema, stringMapSchema } from '../serving-schema.js'

export interface RequestReply extends KubeObject {
  spec: {
    /** A Broker of the same namespace. */
    brokerRef: KReference
    /** Attribute under which a request goes out. */
    correlationAttribute?: string
    /** Attribute by which a reply names its request. */
    replyAttribute?: string
    /** How long a caller waits, as an ISO 8601 duration. */
    timeout?: string
    delivery?: DeliverySpec
  }
  status?: AddressStatus &
    AppliedEventPolicies & {
      observedGeneration?: number
      conditions?: Condition[]
      annotations?: Record<string, string>
      desiredReplicas?: number
      readyReplicas?: number
    }
}

export const requestReplySchema: Schema = {
  description: 'RequestReply answers a request with the event by which a Broker replies to it.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        brokerRef: { ...kReferenceSchema, description: 'The Broker that requests go to; in the same namespace.' },
        correlationAttribute: { type: 'string', description: 'Attribute under which a request goes out.' },
        delivery: deliverySpecSchema,
        replyAttribute: { type: 'string', description: 'Attribute by which a reply names its request.' },
        timeout: { type: 'string', description: 'How long a caller waits, as an ISO 8601 duration.' },
      },
    },
    status: {
      type: 'object',
      properties: {
        ...addressStatusProperties,
        ...appliedPoliciesProperties,
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        desiredReplicas: { ...integerSchema, description: 'Replicas of the data plane, each with a Trigger.' },
        observedGeneration: observedGenerationSchema,
        readyReplicas: { ...integerSchema, description: 'Those whose Trigger is ready.' },
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/eventing/v1alpha1/requestreply_lifecycle.go */
export const REQUEST_REPLY_CONDITIONS = livingConditions('TriggersReady', 'Addressable', 'EventPoliciesReady', 'BrokerReady')

export const REQUEST_REPLY_REASONS = {
  triggersNotReady: 'TriggersNotReady',
  triggerError: 'TriggerReconcileError',
  brokerNotFound: 'NotFound',
  brokerNotReady: 'NotReady',
  policiesNotImplemented: 'NotImplemented',
} as const

/** Secret and core Service of the data plane, in the system namespace. */
export const REQUEST_REPLY_KEYS = 'request-reply-keys'
export const REQUEST_REPLY_NAME = 'request-reply'
/** Annotation of the status: where requests go. */
export const REQUEST_REPLY_BROKER_ADDRESS = 'eventing.knative.dev/brokerAddress'

/** Under which the keys of one RequestReply are kept in the Secret: `namespace.name.key-0`. */
export function keyName({ namespace = '', name }: ObjectRef, number: number): string {
  return `${namespace}.${name}.key-${number}`
}

/**
 * The keys of one RequestReply among all that are in the Secret (`data` in base64), the newest last: it seals what goes out, all of them open
 * what comes back.
 * @see knative/eventing v1.22 pkg/requestreply/key_store.go
 */
export function keysIn(data: Readonly<Record<string, string>> | undefined, { namespace = '', name }: ObjectRef): readonly Buffer[] {
  const prefix = `${namespace}.${name}.`
  // Names may have dots in them, what follows a name has none.
  const names = Object.keys(data ?? {}).filter((each) => each.startsWith(prefix) && !each.slice(prefix.length).includes('.'))
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((each) => Buffer.from(data![each]!, 'base64'))
}
