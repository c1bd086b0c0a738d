import type { AdmissionPlugin } from '../apimachinery/admission-plugin.js'
import type { ApiCall, Transport, Verb } from '../apimachinery/call.js'
import { causes } from '../apimachinery/causes.js'
import type { KindFeed, ServedKind } from '../apimachinery/kind.js'
import { refusals } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type Random, uuid } from '../base/random.js'
import { StorageError, type Store } from '../store/store.js'
import { type Access, type Credentials, createAccess } from './auth/access.js'
import { requestToken } from './auth/token-request.js'
import type { CallWebhook } from './crd/conversion.js'
import { createRegistry, type Registry } from './crd/registry.js'
import { create } from './create.js'
import { remove, removeCollection } from './delete.js'
import type { AnswerVerb, VerbDeps } from './deps.js'
import { evict } from './eviction.js'
import { createFieldManagers } from './field-managers.js'
import { get } from './get.js'
import { list } from './list.js'
import { createNewest } from './newest.js'
import { createPages } from './pages.js'
import { patch } from './patch.js'
import { NAMESPACES, type Resource } from './resource.js'
import { reviewVerb } from './reviews/answers.js'
import { reviewServedKinds } from './reviews/kinds.js'
import { sourcedVerb } from './sourced.js'
import { update } from './update.js'
import { watch } from './watch.js'
import { followHooks } from './webhooks/configurations.js'
import { createWebhooks } from './webhooks/reviews.js'

/**
 * The Kubernetes-style API: every call on every served kind, answered by the store. Itself it is the transport for the network,
 * which learns only what is durable; the listener (http/handler.ts) authorizes those calls by `access`.
 */
export interface ApiServer extends Transport {
  /** For callers inside of the process: trusted, and told of a write as soon as it is accepted (Store.early). */
  readonly inside: Transport
  /** What is served now, user-defined kinds included: the same array until that changes. */
  readonly kinds: readonly ServedKind[]
  /** What is stored now, for the emulator's own parts. */
  readonly stored: KindFeed
  readonly access: Access
  kindFor(group: string, version: string, plural: string): ServedKind | undefined
  /** Whether an APIService says that someone else answers for this version of a group. Nobody is asked: the answer is 503. */
  isDelegated(group: string, version: string): boolean
}

/**
 * Serves `kinds` from `store`. Callers in the process get the stored objects themselves, shared and immutable; what they
 * send is copied before anything is filled in. `clock` is the virtual domain (timestamps, grace), `realClock` the one for
 * watch timeouts, bookmarks, pages and the life of tokens. Without `credentials` ServiceAccounts have no tokens.
 */
export function createApiServer(options: {
  store: Store
  kinds: readonly ServedKind[]
  clock: Clock
  realClock: Clock
  random: Random
  log: Logger
  credentials?: Credentials
  /** Reaches the conversion webhooks of user-defined kinds, and those that admission is configured to ask. */
  callWebhook?: CallWebhook
  /** Rules of the pipeline beyond a kind's own, in order. */
  plugins?: readonly AdmissionPlugin[]
  /** Whether admission's webhooks are asked yet; absent: from the start. A server that is being put together asks none. */
  asksWebhooks?: () => boolean
}): ApiServer {
  const { store, clock, realClock, random, log, credentials } = options
  const kinds = [...options.kinds, ...reviewServedKinds]
  const access = createAccess({ store, credentials, clock, realClock, random })
  const registry = createRegistry({ store, kinds, callWebhook: options.callWebhook, uid: () => uuid(random) })
  const newest = createNewest(store)
  const deps: VerbDeps = {
    store,
    newest,
    pages: createPages(realClock),
    clock,
    realClock,
    random,
    access,
    fieldManagers: createFieldManagers({
      clock,
      isServed({ kind }, apiVersion) {
        const [version = '', group = ''] = apiVersion.split('/').reverse()
        return group === kind.group && registry.resourceFor(group, version, kind.plural) !== undefined
      },
    }),
    resourceFor: registry.resourceFor,
    serves: registry.serves,
    plugins: options.plugins ?? [],
    webhooks: createWebhooks({
      hooks: followHooks(store.early),
      callWebhook: options.callWebhook,
      isOpen: options.asksWebhooks ?? (() => true),
    }),
  }

  return {
    get kinds() {
      return registry.served()
    },
    stored: registry,
    access,
    kindFor(group, version, plural) {
      const resource = registry.resourceFor(group, version, plural)
      return resource?.isHidden ? undefined : resource?.served
    },
    isDelegated(group, version) {
      const found = store.get({ resource: 'apiservices.apiregistration.k8s.io', name: `${version}.${group}` })
      return found !== undefined && (found as { spec?: { service?: object } }).spec?.service !== undefined
    },
    ...transportOver(deps, registry, log),
    inside: transportOver({ ...deps, store: store.early, newest: newest.early }, registry, log),
  }
}

function transportOver(deps: VerbDeps, registry: Registry, log: Logger): Transport {
  return {
    async call(call) {
      const resource = resourceFor(deps, call)
      const verb = OWN_VERBS[call.subresource ?? ''] ?? reviewVerb(resource) ?? sourcedVerb(resource, call) ?? VERBS[call.verb]
      if (!verb) throw refusals.methodNotAllowed()
      try {
        const answer = await verb(deps, resource, call)
        const { deprecationWarning } = resource.served
        return deprecationWarning ? { ...answer, warnings: [deprecationWarning, ...answer.warnings] } : answer
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
      let stop = (): void => {}
      // A kind that changes or goes takes its watches with it.
      const forget = registry.endWith(resource, () => {
        stop()
        forget()
        onEnd()
      })
      stop = watch(deps, resource, call, onEvent, (error) => {
        forget()
        onEnd(error)
      })
      return () => {
        stop()
        forget()
      }
    },
  }
}

/** Watch is not among them: it answers with a stream (Transport.watch). */
const VERBS: Partial<Record<Verb, AnswerVerb>> = { create, get, list, update, patch, delete: remove, deletecollection: removeCollection }

/** Subresources that are no view of their object. */
const OWN_VERBS: Readonly<Record<string, AnswerVerb>> = { token: requestToken, eviction: evict }

/** Which verbs each subresource offers. */
const SUBRESOURCE_VERBS: Readonly<Record<string, readonly Verb[]>> = {
  status: ['get', 'update', 'patch'],
  scale: ['get', 'update', 'patch'],
  finalize: ['update'],
  token: ['create'],
  eviction: ['create'],
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
  const wholeCollection = call.verb === 'list' || call.verb === 'watch' || (call.verb === 'create' && !subresource)
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
  if (subresource === 'token') return stored === 'serviceaccounts'
  if (subresource === 'eviction') return stored === 'pods'
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
