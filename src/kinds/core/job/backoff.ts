import type { Pod } from '../pod/schema.js'

/** Between a failure and the next Pod; doubles with each failure in a row (pkg/controller/job DefaultJobPodFailureBackOff, Max…). */
const FIRST_MS = 10_000
const LONGEST_MS = 600_000

/** What is remembered of a Job's failures since its last success; lost with the emulator, as upstream's is with its controller. */
export interface FailureRecord {
  failures: number
  lastMs: number
}

/** The record after these Pods have come to their end. @see kubernetes/kubernetes v1.35 pkg/controller/job/backoff_utils.go */
export function failuresAfter(before: FailureRecord, succeeded: readonly Pod[], failed: readonly Pod[], nowMs: number): FailureRecord {
  const successMs = Math.max(Number.NEGATIVE_INFINITY, ...succeeded.map((pod) => finishedMs(pod, nowMs)))
  const later = failed.map((pod) => finishedMs(pod, nowMs)).filter((ms) => ms > successMs)
  const start = succeeded.length > 0 ? 0 : before.failures
  return { failures: start + later.length, lastMs: Math.max(succeeded.length > 0 ? 0 : before.lastMs, ...later) }
}

/** How long the next Pod waits after so many failures in a row, the last of them at `lastMs`; 0 when it may start now. */
export function waitMs({ failures, lastMs }: FailureRecord, nowMs: number): number {
  if (failures === 0) return 0
  return Math.max(0, lastMs + Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 20), LONGEST_MS) - nowMs)
}

/** When a Pod came to its end. */
export function finishedMs({ status, metadata }: Pod, nowMs: number): number {
  const ends = (status?.containerStatuses ?? []).flatMap(({ state }) => (state.terminated ? Date.parse(state.terminated.finishedAt) : []))
  if (ends.length > 0) return Math.max(...ends)
  return metadata.deletionTimestamp ? Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000 : nowMs
}
