import { type Condition, readyCondition } from '../apimachinery/conditions.js'
import { groupResource, type Kind, type KindFeed } from '../apimachinery/kind.js'
import { type KubeObject, type ObjectRef, refText, timestamp } from '../apimachinery/object.js'
import { isConflict, isNotFound } from '../apimachinery/status-error.js'
import type { Informer, InformerChange } from '../client/informer.js'
import type { Controller, Outcome, Reconcile, ReconcilerDeps } from './reconcile.js'
import { createUriResolver } from './resolve-uri.js'
import { asJson, isSameJson } from './same-json.js'
import { createTracker, groupOf, type Tracker } from './tracker.js'
import { createWorkQueue, type Processed, type WorkQueue } from './work-queue.js'

const DEFAULT_CONCURRENCY = 8
/** So many conflicts in a row are tried again at once; from then on a conflict is a failure like any other. */
const CONFLICTS_AT_ONCE = 10
/** Failures up to this one are routine (a child that is not there yet) and not worth a warning. */
const ROUTINE_FAILURES = 4

/** What Knative's generated reconcilers say when a new generation did not get as far as a verdict (knative.dev/pkg reconciler/reconcile_common.go). */
const NOT_OBSERVED = { reason: 'NewObservedGenFailure', message: 'unsuccessfully observed a new generation' }

type WithStatus = KubeObject & { status?: { observedGeneration?: number; conditions?: Condition[] } }

/** A work queue with the reconciler of one controller behind it. */
export function createControllerLoop(options: {
  controller: Controller
  informer: Informer<KubeObject>
  /** All but what is the queue's own. */
  deps: Omit<ReconcilerDeps, 'wake' | 'track' | 'resolveUri'>
  /** What references may lead to. */
  kinds: KindFeed
  /** See {@link createTurns}. */
  turn: (task: () => void) => void
  /** The same for writing a status. */
  statusTurn: (task: () => void) => void
}): WorkQueue & { tracker: Tracker } {
  const { controller, informer, kinds, statusTurn } = options
  const { kind } = controller
  const conflicts = new Map<string, number>()
  const tracker = createTracker({ informer: options.deps.informer, kinds, wake: (key) => queue.add(key) })
  const deps: ReconcilerDeps = {
    ...options.deps,
    wake: (ref) => queue.add(refText(ref)),
    track: tracker.track,
    resolveUri: createUriResolver({ tracker, configMap: options.deps.configMap }),
  }
  const { client, clock, log } = deps
  let reconcile: Reconcile<KubeObject> | undefined

  const onConflict = (key: string, error: unknown): Processed => {
    const count = (conflicts.get(key) ?? 0) + 1
    conflicts.set(key, count)
    if (count > CONFLICTS_AT_ONCE) throw error
    return { again: true }
  }

  const writeStatus = async (object: WithStatus, status: NonNullable<WithStatus['status']>): Promise<void> => {
    const { generation } = object.metadata
    const next = asJson({ ...status, ...(generation !== undefined && { observedGeneration: generation }) })
    const settled = isKnative(kind) ? keepTransitionTimes(next, object.status) : next
    if (isSameJson(settled, object.status)) return
    await new Promise<void>(statusTurn)
    await client.updateStatus<KubeObject>(kind, { ...object, status: settled } as KubeObject)
  }

  const process = async (key: string): Promise<Processed> => {
    const object = informer.get(refFrom(key)) as WithStatus | undefined
    tracker.begin(refFrom(key))
    if (!object || !isOurs(controller, object)) {
      conflicts.delete(key)
      return {}
    }
    let outcome: Outcome<KubeObject>
    try {
      outcome = await reconcile!(isKnative(kind) ? withReadyReset(object, clock.now()) : object)
    } catch (error) {
      if (isConflict(error)) return onConflict(key, error)
      if (isKnative(kind)) {
        deps.event(object, 'Warning', 'InternalError', error instanceof Error ? error.message : String(error))
        const reset = withReadyReset(object, clock.now()).status
        if (reset) await writeStatus(object, reset).catch(() => {})
      }
      throw error
    }
    if (outcome.status) {
      try {
        await writeStatus(object, outcome.status)
      } catch (error) {
        if (isConflict(error)) return onConflict(key, error)
        // Gone meanwhile: there is nothing left to say it of.
        if (!isNotFound(error)) throw error
      }
    }
    conflicts.delete(key)
    return { afterMs: outcome.requeueAfterMs }
  }

  const queue = createWorkQueue({
    process,
    clock,
    turn: options.turn,
    concurrency: controller.concurrency ?? DEFAULT_CONCURRENCY,
    onFailure(key, error, failures) {
      if (failures > ROUTINE_FAILURES) log.warn('reconcile fails', { name: key, failures, error })
      else log.debug('reconcile failed', { name: key, failures, error })
    },
  })
  reconcile = controller.create(deps)
  return { ...queue, tracker }
}

/** Fills the queue: with every object there is, and from now on with whatever a change concerns. Returns what ends it. */
export function feed(controller: Controller, queue: WorkQueue, informer: (kind: Kind) => Informer<KubeObject>): () => void {
  const own = informer(controller.kind)
  const unsubscribe = [own.onChange(({ object }) => queue.add(refText(object.metadata)))]
  for (const child of controller.owns ?? []) {
    unsubscribe.push(
      onLater(informer(child), ({ object, previous }) => {
        for (const key of new Set([...ownersOf(object, controller.kind), ...ownersOf(previous, controller.kind)])) queue.add(key)
      }),
    )
  }
  for (const { kind, wakes } of controller.wokenBy ?? []) {
    unsubscribe.push(
      onLater(informer(kind), ({ object, previous }) => {
        for (const ref of wakes(object, own)) queue.add(refText(ref))
        // What it concerned before the change and no longer does.
        if (previous) for (const ref of wakes(previous, own)) queue.add(refText(ref))
      }),
    )
  }
  return () => {
    for (const end of unsubscribe) end()
  }
}

/** Without what is there already: every object it could concern is in the queue, and with many of both, finding that out takes long. */
function onLater(informer: Informer<KubeObject>, listener: (change: InformerChange<KubeObject>) => void): () => void {
  let isLater = false
  const end = informer.onChange((change) => {
    if (isLater) listener(change)
  })
  isLater = true
  return end
}

function ownersOf(child: KubeObject | undefined, kind: Kind): string[] {
  if (!child?.metadata.ownerReferences) return []
  return child.metadata.ownerReferences
    .filter((owner) => owner.controller && owner.kind === kind.kind && groupOf(owner.apiVersion) === kind.group)
    .map((owner) => refText({ ...(kind.namespaced && { namespace: child.metadata.namespace }), name: owner.name }))
}

function isOurs({ kind, reconcilesDeleted }: Controller, { metadata }: KubeObject): boolean {
  return !metadata.deletionTimestamp || reconcilesDeleted === true || (metadata.finalizers?.includes(groupResource(kind)) ?? false)
}

function refFrom(key: string): ObjectRef {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

function isKnative({ group }: Kind): boolean {
  return group.endsWith('knative.dev')
}

/**
 * A new generation starts with Ready Unknown: whatever the reconciler does not judge anew must not pass for a verdict on it.
 * @see knative.dev/pkg reconciler/reconcile_common.go PreProcessReconcile
 */
function withReadyReset<T extends WithStatus>(object: T, nowMs: number): T {
  const ready = readyCondition(object)
  if (!ready || object.status?.observedGeneration === object.metadata.generation) return object
  const reset: Condition = { type: ready.type, status: 'Unknown', ...NOT_OBSERVED, lastTransitionTime: timestamp(nowMs) }
  const conditions = object.status!.conditions!.map((condition) => (condition === ready ? reset : condition))
  return { ...object, status: { ...object.status, conditions } }
}

/** A condition that ended as it was keeps its time (reconcile_common.go groupConditionTransition). */
function keepTransitionTimes<T extends { conditions?: Condition[] }>(next: T, before: { conditions?: Condition[] } | undefined): T {
  if (!next.conditions || !before?.conditions) return next
  const conditions = next.conditions.map((condition) => {
    const old = before.conditions!.find(({ type }) => type === condition.type)
    return old && isSameJson({ ...condition, lastTransitionTime: '' }, { ...old, lastTransitionTime: '' }) ? old : condition
  })
  return { ...next, conditions }
}
