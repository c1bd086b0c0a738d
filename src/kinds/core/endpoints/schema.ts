import type { KubeObject } from '../../../apimachinery/object.js'
import type { ObjectReference } from '../event/schema.js'

export interface EndpointAddress {
  ip: string
  hostname?: string
  nodeName?: string
  targetRef?: ObjectReference
}

export interface Endpoints extends KubeObject {
  subsets?: {
    addresses?: EndpointAddress[]
    notReadyAddresses?: EndpointAddress[]
    ports?: { name?: string; port: number; protocol?: string; appProtocol?: string }[]
  }[]
}
