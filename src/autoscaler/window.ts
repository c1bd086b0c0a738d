/** How a series is averaged over its window. */
export type Averaging = 'linear' | 'weighted-exponential'

/** What was recorded in the last seconds, in buckets of one second. */
export interface Window {
  /** Adds to the bucket of this moment (milliseconds since 1970): values within one second are summed. */
  record(nowMs: number, value: number): void
  /** The average bucket; 0 when nothing was recorded for a whole window. */
  average(nowMs: number): number
  /** Nothing was recorded for longer than a window, or ever. */
  isEmpty(nowMs: number): boolean
  /** Makes the window longer or shorter and keeps what fits. */
  resize(windowMs: number, nowMs: number): void
}

const BUCKET_MS = 1000
/** What is left of a value's weight at the far end of a weighted window, before the least coefficient takes over. */
const WEIGHT_AT_END = 0.0001
const LEAST_COEFFICIENT = 0.2
const AVERAGE_DIGITS = 6

const secondOf = (ms: number): number => Math.floor(ms / BUCKET_MS)

/**
 * A window of whole seconds.
 *
 * - `linear`: the sum divided by the buckets since the first write, at most the whole window. Seconds after the last write
 *   count neither in the sum nor in the number of buckets; gaps before it count as zeros. The first write after a window of
 *   silence begins anew. Rounded to six decimals.
 * - `weighted-exponential`: newer buckets weigh more, each older one `1 - c` times as much as the next; not rounded.
 *
 * @see knative/serving v1.23 pkg/autoscaler/aggregation/bucketing.go
 */
export function createWindow(averaging: Averaging, windowMs: number): Window {
  let buckets = new Float64Array(Math.ceil(windowMs / BUCKET_MS))
  let first = Number.NEGATIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY

  const at = (second: number): number => second % buckets.length
  const clearAfter = (from: number, to: number): void => {
    for (let second = from + 1; second <= to; second++) buckets[at(second)] = 0
  }

  const linear = (silent: number): number => {
    const seen = buckets.length - silent
    let sum = 0
    for (let back = 0; back < seen; back++) sum += buckets[at(last - back)]!
    return rounded(sum / Math.min(last - first + 1, seen))
  }
  const weighted = (silent: number): number => {
    const coefficient = Math.max(1 - WEIGHT_AT_END ** (1 / buckets.length), LEAST_COEFFICIENT)
    let weight = coefficient * (1 - coefficient) ** silent
    let sum = 0
    for (let back = 0; back < buckets.length - silent; back++) {
      sum += buckets[at(last - back)]! * weight
      weight *= 1 - coefficient
    }
    return sum
  }

  return {
    record(nowMs, value) {
      const second = secondOf(nowMs)
      if (second > last) {
        if (second - last >= buckets.length) {
          buckets.fill(0)
          first = second
        } else {
          clearAfter(last, second)
        }
        last = second
      } else if (second <= last - buckets.length) {
        return
      }
      first = Math.min(first, second)
      buckets[at(second)]! += value
    },
    average(nowMs) {
      const silent = Math.max(0, secondOf(nowMs) - last)
      if (silent >= buckets.length) return 0
      return averaging === 'linear' ? linear(silent) : weighted(silent)
    },
    isEmpty: (nowMs) => secondOf(nowMs) - last > buckets.length,
    resize(newWindowMs, nowMs) {
      const length = Math.ceil(newWindowMs / BUCKET_MS)
      if (length === buckets.length) return
      const before = buckets
      const wasWritten = secondOf(nowMs) - last <= before.length
      buckets = new Float64Array(length)
      if (!wasWritten) {
        last = Number.NEGATIVE_INFINITY
        return
      }
      for (let back = 0; back < Math.min(length, before.length); back++)
        buckets[(last - back) % length] = before[(last - back) % before.length]!
      // As there: from now on the whole window before counts as written, its unwritten part as zeros.
      first = last - (before.length - 1)
    },
  }
}

function rounded(value: number): number {
  const scale = 10 ** AVERAGE_DIGITS
  return Math.round(value * scale) / scale
}
