import type { Kind } from '../apimachinery/kind.js'
import type { AutoscalerEngine } from '../autoscaler/autoscaler.js'
import type { Clock } from '../base/clock.js'
import type { expandReferences, mergeEnvironment } from '../runtime/environment.js'
import type { ProbeTarget, probe } from '../runtime/probe.js'
import type { ImageResolver, Runtime } from '../runtime/runtime.js'

export type { ProbeTarget }

/** One attempt of a probe. Never rejects: what went wrong is the message, in the kubelet's words. */
export type RunProbe = typeof probe

/** What the kinds that own an engine are given (STYLE: an engine is called by the one kind that owns it). */
export interface Engines {
  /** Called by Pod. */
  runtime: Runtime
  /** Called by Pod and Revision. */
  images: ImageResolver
  /** Called by Pod. */
  probe: RunProbe
  /** The kubelet's rules for putting an environment together (src/runtime/environment.ts). Called by Pod. */
  environment: { merge: typeof mergeEnvironment; expand: typeof expandReferences }
  /** For what never jumps: probes and grace periods. */
  realClock: Clock
  /** PEM text of the instance's authority, for each namespace's kube-root-ca.crt. */
  caCertificate: string
  /** Every kind that is served, for emptying a namespace. */
  kinds(): readonly Kind[]
  /** How many Pods each Revision should have (src/autoscaler). Called by PodAutoscaler. */
  autoscaler: AutoscalerEngine
}
