import type { ApiCall, Transport, Verb } from '../apimachinery/call.js'
import { causes } from '../apimachinery/causes.js'
import type { ServedKind } from '../apimachinery/kind.js'
import { refusals } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import { StorageError, type Store } from '../store/store.js'
import { create } from './create.js'
import { remove, removeCollection } from './delete.js'
import type { AnswerVerb, VerbDeps } from './deps.js'
import { get } from './get.js'
import { list } from './list.js'
import { createNewest } from './newest.js'
import { createPages } from './pages.js'
import { patch } from './patch.js'
import { NAMESPACES, type Resource, resourceOf } from './resource.js'
import { update } from './update.js'
import { watch } from './watch.js'

/** The Kubernetes-style API in process: every call on every served kind, answered by the store. */
export interface ApiServer extends Transport {
  readonly kinds: readonly ServedKind[]
  kindFor(group: string, version: string, plural: string): ServedKind | undefined
}

/**
 * Serves `kinds` from `store`. Callers in the process get the stored objects themselves, shared and immutable; what they
 * send is copied before anything is filled in. `clock` is the virtual domain (timestamps, grace), `realClock` the one for
 * watch timeouts, bookmarks and pages.
 */
export function createApiServer(options: {
  store: Store
  kinds: readonly ServedKind[]
  clock: Clock
  realClock: Clock
  random: Random
  log: Logger
}): ApiServer {
  const { store, kinds, clock, realClock, random, log } = options
  const resources = new Map<string, Resource>()
  for (const served of kinds) {
    const resource = resourceOf(served)
    resources.set(`${served.kind.group}/${served.kind.version}/${served.kind.plural}`, resource)
  }
  const stored = new Set([...resources.values()].map((resource) => resource.stored))
  const deps: VerbDeps = {
    store,
    newest: createNewest(store),
    pages: createPages(realClock),
    clock,
    realClock,
    random,
    resourceFor: (group, version, plural) => resources.get(`${group}/${version}/${plural}`),
    serves: (name) => stored.has(name),
  }

  return {
    kinds,
    kindFor: (group, version, plural) => deps.resourceFor(group, version, plural)?.served,
    async call(call) {
      const resource = resourceFor(deps, call)
      const verb = VERBS[call.verb]
      if (!verb) throw refusals.methodNotAllowed()
      try {
        return await verb(deps, resource, call)
      } catch (error) {
        if (!(error instanceof StorageError)) throw error
        log.error('the store refused a write', { code: error.code, reason: error.message })
        // Nothing was stored, and a later try may do.
        throw refusals.internal(error.message)
      }
    },
    watch(call, onEvent, onEnd) {
      let resource: Resource
      try {
        resource = resourceFor(deps, call)
      } catch (error) {
        onEnd(error)
        return () => {}
      }
      return watch(deps, resource, call, onEvent, onEnd)
    },
  }
}

/** Watch is not among them: it answers with a stream (Transport.watch). */
const VERBS: Partial<Record<Verb, AnswerVerb>> = { create, get, list, update, patch, delete: remove, deletecollection: removeCollection }

/** Which verbs each subresource offers. */
const SUBRESOURCE_VERBS: Readonly<Record<string, readonly Verb[]>> = {
  status: ['get', 'update', 'patch'],
  scale: ['get', 'update', 'patch'],
  finalize: ['update'],
}

/** Longest name of a field manager, in bytes (apimachinery pkg/apis/meta/v1/validation). */
const FIELD_MANAGER_BYTES = 128

/** The resource a call is about, once it is sure that it is served with this verb. Throws 404, 405, 400 or 422. */
function resourceFor(deps: VerbDeps, call: ApiCall): Resource {
  const resource = deps.resourceFor(call.group, call.version, call.plural)
  if (!resource) throw refusals.noSuchResource()
  const { subresource } = call
  if (subresource) {
    if (!hasSubresource(resource, subresource)) throw refusals.noSuchResource()
    if (!SUBRESOURCE_VERBS[subresource]!.includes(call.verb)) throw refusals.methodNotAllowed()
  } else if (!resource.verbs.has(call.verb)) {
    throw refusals.methodNotAllowed()
  }
  const wholeCollection = call.verb === 'list' || call.verb === 'watch' || call.verb === 'create'
  if (resource.kind.namespaced && !call.namespace && !wholeCollection)
    throw refusals.badRequest(
      call.verb === 'deletecollection'
        ? 'an empty namespace may not be set when a collection is deleted'
        : 'an empty namespace may not be set when a resource name is provided',
    )
  checkFieldManager(call)
  return resource
}

function hasSubresource({ kind, stored }: Resource, subresource: string): boolean {
  if (subresource === 'status') return kind.status === true
  if (subresource === 'scale') return kind.scale !== undefined
  return subresource === 'finalize' && stored === NAMESPACES
}

/** What the options of each writing verb are called in refusals. */
const OPTIONS_KIND: Partial<Record<Verb, string>> = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' }

function checkFieldManager({ verb, options }: ApiCall): void {
  const manager = options?.fieldManager
  const kind = OPTIONS_KIND[verb]
  if (manager === undefined || kind === undefined) return
  const found = []
  if (Buffer.byteLength(manager) > FIELD_MANAGER_BYTES) found.push(causes.tooLong('fieldManager', FIELD_MANAGER_BYTES))
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(manager))
    found.push(causes.invalid('fieldManager', manager, 'should only contain printable characters'))
  if (found.length > 0) throw refusals.invalid({ group: 'meta.k8s.io', kind }, '', found)
}
