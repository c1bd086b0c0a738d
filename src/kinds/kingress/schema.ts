import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'

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
