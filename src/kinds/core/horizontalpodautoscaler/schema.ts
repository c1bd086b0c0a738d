import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'

export interface MetricTarget {
  type: 'Utilization' | 'Value' | 'AverageValue'
  value?: string
  averageValue?: string
  averageUtilization?: number
}

interface MetricIdentifier {
  name: string
  selector?: LabelSelector
}

export interface MetricSpec {
  type: 'Object' | 'Pods' | 'Resource' | 'ContainerResource' | 'External'
  resource?: { name: string; target: MetricTarget }
  containerResource?: { name: string; container: string; target: MetricTarget }
  pods?: { metric: MetricIdentifier; target: MetricTarget }
  object?: { describedObject: TargetReference; metric: MetricIdentifier; target: MetricTarget }
  external?: { metric: MetricIdentifier; target: MetricTarget }
}

export interface TargetReference {
  apiVersion?: string
  kind: string
  name: string
}

export interface ScalingRules {
  stabilizationWindowSeconds?: number
  selectPolicy?: string
  policies?: { type: string; value: number; periodSeconds: number }[]
  tolerance?: string
}

export interface AutoscalerCondition {
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited'
  status: 'True' | 'False' | 'Unknown'
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface HorizontalPodAutoscaler extends KubeObject {
  spec: {
    scaleTargetRef: TargetReference
    minReplicas?: number
    maxReplicas: number
    metrics?: MetricSpec[]
    behavior?: { scaleUp?: ScalingRules; scaleDown?: ScalingRules }
  }
  status?: {
    observedGeneration?: number
    lastScaleTime?: string
    currentReplicas?: number
    desiredReplicas: number
    currentMetrics?: unknown[]
    conditions?: AutoscalerCondition[]
  }
}
