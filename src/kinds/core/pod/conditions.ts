import { timestamp } from '../../../apimachinery/object.js'
import type { Pod, PodCondition } from './schema.js'

/** Whether the Ready condition is True. */
export function isPodReady({ status }: Pod): boolean {
  return readyOf(status?.conditions)?.status === 'True'
}

/** When it became ready, in milliseconds since 1970; undefined while it is not. */
export function podReadySinceMs({ status }: Pod): number | undefined {
  const ready = readyOf(status?.conditions)
  return ready?.status === 'True' && ready.lastTransitionTime ? Date.parse(ready.lastTransitionTime) : undefined
}

/** Neither over nor on its way out. */
export function isPodActive({ status, metadata }: Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && !metadata.deletionTimestamp
}

/** The condition as it is to be stored: with the time of its last change of status. */
export function podCondition(
  before: readonly PodCondition[] | undefined,
  next: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>,
  { nowMs, generation }: { nowMs: number; generation: number | undefined },
): PodCondition {
  const old = before?.find(({ type }) => type === next.type)
  return {
    type: next.type,
    ...(generation !== undefined && { observedGeneration: generation }),
    status: next.status,
    lastProbeTime: null,
    lastTransitionTime: old?.status === next.status && old.lastTransitionTime ? old.lastTransitionTime : timestamp(nowMs),
    ...(next.reason && { reason: next.reason }),
    ...(next.message && { message: next.message }),
  }
}

function readyOf(conditions: readonly PodCondition[] | undefined): PodCondition | undefined {
  return conditions?.find(({ type }) => type === 'Ready')
}
