import type { ReplicaSet } from '../replicaset/schema.js'
import type { Deployment } from './schema.js'

/** The arithmetic of a rollout, without doing anything. @see kubernetes/kubernetes v1.35 pkg/controller/deployment/{rolling.go,util/deployment_util.go} */

export const replicasOf = (set: ReplicaSet): number => set.spec.replicas ?? 1
export const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0
export const sum = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + count(set), 0)

/** How many Pods more, and how many fewer, than asked for there may be during a rollout. */
export function fenceposts({ spec }: Deployment): { maxSurge: number; maxUnavailable: number } {
  const replicas = spec.replicas ?? 1
  if (spec.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {}
  const surge = scaled(maxSurge, replicas, Math.ceil)
  const unavailable = scaled(maxUnavailable, replicas, Math.floor)
  // Neither up nor down would be no rollout at all.
  if (surge === 0 && unavailable === 0) return { maxSurge: 0, maxUnavailable: 1 }
  return { maxSurge: surge, maxUnavailable: Math.min(unavailable, replicas) }
}

/** The size the new ReplicaSet may have now. */
export function newSize(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const replicas = deployment.spec.replicas ?? 1
  if (deployment.spec.strategy?.type === 'Recreate') return replicas
  const { maxSurge } = fenceposts(deployment)
  const total = sum(all, replicasOf)
  const most = replicas + maxSurge
  if (total >= most) return current
  return current + Math.min(most - total, replicas - current)
}

/** The sizes that old ReplicaSets go down to now, those that change only. */
export function oldSizes(deployment: Deployment, next: ReplicaSet | undefined, old: readonly ReplicaSet[]): Map<ReplicaSet, number> {
  const sizes = new Map<ReplicaSet, number>()
  const replicas = deployment.spec.replicas ?? 1
  const all = next ? [...old, next] : old
  if (sum(old, replicasOf) === 0) return sizes
  const minAvailable = replicas - fenceposts(deployment).maxUnavailable
  const nextUnavailable = next ? replicasOf(next) - availableOf(next) : 0
  const maxDown = sum(all, replicasOf) - minAvailable - nextUnavailable
  if (maxDown <= 0) return sizes

  const sizeOf = (set: ReplicaSet): number => sizes.get(set) ?? replicasOf(set)
  const byAge = [...old].sort((a, b) => (a.metadata.creationTimestamp! < b.metadata.creationTimestamp! ? -1 : 1))
  // What does not work anyway goes first and costs no availability.
  let down = 0
  for (const set of byAge) {
    const unhealthy = Math.min(maxDown - down, replicasOf(set) - availableOf(set))
    if (unhealthy <= 0) continue
    sizes.set(set, replicasOf(set) - unhealthy)
    down += unhealthy
  }
  let spare = sum(all, availableOf) - minAvailable
  for (const set of byAge) {
    if (spare <= 0) break
    const less = Math.min(sizeOf(set), spare)
    if (less <= 0) continue
    sizes.set(set, sizeOf(set) - less)
    spare -= less
  }
  return sizes
}

/** How many more Pods each ReplicaSet gets (or loses) when the Deployment is resized during a rollout: in proportion. */
export function proportions(
  deployment: Deployment,
  active: readonly ReplicaSet[],
  maxReplicasOf: (set: ReplicaSet) => number | undefined,
): Map<ReplicaSet, number> {
  const replicas = deployment.spec.replicas ?? 1
  const allowed = replicas > 0 ? replicas + fenceposts(deployment).maxSurge : 0
  const toAdd = allowed - sum(active, replicasOf)
  const sizes = new Map<ReplicaSet, number>()
  const bySize = [...active].sort((a, b) => {
    const difference = replicasOf(b) - replicasOf(a)
    if (difference !== 0) return difference
    const newerFirst = a.metadata.creationTimestamp! < b.metadata.creationTimestamp! ? 1 : -1
    return toAdd > 0 ? newerFirst : -newerFirst
  })
  let added = 0
  for (const set of bySize) {
    if (toAdd === 0) {
      sizes.set(set, replicasOf(set))
      continue
    }
    const before = maxReplicasOf(set) ?? deployment.status?.replicas ?? replicas
    const share = replicas === 0 ? -replicasOf(set) : before === 0 ? 0 : Math.round((replicasOf(set) * allowed) / before) - replicasOf(set)
    const left = toAdd - added
    const bounded = toAdd > 0 ? Math.min(share, left) : Math.max(share, left)
    sizes.set(set, replicasOf(set) + bounded)
    added += bounded
  }
  const [first] = bySize
  // Rounding leaves a rest: the biggest takes it.
  if (first && toAdd !== 0) sizes.set(first, Math.max(0, sizes.get(first)! + toAdd - added))
  return sizes
}

function scaled(value: number | string, replicas: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  return round((Number.parseInt(value, 10) * replicas) / 100)
}
