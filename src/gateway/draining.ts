import type { Instance } from './instance.js'

/** Knows which Pods still have requests in flight, or may still get some. */
export interface Draining {
  /** An instance that requests may be sent to from now on. */
  opened(instance: Instance): void
  /** It gets nothing more, and has answered all it had. */
  closed(instance: Instance): void
  /** Resolves when all instances of a Pod are closed, or when the signal is aborted. */
  drained(podUid: string, signal: AbortSignal): Promise<void>
  /** Nobody has to wait any longer. */
  stop(): void
}

export function createDraining(): Draining {
  const open = new Map<string, Set<Instance>>()
  const waiting = new Map<string, Set<() => void>>()

  return {
    opened(instance) {
      const ofPod = open.get(instance.podUid) ?? new Set<Instance>()
      open.set(instance.podUid, ofPod.add(instance))
    },
    closed(instance) {
      const { podUid } = instance
      const ofPod = open.get(podUid)
      if (!ofPod?.delete(instance) || ofPod.size > 0) return
      open.delete(podUid)
      for (const resolve of waiting.get(podUid) ?? []) resolve()
    },
    drained(podUid, signal) {
      if (!open.has(podUid) || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const ofPod = waiting.get(podUid) ?? new Set<() => void>()
        const done = (): void => {
          ofPod.delete(done)
          if (ofPod.size === 0) waiting.delete(podUid)
          signal.removeEventListener('abort', done)
          resolve()
        }
        waiting.set(podUid, ofPod.add(done))
        signal.addEventListener('abort', done, { once: true })
      })
    },
    stop() {
      open.clear()
      for (const ofPod of [...waiting.values()]) for (const resolve of [...ofPod]) resolve()
    },
  }
}
