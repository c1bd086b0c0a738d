import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import {
  addressSchema,
  conditionsSchema,
  observedGenerationSchema,
  stringMapSchema,
  stringSchema,
  trafficSchema,
} from '../serving-schema.js'

export interface TrafficTarget {
  tag?: string
  revisionName?: string
  configurationName?: string
  latestRevision?: boolean
  percent?: number
  url?: string
}

export interface Addressable {
  url?: string
  name?: string
  CACerts?: string
  audience?: string
}

export interface Route extends KubeObject {
  spec: { traffic?: TrafficTarget[] }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    url?: string
    address?: Addressable
    traffic?: TrafficTarget[]
  }
}

export const routeSchema: Schema = {
  description: 'Route spreads the requests to a URL over Revisions.',
  type: 'object',
  properties: {
    spec: { type: 'object', properties: { traffic: trafficSchema } },
    status: {
      type: 'object',
      properties: {
        address: addressSchema,
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
        traffic: trafficSchema,
        url: stringSchema,
      },
    },
  },
}

export const ROUTE_CONDITIONS = livingConditions('AllTrafficAssigned', 'IngressReady', 'CertificateProvisioned')

/** @see knative/serving v1.23 pkg/apis/serving/v1/route_lifecycle.go */
export const ROUTE_REASONS = {
  revisionMissing: 'RevisionMissing',
  configurationMissing: 'ConfigurationMissing',
  revisionNotOwned: 'RevisionNotOwned',
  errorConfig: 'ErrorConfig',
  ingressNotConfigured: 'IngressNotConfigured',
  notOwned: 'NotOwned',
  tlsNotEnabled: 'TLSNotEnabled',
} as const

/** Holds a Route back until the Revisions it marked have been told. */
export const ROUTE_FINALIZER = 'routes.serving.knative.dev'
