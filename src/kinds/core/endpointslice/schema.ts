import type { KubeObject } from '../../../apimachinery/object.js'
import type { ObjectReference } from '../event/schema.js'

export interface Endpoint {
  addresses: string[]
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
  /** The first label of a Pod's own name below the Service's. */
  hostname?: string
  targetRef?: ObjectReference
  nodeName?: string
}

export interface EndpointSlice extends KubeObject {
  addressType: 'IPv4' | 'IPv6' | 'FQDN'
  endpoints: Endpoint[]
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[]
}

/** Names the Service a slice belongs to. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
