import type { Schema } from '../apimachinery/schema.js'

/**
 * Pieces that several Serving definitions share. Plain literals on purpose: a bundler drops the ones a program does not use.
 * @see knative/serving v1.23 config/core/300-resources
 */

export const stringSchema: Schema = { type: 'string' }
export const integerSchema: Schema = { type: 'integer', format: 'int32' }
export const longSchema: Schema = { type: 'integer', format: 'int64' }
export const booleanSchema: Schema = { type: 'boolean' }
export const stringMapSchema: Schema = { type: 'object', additionalProperties: { type: 'string' } }
export const anyObjectSchema: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
export const anyListSchema: Schema = { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }

export const conditionsSchema: Schema = {
  description: 'The latest observations of the state of the object.',
  type: 'array',
  items: {
    type: 'object',
    required: ['status', 'type'],
    properties: {
      lastTransitionTime: { type: 'string', description: 'When the condition last changed.' },
      message: stringSchema,
      reason: stringSchema,
      severity: { type: 'string', description: 'Empty for errors, else Warning or Info.' },
      status: { type: 'string', description: 'True, False or Unknown.' },
      type: stringSchema,
    },
  },
}

export const observedGenerationSchema: Schema = {
  type: 'integer',
  format: 'int64',
  description: 'The generation that the controller last worked on.',
}

export const addressSchema: Schema = {
  description: 'Where the object is reached inside the cluster.',
  type: 'object',
  properties: { CACerts: stringSchema, audience: stringSchema, name: stringSchema, url: stringSchema },
}

export const trafficSchema: Schema = {
  description: 'How requests are spread over Revisions.',
  type: 'array',
  items: {
    type: 'object',
    properties: {
      configurationName: { type: 'string', description: 'Follow the latest ready Revision of this Configuration.' },
      latestRevision: { type: 'boolean', description: 'Whether the target follows the latest ready Revision.' },
      percent: { type: 'integer', format: 'int64', description: 'Share of the traffic, 0 to 100.' },
      revisionName: { type: 'string', description: 'Send to this Revision.' },
      tag: { type: 'string', description: 'Gives the target a URL of its own.' },
      url: { type: 'string', description: 'The URL of a tagged target; set in status only.' },
    },
  },
}
