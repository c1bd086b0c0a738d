import type { Clock } from '../../../base/clock.js'
import type { ProbeTarget, RunProbe } from '../../engines.js'
import type { Probe } from './schema.js'

export type ProbeKind = 'Startup' | 'Readiness' | 'Liveness'

/** The shortest wait between two attempts while a container starts. Upstream's kubelet waits a whole period; a listed difference. */
const FIRST_POLL_MS = 1
/** While it starts, an attempt follows after this share of the time it has been starting. */
const POLL_SHARE = 0.05
/** periodSeconds 0 is the queue-proxy's aggressive probing, every 50 ms (knative/serving pkg/queue/readiness). */
const AGGRESSIVE_POLL_MS = 50
const DEFAULT_PERIOD_SECONDS = 10
const DEFAULT_FAILURE_THRESHOLD = 3

/**
 * Probes a container until stopped, in real time. `onVerdict` tells when the verdict changes: thresholds of consecutive
 * results, counted as the kubelet counts them. While the verdict is not (yet) good, it is asked for again every few
 * milliseconds at first, so that a Pod is ready as soon as its program listens; failures count once per period all the same.
 *
 * @see kubernetes/kubernetes v1.35 pkg/kubelet/prober/worker.go
 */
export function startProber(options: {
  kind: ProbeKind
  probe: Probe
  target: ProbeTarget
  run: RunProbe
  /** Real time. */
  clock: Clock
  onVerdict(isGood: boolean): void
  /** A failure that counts, in the probe's words. */
  onFailure(message: string): void
}): () => void {
  const { kind, probe, target, run, clock, onVerdict, onFailure } = options
  const stopping = new AbortController()
  const periodMs = (probe.periodSeconds ?? DEFAULT_PERIOD_SECONDS) * 1000
  const steadyMs = periodMs > 0 ? periodMs : DEFAULT_PERIOD_SECONDS * 1000
  const successThreshold = probe.successThreshold || 1
  const failureThreshold = probe.failureThreshold || DEFAULT_FAILURE_THRESHOLD
  const startedMs = clock.now()
  // What the kubelet takes for granted before the first attempt.
  let isGood = kind === 'Liveness'
  let successes = 0
  let failures = 0
  let lastCountedMs = Number.NEGATIVE_INFINITY

  const attempt = async (): Promise<void> => {
    const { ok, message } = await run(probe, target, { timeoutMs: (probe.timeoutSeconds || 1) * 1000, signal: stopping.signal })
    if (stopping.signal.aborted) return
    if (ok) {
      failures = 0
      successes++
      if (!isGood && successes >= successThreshold) {
        isGood = true
        onVerdict(true)
      }
      return
    }
    successes = 0
    const now = clock.now()
    if (now - lastCountedMs < steadyMs) return
    lastCountedMs = now
    failures++
    onFailure(message)
    // A startup or liveness probe ends the container; a readiness probe that never was good says nothing new.
    if (failures >= failureThreshold && (isGood || kind === 'Startup')) {
      isGood = false
      failures = 0
      onVerdict(false)
    }
  }
  const pollMs = (): number => {
    if (isGood || kind === 'Liveness') return steadyMs
    const sinceStartMs = (clock.now() - startedMs) * POLL_SHARE
    return Math.min(Math.max(sinceStartMs, FIRST_POLL_MS), periodMs > 0 ? periodMs : AGGRESSIVE_POLL_MS)
  }
  const loop = async (): Promise<void> => {
    try {
      if (probe.initialDelaySeconds) await clock.sleep(probe.initialDelaySeconds * 1000, stopping.signal)
      for (;;) {
        await attempt()
        if (stopping.signal.aborted || (kind === 'Startup' && isGood)) return
        await clock.sleep(pollMs(), stopping.signal)
      }
    } catch {
      // Stopped while waiting.
    }
  }
  void loop()
  return () => stopping.abort()
}
