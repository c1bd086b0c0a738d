import { isoDurationMs } from '../base/duration.js'
import { type Destination, defaultDestination, destinationSchema, type ReferenceRules, validateDestination } from './destination.js'
import { also, type FieldError, findings, viaField } from './field-error.js'
import type { Schema } from './schema.js'

/** How hard a delivery is tried, and where an event goes that cannot be delivered. Periods are ISO 8601. */
export interface DeliverySpec {
  deadLetterSink?: Destination
  /** Attempts beyond the first. */
  retry?: number
  /** Of each attempt. */
  timeout?: string
  backoffPolicy?: 'linear' | 'exponential'
  backoffDelay?: string
  /** The longest Retry-After that is heeded; absent: none is. */
  retryAfterMax?: string
  format?: 'json' | 'binary'
}

/** The resolved dead letter sink, in a status. */
export interface DeliveryStatus {
  deadLetterSinkUri?: string
  deadLetterSinkCACerts?: string
  deadLetterSinkAudience?: string
}

/** Unknown fields are kept for the webhook to refuse by name, as in Knative's definitions. */
export const deliverySpecSchema: Schema = {
  description: 'How hard a delivery is tried, and where an event goes that cannot be delivered.',
  type: 'object',
  properties: {
    backoffDelay: { type: 'string', description: 'Wait before a retry, as an ISO 8601 duration.' },
    backoffPolicy: { type: 'string', description: 'How the waits grow: linear or exponential.' },
    deadLetterSink: { ...destinationSchema, description: 'Where an event goes that could not be delivered.' },
    format: { type: 'string', description: 'How events are sent: json (structured) or binary.' },
    retry: { type: 'integer', format: 'int32', description: 'How often a delivery is tried again.' },
    retryAfterMax: { type: 'string', description: 'The longest Retry-After that is heeded, as an ISO 8601 duration. Alpha.' },
    timeout: { type: 'string', description: 'Time limit of each attempt, as an ISO 8601 duration.' },
  },
  'x-kubernetes-preserve-unknown-fields': true,
}

export const deliveryStatusProperties: { readonly [name: string]: Schema } = {
  deadLetterSinkAudience: { type: 'string', description: 'OIDC audience of the dead letter sink.' },
  deadLetterSinkCACerts: { type: 'string', description: 'Certificate authorities of the dead letter sink.' },
  deadLetterSinkUri: { type: 'string', description: 'The resolved URI of the dead letter sink.' },
}

/** Fills in the namespace of the dead letter sink, in place. */
export function defaultDelivery(delivery: DeliverySpec | undefined, namespace: string | undefined): void {
  defaultDestination(delivery?.deadLetterSink, namespace)
}

/** Which fields may be set: flags of config-features. */
export interface DeliveryRules extends ReferenceRules {
  /** delivery-timeout. */
  allowsTimeout: boolean
  /** delivery-retryafter. */
  allowsRetryAfter: boolean
}

/**
 * What is wrong with a delivery spec; paths are relative to it.
 * @see knative/eventing v1.22 pkg/apis/duck/v1/delivery_types.go
 */
export function validateDelivery(delivery: DeliverySpec | undefined, rules: DeliveryRules): FieldError | undefined {
  if (!delivery) return undefined
  const { deadLetterSink, retry, timeout, backoffPolicy, backoffDelay, retryAfterMax, format } = delivery
  return also(
    deadLetterSink && viaField('deadLetterSink', validateDestination(deadLetterSink, rules)),
    retry !== undefined && retry < 0 ? findings.invalidValue(retry, 'retry') : undefined,
    timeout === undefined ? undefined : rules.allowsTimeout ? timeoutProblem(timeout) : findings.disallowedFields('timeout'),
    backoffPolicy === undefined || backoffPolicy === 'linear' || backoffPolicy === 'exponential'
      ? undefined
      : findings.invalidValue(backoffPolicy, 'backoffPolicy'),
    backoffDelay !== undefined && isoDurationMs(backoffDelay) === undefined
      ? findings.invalidValue(backoffDelay, 'backoffDelay')
      : undefined,
    retryAfterMax === undefined
      ? undefined
      : rules.allowsRetryAfter
        ? retryAfterProblem(retryAfterMax)
        : findings.disallowedFields('retryAfterMax'),
    format === undefined || format === 'json' || format === 'binary' ? undefined : findings.invalidValue(format, 'format'),
  )
}

function timeoutProblem(timeout: string): FieldError | undefined {
  return isoDurationMs(timeout) ? undefined : findings.invalidValue(timeout, 'timeout')
}

function retryAfterProblem(retryAfterMax: string): FieldError | undefined {
  const ms = isoDurationMs(retryAfterMax)
  return ms === undefined || ms < 0 ? findings.invalidValue(retryAfterMax, 'retryAfterMax') : undefined
}
