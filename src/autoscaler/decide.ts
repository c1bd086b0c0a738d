import type { ScaleSettings } from './settings.js'

/** What a decider remembers from one tick to the next. */
export interface DeciderState {
  /** When panic was last seen to be due, in milliseconds since 1970; undefined: calm. */
  readonly panicMs: number | undefined
  /** The most Pods wanted in this panic. */
  readonly maxPanicPods: number
  /** What was wanted lately, oldest first; undefined: there was no scale-down delay when the decider was made. */
  readonly recent: readonly { readonly slot: number; readonly pods: number }[] | undefined
  /** How many slots the scale-down delay has. */
  readonly delaySlots: number
}

export interface Verdict {
  /** How many Pods there should be, bounds not considered; -1: not known. */
  desiredScale: number
  /** How much load could come at once and be taken; -1 when the activator is to stay anyway. */
  excessBurstCapacity: number
}

/** What a tick sees. */
export interface Observation {
  nowMs: number
  readyPods: number
  /** Averages over the two windows, of all Pods together. */
  stableValue: number
  panicValue: number
}

/** How often a decider ticks, in milliseconds. @see knative/serving v1.23 pkg/autoscaler/scaling/multiscaler.go, tickInterval */
export const TICK_MS = 2_000

export const UNKNOWN_SCALE = -1

/**
 * A decider that has seen nothing yet. Where several Pods run already (after a restart), it starts in panic, so that nothing
 * is scaled down before there is a window's worth of data.
 *
 * @see knative/serving v1.23 pkg/autoscaler/scaling/{autoscaler,multiscaler}.go
 */
export function newDecider(settings: ScaleSettings, readyPods: number, nowMs: number): { state: DeciderState; verdict: Verdict } {
  const { targetBurstCapacity, initialScale, totalValue, scaleDownDelayMs } = settings
  const isAlways = targetBurstCapacity === -1 || targetBurstCapacity === 0
  return {
    state: {
      panicMs: readyPods > 1 ? nowMs : undefined,
      maxPanicPods: readyPods,
      recent: scaleDownDelayMs > 0 ? [] : undefined,
      delaySlots: Math.ceil(scaleDownDelayMs / TICK_MS),
    },
    verdict: {
      desiredScale: UNKNOWN_SCALE,
      excessBurstCapacity: isAlways ? targetBurstCapacity : Math.trunc(initialScale * totalValue - targetBurstCapacity),
    },
  }
}

/**
 * One tick: how many Pods the load of the two windows asks for, within what the present number may grow or shrink to.
 *
 * Panic begins when the panic window asks for `panicThreshold` times the ready Pods, and lasts until a stable window has
 * passed without that; meanwhile the number only grows.
 *
 * @see knative/serving v1.23 pkg/autoscaler/scaling/autoscaler.go, Scale
 */
export function decide(settings: ScaleSettings, before: DeciderState, seen: Observation): { state: DeciderState; verdict: Verdict } {
  const { nowMs, readyPods, stableValue, panicValue } = seen
  const { targetValue, isReachable, activationScale } = settings
  const pods = Math.max(1, readyPods)
  const most = Math.ceil(settings.maxScaleUpRate * pods)
  const least = isReachable ? Math.floor(pods / settings.maxScaleDownRate) : 0
  const neededStable = Math.ceil(stableValue / targetValue)
  const neededInPanic = Math.ceil(panicValue / targetValue)
  const allowed = (needed: number): number => {
    const within = Math.min(Math.max(needed, least), most)
    return activationScale > 1 && needed > 0 ? Math.max(within, activationScale) : within
  }

  const isOver = neededInPanic / pods >= settings.panicThreshold
  let { panicMs, maxPanicPods } = before
  if (isOver) {
    panicMs = nowMs
  } else if (panicMs !== undefined && panicMs + settings.stableWindowMs < nowMs) {
    panicMs = undefined
    maxPanicPods = 0
  }
  let wanted = allowed(neededStable)
  if (panicMs !== undefined) {
    maxPanicPods = Math.max(maxPanicPods, wanted, allowed(neededInPanic))
    wanted = maxPanicPods
  }

  const isDelayed = isReachable && before.recent !== undefined && settings.scaleDownDelayMs > 0
  const recent = isDelayed ? remembered(before, { slot: Math.floor(nowMs / TICK_MS), pods: wanted }) : before.recent
  const desiredScale = isDelayed ? Math.max(...recent!.map((entry) => entry.pods)) : wanted
  return {
    state: { ...before, panicMs, maxPanicPods, recent },
    verdict: { desiredScale, excessBurstCapacity: excessBurstCapacity(settings, readyPods, panicValue) },
  }
}

/** What is still within the delay, with the newest added; what can never be the largest again is dropped. */
function remembered({ recent, delaySlots }: DeciderState, newest: { slot: number; pods: number }): NonNullable<DeciderState['recent']> {
  return [...recent!.filter(({ slot, pods }) => newest.slot - slot < delaySlots && pods > newest.pods), newest]
}

function excessBurstCapacity({ targetBurstCapacity, totalValue }: ScaleSettings, readyPods: number, panicValue: number): number {
  if (targetBurstCapacity === 0) return 0
  if (targetBurstCapacity < 0) return -1
  return Math.floor(readyPods * totalValue - targetBurstCapacity - panicValue)
}
