import { createTimers } from './timers.js'

/** Stops a timer; calling it twice, or after it fired, does nothing. */
export type Cancel = () => void

/**
 * The only source of time. Two domains are handed out (docs/architecture.md, "Time"): the *virtual* one follows
 * `kn emulator clock` (autoscaling windows, back-offs, retention), the *real* one never jumps (probes, request timeouts).
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once, `ms` from now (0 or less: as soon as possible, never synchronously). */
  after(ms: number, callback: () => void): Cancel
  /** Resolves `ms` from now; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node refuses longer timers (it would fire at once), so longer waits are done in legs. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's own clock. Its timers do not keep the process alive when `unref` is set. */
export function createSystemClock({ unref = false }: { unref?: boolean } = {}): Clock {
  const after = (ms: number, callback: () => void): Cancel => {
    let timer: NodeJS.Timeout
    const leg = (leftMs: number): void => {
      const thisLegMs = Math.min(leftMs, LONGEST_TIMER_MS)
      timer = setTimeout(() => (leftMs > thisLegMs ? leg(leftMs - thisLegMs) : callback()), Math.max(0, thisLegMs))
      if (unref) timer.unref()
    }
    leg(ms)
    return () => clearTimeout(timer)
  }
  return { now: () => Date.now(), after, sleep: sleepOn(after) }
}

export type ClockMode = 'Real' | 'Frozen'

/** What is awaited between two timers of an advance, so that the consequences of the one happen before the next. */
export type Settle = () => Promise<void>

/** The clock of the virtual domain: it follows another clock at a distance, or stands still. It never goes back. */
export interface ControllableClock extends Clock {
  mode(): ClockMode
  /** How far it is ahead of the clock it follows, in milliseconds; less than 0 when behind. */
  offsetMs(): number
  /** When the next timer is due, in milliseconds since 1970, or undefined. */
  nextDue(): number | undefined
  /** Stands still from now on. */
  freeze(): void
  /** Goes on from where it stands, at the pace of the clock it follows. Throws while it is being advanced. */
  resume(): void
  /**
   * Moves a frozen clock on by `ms`: due timers fire in order, each at its own time, and after each `settle` is awaited.
   * Moves come one after the other. An aborted `signal` ends the move where it is. Throws when the clock is not frozen.
   */
  advance(ms: number, how?: { settle?: Settle; signal?: AbortSignal }): Promise<void>
}

/**
 * A clock over `base` that can be stopped and moved. Follows `base` from the start at a distance of `offsetMs` (0), unless
 * `frozenAtMs` says where it stands still. Where `base` is set back, the distance grows instead of time going back.
 * `settle` is for moves that bring none of their own; by default a few turns of the event loop.
 */
export function createControllableClock(options: {
  base: Clock
  offsetMs?: number
  frozenAtMs?: number
  settle?: Settle
}): ControllableClock {
  const { base } = options
  const timers = createTimers()
  let offsetMs = options.offsetMs ?? 0
  let frozenMs = options.frozenAtMs
  let latestMs = Number.NEGATIVE_INFINITY
  let armed: { dueMs: number; cancel: Cancel } | undefined
  let isMoving = false
  let moves: Promise<void> = Promise.resolve()

  const now = (): number => {
    if (frozenMs !== undefined) return frozenMs
    const baseMs = base.now()
    if (baseMs + offsetMs < latestMs) offsetMs = latestMs - baseMs
    latestMs = baseMs + offsetMs
    return latestMs
  }
  /** Sees to it that the first timer is looked at when it is due: while frozen only if that is now. */
  const arm = (): void => {
    const dueMs = timers.nextDue()
    const isWanted = dueMs !== undefined && !isMoving && (frozenMs === undefined || dueMs <= frozenMs)
    if (isWanted && armed?.dueMs === dueMs) return
    armed?.cancel()
    armed = isWanted ? { dueMs, cancel: base.after(Math.max(0, dueMs - now()), fireDue) } : undefined
  }
  const fireDue = (): void => {
    armed = undefined
    const nowMs = now()
    try {
      // What these add is left for the next time, or a timer that sets itself anew would never let go.
      for (let left = timers.size(); left > 0; left--) timers.take(nowMs)?.()
    } finally {
      // Timers of `base` may be early by a fraction of a millisecond.
      arm()
    }
  }
  const after = (ms: number, callback: () => void): Cancel => {
    const cancel = timers.add(now() + Math.max(0, ms), callback)
    arm()
    return () => {
      cancel()
      arm()
    }
  }

  const move = async (ms: number, settle: Settle, signal: AbortSignal | undefined): Promise<void> => {
    if (frozenMs === undefined) throw new Error('only a frozen clock can be advanced')
    const untilMs = frozenMs + ms
    isMoving = true
    arm()
    try {
      await settle()
      for (let dueMs = timers.nextDue(); dueMs !== undefined && dueMs <= untilMs; dueMs = timers.nextDue()) {
        frozenMs = Math.max(frozenMs, dueMs)
        timers.take(dueMs)!()
        await settle()
        if (signal?.aborted) return
      }
      frozenMs = untilMs
      await settle()
    } finally {
      isMoving = false
      arm()
    }
  }

  return {
    now,
    after,
    sleep: sleepOn(after),
    mode: () => (frozenMs === undefined ? 'Real' : 'Frozen'),
    offsetMs: () => now() - base.now(),
    nextDue: timers.nextDue,
    freeze() {
      frozenMs ??= now()
      arm()
    },
    resume() {
      if (frozenMs === undefined) return
      if (isMoving) throw new Error('a clock that is being advanced cannot be resumed')
      offsetMs = frozenMs - base.now()
      latestMs = frozenMs
      frozenMs = undefined
      arm()
    },
    advance(ms, { settle = options.settle ?? turns, signal } = {}) {
      const moved = moves.then(() => move(ms, settle, signal))
      moves = moved.catch(() => {})
      return moved
    },
  }
}

export type VirtualClock = ControllableClock

/** A clock for tests that moves only when told to. `settle` is awaited after every timer that fired. */
export function createVirtualClock({
  startMs = 1_767_225_600_000,
  settle = turns,
}: {
  startMs?: number
  settle?: Settle
} = {}): VirtualClock {
  return createControllableClock({ base: createSystemClock({ unref: true }), frozenAtMs: startMs, settle })
}

/** Calls back on the next turn of the event loop, after every promise callback of this one: order, not time. */
export function onNextTurn(callback: () => void): void {
  setImmediate(callback)
}

function sleepOn(after: Clock['after']): Clock['sleep'] {
  return (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const cancel = after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
