import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject, ObjectMeta } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { revisionTemplateSchema } from '../revision/pod-schema.js'
import type { RevisionSpec } from '../revision/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'

export interface RevisionTemplate {
  metadata?: Partial<ObjectMeta>
  spec: RevisionSpec
}

export interface Configuration extends KubeObject {
  spec: { template: RevisionTemplate }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    latestCreatedRevisionName?: string
    latestReadyRevisionName?: string
  }
}

export const configurationSchema: Schema = {
  description: 'Configuration keeps the latest template and makes a Revision of every change to it.',
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { template: revisionTemplateSchema } },
    status: {
      type: 'object',
      properties: {
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        latestCreatedRevisionName: stringSchema,
        latestReadyRevisionName: stringSchema,
        observedGeneration: observedGenerationSchema,
      },
    },
  },
}

export const CONFIGURATION_CONDITIONS = livingConditions()

export const REVISION_FAILED = 'RevisionFailed'
