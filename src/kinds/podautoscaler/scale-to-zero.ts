import type { Condition } from '../../apimachinery/conditions.js'
import type { AutoscalerConfig } from '../../autoscaler/config.js'
import type { Decision } from '../../autoscaler/decider.js'
import type { ServerlessService } from '../serverlessservice/schema.js'
import { UNKNOWN_SCALE } from './scale.js'

/** What becomes of a wish for no Pods at all. */
export interface Zero {
  /** What is wanted now; -1: not known. */
  want: number
  /** Whether the Deployment is scaled to that. */
  isApplied: boolean
  /** When to look again, in milliseconds of virtual time, where only time can change the answer. */
  requeueAfterMs?: number
}

/** What a target that does not come up gets beyond its progress deadline. @see kpa/scaler.go, activationTimeoutBuffer */
const ACTIVATION_BUFFER_MS = 30_000
/** How long a PodAutoscaler is inactive before its last Pod goes, where nothing else has to be waited for (kpa/scaler.go). */
const INACTIVE_FIRST_MS = 3_000

/**
 * The gate before zero. A target that comes up is left alone until it has had its time; one that is active stays so for a
 * stable window, then is inactive; and an inactive one keeps its last Pod until the activator has been in the path for the
 * grace period, so that no request can meet a Pod that is going.
 *
 * On a cluster the activator is probed through the public Service. Here the gateway holds requests by itself, and what the
 * ServerlessService reports of its public Endpoints is the same answer; its change wakes the PodAutoscaler.
 *
 * @see knative/serving v1.23 pkg/reconciler/autoscaling/kpa/scaler.go, handleScaleToZero
 */
export function gateBeforeZero(given: {
  config: AutoscalerConfig
  settings: Decision['settings']
  /** The PodAutoscaler's condition Active as it was. */
  active: Condition | undefined
  sks: ServerlessService
  progressDeadlineMs: number
  nowMs: number
}): Zero {
  const { config, settings, active, sks, nowMs } = given
  if (!config.enableScaleToZero) return { want: 1, isApplied: true }
  const inStateMs = sinceMs(active, nowMs)

  if (!active || active.status === 'Unknown') {
    const leftMs = given.progressDeadlineMs + ACTIVATION_BUFFER_MS - inStateMs
    return leftMs > 0 ? { want: UNKNOWN_SCALE, isApplied: false, requeueAfterMs: leftMs } : { want: 0, isApplied: true }
  }
  if (active.status === 'True') {
    const leftMs = settings.stableWindowMs - inStateMs
    if (leftMs > 0) return { want: 1, isApplied: true, requeueAfterMs: leftMs }
    // A ServerlessService that is in proxy mode already does not change, and so wakes nobody.
    return { want: 0, isApplied: false, ...(sks.spec.mode === 'Proxy' && { requeueAfterMs: INACTIVE_FIRST_MS }) }
  }

  const graceMs = config.scaleToZeroGracePeriodMs
  const retentionMs = settings.scaleToZeroPodRetentionMs
  const proxied = sks.status?.conditions?.find(({ type }) => type === 'ActivatorEndpointsPopulated')
  const isProxied = proxied?.status === 'True' && sks.status?.observedGeneration === sks.metadata.generation
  if (!isProxied && settings.targetBurstCapacity !== -1) return { want: 0, isApplied: false }
  if (inStateMs >= Math.max(graceMs, retentionMs)) return { want: 0, isApplied: true }
  const leftMs =
    inStateMs < retentionMs
      ? retentionMs - inStateMs
      : Math.max(graceMs - (isProxied ? sinceMs(proxied, nowMs) : 0), INACTIVE_FIRST_MS - inStateMs)
  return leftMs > 0 ? { want: 0, isApplied: false, requeueAfterMs: leftMs } : { want: 0, isApplied: true }
}

function sinceMs(condition: Condition | undefined, nowMs: number): number {
  const changedMs = Date.parse(condition?.lastTransitionTime ?? '')
  return Number.isNaN(changedMs) ? 0 : Math.max(0, nowMs - changedMs)
}
