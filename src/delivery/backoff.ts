/** How hard a delivery is tried. Absent times: no wait, no limit, no heed to Retry-After. */
export interface DeliveryPolicy {
  /** Attempts beyond the first. */
  readonly retry: number
  readonly backoffPolicy?: 'linear' | 'exponential'
  readonly backoffDelayMs?: number
  /** Of each attempt, in real milliseconds, from connecting to the last byte of the answer. */
  readonly timeoutMs?: number
  /** The longest Retry-After that is heeded; 0 heeds none. */
  readonly retryAfterMaxMs?: number
}

/**
 * The wait before a retry, in milliseconds, without jitter or upper limit. `retryNumber` counts from 0, as in Knative: a linear
 * policy retries at once the first time. 0 where policy or delay is missing.
 * @see knative/eventing v1.22 pkg/kncloudevents/retries.go, RetryConfigFromDeliverySpec
 */
export function retryDelayMs({ backoffPolicy, backoffDelayMs = 0 }: DeliveryPolicy, retryNumber: number): number {
  if (backoffPolicy === undefined) return 0
  return backoffPolicy === 'linear' ? backoffDelayMs * retryNumber : backoffDelayMs * 2 ** retryNumber
}

/** Only with these is Retry-After heeded. */
const RETRY_AFTER_STATUSES = new Set([429, 503])

/**
 * The wait that an answer asks for, in milliseconds; 0 when it asks for none, or the policy heeds none. `nowMs` is the time of
 * the machine, which the server that names a date shares.
 * @see knative/eventing v1.22 pkg/kncloudevents/retries.go, generateBackoffFnWithRetryAfter
 */
export function retryAfterMs(policy: DeliveryPolicy, statusCode: number | undefined, header: string | undefined, nowMs: number): number {
  const { retryAfterMaxMs = 0 } = policy
  if (retryAfterMaxMs <= 0 || header === undefined || statusCode === undefined || !RETRY_AFTER_STATUSES.has(statusCode)) return 0
  const text = header.trim()
  const wantedMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isNaN(wantedMs) ? 0 : Math.min(Math.max(0, wantedMs), retryAfterMaxMs)
}
