import type { KubeObject } from '../../../apimachinery/object.js'

export interface Secret extends KubeObject {
  immutable?: boolean
  type?: string
  /** Base64. */
  data?: Record<string, string>
  /** Merged into data when written, never returned. */
  stringData?: Record<string, string>
}
