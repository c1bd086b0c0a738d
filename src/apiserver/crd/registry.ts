import { type CustomResourceDefinition, DEFINITIONS } from '../../apimachinery/custom-resource.js'
import { deepEqual } from '../../apimachinery/json.js'
import type { Kind, KindChange, KindFeed, ServedKind } from '../../apimachinery/kind.js'
import type { Store } from '../../store/store.js'
import { type Resource, resourceOf } from '../resource.js'
import type { CallWebhook } from './conversion.js'
import { type Defined, definedBy } from './definition.js'

/** Every resource there is: those of the program, and those of the definitions in the store as they are now. */
export interface Registry extends KindFeed {
  /** The kinds that callers see. The same array until something changes. */
  served(): readonly ServedKind[]
  /** By `group/version/plural`; also finds versions that are stored and not served. */
  resourceFor(group: string, version: string, plural: string): Resource | undefined
  /** Whether objects of this stored name are served at all. */
  serves(stored: string): boolean
  /** Lists what ends an open watch of a resource, should the resource change or go. Returns what takes it off again. */
  endWith(resource: Resource, end: () => void): () => void
  stop(): void
}

/**
 * Follows the definitions in the store, so that a resource is served from the very write that establishes it. A definition
 * of what the program itself serves defines nothing: it is there to be read.
 */
export function createRegistry(options: {
  store: Store
  kinds: readonly ServedKind[]
  callWebhook: CallWebhook | undefined
  /** Makes the identity of a conversion review. */
  uid: () => string
}): Registry {
  const { store, kinds } = options
  const own = kinds.map(resourceOf)
  const ownStored = new Set(own.map(({ stored }) => stored))
  const definitions = new Map<string, { definition: CustomResourceDefinition; defined: Defined }>()
  const listeners = new Set<(change: KindChange) => void>()
  const resources = new Map<string, Resource>()
  let served: readonly ServedKind[] = kinds

  const rebuild = (): void => {
    resources.clear()
    const all = [...own, ...[...definitions.values()].flatMap(({ defined }) => defined.resources)]
    for (const resource of all) {
      const { group, version, plural } = resource.kind
      resources.set(`${group}/${version}/${plural}`, resource)
    }
    served = all.filter(({ isHidden }) => !isHidden).map((resource) => resource.served)
  }

  const put = (name: string, definition: CustomResourceDefinition | undefined): void => {
    if (ownStored.has(name)) return
    const before = definitions.get(name)
    if (before && definition && !isOtherwise(before.definition, definition)) return
    let defined = definition && definedBy(definition, options)
    if (!before && !defined) return
    const sameSpec = before && defined && deepEqual(before.definition.spec, definition!.spec)
    // Only its standing changed: whoever watches sees the same objects in the same form.
    if (sameSpec) defined = withWatchesOf(defined!, before.defined)
    if (defined) definitions.set(name, { definition: definition!, defined })
    else definitions.delete(name)
    rebuild()
    const removed = before ? [before.defined.storage.kind] : []
    const added = defined ? [defined.storage.kind] : []
    // Watches end before anyone is told, and start again with the next request if there is something to watch.
    if (!sameSpec) for (const { watches } of before?.defined.resources ?? []) for (const end of [...(watches ?? [])]) end()
    const isSame = removed[0] && added[0] && deepEqual(namesOf(removed[0]), namesOf(added[0]))
    if (!isSame) for (const listener of [...listeners]) listener({ added, removed })
  }

  const known = store.list(DEFINITIONS)
  for (const definition of known.items) put(definition.metadata.name, definition as CustomResourceDefinition)
  rebuild()
  const unwatch = store.watch({ resource: DEFINITIONS, fromVersion: known.version }, ({ type, key, object }) =>
    put(key.name, type === 'DELETED' ? undefined : (object as CustomResourceDefinition)),
  )

  return {
    served: () => served,
    resourceFor: (group, version, plural) => resources.get(`${group}/${version}/${plural}`),
    serves: (stored) => ownStored.has(stored),
    kinds: () => [
      ...own
        .filter(({ served, verbs }) => !served.source && !served.storedAs && verbs.has('list') && verbs.has('watch'))
        .map(({ kind }) => kind),
      ...[...definitions.values()].map(({ defined }) => defined.storage.kind),
    ],
    onKinds(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    endWith({ watches }, end) {
      watches?.add(end)
      return () => void watches?.delete(end)
    },
    stop: unwatch,
  }
}

function withWatchesOf(next: Defined, before: Defined): Defined {
  const resources = next.resources.map((resource, index) => ({ ...resource, watches: before.resources[index]!.watches! }))
  return { resources, storage: resources[next.resources.indexOf(next.storage)]! }
}

const namesOf = ({ group, version, kind, plural, namespaced }: Kind): object => ({ group, version, kind, plural, namespaced })

/** Whether a definition says something else than before that matters here. */
function isOtherwise(before: CustomResourceDefinition, after: CustomResourceDefinition): boolean {
  const standing = ({ status }: CustomResourceDefinition): object => ({
    names: status?.acceptedNames,
    conditions: status?.conditions?.map(({ type, status: value }) => `${type}=${value}`),
  })
  return before.metadata.uid !== after.metadata.uid || !deepEqual(before.spec, after.spec) || !deepEqual(standing(before), standing(after))
}
