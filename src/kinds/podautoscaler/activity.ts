import type { Conditions } from '../../apimachinery/conditions.js'
import { POD_AUTOSCALER_REASONS, type PodAutoscaler } from './schema.js'

const NO_TRAFFIC = 'The target is not receiving traffic.'

/**
 * Sets the numbers in `status` and the conditions that follow from them. `minReady` gives how many ready Pods make the target
 * active, before and after it was initialized.
 *
 * @see knative/serving v1.23 pkg/reconciler/autoscaling/kpa/kpa.go, computeStatus
 */
export function markActivity(
  conditions: Conditions,
  status: NonNullable<PodAutoscaler['status']>,
  { want, ready, minReady: threshold }: { want: number; ready: number; minReady: (isInitialized: boolean) => number },
): void {
  status.actualScale = ready
  // Not knowing never replaces a number that was known.
  if (want >= 0 || status.desiredScale === undefined) status.desiredScale = want

  const minReady = threshold(conditions.get('ScaleTargetInitialized')?.status === 'True')
  const { status: active, reason } = conditions.get('Active') ?? {}
  const { noTraffic, timedOut, queued } = POD_AUTOSCALER_REASONS
  if (status.serviceName && ready >= minReady) conditions.isTrue('ScaleTargetInitialized')

  if (want === 0 || minReady === 0) {
    // Going to zero while still activating means that it was given up; looking again does not make that an idle target.
    const isGivenUp = active === 'Unknown' || reason === timedOut
    if (isGivenUp && minReady > 0) conditions.isFalse('Active', timedOut, 'The target could not be activated.')
    else conditions.isFalse('Active', noTraffic, NO_TRAFFIC)
  } else if (ready < minReady) {
    if (want > 0 || active !== 'False') {
      conditions.isUnknown('Active', queued, 'Requests to the target are being buffered as resources are provisioned.')
    } else if (reason !== timedOut) {
      conditions.isFalse('Active', noTraffic, NO_TRAFFIC)
    }
  } else if (want > 0 || active !== 'False') {
    conditions.isTrue('Active')
  }
}
