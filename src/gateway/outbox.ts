import { onNextTurn } from '../base/clock.js'

/** What is to be written at the end of this turn of the event loop. */
export interface Outbox {
  /** Calls back at the end of this turn, after everything that has arrived was read. Each asks once per turn. */
  later(flush: () => void): void
}

/**
 * Gathers what the connections have to write while one after the other is read. A write that follows at once on another costs a
 * fraction of one by itself: whoever is on the other end of both is woken up once, and finds more than one message to work on.
 */
export function createOutbox(): Outbox {
  let due: (() => void)[] = []
  const flush = (): void => {
    const now = due
    due = []
    for (const each of now) each()
  }
  return {
    later(each) {
      due.push(each)
      if (due.length === 1) onNextTurn(flush)
    },
  }
}
