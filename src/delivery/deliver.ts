import type { Clock } from '../base/clock.js'
import { type DeliveryPolicy, retryAfterMs, retryDelayMs } from './backoff.js'
import { type Answer, answerHeader, type Outgoing, type Send } from './send.js'

/** How a delivery ended: the last answer (or error) decides. */
export type Outcome = Answer & { readonly ok: boolean; readonly attempts: number }

/** One attempt, told as soon as it is over. */
export interface Attempt {
  /** Counts from 1. */
  readonly attempt: number
  readonly answer: Answer
  /** In real milliseconds. */
  readonly tookMs: number
  /** Set when there will be another one. */
  readonly retryInMs?: number
}

export interface DeliverDeps {
  /** Waits between attempts are on this, the virtual one. */
  clock: Clock
  /** Measures attempts. */
  realClock: Pick<Clock, 'now'>
  send: Send
  /** Ends the delivery where it is: `deliver` then rejects with the signal's reason. */
  signal?: AbortSignal
  onAttempt?: (attempt: Attempt) => void
  /** Told around each wait: true when it begins, false when it is over. */
  onWaiting?: (isWaiting: boolean) => void
}

/** Statuses below 500 that another attempt may cure. */
const RETRIED = new Set([404, 408, 409, 429])

/**
 * Tries until the destination answers 2xx or the policy gives up. Connection errors, timeouts, 5xx, 404, 408, 409 and 429 are
 * tried again; any other answer ends it.
 * @see knative/eventing v1.22 pkg/kncloudevents/retries.go, SelectiveRetry
 */
export async function deliver(outgoing: Outgoing, policy: DeliveryPolicy, deps: DeliverDeps): Promise<Outcome> {
  const { clock, realClock, send, signal } = deps
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    const startedMs = realClock.now()
    const answer = await send(outgoing, { timeoutMs: policy.timeoutMs, signal })
    signal?.throwIfAborted()
    const tookMs = Math.max(0, realClock.now() - startedMs)
    const ok = isSuccess(answer)
    if (ok || attempt > policy.retry || !isRetried(answer)) {
      deps.onAttempt?.({ attempt, answer, tookMs })
      return { ...answer, ok, attempts: attempt }
    }
    const askedMs = retryAfterMs(policy, answer.statusCode, answerHeader(answer, 'retry-after'), realClock.now())
    const retryInMs = Math.max(retryDelayMs(policy, attempt - 1), askedMs)
    deps.onAttempt?.({ attempt, answer, tookMs, retryInMs })
    deps.onWaiting?.(true)
    try {
      await clock.sleep(retryInMs, signal)
    } finally {
      deps.onWaiting?.(false)
    }
  }
}

/** 200 to 299, and no other. */
export function isSuccess({ statusCode }: Answer): boolean {
  return statusCode !== undefined && statusCode >= 200 && statusCode <= 299
}

function isRetried({ statusCode }: Answer): boolean {
  return statusCode === undefined || statusCode >= 500 || RETRIED.has(statusCode)
}
