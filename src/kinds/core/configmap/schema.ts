import type { KubeObject } from '../../../apimachinery/object.js'

export interface ConfigMap extends KubeObject {
  immutable?: boolean
  data?: Record<string, string>
  /** Base64. */
  binaryData?: Record<string, string>
}
