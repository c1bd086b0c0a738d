import { timestamp } from '../../../apimachinery/object.js'
import { labelSelectorMatches } from '../../../apimachinery/selectors.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps, StatusOf } from '../../../controller/reconcile.js'
import type { Engines } from '../../engines.js'
import { isPodReady } from '../pod/conditions.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { replicaSetKind } from '../replicaset/kind.js'
import { scalableKind, scaleOf } from '../scalable.js'
import { podDisruptionBudgetKind } from './kind.js'
import type { BudgetCondition, PodDisruptionBudget } from './schema.js'

/** An eviction that does not show on its Pod after so long did not happen (pkg/controller/disruption DeletionTimeout). */
const DELETION_TIMEOUT_MS = 120_000
const CONDITION = 'DisruptionAllowed'

type Status = StatusOf<PodDisruptionBudget>

/**
 * Counts how many Pods of a budget are healthy, and so how many may be evicted now. Who evicts asks the status
 * (src/apiserver/disruption-budget.ts).
 * @see kubernetes/kubernetes v1.35 pkg/controller/disruption/disruption.go
 */
export function createPodDisruptionBudgetController({ kinds }: Pick<Engines, 'kinds'>): Controller<PodDisruptionBudget> {
  return {
    kind: podDisruptionBudgetKind,
    actsAs: 'system:serviceaccount:kube-system:disruption-controller',
    eventSource: { component: 'controllermanager' },
    wokenBy: [
      {
        kind: podKind,
        wakes: ({ metadata: { namespace, labels } }, all) =>
          all.list(namespace).flatMap((budget) => (selects(budget as PodDisruptionBudget, labels) ? [budget.metadata] : [])),
      },
      // How many Pods are expected is what their owners ask for.
      { kind: replicaSetKind, wakes: ({ metadata }, all) => all.list(metadata.namespace).map((budget) => budget.metadata) },
    ],
    create: (deps) => (budget) => reconcile(deps, kinds, budget),
  }
}

function selects({ spec }: PodDisruptionBudget, labels: Record<string, string> | undefined): boolean {
  return spec?.selector !== undefined && labelSelectorMatches(spec.selector, labels)
}

async function reconcile(
  deps: ReconcilerDeps,
  kinds: Engines['kinds'],
  budget: PodDisruptionBudget,
): Promise<Outcome<PodDisruptionBudget>> {
  const { client, clock, event } = deps
  const nowMs = clock.now()
  const all = await client.list(podKind, budget.metadata.namespace)
  const pods = all.filter((pod) => selects(budget, pod.metadata.labels))
  if (pods.length === 0) event(budget, 'Normal', 'NoPods', 'No matching pods found')
  let expected: { pods: number; healthy: number }
  try {
    expected = await expectation(deps, kinds, budget, pods)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${message}`)
    const before = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
    // Nothing may be evicted while nobody knows how many there should be.
    return {
      status: withCondition(budget, { ...before, disruptionsAllowed: 0 }, { status: 'False', reason: 'SyncFailed', message }, nowMs),
    }
  }

  const disruptedPods = Object.fromEntries(
    Object.entries(budget.status?.disruptedPods ?? {}).filter(([name, at]) => {
      const pod = pods.find(({ metadata }) => metadata.name === name)
      return pod && !pod.metadata.deletionTimestamp && Date.parse(at) + DELETION_TIMEOUT_MS > nowMs
    }),
  )
  const isHealthy = (pod: Pod): boolean =>
    !pod.metadata.deletionTimestamp && !Object.hasOwn(disruptedPods, pod.metadata.name) && isPodReady(pod)
  const currentHealthy = pods.filter(isHealthy).length
  const disruptionsAllowed = expected.pods > 0 ? Math.max(0, currentHealthy - expected.healthy) : 0
  const status: Status = {
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy: expected.healthy,
    expectedPods: expected.pods,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    ...(budget.status?.conditions && { conditions: budget.status.conditions }),
  }
  const verdict =
    disruptionsAllowed > 0
      ? ({ status: 'True', reason: 'SufficientPods', message: '' } as const)
      : ({ status: 'False', reason: 'InsufficientPods', message: '' } as const)
  const waits = Object.values(disruptedPods).map((at) => Date.parse(at) + DELETION_TIMEOUT_MS - nowMs)
  return { status: withCondition(budget, status, verdict, nowMs), requeueAfterMs: waits.length > 0 ? Math.min(...waits) : undefined }
}

/** How many Pods there should be, and how many of them have to be healthy. */
async function expectation(
  deps: ReconcilerDeps,
  kinds: Engines['kinds'],
  { spec = {} }: PodDisruptionBudget,
  pods: readonly Pod[],
): Promise<{ pods: number; healthy: number }> {
  const { minAvailable, maxUnavailable } = spec
  if (maxUnavailable === undefined && typeof minAvailable !== 'string') return { pods: pods.length, healthy: minAvailable ?? 0 }
  const expected = await expectedScale(deps, kinds(), pods)
  const scaled = (value: number | string): number =>
    typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * expected) / 100)
  return { pods: expected, healthy: maxUnavailable === undefined ? scaled(minAvailable!) : Math.max(0, expected - scaled(maxUnavailable)) }
}

/** What the owners of these Pods ask for together, each counted once. Pods without an owner are nobody's to expect. */
async function expectedScale({ client }: ReconcilerDeps, kinds: ReturnType<Engines['kinds']>, pods: readonly Pod[]): Promise<number> {
  const counted = new Set<string>()
  let total = 0
  for (const { metadata } of pods) {
    const { namespace } = metadata
    let owner = metadata.ownerReferences?.find(({ controller }) => controller)
    if (!owner || counted.has(owner.uid)) continue
    counted.add(owner.uid)
    // Of a Deployment the Deployment counts, whichever of its ReplicaSets the Pod is of.
    if (owner.kind === replicaSetKind.kind) {
      const set = await client.find(replicaSetKind, { namespace, name: owner.name })
      const above = set?.metadata.ownerReferences?.find(({ controller }) => controller)
      if (above) {
        if (counted.has(above.uid)) continue
        counted.add(above.uid)
        owner = above
      }
    }
    const kind = scalableKind(kinds, owner)
    if (!kind) throw new Error(`${plural(owner.kind)} does not implement the scale subresource`)
    try {
      total += (await scaleOf(client, kind, { namespace, name: owner.name })).wanted
    } catch (error) {
      if (!isNotFound(error)) throw error
      throw new Error(`found no controllers for pod ${JSON.stringify(metadata.name)}`)
    }
  }
  return total
}

const plural = (kind: string): string => `${kind.toLowerCase()}s`

function withCondition(
  budget: PodDisruptionBudget,
  status: Status,
  verdict: Pick<BudgetCondition, 'status' | 'reason' | 'message'>,
  nowMs: number,
): Status {
  const before = status.conditions?.find(({ type }) => type === CONDITION)
  const condition: BudgetCondition = {
    type: CONDITION,
    ...verdict,
    observedGeneration: budget.metadata.generation ?? 1,
    lastTransitionTime: before?.status === verdict.status ? before.lastTransitionTime : timestamp(nowMs),
  }
  return { ...status, conditions: [...(status.conditions ?? []).filter(({ type }) => type !== CONDITION), condition] }
}
