import type { ServedKind } from '../../../apimachinery/kind.js'
import { emulatorClockKind } from './kind.js'
import type { EmulatorClock } from './schema.js'
import { stepToGoal, validateClock } from './validate.js'

/** What moves the clock; the emulator's own (src/emulator/clock.ts). */
export interface ClockEngine {
  /** Freezes, resumes or advances as the Clock says; resolves once everything that was due on the way has settled. */
  carryOut(clock: EmulatorClock): Promise<{ object: EmulatorClock; warnings: readonly string[] }>
  /** The Clock with the status of this moment. */
  live(clock: EmulatorClock): EmulatorClock
}

const time = { type: 'string', format: 'date-time' } as const
const mode = { type: 'string', enum: ['Real', 'Frozen'] } as const

/** The Clock is made by the emulator and goes with it: it can be neither created nor deleted. */
export function createClockServed(engine: ClockEngine): ServedKind<EmulatorClock> {
  return {
    kind: emulatorClockKind,
    builtIn: false,
    verbs: ['get', 'list', 'patch', 'update', 'watch'],
    // Only the first write at the start of an emulator finds none.
    createsOnUpdate: true,
    schema: {
      type: 'object',
      required: ['spec'],
      properties: {
        spec: {
          type: 'object',
          required: ['mode'],
          properties: {
            mode: { ...mode, description: 'Real: follows the clock of this machine. Frozen: stands still, and moves when it is advanced.' },
            advanceBy: {
              type: 'string',
              description:
                'How far to move a frozen clock, as a duration such as 91s or 1h30m. The answer comes once everything that was due on the way has happened. It is kept as advanceTo.',
            },
            advanceTo: { ...time, description: 'The time to move a frozen clock to. It never goes back.' },
          },
        },
        status: {
          type: 'object',
          properties: {
            observedGeneration: { type: 'integer', format: 'int64' },
            mode,
            now: { ...time, description: 'What time it is. As of the last change where it is watched.' },
            offset: { type: 'string', description: 'How far it is ahead of the clock of this machine.' },
            nextTimer: { ...time, description: 'When the next timer is due.' },
          },
        },
      },
    },
    validate: validateClock,
    prepare: stepToGoal,
    carryOut: (clock) => engine.carryOut(clock),
    live: (clock) => engine.live(clock),
  }
}
