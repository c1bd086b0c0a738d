import type { KubeObject } from '../../../apimachinery/object.js'

export interface Node extends KubeObject {
  spec?: { podCIDR?: string; podCIDRs?: string[]; unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] }
  status?: {
    capacity?: Record<string, string>
    allocatable?: Record<string, string>
    conditions?: {
      type: string
      status: string
      reason?: string
      message?: string
      lastHeartbeatTime?: string
      lastTransitionTime?: string
    }[]
    addresses?: { type: string; address: string }[]
    nodeInfo?: Record<string, string>
  }
}

/** The one Node of the emulator. */
export const NODE_NAME = 'kn-local'
