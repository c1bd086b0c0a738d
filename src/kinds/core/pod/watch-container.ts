import type { Clock } from '../../../base/clock.js'
import type { ProbeTarget, RunProbe } from '../../engines.js'
import { type ProbeKind, startProber } from './prober.js'
import type { Container, Probe } from './schema.js'

/** Between the first attempt and this much later a failing probe surprises nobody, in seconds, when the probe has no period. */
const DEFAULT_PERIOD_SECONDS = 10

/**
 * Follows one running instance of a container with its probes, in the kubelet's order: startup first, then readiness and
 * liveness. Without a startup probe it counts as started, without a readiness probe as ready. Returns what ends it; no
 * callback comes afterwards.
 */
export function watchContainer(options: {
  container: Container
  /** Init containers have no probes. */
  isInit: boolean
  target: ProbeTarget
  run: RunProbe
  /** Real time. */
  clock: Clock
  onStarted(): void
  onReady(isReady: boolean): void
  /** It is to be ended because of this probe. */
  onDoomed(kind: 'liveness' | 'startup'): void
  /** A failure that is worth an Event. */
  onFailure(text: string): void
}): () => void {
  const { container, isInit, target, run, clock } = options
  const stops: (() => void)[] = []
  const bornMs = clock.now()
  let isWatching = true
  const end = (): void => {
    isWatching = false
    for (const stop of stops.splice(0)) stop()
  }

  const follow = (kind: ProbeKind, probe: Probe | undefined, onVerdict: (isGood: boolean) => void): void => {
    if (!probe || !isWatching) return
    const youngMs = (probe.periodSeconds || DEFAULT_PERIOD_SECONDS) * 1000
    const stop = startProber({
      kind,
      probe,
      target,
      run,
      clock,
      onVerdict(isGood) {
        if (isWatching) onVerdict(isGood)
      },
      onFailure(message) {
        // Nobody is surprised that a program does not answer the moment it is started.
        if (kind !== 'Liveness' && clock.now() - bornMs < youngMs) return
        if (isWatching) options.onFailure(`${kind} probe failed: ${message}`)
      },
    })
    stops.push(stop)
  }
  const doom = (kind: 'liveness' | 'startup'): void => {
    end()
    options.onDoomed(kind)
  }
  const afterStartup = (): void => {
    options.onStarted()
    if (isInit || !container.readinessProbe) options.onReady(true)
    if (isInit) return
    follow('Readiness', container.readinessProbe, options.onReady)
    follow('Liveness', container.livenessProbe, (isGood) => {
      if (!isGood) doom('liveness')
    })
  }
  if (isInit || !container.startupProbe) afterStartup()
  else
    follow('Startup', container.startupProbe, (isGood) => {
      if (isGood) afterStartup()
      else doom('startup')
    })
  return end
}
