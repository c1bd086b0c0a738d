import type { ApiAnswer, ApiCall, CallOptions } from '../apimachinery/call.js'
import { type KubeObject, type ObjectMeta, timestamp } from '../apimachinery/object.js'
import { isNotFound, refusals, type Status } from '../apimachinery/status-error.js'
import type { Change } from '../store/store.js'
import { judgeDeletion } from './admission.js'
import { writeObject } from './crd/write.js'
import { type AnswerVerb, decided, holdsNamespace, isReleased, keyOf, nameOf, type VerbDeps, warningsFor } from './deps.js'
import { selected } from './list.js'
import { requireMortal, terminatingNamespace } from './namespaces.js'
import { NAMESPACES, type Resource } from './resource.js'

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/**
 * DELETE of one object: gone at once, or marked and left until its grace is over and its finalizers are taken off.
 * Dependents are the garbage collector's business; here the policy only becomes a finalizer.
 * @see kubernetes/apiserver v0.35 pkg/registry/rest/delete.go, pkg/registry/generic/registry/store.go
 */
export const remove: AnswerVerb = async (deps, resource, call) => {
  const name = nameOf(call)
  const { object, removed, warnings } = await removeOne(deps, resource, call, name)
  if (!removed || resource.served.deleteReturnsObject) return { code: 200, object, warnings }
  return { code: 200, object: removedStatus(resource, object), warnings }
}

/** DELETE of a collection: everything selected, one by one; answers with what was deleted. */
export const removeCollection: AnswerVerb = async (deps, resource, call): Promise<ApiAnswer> => {
  const chosen = await selected(deps, resource, call)
  const warnings = warningsFor()
  const gone = await Promise.all(
    chosen.map(async ({ metadata: { name, namespace } }) => {
      try {
        const { object, warnings: told } = await removeOne(deps, resource, { ...call, ...(namespace && { namespace }) }, name)
        for (const text of told) warnings.warn(text)
        return object
      } catch (error) {
        // Someone else was faster: as good as deleted.
        if (isNotFound(error)) return undefined
        throw error
      }
    }),
  )
  return {
    code: 200,
    object: {
      kind: resource.listKind,
      apiVersion: resource.apiVersion,
      metadata: { resourceVersion: String(deps.store.version) },
      items: gone.filter((object) => object !== undefined),
    },
    warnings: warnings.list,
  }
}

async function removeOne(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  name: string,
): Promise<{ object: KubeObject; removed: boolean; warnings: readonly string[] }> {
  if (resource.stored === NAMESPACES) requireMortal(name)
  return decided(deps, resource, name, (deciding) => removed(deciding, resource, call, name))
}

async function removed(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  name: string,
): Promise<{ object: KubeObject; removed: boolean; warnings: readonly string[] }> {
  const options = call.options ?? {}
  const warnings = warningsFor()
  const { orphansByDefault } = resource.served
  if (typeof orphansByDefault === 'string' && !options.propagationPolicy) warnings.warn(orphansByDefault)
  let outcome: KubeObject | undefined
  let removed = false

  const decide = (current: KubeObject | undefined): Change => {
    if (!current) throw refusals.notFound(resource.name, name)
    checkPreconditions(resource, current, options)
    judgeDeletion(deps, resource, current, call, warnings.warn)
    const next = terminated(deps, resource, current, call)
    removed = isReleased(next)
    outcome = next
    if (options.dryRun || (next === current && !removed)) return { keep: current }
    // What watchers are told last is the last state that was stored.
    return removed ? { remove: current } : { put: next }
  }

  const result = await writeObject(deps, resource, keyOf(resource, call.namespace, name), decide)
  return { object: options.dryRun ? outcome! : result.object, removed, warnings: warnings.list }
}

function checkPreconditions(resource: Resource, { metadata }: KubeObject, { preconditions }: CallOptions): void {
  if (preconditions?.uid !== undefined && preconditions.uid !== metadata.uid)
    throw refusals.conflict(
      resource.name,
      metadata.name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== metadata.resourceVersion)
    throw refusals.conflict(
      resource.name,
      metadata.name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
}

/** The object on its way out; `current` itself when this request changes nothing about it. */
function terminated(deps: VerbDeps, resource: Resource, current: KubeObject, { user, options = {} }: ApiCall): KubeObject {
  const grace = graceOf(resource, current, options)
  if (current.metadata.deletionTimestamp) return hastened(current, grace)

  const policy = options.propagationPolicy ?? (resource.served.orphansByDefault ? 'Orphan' : undefined)
  const finalizers = finalizersFor(current.metadata.finalizers ?? [], policy)
  const isNamespace = holdsNamespace(current)
  const { finalizers: _, ...rest } = current.metadata
  const metadata: ObjectMeta = {
    ...rest,
    ...(finalizers.length > 0 && { finalizers }),
    deletionTimestamp: timestamp(deps.clock.now() + grace * 1000),
    // A Namespace waits for its contents, not for a time.
    ...(!isNamespace && { deletionGracePeriodSeconds: grace }),
    ...(current.metadata.generation !== undefined && { generation: current.metadata.generation + 1 }),
  }
  const marked = { ...current, metadata }
  if (isNamespace) return terminatingNamespace(marked)
  return resource.served.onDelete?.(marked, { user, nowMs: deps.clock.now() }) ?? marked
}

/** Seconds between the request and the end; 0 for kinds that have none. */
function graceOf(resource: Resource, current: KubeObject, { gracePeriodSeconds }: CallOptions): number {
  const usual = resource.served.gracePeriodSeconds?.(current)
  if (usual === undefined) return 0
  const asked = gracePeriodSeconds ?? (current.metadata.deletionTimestamp ? (current.metadata.deletionGracePeriodSeconds ?? 0) : usual)
  // Less than nothing means "a moment" upstream.
  return asked < 0 ? 1 : asked
}

/** A second deletion may only shorten the grace of the first. */
function hastened(current: KubeObject, grace: number): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = current.metadata
  if (grace >= deletionGracePeriodSeconds) return current
  const startedMs = Date.parse(deletionTimestamp!) - deletionGracePeriodSeconds * 1000
  return {
    ...current,
    metadata: {
      ...current.metadata,
      deletionTimestamp: timestamp(startedMs + grace * 1000),
      deletionGracePeriodSeconds: grace,
    },
  }
}

/** What a propagation policy makes of an object's finalizers; without a policy they are left alone. */
function finalizersFor(present: readonly string[], policy: CallOptions['propagationPolicy']): string[] {
  if (!policy) return [...present]
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND)
  if (policy === 'Foreground') return [...others, FOREGROUND]
  return policy === 'Orphan' ? [...others, ORPHAN] : others
}

function removedStatus({ name: { group, plural } }: Resource, { metadata }: KubeObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: metadata.name, ...(group && { group }), kind: plural, ...(metadata.uid && { uid: metadata.uid }) },
  }
}
