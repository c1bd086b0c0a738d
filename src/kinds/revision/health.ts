import type { Conditions } from '../../apimachinery/conditions.js'
import { readyCondition } from '../../apimachinery/conditions.js'
import type { Deployment, DeploymentCondition } from '../core/deployment/schema.js'
import { type Pod, QUEUE_PROXY } from '../core/pod/schema.js'
import { POD_AUTOSCALER_REASONS, type PodAutoscaler } from '../podautoscaler/schema.js'
import { REVISION_REASONS, type Revision } from './schema.js'

/**
 * What a Revision's Deployment, Pods and PodAutoscaler say about it. The order of the marks matters: the last one that is
 * False lends Ready its reason.
 *
 * @see knative/serving v1.23 pkg/reconciler/revision/reconcile_resources.go, pkg/apis/serving/v1/revision_lifecycle.go
 */

/** ResourcesAvailable follows the Deployment's progress, and fails with its replicas. */
export function markDeployment(conditions: Conditions, { status }: Deployment): void {
  const find = (type: DeploymentCondition['type']): DeploymentCondition | undefined =>
    status?.conditions?.find((condition) => condition.type === type)
  const progressing = find('Progressing')
  const failing = find('ReplicaFailure')
  const failed = failing?.status === 'True' ? failing : progressing?.status === 'False' ? progressing : undefined
  if (failed) conditions.isFalse('ResourcesAvailable', failed.reason ?? '', failed.message ?? '')
  else if (progressing?.status === 'True') conditions.isTrue('ResourcesAvailable')
  else conditions.isUnknown('ResourcesAvailable', progressing?.reason ?? REVISION_REASONS.deploying, progressing?.message ?? '')
}

/** Why a Deployment that should have Pods has none available: what its first Pod, or its containers, say. */
export function markPod(conditions: Conditions, pod: Pod, deployment: Deployment, isAlwaysSchedulable: boolean): void {
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (unscheduled && !isAlwaysSchedulable) {
    conditions.isFalse('ResourcesAvailable', unscheduled.reason ?? '', unscheduled.message ?? '')
  }
  for (const { name, state, lastState } of pod.status?.containerStatuses ?? []) {
    if (name === QUEUE_PROXY) continue
    const { terminated } = lastState
    if (terminated && !isLost(terminated)) {
      const message = terminated.message || (terminated.exitCode === 0 ? 'container exited with no error' : '')
      conditions.isFalse('ContainerHealthy', `ExitCode${terminated.exitCode}`, `Container failed with: ${message}`)
    } else if (state.waiting && hasTimedOut(deployment)) {
      conditions.isFalse('ResourcesAvailable', state.waiting.reason, state.waiting.message ?? '')
    }
  }
}

/** Ended together with the emulator, not by itself: how a kubelet reports containers it finds gone after a restart. */
const isLost = ({ reason, exitCode }: { reason: string; exitCode: number }): boolean => reason === 'Unknown' && exitCode === 255

function hasTimedOut({ status }: Deployment): boolean {
  return (
    status?.conditions?.some(
      (condition) =>
        condition.type === 'Progressing' && condition.status === 'False' && condition.reason === REVISION_REASONS.progressDeadlineExceeded,
    ) ?? false
  )
}

/** Active is the PodAutoscaler's Ready; once that has seen enough Pods, resources and containers are fine too. */
export function markAutoscaler(conditions: Conditions, { status: scaler }: Pick<PodAutoscaler, 'status'>): void {
  const isFalse = (type: string): boolean => conditions.get(type)?.status === 'False'
  const isUnavailable = isFalse('ResourcesAvailable') || isFalse('ContainerHealthy')
  const ready = readyCondition({ status: scaler ?? {} })
  if (!ready) {
    conditions.isUnknown('Active', REVISION_REASONS.deploying, '')
    if (!isUnavailable) conditions.isUnknown('ResourcesAvailable', REVISION_REASONS.deploying, '')
    return
  }

  const isInitialized = scaler?.conditions?.some(({ type, status }) => type === 'ScaleTargetInitialized' && status === 'True') ?? false
  if (isInitialized && !isUnavailable) {
    conditions.isTrue('ResourcesAvailable')
    conditions.isTrue('ContainerHealthy')
  }
  // With an initial scale of 0 the Deployment is done before anything can answer.
  if (conditions.get('ResourcesAvailable')?.status === 'True' && (!scaler?.serviceName || !isInitialized)) {
    conditions.isUnknown('ResourcesAvailable', REVISION_REASONS.deploying, '')
  }

  const { reason = '', message = '' } = ready
  if (ready.status === 'Unknown') conditions.isUnknown('Active', reason, message)
  if (ready.status === 'True') conditions.isTrue('Active')
  if (ready.status === 'False') {
    // Idle is no failure; only a target that was given up is.
    if (!isInitialized && !isUnavailable && scaler?.serviceName && reason === POD_AUTOSCALER_REASONS.timedOut) {
      conditions.isFalse('ResourcesAvailable', REVISION_REASONS.progressDeadlineExceeded, 'Initial scale was never achieved')
    }
    conditions.isFalse('Active', reason, message)
  }
}

/** The PodAutoscaler's numbers; a negative one means that it does not know. */
export function replicasOf({
  status,
}: Pick<PodAutoscaler, 'status'>): Pick<NonNullable<Revision['status']>, 'actualReplicas' | 'desiredReplicas'> {
  const { actualScale = -1, desiredScale = -1 } = status ?? {}
  return { ...(actualScale >= 0 && { actualReplicas: actualScale }), ...(desiredScale >= 0 && { desiredReplicas: desiredScale }) }
}
