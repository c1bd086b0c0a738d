import { controllerReference, timestamp } from '../../../apimachinery/object.js'
import { isNotFound, StatusError } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps, StatusOf } from '../../../controller/reconcile.js'
import { claim } from '../claim.js'
import { isPodActive, isPodReady, podReadySinceMs } from '../pod/conditions.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { deletionOrder } from './deletion-order.js'
import { replicaSetKind } from './kind.js'
import type { ReplicaSet } from './schema.js'

/** No more creations or deletions than this in one go (pkg/controller/replicaset BurstReplicas). */
const BURST_REPLICAS = 500
/** Creations start with one and double while they succeed, so that a quota is not hit five hundred times. */
const FIRST_BATCH = 1
/** The wait before creations that were refused are tried again. */
const RETRY_MS = 1000

/**
 * Keeps as many Pods as asked for.
 * @see kubernetes/kubernetes v1.35 pkg/controller/replicaset/replica_set.go
 */
export function createReplicaSetController(): Controller<ReplicaSet> {
  return {
    kind: replicaSetKind,
    actsAs: 'system:serviceaccount:kube-system:replicaset-controller',
    awaited: 'work',
    owns: [podKind],
    create: (deps) => (set) => keepReplicas(deps, set),
  }
}

/** One round for a ReplicaSet, or for a ReplicationController in its shape. */
export async function keepReplicas(deps: ReconcilerDeps, set: ReplicaSet): Promise<Outcome<ReplicaSet>> {
  const { client, clock } = deps
  // Asked of the server, not the cache: a Pod that was just made must not be made again.
  const all = await claim(client, podKind, set, await client.list(podKind, set.metadata.namespace))
  const active = all.filter(isPodActive)
  const wanted = set.spec.replicas ?? 1
  let problem: string | undefined
  let made: Pod[] = []
  let doomed: Pod[] = []
  if (active.length < wanted) {
    const created = await createPods(deps, set, Math.min(wanted - active.length, BURST_REPLICAS))
    made = created.pods
    problem = created.problem
  } else if (active.length > wanted) {
    doomed = deletionOrder(active, clock.now()).slice(0, Math.min(active.length - wanted, BURST_REPLICAS))
    await deletePods(deps, set, doomed)
  }

  const present = [...active.filter((pod) => !doomed.includes(pod)), ...made]
  const minReadyMs = (set.spec.minReadySeconds ?? 0) * 1000
  const readySince = present.flatMap((pod) => podReadySinceMs(pod) ?? [])
  const waits = readySince.map((sinceMs) => sinceMs + minReadyMs - clock.now()).filter((ms) => ms > 0)
  const status: StatusOf<ReplicaSet> = {
    replicas: present.length,
    fullyLabeledReplicas: present.length,
    readyReplicas: present.filter(isPodReady).length,
    availableReplicas: readySince.length - waits.length,
    ...conditionsWith(set, problem, clock.now()),
  }
  const requeueAfterMs = problem ? RETRY_MS : waits.length > 0 ? Math.min(...waits) : undefined
  return { status: withoutZeros(status), requeueAfterMs }
}

async function createPods({ client, event }: ReconcilerDeps, set: ReplicaSet, count: number): Promise<{ pods: Pod[]; problem?: string }> {
  const { name, namespace } = set.metadata
  const { metadata = {}, spec } = set.spec.template!
  const draft = {
    metadata: {
      generateName: `${name}-`,
      ...(namespace && { namespace }),
      ...(metadata.labels && { labels: metadata.labels }),
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ...(metadata.finalizers && { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference(set)],
    },
    spec,
  }
  const pods: Pod[] = []
  for (let batch = FIRST_BATCH; pods.length < count; batch *= 2) {
    const size = Math.min(batch, count - pods.length)
    const results = await Promise.allSettled(Array.from({ length: size }, () => client.create(podKind, draft)))
    for (const result of results) {
      if (result.status === 'fulfilled') {
        pods.push(result.value)
        event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${result.value.metadata.name}`)
      }
    }
    const failed = results.find((result) => result.status === 'rejected')
    if (!failed) continue
    if (!(failed.reason instanceof StatusError)) throw failed.reason
    // A namespace that is going away wants no more Pods: nothing to report, nothing to retry.
    if (failed.reason.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating')) return { pods }
    event(set, 'Warning', 'FailedCreate', `Error creating: ${failed.reason.message}`)
    return { pods, problem: failed.reason.message }
  }
  return { pods }
}

async function deletePods({ client, event }: ReconcilerDeps, set: ReplicaSet, pods: readonly Pod[]): Promise<void> {
  await Promise.all(
    pods.map(async ({ metadata }) => {
      try {
        await client.delete(podKind, metadata, { preconditions: { uid: metadata.uid! } })
        event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`)
      } catch (error) {
        if (isNotFound(error)) return
        event(set, 'Warning', 'FailedDelete', `Error deleting: ${error instanceof Error ? error.message : String(error)}`)
        throw error
      }
    }),
  )
}

function conditionsWith({ status }: ReplicaSet, problem: string | undefined, nowMs: number): Pick<StatusOf<ReplicaSet>, 'conditions'> {
  const others = status?.conditions?.filter(({ type }) => type !== 'ReplicaFailure') ?? []
  if (!problem) return others.length > 0 ? { conditions: others } : {}
  const before = status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
  // The first refusal stands until there is none: its text may hold a generated name, and would differ each time.
  if (before) return { conditions: [...others, before] }
  const lastTransitionTime = timestamp(nowMs)
  return {
    conditions: [...others, { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: problem, lastTransitionTime }],
  }
}

/** Counts of zero are left out, as the API's own encoding leaves them out; `replicas` is always there. */
function withoutZeros(status: StatusOf<ReplicaSet>): StatusOf<ReplicaSet> {
  const { replicas, ...rest } = status
  return { replicas, ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== 0)) }
}
