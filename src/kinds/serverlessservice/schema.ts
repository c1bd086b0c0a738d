import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, integerSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'

export interface ServerlessService extends KubeObject {
  spec: {
    mode: 'Proxy' | 'Serve'
    objectRef: { apiVersion: string; kind: string; name: string }
    protocolType: 'http1' | 'h2c'
    numActivators?: number
  }
  status?: { observedGeneration?: number; conditions?: Condition[]; serviceName?: string; privateServiceName?: string }
}

export const serverlessServiceSchema: Schema = {
  description: 'ServerlessService decides whether requests to a Revision go straight to its Pods or are held first.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['objectRef', 'protocolType'],
      properties: {
        mode: stringSchema,
        numActivators: integerSchema,
        objectRef: {
          type: 'object',
          properties: { apiVersion: stringSchema, kind: stringSchema, name: stringSchema, namespace: stringSchema },
          'x-kubernetes-map-type': 'atomic',
        },
        protocolType: stringSchema,
      },
    },
    status: {
      type: 'object',
      properties: {
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
        privateServiceName: stringSchema,
        serviceName: stringSchema,
      },
    },
  },
}

/** ActivatorEndpointsPopulated is kept beside it, as information. */
export const SERVERLESS_SERVICE_CONDITIONS = livingConditions('EndpointsPopulated')

/**
 * The address that stands for the activator in public Endpoints while a Revision has no ready Pod. The gateway does the
 * holding itself, so nobody dials it; it is the last address of the Pods' range.
 */
export const ACTIVATOR_ADDRESS = '10.244.255.254'
