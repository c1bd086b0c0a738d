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

export interface VirtualClock extends Clock {
  /** Moves on by `ms`, firing due timers in order and letting what they started settle between them. */
  advance(ms: number): Promise<void>
  /** When the next timer is due, in milliseconds since 1970, or undefined. */
  nextDue(): number | undefined
}

/**
 * A clock that moves only when told to. `settle` is awaited after every timer that fired, so that its consequences
 * (promises, and in a whole emulator the work queues) happen before the next one; by default a few turns of the event loop.
 */
export function createVirtualClock({
  startMs = 1_767_225_600_000,
  settle = turns,
}: {
  startMs?: number
  settle?: () => Promise<void>
} = {}): VirtualClock {
  let nowMs = startMs
  let sequence = 0
  const timers = new Map<number, { dueMs: number; callback: () => void }>()

  const after = (ms: number, callback: () => void): Cancel => {
    const id = sequence++
    timers.set(id, { dueMs: nowMs + Math.max(0, ms), callback })
    return () => void timers.delete(id)
  }
  const earliest = (): [number, { dueMs: number; callback: () => void }] | undefined => {
    let found: [number, { dueMs: number; callback: () => void }] | undefined
    for (const entry of timers) if (!found || entry[1].dueMs < found[1].dueMs) found = entry
    return found
  }

  return {
    now: () => nowMs,
    after,
    sleep: sleepOn(after),
    nextDue: () => earliest()?.[1].dueMs,
    async advance(ms) {
      const untilMs = nowMs + ms
      await settle()
      for (let next = earliest(); next && next[1].dueMs <= untilMs; next = earliest()) {
        timers.delete(next[0])
        nowMs = Math.max(nowMs, next[1].dueMs)
        next[1].callback()
        await settle()
      }
      nowMs = untilMs
      await settle()
    },
  }
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
