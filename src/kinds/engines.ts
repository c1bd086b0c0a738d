import type { Kind, KindFeed } from '../apimachinery/kind.js'
import type { AutoscalerEngine } from '../autoscaler/autoscaler.js'
import type { Clock } from '../base/clock.js'
import type { expandReferences, mergeEnvironment } from '../runtime/environment.js'
import type { ProbeTarget, probe } from '../runtime/probe.js'
import type { ImageResolver, Runtime } from '../runtime/runtime.js'

export type { ProbeTarget }

/** One attempt of a probe. Never rejects: what went wrong is the message, in the kubelet's words. */
export type RunProbe = typeof probe

/** What the kinds that own an engine are given (an engine is called by the one kind that owns it). */
export interface Engines {
  /** Called by Pod. */
  runtime: Runtime
  /** Called by Pod and Revision. */
  images: ImageResolver
  /** Called by Pod. */
  probe: RunProbe
  /** The kubelet's rules for putting an environment together (src/runtime/environment.ts). Called by Pod. */
  environment: { merge: typeof mergeEnvironment; expand: typeof expandReferences }
  /**
   * Resolves when the gateway sends a Pod nothing more and nothing it sent there is in flight, or when the signal is aborted.
   * Absent where there is no gateway. Called by Pod.
   */
  drained?(podUid: string, signal: AbortSignal): Promise<void>
  /** For what never jumps: probes and grace periods. */
  realClock: Clock
  /** PEM text of the instance's authority, for each namespace's kube-root-ca.crt. */
  caCertificate: string
  /**
   * A token for a Secret of type kubernetes.io/service-account-token. Absent where nobody signs tokens. Called by ServiceAccount.
   */
  tokenForSecret?(account: { namespace: string; name: string; uid: string }, secretName: string): string
  /** Every kind that is served, for emptying a namespace. */
  kinds(): readonly Kind[]
  /** Told of user-defined kinds that come and go; absent where there are none. */
  onKinds?: KindFeed['onKinds']
  /** How many Pods each Revision should have (src/autoscaler). Called by PodAutoscaler. */
  autoscaler: AutoscalerEngine
}
