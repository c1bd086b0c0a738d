import type { Condition } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'

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
