import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { claim } from '../claim.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { replicaSetKind } from '../replicaset/kind.js'
import type { ReplicaSet } from '../replicaset/schema.js'
import { deploymentKind } from './kind.js'
import {
  byCreation,
  createNew,
  desiredReplicasOf,
  findNew,
  HASH_LABEL,
  maxReplicasOf,
  type NoReplicaSet,
  REVISION,
  refreshNew,
  resize,
  revisionOf,
} from './replica-sets.js'
import { newSize, oldSizes, proportions, replicasOf, sum } from './rolling.js'
import type { Deployment } from './schema.js'
import {
  DEPLOYMENT_REASONS,
  type DeploymentConditions,
  type DeploymentStatus,
  deploymentConditions,
  deploymentCounts,
  isComplete,
  judgeAvailability,
  judgeFailure,
  judgeProgress,
} from './status.js'

/** The wait before a ReplicaSet that was refused is tried again. */
const RETRY_MS = 1000

/**
 * Rolls a template out over ReplicaSets.
 * @see kubernetes/kubernetes v1.35 pkg/controller/deployment/deployment_controller.go syncDeployment
 */
export function createDeploymentController(): Controller<Deployment> {
  return {
    kind: deploymentKind,
    actsAs: 'system:serviceaccount:kube-system:deployment-controller',
    awaited: 'work',
    owns: [replicaSetKind],
    wokenBy: [
      {
        kind: podKind,
        // Only Recreate waits for Pods to be really gone; everything else is told by the ReplicaSets.
        wakes({ metadata }, all) {
          const set = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'ReplicaSet')?.name
          const hash = metadata.labels?.[HASH_LABEL]
          if (!set || !hash || !set.endsWith(`-${hash}`)) return []
          const ref = { namespace: metadata.namespace, name: set.slice(0, -hash.length - 1) }
          return (all.get(ref) as Deployment | undefined)?.spec.strategy?.type === 'Recreate' ? [ref] : []
        },
      },
    ],
    create: (deps) => (deployment) => reconcile(deps, deployment),
  }
}

async function reconcile(deps: ReconcilerDeps, deployment: Deployment): Promise<Outcome<Deployment>> {
  const { client, clock } = deps
  const { spec, metadata } = deployment
  const sets = await claim(client, replicaSetKind, deployment, await client.list(replicaSetKind, metadata.namespace))
  const conditions = deploymentConditions(deployment.status?.conditions, clock.now())
  const found = findNew(deployment, sets)
  notePause(conditions, spec.paused === true)

  let outcome: Rollout
  if (spec.paused || isResized(deployment, sets)) {
    const next = found && (await refreshNew(deps, deployment, found, revisionOf(found) || newestRevision(sets, found)))
    outcome = await scale(deps, deployment, next, others(sets, found))
  } else if (spec.strategy?.type === 'Recreate') {
    outcome = await recreate(deps, deployment, sets, conditions)
  } else {
    outcome = await roll(deps, deployment, sets, conditions)
  }

  const { next, old } = outcome
  const all = next ? [...old, next] : old
  const counts = deploymentCounts(all, next)
  judgeAvailability(conditions, deployment, counts)
  judgeFailure(conditions, next, old)
  const deadlineMs = spec.paused ? undefined : judgeProgress(conditions, deployment, counts, { next, nowMs: clock.now() })
  if (isComplete(deployment, counts)) await cleanUp(deps, deployment, old)

  const collisionCount = ((deployment.status as DeploymentStatus | undefined)?.collisionCount ?? 0) + (outcome.collision ? 1 : 0)
  const status: DeploymentStatus = {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)),
    ...(collisionCount > 0 && { collisionCount }),
    conditions: conditions.list(),
  }
  const requeueAfterMs = outcome.problem ? RETRY_MS : deadlineMs
  const revision = next && String(revisionOf(next))
  if (!revision || revision === '0' || metadata.annotations?.[REVISION] === revision) return { status, requeueAfterMs }
  // The status path takes annotations of built-in kinds along without making a new generation of them.
  await client.updateStatus(deploymentKind, {
    ...deployment,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [REVISION]: revision } },
    status: { ...status, observedGeneration: metadata.generation! },
  })
  return { requeueAfterMs }
}

interface Rollout {
  next: ReplicaSet | undefined
  old: ReplicaSet[]
  problem?: string
  collision?: boolean
}

async function roll(
  deps: ReconcilerDeps,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  conditions: DeploymentConditions,
): Promise<Rollout> {
  const made = await newSet(deps, deployment, sets, conditions)
  const old = others(sets, made.next)
  const { next } = made
  if (!next) return { ...made, old }
  const wanted =
    replicasOf(next) > (deployment.spec.replicas ?? 1)
      ? (deployment.spec.replicas ?? 1)
      : newSize(deployment, [...old, next], replicasOf(next))
  const sized = await resize(deps, deployment, next, wanted)
  if (replicasOf(sized) !== replicasOf(next)) return { next: sized, old }
  const sizes = oldSizes(deployment, sized, old)
  return { next: sized, old: await Promise.all(old.map((set) => (sizes.has(set) ? resize(deps, deployment, set, sizes.get(set)!) : set))) }
}

async function recreate(
  deps: ReconcilerDeps,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  conditions: DeploymentConditions,
): Promise<Rollout> {
  const found = findNew(deployment, sets)
  const old = others(sets, found)
  const active = old.filter((set) => replicasOf(set) > 0)
  if (active.length > 0) {
    const emptied = await Promise.all(old.map((set) => (active.includes(set) ? resize(deps, deployment, set, 0) : set)))
    return { next: found, old: emptied }
  }
  if (await hasPods(deps, old)) return { next: found, old }
  const made = await newSet(deps, deployment, sets, conditions)
  return { ...made, next: made.next && (await resize(deps, deployment, made.next, deployment.spec.replicas ?? 1)), old }
}

/** Whether Pods of these ReplicaSets are still there, those on their way out included. */
async function hasPods({ client }: ReconcilerDeps, sets: readonly ReplicaSet[]): Promise<boolean> {
  const [first] = sets
  if (!first) return false
  const uids = new Set(sets.map(({ metadata }) => metadata.uid))
  const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'
  const pods = await client.list(podKind, first.metadata.namespace)
  return pods.some((pod) => !isOver(pod) && pod.metadata.ownerReferences?.some(({ uid }) => uids.has(uid)))
}

async function newSet(
  deps: ReconcilerDeps,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  conditions: DeploymentConditions,
): Promise<{ next: ReplicaSet | undefined; problem?: string; collision?: boolean }> {
  const found = findNew(deployment, sets)
  const revision = newestRevision(sets, found)
  if (found) {
    if (!conditions.get('Progressing'))
      conditions.set('Progressing', {
        status: 'True',
        reason: DEPLOYMENT_REASONS.newSetFound,
        message: `Found new replica set "${found.metadata.name}"`,
      })
    return { next: await refreshNew(deps, deployment, found, revision) }
  }
  const made: ReplicaSet | NoReplicaSet = await createNew(deps, deployment, sets, revision)
  if ('metadata' in made) {
    const message = `Created new replica set "${made.metadata.name}"`
    conditions.set('Progressing', { status: 'True', reason: DEPLOYMENT_REASONS.newSetCreated, message })
    return { next: made }
  }
  // Another try gets another name, from the count that the status keeps.
  if ('collision' in made) return { next: undefined, collision: true, problem: 'name taken' }
  conditions.set('Progressing', { status: 'False', reason: DEPLOYMENT_REASONS.createError, message: made.problem })
  return { next: undefined, problem: made.problem }
}

/** Paused or resized: no rollout, only sizes. */
async function scale(deps: ReconcilerDeps, deployment: Deployment, next: ReplicaSet | undefined, old: ReplicaSet[]): Promise<Rollout> {
  const all = next ? [...old, next] : old
  const active = all.filter((set) => replicasOf(set) > 0)
  const wanted = deployment.spec.replicas ?? 1
  const to = async (sizes: ReadonlyMap<ReplicaSet, number>): Promise<Rollout> => {
    const sized = new Map(
      await Promise.all(
        all.map(async (set) => [set, sizes.has(set) ? await resize(deps, deployment, set, sizes.get(set)!) : set] as const),
      ),
    )
    return { next: next && sized.get(next), old: old.map((set) => sized.get(set)!) }
  }
  const only = active.length > 1 ? undefined : (active[0] ?? next ?? [...old].sort(byCreation).at(-1))
  if (active.length <= 1) return to(only ? new Map([[only, wanted]]) : new Map())
  const isSaturated =
    next !== undefined &&
    replicasOf(next) === wanted &&
    desiredReplicasOf(next) === wanted &&
    (next.status?.availableReplicas ?? 0) === wanted
  if (isSaturated) return to(new Map(old.filter((set) => active.includes(set)).map((set) => [set, 0])))
  if (deployment.spec.strategy?.type === 'Recreate') return { next, old }
  return to(proportions(deployment, active, maxReplicasOf))
}

function isResized({ spec }: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = desiredReplicasOf(set)
    return replicasOf(set) > 0 && desired !== undefined && desired !== (spec.replicas ?? 1)
  })
}

function notePause(conditions: DeploymentConditions, isPaused: boolean): void {
  const current = conditions.get('Progressing')
  if (current?.reason === DEPLOYMENT_REASONS.deadlineExceeded) return
  const wasPaused = current?.reason === DEPLOYMENT_REASONS.paused
  if (isPaused && !wasPaused)
    conditions.set('Progressing', { status: 'Unknown', reason: DEPLOYMENT_REASONS.paused, message: 'Deployment is paused' })
  else if (!isPaused && wasPaused)
    conditions.set('Progressing', { status: 'Unknown', reason: DEPLOYMENT_REASONS.resumed, message: 'Deployment is resumed' })
}

function others(sets: readonly ReplicaSet[], next: ReplicaSet | undefined): ReplicaSet[] {
  return sets.filter(({ metadata }) => metadata.uid !== next?.metadata.uid)
}

function newestRevision(sets: readonly ReplicaSet[], next: ReplicaSet | undefined): number {
  return Math.max(0, ...others(sets, next).map(revisionOf)) + 1
}

/** Old ReplicaSets beyond the history that is kept, the oldest revisions first. */
async function cleanUp({ client }: ReconcilerDeps, { spec }: Deployment, old: readonly ReplicaSet[]): Promise<void> {
  const idle = old.filter((set) => !set.metadata.deletionTimestamp && sum([set], replicasOf) === 0 && (set.status?.replicas ?? 0) === 0)
  const observed = idle.filter(({ metadata, status }) => (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0))
  const excess = observed
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
    .slice(0, Math.max(0, old.length - (spec.revisionHistoryLimit ?? 10)))
  for (const { metadata } of excess) {
    await client.delete(replicaSetKind, metadata, { propagationPolicy: 'Background' }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}
