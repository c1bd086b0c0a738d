/** Timers in the order in which they are due; equal ones in the order in which they were added. */
export interface Timers {
  /** `dueMs` on whatever clock the caller keeps. Returns what takes the timer out again. */
  add(dueMs: number, callback: () => void): () => void
  size(): number
  /** When the first one is due, or undefined. */
  nextDue(): number | undefined
  /** Takes out the first one if it is due at `nowMs`. */
  take(nowMs: number): (() => void) | undefined
}

interface Timer {
  dueMs: number
  sequence: number
  callback: () => void
  /** Where it stands in the heap; -1 once it is out. */
  at: number
}

/** A binary heap that knows where each timer stands: most of them are taken out long before they are due. */
export function createTimers(): Timers {
  const heap: Timer[] = []
  let sequence = 0

  const isBefore = (one: Timer, other: Timer): boolean =>
    one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.sequence < other.sequence)
  const put = (timer: Timer, at: number): void => {
    heap[at] = timer
    timer.at = at
  }
  const rise = (timer: Timer): void => {
    let at = timer.at
    while (at > 0) {
      const parent = heap[(at - 1) >> 1]!
      if (!isBefore(timer, parent)) break
      put(parent, at)
      at = (at - 1) >> 1
    }
    put(timer, at)
  }
  const sink = (timer: Timer): void => {
    let at = timer.at
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      const child = right && left && isBefore(right, left) ? right : left
      if (!child || !isBefore(child, timer)) break
      const place = child.at
      put(child, at)
      at = place
    }
    put(timer, at)
  }
  const remove = (timer: Timer): void => {
    if (timer.at < 0) return
    const last = heap.pop()!
    if (last !== timer) {
      put(last, timer.at)
      rise(last)
      sink(last)
    }
    timer.at = -1
  }

  return {
    add(dueMs, callback) {
      const timer = { dueMs, callback, sequence: sequence++, at: heap.length }
      heap.push(timer)
      rise(timer)
      return () => remove(timer)
    },
    size: () => heap.length,
    nextDue: () => heap[0]?.dueMs,
    take(nowMs) {
      const first = heap[0]
      if (!first || first.dueMs > nowMs) return undefined
      remove(first)
      return first.callback
    },
  }
}
