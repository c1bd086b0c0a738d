import type { Clock } from '../../base/clock.js'
import type { Random } from '../../base/random.js'

/** The same chances again for each attempt at one write: what a webhook was shown is what the next attempt comes to. */
export function createRepeatableRandom(random: Random): { random: Random; again(): void } {
  const floats: number[] = []
  const bytes: Buffer[] = []
  let nextFloat = 0
  let nextBytes = 0
  return {
    random: {
      float() {
        const value = floats[nextFloat] ?? random.float()
        floats[nextFloat++] = value
        return value
      },
      bytes(count) {
        const known = bytes[nextBytes]
        const value = known?.length === count ? known : random.bytes(count)
        bytes[nextBytes++] = value
        return Buffer.from(value)
      },
    },
    again() {
      nextFloat = 0
      nextBytes = 0
    },
  }
}

/** A clock that stands still at the moment the write was asked for. */
export function stopped(clock: Clock): Clock {
  const atMs = clock.now()
  return { ...clock, now: () => atMs }
}
