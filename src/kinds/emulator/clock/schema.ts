import type { KubeObject } from '../../../apimachinery/object.js'
import type { ClockMode } from '../../../base/clock.js'

/** The emulator's own time: what measures windows, back-offs, retention and ages. There is one, named `emulator`. */
export interface EmulatorClock extends KubeObject {
  spec: {
    /** `Real`: follows the machine's clock. `Frozen`: stands still, and moves when it is advanced. */
    mode: ClockMode
    /**
     * The clock is moved to this time. Stored before it moves, so that time never goes back even when the emulator is killed
     * on the way; once reached it means nothing any more.
     */
    advanceTo?: string
    /** How far to move a frozen clock, as a Go duration. Never stored: it becomes `advanceTo`. */
    advanceBy?: string
  }
  status?: {
    observedGeneration?: number
    mode: ClockMode
    /** As of the last change when watched, as of the moment when asked for. */
    now: string
    /** How far it is ahead of the machine's clock, as a Go duration. */
    offset: string
    /** When the next timer is due. Only in answers, and only where one is set. */
    nextTimer?: string
  }
}

/** The name of the one Clock. */
export const CLOCK_NAME = 'emulator'

/** A time with its milliseconds, where it has some: `2026-01-02T15:04:05Z`, `2026-01-02T15:04:05.250Z`. */
export function clockTime(epochMs: number): string {
  return new Date(Math.round(epochMs)).toISOString().replace('.000Z', 'Z')
}
