import type { KubeObject } from '../../../apimachinery/object.js'

export interface APIServiceCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}

export interface APIService extends KubeObject {
  spec: {
    group?: string
    version?: string
    /** Absent: this server answers itself. */
    service?: { namespace?: string; name?: string; port?: number }
    caBundle?: string
    insecureSkipTLSVerify?: boolean
    groupPriorityMinimum: number
    versionPriority: number
  }
  status?: { conditions?: APIServiceCondition[] }
}

/** Marks those that the server keeps itself: `onstart` for its own groups, `true` for those of definitions. */
export const AUTOMANAGED_LABEL = 'kube-aggregator.kubernetes.io/automanaged'
