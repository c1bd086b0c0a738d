import type { Kind, KindFeed } from '../apimachinery/kind.js'
import { type KubeObject, type ObjectRef, refText } from '../apimachinery/object.js'
import type { Informer } from '../client/informer.js'

/** Names an object of any kind. */
export interface ObjectReference {
  apiVersion: string
  kind: string
  /** Absent for cluster-scoped objects. */
  namespace?: string | undefined
  name: string
}

/** What a reference leads to: the object, if there is one, of a kind, if that is served. */
export interface Tracked {
  object: KubeObject | undefined
  kind: Kind | undefined
}

/**
 * Finds objects of any kind for those who refer to them, and tells the referrers when what they found changes, comes or
 * goes, the kind included.
 * @see knative.dev/pkg tracker/enqueue.go
 */
export interface Tracker {
  /** The object as the cache holds it now. `by` is told of it from now on, until it begins anew. */
  track(reference: ObjectReference, by: ObjectRef): Promise<Tracked>
  /** A referrer looks at everything anew (or is gone): what it looked at before does not concern it any more. */
  begin(by: ObjectRef): void
  stop(): void
}

/** Everyone who looked at objects of one kind, by the objects they looked at. */
interface Watched {
  /** Undefined while no such kind is served. */
  following: Following | undefined
  referrers: Map<string, Set<string>>
}

/** The cache of a kind, listened to. `ended` resolves when the kind is no longer served: its cache may never have been filled then. */
interface Following {
  end(): void
  ended: Promise<void>
}

/**
 * @param options.wake is called with the key (refText) of each referrer to be told.
 * @param options.kinds says which kinds there are; one entry per resource, so references in any version find it.
 */
export function createTracker(options: {
  informer<T extends KubeObject>(kind: Kind<T>): Informer<T>
  kinds: KindFeed
  wake(key: string): void
}): Tracker {
  const { informer, kinds, wake } = options
  const watched = new Map<string, Watched>()
  /** What each referrer looked at: kind and object. */
  const looked = new Map<string, Map<string, Set<string>>>()

  const servedKind = (identity: string): Kind | undefined => kinds.kinds().find((kind) => identityOf(kind.group, kind.kind) === identity)
  const follow = (kind: Kind, referrers: Watched['referrers']): Following => {
    let isReplay = true
    const unsubscribe = informer(kind).onChange(({ object }) => {
      if (isReplay) return
      for (const key of referrers.get(refText(object.metadata)) ?? []) wake(key)
    })
    isReplay = false
    let markEnded: () => void = () => {}
    const ended = new Promise<void>((resolve) => {
      markEnded = resolve
    })
    return {
      ended,
      end() {
        unsubscribe()
        markEnded()
      },
    }
  }

  const endKinds = kinds.onKinds(({ added, removed }) => {
    for (const kind of removed) {
      const entry = watched.get(identityOf(kind.group, kind.kind))
      entry?.following?.end()
      if (entry) entry.following = undefined
    }
    for (const kind of [...added, ...removed]) {
      const entry = watched.get(identityOf(kind.group, kind.kind))
      if (entry) for (const keys of entry.referrers.values()) for (const key of keys) wake(key)
    }
  })

  return {
    async track({ apiVersion, kind: kindName, namespace, name }, by) {
      const identity = identityOf(groupOf(apiVersion), kindName)
      const entry = watched.get(identity) ?? { following: undefined, referrers: new Map() }
      watched.set(identity, entry)
      const kind = servedKind(identity)
      const key = refText(by)
      const object = refText({ namespace: kind && !kind.namespaced ? undefined : namespace, name })
      const keys = entry.referrers.get(object) ?? new Set()
      entry.referrers.set(object, keys.add(key))
      const ofReferrer = looked.get(key) ?? new Map<string, Set<string>>()
      looked.set(key, ofReferrer)
      ofReferrer.set(identity, (ofReferrer.get(identity) ?? new Set()).add(object))
      if (!kind) return { object: undefined, kind: undefined }

      entry.following ??= follow(kind, entry.referrers)
      const cache = informer(kind)
      await Promise.race([cache.synced, entry.following.ended])
      return { object: cache.get({ ...(kind.namespaced && { namespace }), name }), kind }
    },
    begin(by) {
      const key = refText(by)
      for (const [identity, objects] of looked.get(key) ?? []) {
        const { referrers } = watched.get(identity)!
        for (const object of objects) {
          const keys = referrers.get(object)
          keys?.delete(key)
          if (keys?.size === 0) referrers.delete(object)
        }
      }
      looked.delete(key)
    },
    stop() {
      endKinds()
      for (const { following } of watched.values()) following?.end()
      watched.clear()
      looked.clear()
    },
  }
}

const identityOf = (group: string, kind: string): string => `${group}/${kind}`

/** The group in an apiVersion: '' for `v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}
