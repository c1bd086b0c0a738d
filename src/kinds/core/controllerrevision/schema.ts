import type { KubeObject } from '../../../apimachinery/object.js'
import type { PodTemplateSpec } from '../pod/schema.js'

/** A template as it once was. `data` is a strategic merge patch that brings it back, which is how `kubectl rollout undo` uses it. */
export interface ControllerRevision extends KubeObject {
  data?: { spec?: { template?: PodTemplateSpec & { $patch?: 'replace' } } }
  revision: number
}
