import type { AdmissionPlugin } from '../apimachinery/admission-plugin.js'
import type { ApiAnswer, ApiCall } from '../apimachinery/call.js'
import type { KubeObject } from '../apimachinery/object.js'
import { StatusError } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import type { StoreKey, StoreView } from '../store/store.js'
import type { Access } from './auth/access.js'
import type { FieldManagers } from './field-managers.js'
import type { Newest } from './newest.js'
import type { Pages } from './pages.js'
import type { Resource } from './resource.js'
import type { Reviews, Webhooks } from './webhooks/reviews.js'

/** What every verb works with; put together once in server.ts. */
export interface VerbDeps {
  /** What its callers may see: what is durable, or, inside of the process, what is accepted. */
  store: StoreView
  newest: Newest
  pages: Pages
  /** The virtual domain: timestamps, grace, ages. */
  clock: Clock
  /** The real domain: watch timeouts, bookmarks, the life of page snapshots. */
  realClock: Clock
  random: Random
  access: Access
  fieldManagers: FieldManagers
  /** By `group/version/plural`, and the one that stores a given kind. */
  resourceFor(group: string, version: string, plural: string): Resource | undefined
  /** Whether objects of this stored name (`namespaces`, `configmaps`) are served at all. */
  serves(stored: string): boolean
  /** Rules of the pipeline beyond a kind's own, in order. */
  plugins: readonly AdmissionPlugin[]
  webhooks: Webhooks
  /** What webhooks say to the write that is being decided; absent when none is configured. */
  reviews?: Reviews
}

/** Makes one write, asking webhooks about it where any are configured. */
export function decided<T>(deps: VerbDeps, resource: Resource, name: string, attempt: (deps: VerbDeps) => Promise<T>): Promise<T> {
  return deps.webhooks.concern(resource) ? deps.webhooks.decide(deps, resource, name, attempt) : attempt(deps)
}

/** One verb: a call on a resource, answered. Throws StatusError for a refusal. */
export type AnswerVerb = (deps: VerbDeps, resource: Resource, call: ApiCall) => Promise<ApiAnswer>

/** Where the object of a call lies. */
export function keyOf(resource: Resource, namespace: string | undefined, name: string): StoreKey {
  return resource.kind.namespaced ? { resource: resource.stored, namespace, name } : { resource: resource.stored, name }
}

/** The name a call is about; only calls that server.ts has checked for one come here. */
export function nameOf(call: ApiCall): string {
  if (!call.name) throw new StatusError({ code: 400, reason: 'BadRequest', message: 'name must be provided' })
  return call.name
}

/** Collects warnings, each once, in the order they came up. */
export function warningsFor(): { list: string[]; warn(text: string): void } {
  const list: string[] = []
  return { list, warn: (text) => void (list.includes(text) || list.push(text)) }
}

/** The object to answer a write with, once what it asks for has been carried out (ServedKind.carryOut). */
export async function carriedOut(
  { served }: Resource,
  { subresource, options }: ApiCall,
  object: KubeObject,
  warn: (text: string) => void,
): Promise<KubeObject> {
  if (!served.carryOut || subresource === 'status' || options?.dryRun) return object
  const done = await served.carryOut(object)
  for (const text of done.warnings) warn(text)
  return done.object
}

/** Whether a terminating object has nothing left that holds it: what an update or a deletion then removes. */
export function isReleased(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata
  if (!deletionTimestamp || (deletionGracePeriodSeconds ?? 0) > 0 || (finalizers?.length ?? 0) > 0) return false
  return !holdsNamespace(object)
}

/** A Namespace stays until its own finalizers, beside those of its metadata, are gone. */
export function holdsNamespace(object: KubeObject): boolean {
  if (object.kind !== 'Namespace' || object.apiVersion !== 'v1') return false
  const { spec } = object as { spec?: { finalizers?: string[] } }
  return (spec?.finalizers?.length ?? 0) > 0
}
