import { isPodReady, podReadySinceMs } from '../pod/conditions.js'
import type { Pod } from '../pod/schema.js'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * Pods in the order in which they are given up: those that do least first, among equals the younger.
 * @see kubernetes/kubernetes v1.35 pkg/controller/controller_utils.go ActivePodsWithRanks
 */
export function deletionOrder(pods: readonly Pod[], nowMs: number): Pod[] {
  const rank = (pod: Pod): readonly number[] => [
    pod.spec.nodeName ? 1 : 0,
    PHASES[pod.status?.phase ?? 'Pending'] ?? 0,
    isPodReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.[DELETION_COST] ?? 0) || 0,
    nowMs - (podReadySinceMs(pod) ?? nowMs),
    -Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
    -Date.parse(pod.metadata.creationTimestamp ?? ''),
  ]
  const ranked = pods.map((pod) => ({ pod, rank: rank(pod) }))
  ranked.sort((a, b) => {
    for (const [index, value] of a.rank.entries()) if (value !== b.rank[index]) return value - b.rank[index]!
    return a.pod.metadata.name < b.pod.metadata.name ? -1 : 1
  })
  return ranked.map(({ pod }) => pod)
}
