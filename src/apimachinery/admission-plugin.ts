import type { AdmissionContext, Kind } from './kind.js'
import type { KubeObject } from './object.js'

/** A write that is on its way to the store, as the plugins of the pipeline see it. */
export interface AdmissionRequest {
  kind: Kind
  /** `pods`, `deployments.apps`. */
  resource: string
  namespace: string | undefined
  /** With operation, subresource, the stored object, and what else is stored at this moment. */
  context: AdmissionContext
}

/**
 * A rule of the pipeline that holds for objects of many kinds, or that objects of one kind impose on others: what
 * kube-apiserver has admission plugins for. Everything here runs in the one step that decides what is stored.
 */
export interface AdmissionPlugin {
  /** Fills in what the sender left out, in place, before webhooks see it. Throws a StatusError to refuse. */
  mutate?(object: KubeObject, request: AdmissionRequest): void
  /** Throws a StatusError to refuse an object that is valid as such; before webhooks are asked. */
  validate?(object: KubeObject, request: AdmissionRequest): void
  /** The last word, after webhooks: what counts what is admitted. Throws a StatusError to refuse. */
  count?(object: KubeObject, request: AdmissionRequest): void
}
