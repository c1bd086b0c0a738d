import type { ApiCall } from '../apimachinery/call.js'
import { deepEqual, isJsonObject, type JsonObject, setValue } from '../apimachinery/json.js'
import { compare, isUnchanged } from '../apimachinery/managed-fields/compare.js'
import {
  entriesFrom,
  expandedEntries,
  type ManagedFieldsEntry,
  type ManagerId,
  ownersFrom,
  sameOwnership,
  sentEntries,
} from '../apimachinery/managed-fields/entries.js'
import { reconciledFields } from '../apimachinery/managed-fields/extract.js'
import { wholeSchema } from '../apimachinery/managed-fields/typed.js'
import { type Owners, updatedOwners } from '../apimachinery/managed-fields/update.js'
import { type KubeObject, timestamp, type Unstructured } from '../apimachinery/object.js'
import type { Schema } from '../apimachinery/schema.js'
import type { Clock } from '../base/clock.js'
import type { Resource } from './resource.js'

/** Puts the managed fields that follow from a write on the object that is to be stored. */
export type Track = (object: Unstructured) => void

/**
 * Keeps metadata.managedFields: who wrote which field, for every write of anyone. In-process writers are tracked at once, like
 * all others: it costs a status update some 30 µs, because only what was written is compared, sets are text until somebody
 * needs them, and an unchanged set is the same text as before.
 */
export interface FieldManagers {
  /**
   * Tracks a write that is not an apply. Takes what its sender wants as managedFields off the draft; the result is called
   * once the draft is decoded and defaulted, before webhooks change it: what they fill in belongs to nobody.
   */
  track(resource: Resource, call: ApiCall, draft: Unstructured, current: KubeObject | undefined): Track
  /** Tracks an apply, whose owners are known. */
  put(draft: Unstructured, owners: Owners): Track
  /** Who owns what of a stored object; who wrote it before anyone was tracked is `before-first-apply`. */
  ownersOf(resource: Resource, subresource: string, current: KubeObject): Owners
  schemaOf(resource: Resource): Schema
  /** Now, as entries have it. */
  time(): string
}

/** How many texts of sets are shared between objects, at most twice. */
const SHARED_TEXTS = 2_000

/**
 * `clock` is the virtual one. `isServed` says whether a resource is served in a version: owners in one that is not are
 * forgotten, as upstream does; those in another one that is are taken to name the same fields.
 */
export function createFieldManagers(deps: { clock: Clock; isServed(resource: Resource, apiVersion: string): boolean }): FieldManagers {
  const { clock, isServed } = deps
  const schemas = new WeakMap<Schema, Schema>()
  const shared = createTextPool(SHARED_TEXTS)
  const time = (): string => timestamp(clock.now())

  const schemaOf = ({ served }: Resource): Schema => {
    const known = schemas.get(served.schema)
    if (known) return known
    const whole = wholeSchema(served.schema)
    schemas.set(served.schema, whole)
    return whole
  }
  const readOwners = (resource: Resource, entries: readonly ManagedFieldsEntry[]): Owners =>
    ownersFrom(
      entries.filter(({ apiVersion }) => apiVersion === resource.apiVersion || isServed(resource, apiVersion)),
      (fields) => reconciledFields(schemaOf(resource), fields),
    )
  const updated = (resource: Resource, owners: Owners, before: KubeObject | undefined, after: KubeObject, actor: ManagerId) => {
    const next = trackedParts(resource, actor.subresource, after)
    const old = withZeroStructs(resource, before ? trackedParts(resource, actor.subresource, before) : {}, next)
    const change = compare(schemaOf(resource), { metadata: {}, ...old }, { metadata: {}, ...next })
    return { owners: updatedOwners(owners, change, actor, time()), unchanged: isUnchanged(change) }
  }
  const setEntries = (object: Unstructured, entries: readonly ManagedFieldsEntry[] | undefined): void => {
    delete object.metadata.managedFields
    if (entries && entries.length > 0) object.metadata.managedFields = entries as ManagedFieldsEntry[]
  }

  return {
    time,
    schemaOf,
    track(resource, call, draft, current) {
      const actor = actorOf(resource, call, 'Update')
      const live = entriesOf(current)
      // Through a subresource nobody rewrites managed fields by hand.
      const sent = actor.subresource ? undefined : sentEntries(draft.metadata.managedFields, live)
      delete draft.metadata.managedFields
      const given = sent === 'reset' ? [] : sent && sent.length > 0 ? sent : live
      return (object) => {
        // Who cleared the managed fields, or wrote before there were any, is not tracked until the first apply.
        if (current && given.length === 0) return setEntries(object, undefined)
        const { owners, unchanged } = updated(resource, readOwners(resource, given), current, object, actor)
        setEntries(object, unchanged && given === live ? live : entriesFrom(owners, shared))
      }
    },
    put(draft, owners) {
      delete draft.metadata.managedFields
      return (object) => setEntries(object, entriesFrom(owners, shared))
    },
    ownersOf(resource, subresource, current) {
      const owners = readOwners(resource, entriesOf(current))
      if (owners.size > 0) return owners
      const { apiVersion } = resource
      return updated(resource, owners, undefined, current, { manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion, subresource })
        .owners
    },
  }
}

const BEFORE_FIRST_APPLY = 'before-first-apply'

/** Who acts in a call: the field manager it names, else the program that makes it. */
export function actorOf(
  resource: Resource,
  { options, userAgent, subresource = '' }: ApiCall,
  operation: ManagerId['operation'],
): ManagerId {
  const manager = options?.fieldManager || userAgent?.split('/', 1)[0] || 'unknown'
  return { manager, operation, apiVersion: resource.apiVersion, subresource }
}

function entriesOf(object: KubeObject | undefined): readonly ManagedFieldsEntry[] {
  return (object?.metadata.managedFields ?? []) as ManagedFieldsEntry[]
}

/** What the server alone sets, and nobody owns (apimachinery pkg/util/managedfields/internal/stripmeta.go). */
const UNOWNED: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
])

/**
 * What of an object is tracked on a path: everything but the status where that has a path of its own, and on that path the
 * status alone, with labels and annotations for built-in kinds, which take those there.
 */
export function trackedParts({ kind, served }: Resource, subresource: string, object: object): JsonObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata, status, ...rest } = object as JsonObject
  const owned: JsonObject = {}
  if (isJsonObject(metadata)) for (const key of Object.keys(metadata)) if (!UNOWNED.has(key)) setValue(owned, key, metadata[key]!)
  if (subresource === 'status') {
    const { labels, annotations } = owned
    const both = { ...(labels !== undefined && { labels }), ...(annotations !== undefined && { annotations }) }
    return {
      ...(served.builtIn && Object.keys(both).length > 0 && { metadata: both }),
      ...(status !== undefined && { status }),
    }
  }
  return {
    ...(Object.keys(owned).length > 0 && { metadata: owned }),
    ...rest,
    ...(status !== undefined && !kind.status && { status }),
  }
}

/** Structs that Go's types always have, and lists that they always write: who fills them in does not add them. */
const ZERO: JsonObject = {
  spec: { containers: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
  status: { loadBalancer: {} },
  source: {},
}

/**
 * A built-in object always has its structs, even one that is not there yet; a custom resource has what was written. So
 * `f:spec` itself is owned in custom resources only.
 */
function withZeroStructs({ served }: Resource, before: JsonObject, after: JsonObject): JsonObject {
  return served.builtIn ? filledFrom(ZERO, before, after) : before
}

function filledFrom(zero: JsonObject, before: JsonObject, after: JsonObject): JsonObject {
  let result = before
  for (const key of Object.keys(zero)) {
    if (after[key] === undefined || before[key] !== undefined) continue
    const shape = zero[key]
    if (result === before) result = { ...before }
    result[key] = isJsonObject(shape) ? filledFrom(shape, {}, isJsonObject(after[key]) ? after[key] : {}) : shape
  }
  return result
}

/** Whether a write changed anything: the times of managed fields alone are no change. */
export function isSameObject(next: KubeObject, current: KubeObject): boolean {
  const { managedFields: mine, ...metadata } = next.metadata
  const { managedFields: theirs, ...currentMetadata } = current.metadata
  if (!sameOwnership(mine, theirs) || !deepEqual(metadata, currentMetadata)) return false
  const { metadata: _next, ...rest } = next
  const { metadata: _current, ...currentRest } = current
  return deepEqual(rest, currentRest)
}

/** The object as clients know it, with the sets of its managed fields as maps; itself when it has none. */
export function expanded<T extends KubeObject>(object: T): T {
  const { managedFields } = object.metadata
  if (!managedFields) return object
  return { ...object, metadata: { ...object.metadata, managedFields: expandedEntries(managedFields) } }
}

/** Hands out one string for equal texts, as long as it was asked for lately. */
function createTextPool(most: number): (text: string) => string {
  let young = new Map<string, string>()
  let old = new Map<string, string>()
  return (text) => {
    const known = young.get(text) ?? old.get(text) ?? text
    if (!young.has(known)) {
      if (young.size >= most) {
        old = young
        young = new Map()
      }
      young.set(known, known)
    }
    return known
  }
}
