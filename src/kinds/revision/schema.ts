import { type Condition, livingConditions } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Schema } from '../../apimachinery/schema.js'
import type { Container, PodSpec } from '../core/pod/schema.js'
import { conditionsSchema, integerSchema, observedGenerationSchema, stringMapSchema, stringSchema } from '../serving-schema.js'
import { revisionSpecSchema } from './pod-schema.js'

export interface RevisionSpec extends PodSpec {
  containerConcurrency?: number
  timeoutSeconds?: number
  responseStartTimeoutSeconds?: number
  idleTimeoutSeconds?: number
}

export interface Revision extends KubeObject {
  spec: RevisionSpec
  status?: {
    observedGeneration?: number
    conditions?: Condition[]
    logUrl?: string
    containerStatuses?: { name: string; imageDigest?: string }[]
    initContainerStatuses?: { name: string; imageDigest?: string }[]
    actualReplicas?: number
    desiredReplicas?: number
  }
}

const containerStatusesSchema: Schema = {
  type: 'array',
  items: { type: 'object', properties: { imageDigest: stringSchema, name: stringSchema } },
}

export const revisionSchema: Schema = {
  description: 'Revision is an unchangeable snapshot of code and configuration.',
  type: 'object',
  properties: {
    spec: revisionSpecSchema,
    status: {
      type: 'object',
      properties: {
        actualReplicas: integerSchema,
        annotations: stringMapSchema,
        conditions: conditionsSchema,
        containerStatuses: containerStatusesSchema,
        desiredReplicas: integerSchema,
        initContainerStatuses: containerStatusesSchema,
        logUrl: stringSchema,
        observedGeneration: observedGenerationSchema,
      },
    },
  },
}

/** Active is kept beside them: a Revision that is scaled to zero is still Ready. */
export const REVISION_CONDITIONS = livingConditions('ResourcesAvailable', 'ContainerHealthy')

/** @see knative/serving v1.23 pkg/apis/serving/v1/revision_lifecycle.go */
export const REVISION_REASONS = {
  containerMissing: 'ContainerMissing',
  resolvingDigests: 'ResolvingDigests',
  deploying: 'Deploying',
  notOwned: 'NotOwned',
  progressDeadlineExceeded: 'ProgressDeadlineExceeded',
} as const

/** The port requests reach when the container names none. */
export const DEFAULT_USER_PORT = 8080

/** The container that serves requests: the only one, or else the one with a port. */
export function servingContainer(spec: RevisionSpec): Container {
  return spec.containers.find((container) => (container.ports?.length ?? 0) > 0) ?? spec.containers[0]!
}

export function userPort(spec: RevisionSpec): number {
  return servingContainer(spec).ports?.[0]?.containerPort || DEFAULT_USER_PORT
}

/** How the gateway speaks to the application: the serving port's name decides. */
export function protocolOf(spec: RevisionSpec): 'http1' | 'h2c' {
  return servingContainer(spec).ports?.[0]?.name === 'h2c' ? 'h2c' : 'http1'
}
