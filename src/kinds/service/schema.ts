import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import type { RevisionTemplate } from '../configuration/schema.js'
import { revisionTemplateSchema } from '../revision/pod-schema.js'
import type { Addressable, TrafficTarget } from '../route/schema.js'
import {
  addressSchema,
  conditionsSchema,
  observedGenerationSchema,
  stringMapSchema,
  stringSchema,
  trafficSchema,
} from '../serving-schema.js'

/** A Knative Service; the core one is in src/kinds/core/service. */
export interface Service extends KubeObject {
  spec: { template: RevisionTemplate; traffic?: TrafficTarget[] }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    url?: string
    address?: Addressable
    traffic?: TrafficTarget[]
    latestCreatedRevisionName?: string
    latestReadyRevisionName?: string
  }
}

/** The stable loopback port (30000–32767) of a Service; given at creation, kept for its life, copied to Route and KIngress. */
export const PORT_ANNOTATION = 'kn-local.dev/port'

export const serviceSchema: Schema = {
  description: 'Service runs a container and gives it a URL: it manages a Configuration and a Route.',
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { template: revisionTemplateSchema, traffic: trafficSchema } },
    status: {
      type: 'object',
      properties: {
        address: addressSchema,
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        latestCreatedRevisionName: stringSchema,
        latestReadyRevisionName: stringSchema,
        observedGeneration: observedGenerationSchema,
        traffic: trafficSchema,
        url: stringSchema,
      },
    },
  },
}

export const SERVICE_CONDITIONS = livingConditions('ConfigurationsReady', 'RoutesReady')

export const SERVICE_REASONS = {
  outOfDate: 'OutOfDate',
  trafficNotMigrated: 'TrafficNotMigrated',
  notOwned: 'NotOwned',
  revisionNameTaken: 'RevisionNameTaken',
} as const
