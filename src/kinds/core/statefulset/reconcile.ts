import { controllerReference, timestamp } from '../../../apimachinery/object.js'
import { isAlreadyExists, isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps, StatusOf } from '../../../controller/reconcile.js'
import { isSameJson } from '../../../controller/same-json.js'
import { claim } from '../claim.js'
import { forgetOldRevisions, presentRevision, revisionsOf, templateOf } from '../controllerrevision/history.js'
import { controllerRevisionKind } from '../controllerrevision/kind.js'
import type { ControllerRevision } from '../controllerrevision/schema.js'
import { persistentVolumeClaimKind } from '../persistentvolumeclaim/kind.js'
import { isPodReady, podReadySinceMs } from '../pod/conditions.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { claimName, ordinalOf, statefulPod } from './identity.js'
import { statefulSetKind } from './kind.js'
import { REVISION_LABEL, type StatefulSet } from './schema.js'

/** Which label of a ControllerRevision holds its hash (pkg/controller/history ControllerRevisionHashLabel). */
const HASH_LABEL = 'controller.kubernetes.io/hash'

/**
 * Keeps Pods with ordinals, in order: each is up before the next is made, and the last goes first.
 * @see kubernetes/kubernetes v1.35 pkg/controller/statefulset/stateful_set_control.go
 */
export function createStatefulSetController(): Controller<StatefulSet> {
  return {
    kind: statefulSetKind,
    actsAs: 'system:serviceaccount:kube-system:statefulset-controller',
    owns: [podKind, controllerRevisionKind],
    create: (deps) => (set) => reconcile(deps, set),
  }
}

/** A place in the set, with the Pod that stands there. */
interface Place {
  ordinal: number
  pod: Pod | undefined
}

interface Revisions {
  current: ControllerRevision
  update: ControllerRevision
}

async function reconcile(deps: ReconcilerDeps, set: StatefulSet): Promise<Outcome<StatefulSet>> {
  const { client, clock } = deps
  // Asked of the server, not the cache: a Pod that was just made must not be made again.
  const pods = await claim(client, podKind, set, await client.list(podKind, set.metadata.namespace))
  const known = await revisionsOf(client, set)
  const before = set.status?.collisionCount ?? 0
  const { revision: update, collisions } = await presentRevision(client, set, known, { hashLabel: HASH_LABEL, collisions: before })
  const current = known.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
  const revisions = { current, update }

  const changed = await step(deps, set, pods, revisions)
  const counts = countsOf(set, changed, revisions, clock.now())
  const isRolledOut =
    set.spec.updateStrategy?.type === 'RollingUpdate' &&
    [counts.updatedReplicas, counts.readyReplicas, counts.replicas].every((count) => count === set.spec.replicas)
  const reached = isRolledOut ? update : current
  const live = new Set([reached, update].map(({ metadata }) => metadata.name))
  for (const pod of changed) live.add(pod.metadata.labels?.[REVISION_LABEL] ?? '')
  await forgetOldRevisions(client, set, known, ({ metadata }) => live.has(metadata.name))

  const { replicas, availableReplicas, ...others } = { ...counts, ...(isRolledOut && { currentReplicas: counts.updatedReplicas }) }
  const status: StatusOf<StatefulSet> = {
    replicas,
    // Zeros of these are left out, as the API's own encoding leaves them out.
    ...Object.fromEntries(Object.entries(others).filter(([, count]) => count !== 0)),
    currentRevision: reached.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount: collisions,
    availableReplicas,
  }
  return { status, requeueAfterMs: nextAvailableInMs(set, changed, clock.now()) }
}

/** One step towards what is asked for. Returns the Pods as they are after it, as far as that is known. */
async function step(deps: ReconcilerDeps, set: StatefulSet, pods: readonly Pod[], revisions: Revisions): Promise<Pod[]> {
  const { clock } = deps
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel'
  const start = set.spec.ordinals?.start ?? 0
  const end = start + (set.spec.replicas ?? 1)
  const byOrdinal = new Map(pods.flatMap((pod) => (ordinalOf(set, pod) === undefined ? [] : [[ordinalOf(set, pod)!, pod] as const])))
  const places: Place[] = []
  for (let ordinal = start; ordinal < end; ordinal++) places.push({ ordinal, pod: byOrdinal.get(ordinal) })
  const condemned = [...byOrdinal].filter(([ordinal]) => ordinal < start || ordinal >= end).sort(([a], [b]) => b - a)
  const isUp = (pod: Pod): boolean => isAvailable(set, pod, clock.now())
  const result = new Map(byOrdinal)
  const now = (): Pod[] => [...result.values()]

  for (const { ordinal, pod } of places) {
    if (pod && isFinished(pod)) {
      if (!pod.metadata.deletionTimestamp) {
        const { namespace, name } = pod.metadata
        if (pod.status?.phase === 'Failed')
          deps.event(
            set,
            'Warning',
            'RecreatingFailedPod',
            `StatefulSet ${namespace}/${set.metadata.name} is recreating failed Pod ${name}`,
          )
        else
          deps.event(
            set,
            'Normal',
            'RecreatingTerminatedPod',
            `StatefulSet ${namespace}/${set.metadata.name} is recreating terminated Pod ${name}`,
          )
        await removePod(deps, set, pod)
      }
      if (isOrdered) return now()
      continue
    }
    if (!pod) {
      const isCurrent = needsCurrent(set, ordinal, start)
      const revision = isCurrent ? revisions.current : revisions.update
      result.set(ordinal, await createPod(deps, set, revision, ordinal))
      if (isOrdered) return now()
      continue
    }
    if (isOrdered && !isUp(pod)) return now()
  }

  const firstUnhealthy = [...places.flatMap(({ pod }) => pod ?? []), ...condemned.map(([, pod]) => pod).reverse()].find(
    (pod) => !isHealthy(pod),
  )
  for (const [ordinal, pod] of condemned) {
    if (pod.metadata.deletionTimestamp) {
      if (isOrdered) return now()
      continue
    }
    if (isOrdered && !isUp(pod) && pod !== firstUnhealthy) return now()
    await keepOrLeaveClaims(deps, set, pod, ordinal)
    await removePod(deps, set, pod)
    result.set(ordinal, marked(pod, clock.now()))
    if (isOrdered) return now()
  }

  if (set.spec.updateStrategy?.type === 'OnDelete') return now()
  return roll(deps, set, places, revisions, result)
}

/** Ends Pods of old revisions, the last ordinal first, no more than may be unavailable; they are made anew by the next steps. */
async function roll(
  deps: ReconcilerDeps,
  set: StatefulSet,
  places: readonly Place[],
  { update }: Revisions,
  result: Map<number, Pod>,
): Promise<Pod[]> {
  const { partition = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {}
  const most = Math.max(1, scaled(maxUnavailable, set.spec.replicas ?? 1))
  const nowMs = deps.clock.now()
  const isUpdated = (pod: Pod): boolean => pod.metadata.labels?.[REVISION_LABEL] === update.metadata.name
  const isDown = ({ ordinal, pod }: Place): boolean => !pod || !isAvailable(set, result.get(ordinal) ?? pod, nowMs)
  // An old one that does not work is no loss: what is on its way to the new revision counts.
  let room =
    most - places.filter((place) => isDown(place) && (!place.pod || isUpdated(place.pod) || place.pod.metadata.deletionTimestamp)).length
  for (const { ordinal, pod } of [...places].reverse()) {
    if (ordinal < (set.spec.ordinals?.start ?? 0) + partition || room <= 0) break
    if (!pod || isUpdated(pod) || pod.metadata.deletionTimestamp) continue
    await removePod(deps, set, pod)
    result.set(ordinal, marked(pod, nowMs))
    room--
  }
  return [...result.values()]
}

async function createPod(deps: ReconcilerDeps, set: StatefulSet, revision: ControllerRevision, ordinal: number): Promise<Pod> {
  const { client, event } = deps
  const name = `${set.metadata.name}-${ordinal}`
  try {
    await createClaims(deps, set, ordinal, name)
    const pod = await client.create(podKind, statefulPod(set, templateOf(revision), revision.metadata.name, ordinal))
    event(set, 'Normal', 'SuccessfulCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} successful`)
    return pod
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    event(set, 'Warning', 'FailedCreate', `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${message}`)
    throw error
  }
}

async function createClaims({ client, event }: ReconcilerDeps, set: StatefulSet, ordinal: number, podName: string): Promise<void> {
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const name = claimName(set, template, ordinal)
    const { namespace } = set.metadata
    const { labels, annotations } = template.metadata
    const isDependent = set.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete'
    const metadata = {
      name,
      namespace: namespace!,
      labels: { ...labels, ...set.spec.selector.matchLabels },
      ...(annotations && { annotations }),
      ...(isDependent && { ownerReferences: [controllerReference(set)] }),
    }
    if (await client.find(persistentVolumeClaimKind, { namespace, name })) continue
    try {
      await client.create(persistentVolumeClaimKind, { metadata, spec: template.spec })
      event(set, 'Normal', 'SuccessfulCreate', `create Claim ${name} Pod ${podName} in StatefulSet ${set.metadata.name} success`)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
}

/** Of a Pod that is scaled away: its claims go with it where the policy says so. */
async function keepOrLeaveClaims({ client }: ReconcilerDeps, set: StatefulSet, pod: Pod, ordinal: number): Promise<void> {
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const found = await client.find(persistentVolumeClaimKind, {
      namespace: set.metadata.namespace,
      name: claimName(set, template, ordinal),
    })
    if (!found) continue
    const { name, uid } = pod.metadata
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid: uid!, controller: true, blockOwnerDeletion: true }]
    if (isSameJson(found.metadata.ownerReferences, ownerReferences)) continue
    await client.update(persistentVolumeClaimKind, { ...found, metadata: { ...found.metadata, ownerReferences } })
  }
}

async function removePod({ client, event }: ReconcilerDeps, set: StatefulSet, { metadata }: Pod): Promise<void> {
  const what = `delete Pod ${metadata.name} in StatefulSet ${set.metadata.name}`
  try {
    await client.delete(podKind, metadata, { preconditions: { uid: metadata.uid! } })
    event(set, 'Normal', 'SuccessfulDelete', `${what} successful`)
  } catch (error) {
    if (isNotFound(error)) return
    event(set, 'Warning', 'FailedDelete', `${what} failed error: ${error instanceof Error ? error.message : String(error)}`)
    throw error
  }
}

/** Whether a Pod that is to be made belongs to the revision from before the update that is under way. */
function needsCurrent({ spec, status }: StatefulSet, ordinal: number, start: number): boolean {
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return false
  return rollingUpdate ? ordinal < start + (rollingUpdate.partition ?? 0) : ordinal < start + (status?.currentReplicas ?? 0)
}

function countsOf(set: StatefulSet, pods: readonly Pod[], { current, update }: Revisions, nowMs: number) {
  const placed = pods.filter((pod) => pod.status?.phase)
  const ofRevision = ({ metadata }: ControllerRevision): number =>
    placed.filter((pod) => !pod.metadata.deletionTimestamp && pod.metadata.labels?.[REVISION_LABEL] === metadata.name).length
  const ready = placed.filter(isRunningAndReady)
  return {
    replicas: placed.length,
    readyReplicas: ready.length,
    currentReplicas: ofRevision(current),
    updatedReplicas: ofRevision(update),
    availableReplicas: ready.filter((pod) => readyForMs(pod, nowMs) >= minReadyMs(set)).length,
  }
}

/** How long until a Pod that is ready counts as available, which no watch tells. */
function nextAvailableInMs(set: StatefulSet, pods: readonly Pod[], nowMs: number): number | undefined {
  const waits = pods.filter(isRunningAndReady).map((pod) => minReadyMs(set) - readyForMs(pod, nowMs))
  const ahead = waits.filter((ms) => ms > 0)
  return ahead.length > 0 ? Math.min(...ahead) : undefined
}

const minReadyMs = ({ spec }: StatefulSet): number => (spec.minReadySeconds ?? 0) * 1000
const readyForMs = (pod: Pod, nowMs: number): number => nowMs - (podReadySinceMs(pod) ?? nowMs)
const isFinished = ({ status }: Pod): boolean => status?.phase === 'Failed' || status?.phase === 'Succeeded'
const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isPodReady(pod)
const isHealthy = (pod: Pod): boolean => isRunningAndReady(pod) && !pod.metadata.deletionTimestamp
const isAvailable = (set: StatefulSet, pod: Pod, nowMs: number): boolean => isHealthy(pod) && readyForMs(pod, nowMs) >= minReadyMs(set)

/** The Pod as it is once its deletion was asked for. */
function marked(pod: Pod, nowMs: number): Pod {
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: timestamp(nowMs) } }
}

function scaled(value: number | string, replicas: number): number {
  return typeof value === 'number' ? value : Math.ceil((Number.parseInt(value, 10) * replicas) / 100)
}
