import { timestamp } from '../../../apimachinery/object.js'
import type { ReplicaSet } from '../replicaset/schema.js'
import { availableOf, fenceposts, replicasOf, sum } from './rolling.js'
import type { Deployment, DeploymentCondition } from './schema.js'

/** Reasons as Kubernetes spells them; Knative's Revisions read them. */
export const DEPLOYMENT_REASONS = {
  minimumAvailable: 'MinimumReplicasAvailable',
  minimumUnavailable: 'MinimumReplicasUnavailable',
  newSetCreated: 'NewReplicaSetCreated',
  newSetFound: 'FoundNewReplicaSet',
  newSetAvailable: 'NewReplicaSetAvailable',
  setUpdated: 'ReplicaSetUpdated',
  createError: 'ReplicaSetCreateError',
  deadlineExceeded: 'ProgressDeadlineExceeded',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const

export type DeploymentStatus = NonNullable<Deployment['status']> & { collisionCount?: number }
type Type = DeploymentCondition['type']
type Verdict = Pick<DeploymentCondition, 'status' | 'reason' | 'message'>

/** Conditions that keep their times by upstream's rules: the same status and reason changes nothing, the same status keeps its transition. */
export interface DeploymentConditions {
  get(type: Type): DeploymentCondition | undefined
  set(type: Type, verdict: Verdict): void
  /** Like set, but counts as news even if nothing changed: the progress deadline starts anew. */
  renew(type: Type, verdict: Verdict): void
  remove(type: Type): void
  list(): DeploymentCondition[]
}

export function deploymentConditions(before: readonly DeploymentCondition[] | undefined, nowMs: number): DeploymentConditions {
  const conditions = [...(before ?? [])]
  const now = timestamp(nowMs)
  const get = (type: Type): DeploymentCondition | undefined => conditions.find((condition) => condition.type === type)
  const remove = (type: Type): void => {
    const index = conditions.findIndex((condition) => condition.type === type)
    if (index >= 0) conditions.splice(index, 1)
  }
  const renew = (type: Type, verdict: Verdict): void => {
    const old = get(type)
    const lastTransitionTime = old?.status === verdict.status && old.lastTransitionTime ? old.lastTransitionTime : now
    remove(type)
    conditions.push({ type, ...verdict, lastUpdateTime: now, lastTransitionTime })
  }
  return {
    get,
    remove,
    renew,
    set(type, verdict) {
      const old = get(type)
      if (old?.status !== verdict.status || old.reason !== verdict.reason) renew(type, verdict)
    },
    list: () => conditions,
  }
}

/** The counts. Zeros are left out, as the API's own encoding leaves them out. */
export function deploymentCounts(
  sets: readonly ReplicaSet[],
  next: ReplicaSet | undefined,
): Required<Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas'>> {
  const available = sum(sets, availableOf)
  return {
    replicas: sum(sets, ({ status }) => status?.replicas ?? 0),
    updatedReplicas: next?.status?.replicas ?? 0,
    readyReplicas: sum(sets, ({ status }) => status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(sets, replicasOf) - available),
  }
}

export type Counts = ReturnType<typeof deploymentCounts>

export function isComplete({ spec }: Deployment, counts: Counts): boolean {
  const replicas = spec.replicas ?? 1
  return counts.updatedReplicas === replicas && counts.replicas === replicas && counts.availableReplicas === replicas
}

/** Fewer old Pods, or more new, ready or available ones than when it was last looked at. */
function isProgressing({ status = {} }: Deployment, counts: Counts): boolean {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  return (
    counts.updatedReplicas > updatedReplicas ||
    counts.replicas - counts.updatedReplicas < replicas - updatedReplicas ||
    counts.readyReplicas > readyReplicas ||
    counts.availableReplicas > availableReplicas
  )
}

/** Available: enough Pods, as the strategy counts enough. */
export function judgeAvailability(conditions: DeploymentConditions, deployment: Deployment, counts: Counts): void {
  const enough = counts.availableReplicas >= (deployment.spec.replicas ?? 1) - fenceposts(deployment).maxUnavailable
  conditions.set(
    'Available',
    enough
      ? { status: 'True', reason: DEPLOYMENT_REASONS.minimumAvailable, message: 'Deployment has minimum availability.' }
      : { status: 'False', reason: DEPLOYMENT_REASONS.minimumUnavailable, message: 'Deployment does not have minimum availability.' },
  )
}

/**
 * Progressing, and how long until its deadline. Nothing to wait for: undefined.
 * @see kubernetes/kubernetes v1.35 pkg/controller/deployment/progress.go syncRolloutStatus
 */
export function judgeProgress(
  conditions: DeploymentConditions,
  deployment: Deployment,
  counts: Counts,
  { next, nowMs }: { next: ReplicaSet | undefined; nowMs: number },
): number | undefined {
  const deadlineMs = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000
  const current = conditions.get('Progressing')
  const subject = next ? `ReplicaSet "${next.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const wasComplete = counts.replicas === counts.updatedReplicas && current?.reason === DEPLOYMENT_REASONS.newSetAvailable
  if (wasComplete) return undefined

  const startedMs = Date.parse(current?.lastUpdateTime ?? '')
  const isTimedOut = current !== undefined && (current.reason === DEPLOYMENT_REASONS.deadlineExceeded || startedMs + deadlineMs < nowMs)
  if (isComplete(deployment, counts))
    conditions.set('Progressing', {
      status: 'True',
      reason: DEPLOYMENT_REASONS.newSetAvailable,
      message: `${subject} has successfully progressed.`,
    })
  else if (isProgressing(deployment, counts))
    conditions.renew('Progressing', { status: 'True', reason: DEPLOYMENT_REASONS.setUpdated, message: `${subject} is progressing.` })
  else if (isTimedOut)
    conditions.set('Progressing', {
      status: 'False',
      reason: DEPLOYMENT_REASONS.deadlineExceeded,
      message: `${subject} has timed out progressing.`,
    })

  const after = conditions.get('Progressing')
  if (!after || after.reason === DEPLOYMENT_REASONS.newSetAvailable || after.reason === DEPLOYMENT_REASONS.deadlineExceeded)
    return undefined
  // The deadline counts from whole seconds and is over only once it lies behind.
  return Math.max(0, Date.parse(after.lastUpdateTime!) + deadlineMs - nowMs) + 1000
}

/** ReplicaFailure: what the new ReplicaSet, or else an old one, cannot create. */
export function judgeFailure(conditions: DeploymentConditions, next: ReplicaSet | undefined, old: readonly ReplicaSet[]): void {
  const failed = [...(next ? [next] : []), ...old].flatMap(
    ({ status }) => status?.conditions?.filter(({ type }) => type === 'ReplicaFailure') ?? [],
  )[0]
  if (!failed) {
    conditions.remove('ReplicaFailure')
    return
  }
  conditions.set('ReplicaFailure', {
    status: failed.status as DeploymentCondition['status'],
    ...(failed.reason && { reason: failed.reason }),
    ...(failed.message && { message: failed.message }),
  })
}
