import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { RevisionTemplate } from '../configuration/schema.js'
import type { Addressable, TrafficTarget } from '../route/schema.js'

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
