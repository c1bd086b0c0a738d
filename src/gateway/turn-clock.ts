import { type Clock, onNextTurn } from '../base/clock.js'

/**
 * The time at which this turn of the event loop began to ask for it: a request asks several times, and one turn serves many. What is
 * measured with it is exact to the length of a turn.
 */
export function createTurnClock(clock: Clock): Clock {
  let nowMs: number | undefined
  const forget = (): void => {
    nowMs = undefined
  }
  return {
    ...clock,
    now() {
      if (nowMs === undefined) {
        nowMs = clock.now()
        onNextTurn(forget)
      }
      return nowMs
    },
  }
}
