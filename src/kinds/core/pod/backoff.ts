/** Waits between attempts that double from the first to the last, and start over after a long quiet. */
export interface Backoff {
  /** The wait after something went wrong now, in milliseconds; 0 the first time. */
  next(nowMs: number): number
}

/** The kubelet's for restarts and image pulls (pkg/kubelet/kubelet.go MaxCrashLoopBackOff, MaxImageBackOff, initial 10 s). */
export const FIRST_BACKOFF_MS = 10_000
export const LONGEST_BACKOFF_MS = 300_000
/** client-go util/flowcontrol: an entry expires when it was not used for twice the longest wait. */
const QUIET_MS = 2 * LONGEST_BACKOFF_MS

/** `immediately`: how many times nothing is waited for at first. */
export function createBackoff({ immediately }: { immediately: number }): Backoff {
  let count = 0
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    next(nowMs) {
      if (nowMs - lastMs > QUIET_MS) count = 0
      lastMs = nowMs
      const waited = count++ - immediately
      return waited < 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(waited, 20), LONGEST_BACKOFF_MS)
    },
  }
}

/** `10s`, `1m20s`, `5m0s`: as Go prints whole seconds. */
export function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
