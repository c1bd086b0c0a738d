import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import { conditionsSchema, integerSchema, longSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'

export interface PodAutoscaler extends KubeObject {
  spec: {
    containerConcurrency?: number
    scaleTargetRef: { apiVersion: string; kind: string; name: string }
    reachability?: '' | 'Reachable' | 'Unreachable'
    protocolType: 'http1' | 'h2c'
  }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    serviceName?: string
    metricsServiceName?: string
    desiredScale?: number
    actualScale?: number
  }
}

export const podAutoscalerSchema: Schema = {
  description: 'PodAutoscaler scales the Deployment of a Revision.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['protocolType', 'scaleTargetRef'],
      properties: {
        containerConcurrency: longSchema,
        protocolType: stringSchema,
        reachability: stringSchema,
        scaleTargetRef: {
          type: 'object',
          properties: { apiVersion: stringSchema, kind: stringSchema, name: stringSchema },
          'x-kubernetes-map-type': 'atomic',
        },
      },
    },
    status: {
      type: 'object',
      required: ['metricsServiceName', 'serviceName'],
      properties: {
        actualScale: integerSchema,
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        desiredScale: integerSchema,
        metricsServiceName: stringSchema,
        observedGeneration: observedGenerationSchema,
        serviceName: stringSchema,
      },
    },
  },
}

export const POD_AUTOSCALER_CONDITIONS = livingConditions('Active', 'ScaleTargetInitialized', 'SKSReady')

/** @see knative/serving v1.23 pkg/reconciler/autoscaling/kpa/kpa.go */
export const POD_AUTOSCALER_REASONS = { noTraffic: 'NoTraffic', timedOut: 'TimedOut', queued: 'Queued', notReady: 'NotReady' } as const
