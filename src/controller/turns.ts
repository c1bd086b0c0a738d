import { onNextTurn } from '../base/clock.js'

/** Whose turn it is among those who have something to do: see {@link createTurns}. */
export interface Turns {
  /** Runs `task` on a later turn of the event loop, the lowest rank first, those of one rank in the order in which they asked. */
  take(rank: number, task: () => void): void
}

/** One turn in so many goes to whoever has waited longest, whatever the rank: nobody waits for ever. */
const FAIR_TURN = 8

interface Waiting {
  rank: number
  task: () => void
}

/**
 * Lets one task run per turn of the event loop, so that requests on their way through the gateway never wait for more than one
 * reconcile. A task goes before those of a higher rank, so that what somebody waits for (a Pod's start) comes before bookkeeping.
 */
export function createTurns(): Turns {
  /** In the order in which they asked. */
  const waiting: Waiting[] = []
  let count = 0

  const next = (): void => {
    count++
    let index = 0
    if (count % FAIR_TURN !== 0) for (let i = 1; i < waiting.length; i++) if (waiting[i]!.rank < waiting[index]!.rank) index = i
    const [{ task }] = waiting.splice(index, 1) as [Waiting]
    if (waiting.length > 0) onNextTurn(next)
    task()
  }

  return {
    take(rank, task) {
      waiting.push({ rank, task })
      if (waiting.length === 1) onNextTurn(next)
    },
  }
}
