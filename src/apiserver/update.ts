import type { ApiAnswer, ApiCall } from '../apimachinery/call.js'
import { causes } from '../apimachinery/causes.js'
import { deepEqual } from '../apimachinery/json.js'
import type { Owners } from '../apimachinery/managed-fields/update.js'
import type { KubeObject, Unstructured } from '../apimachinery/object.js'
import { refusals, type StatusError } from '../apimachinery/status-error.js'
import type { Change } from '../store/store.js'
import { type Admission, admit, conclude, strictBodyRefusal } from './admission.js'
import { dedupeOwners, objectOf } from './body.js'
import { writeObject } from './crd/write.js'
import { newObject } from './create.js'
import { type AnswerVerb, carriedOut, decided, isReleased, keyOf, nameOf, type VerbDeps, warningsFor } from './deps.js'
import { isSameObject } from './field-managers.js'
import { finalizedNamespace, keepNamespaceFinalizers } from './namespaces.js'
import { NAMESPACES, type Resource } from './resource.js'
import { scaledObject, scaleOf } from './scale.js'

/** PUT of an object or of one of its subresources. */
export const update: AnswerVerb = async (deps, resource, call) => {
  // Read before the store is asked: a body that contradicts its URL is a bad request even where nothing exists.
  const sent = call.subresource === 'scale' ? undefined : objectOf(resource, call, call.object, { named: true })
  return change(deps, resource, call, {
    draftFor: (current) => sent ?? objectOf(resource, call, scaledObject(resource, current, call.object), { named: true }),
    mayCreate: resource.served.createsOnUpdate === true && !call.subresource,
    versionRequired: resource.served.unconditionalUpdate !== undefined ? !resource.served.unconditionalUpdate : !resource.served.builtIn,
    strictRefusal: strictBodyRefusal(resource),
  })
}

/** What PUT and PATCH share: from the newest state to the one that is stored, in one step that nothing can come between. */
export async function change(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  how: {
    /** The object as the caller wants it, given the newest one: a draft that may be changed. */
    draftFor(current: KubeObject): Unstructured
    mayCreate: boolean
    /** What is created where nothing exists; absent: what the call carries. */
    objectToCreate?(): object
    /** Who owns what after an apply, asked for once there is a draft; absent: whoever writes owns what they change. */
    owners?(): Owners
    /** Whether a body without resourceVersion is refused. */
    versionRequired: boolean
    strictRefusal: (text: string) => StatusError
  },
): Promise<ApiAnswer> {
  const name = nameOf(call)
  const dryRun = call.options?.dryRun === true
  const { object, code, warnings } = await decided(deps, resource, name, (deciding) => changed(deciding, resource, call, how))
  const done = dryRun ? object : await carriedOut(resource, call, object, warnings.warn)
  return { code, object: call.subresource === 'scale' ? scaleOf(resource, done) : done, warnings: warnings.list }
}

async function changed(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  how: Parameters<typeof change>[3],
): Promise<{ object: KubeObject; code: number; warnings: ReturnType<typeof warningsFor> }> {
  const name = nameOf(call)
  const dryRun = call.options?.dryRun === true
  const warnings = warningsFor()
  let code = 200
  let outcome: KubeObject | undefined

  const decide = (current: KubeObject | undefined): Change => {
    if (!current) {
      if (!how.mayCreate) throw refusals.notFound(resource.name, name)
      call.requireVerb?.('create')
      code = 201
      const object = how.objectToCreate?.() ?? call.object
      outcome = newObject(
        deps,
        resource,
        { ...call, object },
        { named: true, warn: warnings.warn, ...(how.owners && { owners: how.owners() }) },
      )
      return dryRun ? { keep: outcome } : { put: outcome }
    }
    const draft = how.draftFor(current)
    checkVersion(resource, draft, current, how.versionRequired)
    const { strictRefusal } = how
    const next = nextState(deps, resource, call, draft, current, { strictRefusal, warn: warnings.warn, owners: how.owners?.() })
    if (isSameObject(next, current)) {
      outcome = current
      return { keep: current }
    }
    outcome = next
    if (dryRun) return { keep: current }
    return isReleased(next) ? { remove: next } : { put: next }
  }

  const result = await writeObject(deps, resource, keyOf(resource, call.namespace, name), decide)
  return { object: dryRun ? outcome! : result.object, code, warnings }
}

function checkVersion(resource: Resource, draft: Unstructured, current: KubeObject, required: boolean): void {
  const { name, uid, resourceVersion } = draft.metadata
  if (uid && uid !== current.metadata.uid)
    throw refusals.conflict(
      resource.name,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    )
  if (resourceVersion && resourceVersion !== '0') {
    if (resourceVersion !== current.metadata.resourceVersion) throw refusals.conflict(resource.name, name)
  } else if (required) {
    throw refusals.invalid(resource.kind, name, [causes.invalid('metadata.resourceVersion', 0, 'must be specified for an update')])
  }
}

/** The state after an update: what the caller may not change restored, the rest admitted, the generation counted. */
function nextState(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  sent: Unstructured,
  current: KubeObject,
  how: { strictRefusal: (text: string) => StatusError; warn: (text: string) => void; owners: Owners | undefined },
): Unstructured {
  const subresource = call.subresource ?? ''
  const draft = narrowed(resource, subresource, sent, current)
  const { metadata } = draft
  const restored = ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation', 'resourceVersion'] as const
  for (const key of restored) {
    delete metadata[key]
    if (current.metadata[key] !== undefined) Object.assign(metadata, { [key]: current.metadata[key] })
  }
  dedupeOwners(metadata, how.warn)
  checkFinalizers(resource, metadata, current)

  const { fieldManagers } = deps
  const track = how.owners ? fieldManagers.put(draft, how.owners) : fieldManagers.track(resource, call, draft, current)

  const admission: Admission = {
    operation: 'UPDATE',
    subresource,
    old: current,
    user: call.user,
    options: call.options ?? {},
    decodingProblems: call.decodingProblems ?? [],
    strictRefusal: how.strictRefusal,
    warn: how.warn,
    track,
    isNameGiven: true,
  }
  const next = admit(deps, resource, draft, admission)
  shareUnchanged(next, current, subresource)
  countGeneration(resource, next, current, subresource)
  conclude(deps, resource, next, admission)
  return next
}

function countGeneration({ served, kind }: Resource, next: Unstructured, current: KubeObject, subresource: string): void {
  if (served.generation === false || subresource === 'status') return
  const counts = served.generation ?? ((after: KubeObject, before: KubeObject) => changedBeyond(kind.status === true, after, before))
  if (counts(next, current)) next.metadata.generation = (current.metadata.generation ?? 0) + 1
}

/** Keeps what this path does not touch: the status on the main path, everything but the status on /status. */
function narrowed(resource: Resource, subresource: string, sent: Unstructured, current: KubeObject): Unstructured {
  const stored = current as Unstructured
  if (subresource === 'status') {
    // Built-in kinds take labels and annotations on this path as well, custom resources nothing but the status.
    const { labels: _labels, annotations: _annotations, ...rest } = current.metadata
    const { labels, annotations } = resource.served.builtIn ? sent.metadata : current.metadata
    const metadata = { ...rest, ...(labels && { labels }), ...(annotations && { annotations }) }
    const { status: _, ...others } = stored
    return { ...others, metadata, ...(sent['status'] !== undefined && { status: sent['status'] }) } as Unstructured
  }
  if (subresource === 'finalize') {
    const finalized = finalizedNamespace(sent, current)
    return { ...finalized, metadata: { ...finalized.metadata } }
  }
  if (resource.kind.status) {
    delete sent['status']
    if (stored['status'] !== undefined) sent['status'] = stored['status']
  }
  if (resource.stored === NAMESPACES) keepNamespaceFinalizers(sent, current)
  return sent
}

/**
 * Puts the stored parts back where the draft holds equal copies of them: most writes change a status or a spec, and the
 * history of an object then costs only what changed.
 */
function shareUnchanged(next: Unstructured, current: KubeObject, subresource: string): void {
  for (const [key, stored] of Object.entries(current)) {
    if (key === 'metadata') continue
    if ((subresource === 'status' && key !== 'status') || deepEqual(next[key], stored)) next[key] = stored
  }
}

function checkFinalizers(resource: Resource, metadata: Unstructured['metadata'], current: KubeObject): void {
  if (!current.metadata.deletionTimestamp) return
  const added = (metadata.finalizers ?? []).filter((finalizer) => !current.metadata.finalizers?.includes(finalizer))
  if (added.length === 0) return
  const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
  throw refusals.invalid(resource.kind, metadata.name, [causes.forbidden('metadata.finalizers', why)])
}

/** Whether anything but metadata (and the status, where it has a path of its own) differs. */
function changedBeyond(statusApart: boolean, next: KubeObject, old: KubeObject): boolean {
  const { metadata: _nextMetadata, ...after } = next as Unstructured
  const { metadata: _oldMetadata, ...before } = old as Unstructured
  if (statusApart) {
    delete after['status']
    delete before['status']
  }
  return !deepEqual(after, before)
}
