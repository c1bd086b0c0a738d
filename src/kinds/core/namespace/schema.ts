import type { KubeObject } from '../../../apimachinery/object.js'

export interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
  status?: {
    phase?: 'Active' | 'Terminating'
    conditions?: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[]
  }
}
