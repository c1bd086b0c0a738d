import { onNextTurn } from '../base/clock.js'

/** Knows whether anything is going on, from parts that each know it of themselves. */
export interface Settling {
  /** Counts as going on until it ends, however it ends. */
  busy(work: Promise<unknown>): void
  isSettled(): boolean
  /** Resolves once nothing has been going on for a whole turn of the event loop. */
  settled(): Promise<void>
}

/** A thing that is idle now and then, such as a work queue. */
export interface Idling {
  isIdle(): boolean
  idle(): Promise<void>
}

/** `parts` is asked each time, so it may grow. */
export function createSettling(parts: () => readonly Idling[]): Settling {
  const works = new Set<Promise<unknown>>()
  const isSettled = (): boolean => works.size === 0 && parts().every((part) => part.isIdle())

  return {
    busy(work) {
      const ended: Promise<void> = work.then(
        () => void works.delete(ended),
        () => void works.delete(ended),
      )
      works.add(ended)
    },
    isSettled,
    async settled() {
      for (;;) {
        while (!isSettled()) await Promise.all([...works, ...parts().map((part) => part.idle())])
        // Events that became visible in this turn are delivered before the next one begins.
        await nextTurn()
        if (isSettled()) return
      }
    },
  }
}

function nextTurn(): Promise<void> {
  return new Promise(onNextTurn)
}
