import type { KubeObject } from '../../apimachinery/object.js'

/** caching.internal.knative.dev Image: a hint to pull ahead; kept because a cluster shows one per container. */
export interface Image extends KubeObject {
  spec: { image: string; serviceAccountName?: string; imagePullSecrets?: { name: string }[] }
}
