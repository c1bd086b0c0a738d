import { type Clock, onNextTurn } from '../base/clock.js'

/** Whose turn it is among those who have something to do: see {@link createTurns}. */
export interface Turns {
  /** Runs `task` on a later turn of the event loop, the lowest rank first, those of one rank in the order in which they asked. */
  take(rank: number, task: () => void): void
}

/** One turn in so many goes to whoever has waited longest, whatever the rank: nobody waits for ever. */
const FAIR_TURN = 8
/** In a hurry, what can wait does so for this long, and no longer however long the hurry lasts. */
const PATIENCE_MS = 60
/** Whether the hurry is over is looked at this often: what follows it at once, an answer, goes first too. */
const LOOK_AGAIN_MS = 5

interface Waiting {
  rank: number
  task: () => void
}

/** See {@link createTurns}. */
export interface Hurry {
  /** Real time. */
  clock: Pick<Clock, 'now' | 'after'>
  isOn(): boolean
  /** Tasks of this rank and higher ones can wait. */
  patientFrom: number
}

/**
 * Lets one task run per turn of the event loop, so that requests on their way through the gateway never wait for more than one
 * reconcile. A task goes before those of a higher rank, so that what somebody waits for (a Pod's start) comes before bookkeeping.
 * In a `hurry` bookkeeping does not even use up the processor that what is being started needs too.
 */
export function createTurns(hurry?: Hurry): Turns {
  /** In the order in which they asked. */
  const waiting: Waiting[] = []
  let count = 0
  /** How long they are patient, from the beginning of a hurry to its end. */
  let patientUntilMs: number | undefined
  let lookAgain: (() => void) | undefined

  const isPatient = (): boolean => {
    if (!hurry) return false
    if (!hurry.isOn()) {
      patientUntilMs = undefined
      return false
    }
    const nowMs = hurry.clock.now()
    patientUntilMs ??= nowMs + PATIENCE_MS
    return nowMs < patientUntilMs
  }

  const next = (): void => {
    lookAgain = undefined
    const patient = isPatient()
    count++
    let index = 0
    if (patient || count % FAIR_TURN !== 0) for (let i = 1; i < waiting.length; i++) if (waiting[i]!.rank < waiting[index]!.rank) index = i
    if (patient && waiting[index]!.rank >= hurry!.patientFrom) {
      lookAgain = hurry!.clock.after(LOOK_AGAIN_MS, next)
      return
    }
    const [{ task }] = waiting.splice(index, 1) as [Waiting]
    if (waiting.length > 0) onNextTurn(next)
    task()
  }

  return {
    take(rank, task) {
      waiting.push({ rank, task })
      if (waiting.length === 1) onNextTurn(next)
      else if (lookAgain && rank < hurry!.patientFrom) {
        lookAgain()
        lookAgain = undefined
        onNextTurn(next)
      }
    },
  }
}
