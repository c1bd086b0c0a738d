import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import { type KReference, kReferenceSchema } from '../../apimachinery/destination.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema } from '../serving-schema.js'

interface EventTypeStatus {
  observedGeneration?: number
  conditions?: Condition[]
  annotations?: Record<string, string>
}

/** As it is stored: v1beta2 (v1beta1 is the same). */
export interface EventType extends KubeObject {
  spec: {
    type?: string
    source?: string
    schema?: string
    schemaData?: string
    /** Of old: a Broker's name, in place of a reference. */
    broker?: string
    reference?: KReference
    description?: string
  }
  status?: EventTypeStatus
}

export interface EventAttribute {
  name: string
  required: boolean
  value?: string
}

/** The newest version: attributes of any name. */
export interface EventTypeV1beta3 extends KubeObject {
  spec: { attributes?: EventAttribute[]; reference?: KReference; description?: string }
  status?: EventTypeStatus
}

const sharedProperties: { readonly [name: string]: Schema } = {
  description: { type: 'string', description: 'What events of this type are about.' },
  reference: { ...kReferenceSchema, description: 'What takes or sends events of this type: a Broker, for example.' },
}

const statusSchema: Schema = {
  type: 'object',
  properties: { annotations: stringMapSchema, conditions: conditionsSchema, observedGeneration: observedGenerationSchema },
}

const DESCRIPTION = 'EventType tells of a type of events that can be had.'

export const eventTypeSchema: Schema = {
  description: DESCRIPTION,
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        ...sharedProperties,
        broker: { type: 'string', description: 'Name of a Broker; use reference instead.' },
        schema: { type: 'string', description: 'URI of the schema of the data.' },
        schemaData: { type: 'string', description: 'The schema of the data itself.' },
        source: { type: 'string', description: 'The source of the events.' },
        type: { type: 'string', description: 'The type of the events.' },
      },
    },
    status: statusSchema,
  },
}

export const eventTypeV1beta3Schema: Schema = {
  description: DESCRIPTION,
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        ...sharedProperties,
        attributes: {
          description: 'What is known of the attributes of the events.',
          type: 'array',
          items: {
            type: 'object',
            required: ['name', 'required'],
            properties: {
              name: { type: 'string', description: 'Name of the attribute.' },
              required: { type: 'boolean', description: 'Whether every event has it.' },
              value: { type: 'string', description: 'Its value, or a pattern of it.' },
            },
          },
        },
      },
    },
    status: statusSchema,
  },
}

/** @see knative/eventing v1.22 pkg/apis/eventing/v1beta3/eventtype_lifecycle.go */
export const EVENT_TYPE_CONDITIONS = livingConditions('ReferenceExists')

export const EVENT_TYPE_REASONS = {
  referenceNotSet: 'ReferenceNotSet',
  noResource: 'ResourceDoesNotExist',
  getFailed: 'ReferenceGetFailed',
} as const
