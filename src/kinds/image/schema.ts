import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'

/** caching.internal.knative.dev Image: a hint to pull ahead; kept because a cluster shows one per container. */
export interface Image extends KubeObject {
  spec: { image: string; serviceAccountName?: string; imagePullSecrets?: { name: string }[] }
}

export const imageSchema: Schema = {
  description: 'Image names an image that is worth pulling ahead.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['image'],
      properties: {
        image: stringSchema,
        imagePullSecrets: {
          type: 'array',
          items: { type: 'object', properties: { name: stringSchema }, 'x-kubernetes-map-type': 'atomic' },
        },
        serviceAccountName: stringSchema,
      },
    },
    status: {
      type: 'object',
      properties: { annotations: stringMapSchema, conditions: conditionsSchema, observedGeneration: observedGenerationSchema },
    },
  },
}
