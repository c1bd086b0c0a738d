import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import {
  booleanSchema,
  conditionsSchema,
  integerSchema,
  observedGenerationSchema,
  stringMapSchema,
  stringSchema,
} from '../serving-schema.js'

export interface IngressSplit {
  serviceNamespace: string
  serviceName: string
  servicePort: number | string
  percent?: number
  appendHeaders?: Record<string, string>
}

export interface IngressPath {
  path?: string
  rewriteHost?: string
  headers?: Record<string, { exact: string }>
  appendHeaders?: Record<string, string>
  splits: IngressSplit[]
}

export interface IngressRule {
  hosts: string[]
  visibility?: 'ExternalIP' | 'ClusterLocal'
  http: { paths: IngressPath[] }
}

/** Knative's own Ingress (networking.internal.knative.dev), called KIngress to tell it from Kubernetes'. */
export interface KIngress extends KubeObject {
  spec: {
    httpOption?: 'Enabled' | 'Redirected'
    tls?: { hosts: string[]; secretName: string; secretNamespace: string }[]
    rules: IngressRule[]
  }
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    publicLoadBalancer?: { ingress?: LoadBalancerIngress[] }
    privateLoadBalancer?: { ingress?: LoadBalancerIngress[] }
  }
}

export interface LoadBalancerIngress {
  ip?: string
  domain?: string
  domainInternal?: string
  meshOnly?: boolean
}

const hostsSchema: Schema = { type: 'array', items: stringSchema }
const loadBalancerSchema: Schema = {
  type: 'object',
  properties: {
    ingress: {
      type: 'array',
      items: {
        type: 'object',
        properties: { domain: stringSchema, domainInternal: stringSchema, ip: stringSchema, meshOnly: booleanSchema },
      },
    },
  },
}

export const kingressSchema: Schema = {
  description: 'Ingress is what the gateway routes by: hosts and paths to weighted Revisions.',
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        httpOption: stringSchema,
        rules: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              hosts: hostsSchema,
              http: {
                type: 'object',
                required: ['paths'],
                properties: {
                  paths: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['splits'],
                      properties: {
                        appendHeaders: stringMapSchema,
                        headers: {
                          type: 'object',
                          additionalProperties: { type: 'object', required: ['exact'], properties: { exact: stringSchema } },
                        },
                        path: stringSchema,
                        rewriteHost: stringSchema,
                        splits: {
                          type: 'array',
                          items: {
                            type: 'object',
                            required: ['serviceName', 'serviceNamespace', 'servicePort'],
                            properties: {
                              appendHeaders: stringMapSchema,
                              percent: integerSchema,
                              serviceName: stringSchema,
                              serviceNamespace: stringSchema,
                              servicePort: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
                            },
                          },
                        },
                      },
                    },
                  },
                },
              },
              visibility: stringSchema,
            },
          },
        },
        tls: {
          type: 'array',
          items: { type: 'object', properties: { hosts: hostsSchema, secretName: stringSchema, secretNamespace: stringSchema } },
        },
      },
    },
    status: {
      type: 'object',
      properties: {
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        observedGeneration: observedGenerationSchema,
        privateLoadBalancer: loadBalancerSchema,
        publicLoadBalancer: loadBalancerSchema,
      },
    },
  },
}

export const KINGRESS_CONDITIONS = livingConditions('NetworkConfigured', 'LoadBalancerReady')

/** Names inside the cluster under which the gateway answers: for hosts seen from outside, and for those of the cluster only. */
export const PUBLIC_GATEWAY_HOST = 'kn-local-gateway.knative-serving.svc.cluster.local'
export const PRIVATE_GATEWAY_HOST = 'kn-local-gateway-internal.knative-serving.svc.cluster.local'
