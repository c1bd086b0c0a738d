import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject, LabelSelector } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'
import { type EventFilter, filtersSchema } from '../trigger/schema.js'

export interface PolicyTarget {
  ref?: { apiVersion: string; kind: string; name: string }
  selector?: LabelSelector & { apiVersion: string; kind: string }
}

export interface PolicySource {
  ref?: { apiVersion: string; kind: string; name: string; namespace?: string }
  /** Name of an identity; a `*` at its end stands for anything. */
  sub?: string
}

export interface EventPolicy extends KubeObject {
  spec?: {
    /** Empty: everything in the namespace that takes events. */
    to?: PolicyTarget[]
    from?: PolicySource[]
    filters?: EventFilter[]
  }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    /** Names of the identities that `spec.from` leads to. */
    from?: string[]
  }
}

const referenceProperties: { readonly [name: string]: Schema } = { apiVersion: stringSchema, kind: stringSchema, name: stringSchema }

export const eventPolicySchema: Schema = {
  description: 'EventPolicy says who may send events to what.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        filters: filtersSchema,
        from: {
          description: 'Who may send: objects that have an identity, or names of identities.',
          type: 'array',
          items: {
            type: 'object',
            properties: {
              ref: { type: 'object', properties: { ...referenceProperties, namespace: stringSchema } },
              sub: { type: 'string', description: 'Name of an identity; ends in an asterisk to mean all that begin so.' },
            },
          },
        },
        to: {
          description: 'To what the policy applies; empty: everything in the namespace that takes events.',
          type: 'array',
          items: {
            type: 'object',
            properties: {
              ref: { type: 'object', properties: referenceProperties },
              selector: {
                type: 'object',
                properties: {
                  apiVersion: stringSchema,
                  kind: stringSchema,
                  matchExpressions: {
                    type: 'array',
                    items: {
                      type: 'object',
                      properties: { key: stringSchema, operator: stringSchema, values: { type: 'array', items: stringSchema } },
                    },
                  },
                  matchLabels: stringMapSchema,
                },
              },
            },
          },
        },
      },
    },
    status: {
      type: 'object',
      properties: {
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        from: { type: 'array', items: stringSchema, description: 'Names of the identities that spec.from leads to.' },
        observedGeneration: observedGenerationSchema,
      },
    },
  },
}

/** @see knative/eventing v1.22 pkg/apis/eventing/v1alpha1/eventpolicy_lifecycle.go */
export const EVENT_POLICY_CONDITIONS = livingConditions('AuthenticationEnabled', 'SubjectsResolved')

export const EVENT_POLICY_REASONS = {
  authenticationDisabled: 'OIDCAuthenticationDisabled',
  subjectsNotResolved: 'SubjectsNotResolved',
} as const
