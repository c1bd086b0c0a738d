import type { KubeObject } from '../../../apimachinery/object.js'

export interface ServicePort {
  name?: string
  protocol?: string
  appProtocol?: string
  port: number
  targetPort?: number | string
  nodePort?: number
}

/** A core Service; Knative's own is in src/kinds/service. */
export interface CoreService extends KubeObject {
  spec: {
    type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
    selector?: Record<string, string>
    ports?: ServicePort[]
    clusterIP?: string
    clusterIPs?: string[]
    externalName?: string
    sessionAffinity?: string
    sessionAffinityConfig?: { clientIP?: { timeoutSeconds?: number } }
    ipFamilies?: string[]
    ipFamilyPolicy?: string
    internalTrafficPolicy?: string
    externalTrafficPolicy?: string
    allocateLoadBalancerNodePorts?: boolean
    publishNotReadyAddresses?: boolean
    [field: string]: unknown
  }
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
}
