import { type Cancel, type Clock, onNextTurn } from '../base/clock.js'

export interface WorkQueue {
  /** Puts a key in line unless it is there already; while it is being processed, it is processed once more afterwards. */
  add(key: string): void
  /** Nothing in line and nothing being processed. What waits for a time yet to come does not count. */
  isIdle(): boolean
  /** Resolves when `isIdle`. */
  idle(): Promise<void>
  /** Takes nothing more from the line; resolves when what is being processed has ended. */
  stop(): Promise<void>
}

/** What became of one key. Milliseconds of the queue's clock; `again` is at once, without counting as a failure. */
export type Processed = { afterMs?: number | undefined } | { again: true }

/** client-go's ItemExponentialFailureRateLimiter as controllers use it (workqueue.DefaultTypedControllerRateLimiter). */
const FIRST_BACKOFF_MS = 5
const LONGEST_BACKOFF_MS = 1_000_000
/**
 * So many retries do not wait for the clock: at 5, 10 and 20 ms they are meant to be immediate, and a clock that is
 * stopped must not turn a passing failure into a lasting one.
 */
const QUICK_RETRIES = 3

/** The wait before the retry that follows the `failures`th failure in a row, counted from 1. */
export function retryDelayMs(failures: number): number {
  return failures <= QUICK_RETRIES ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 40), LONGEST_BACKOFF_MS)
}

/**
 * Keys in line for `process`: each at most once, never the same one twice at the same time. A throw is a failure: the key
 * comes back after a wait that doubles; a success forgets its failures. Starts on a later turn of the event loop, which `turn`
 * gives, so that everything told in this one is told before.
 */
export function createWorkQueue(options: {
  process: (key: string) => Promise<Processed>
  /** Virtual time: delays and backoff. */
  clock: Clock
  concurrency: number
  turn?: (task: () => void) => void
  onFailure?: (key: string, error: unknown, failures: number) => void
}): WorkQueue {
  const { process, clock, concurrency, turn = onNextTurn } = options
  const line = new Set<string>()
  const processing = new Set<string>()
  const dirty = new Set<string>()
  const failures = new Map<string, number>()
  const timers = new Map<string, Cancel>()
  let idlers: (() => void)[] = []
  let isScheduled = false
  let isStopped = false

  const isIdle = (): boolean => processing.size === 0 && (isStopped || line.size === 0)

  const schedule = (): void => {
    if (isScheduled || isStopped || line.size === 0 || processing.size >= concurrency) return
    isScheduled = true
    turn(() => {
      isScheduled = false
      const [key] = line
      if (isStopped || key === undefined) return
      line.delete(key)
      processing.add(key)
      schedule()
      void run(key)
    })
  }

  const add = (key: string): void => {
    if (isStopped) return
    if (processing.has(key)) dirty.add(key)
    else line.add(key)
    schedule()
  }

  const addAfter = (key: string, ms: number): void => {
    if (ms <= 0) {
      add(key)
      return
    }
    const cancel = clock.after(ms, () => {
      timers.delete(key)
      add(key)
    })
    timers.set(key, cancel)
  }

  const run = async (key: string): Promise<void> => {
    // Whoever processes the key now decides anew when it is due.
    timers.get(key)?.()
    timers.delete(key)
    let delayMs: number | undefined
    try {
      const outcome = await process(key)
      if ('again' in outcome) delayMs = 0
      else {
        failures.delete(key)
        delayMs = outcome.afterMs
      }
    } catch (error) {
      const count = (failures.get(key) ?? 0) + 1
      failures.set(key, count)
      delayMs = retryDelayMs(count)
      options.onFailure?.(key, error, count)
    }
    processing.delete(key)
    if (!isStopped) {
      if (dirty.delete(key)) line.add(key)
      if (delayMs !== undefined && !line.has(key)) addAfter(key, delayMs)
    }
    schedule()
    tellIdlers()
  }

  const tellIdlers = (): void => {
    if (!isIdle()) return
    const resolvers = idlers
    idlers = []
    for (const resolve of resolvers) resolve()
  }

  const idle = (): Promise<void> => (isIdle() ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve)))

  return {
    add,
    isIdle,
    idle,
    async stop() {
      isStopped = true
      for (const cancel of timers.values()) cancel()
      timers.clear()
      line.clear()
      tellIdlers()
      await idle()
    },
  }
}
