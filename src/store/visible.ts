import type { KubeObject } from '../apimachinery/object.js'
import { createHistory, type HistoryEntry } from './history.js'
import { createObjects } from './objects.js'
import type { Store, StoreEvent, StoreKey } from './store.js'

/** What readers and watchers see: the objects, the history and the watches, changed together by one event at a time. */
export interface Visible extends Pick<Store, 'version' | 'get' | 'list' | 'resources' | 'watch'> {
  /** The oldest version a watch can resume from. */
  readonly oldest: number
  /**
   * Makes a change visible and delivers it; `characters` is how long its object is as JSON. Returns the changes that left the history
   * window for it.
   */
  apply(event: StoreEvent, characters?: number): readonly HistoryEntry[]
}

/** Where a store goes on after a restart. */
export interface Restored {
  /** Every change up to this version has left the history. */
  oldest: number
  objects: Iterable<{ key: StoreKey; object: KubeObject }>
  /** Changes after `oldest`, in order. */
  changes: Iterable<HistoryEntry>
}

interface Watcher {
  namespace: string | undefined
  listener: (event: StoreEvent) => void
  /** Everything up to this version was delivered, or lies before the start of this watch. */
  seen: number
}

/**
 * Readers' and watchers' view. A listener that throws does not keep the change from the others: `onListenerError` gets it.
 * Changes made visible by a listener, while it is being told of another, are delivered after that one, so that every watcher
 * sees one order. Calls `onTrimmed` for restored changes that are beyond the window.
 */
export function createVisible(options: {
  historyChanges: number
  /** How much JSON the history may stand for. */
  historyCharacters?: number
  freeze: boolean
  onListenerError: (error: unknown) => void
  restored?: Restored
  onTrimmed?: (entry: HistoryEntry) => void
}): Visible {
  const { restored, onListenerError } = options
  const objects = createObjects({ freeze: options.freeze })
  const history = createHistory({
    changes: options.historyChanges,
    ...(options.historyCharacters !== undefined && { characters: options.historyCharacters }),
    start: restored?.oldest ?? 0,
  })
  const watchersOf = new Map<string, Set<Watcher>>()
  const undelivered: StoreEvent[] = []
  let delivering = false

  for (const { key, object } of restored?.objects ?? []) objects.put(key, object)
  for (const entry of restored?.changes ?? []) {
    for (const trimmed of history.append(entry)) options.onTrimmed?.(trimmed)
  }

  const tell = (watcher: Watcher, event: StoreEvent): void => {
    try {
      watcher.listener(event)
    } catch (error) {
      onListenerError(error)
    }
  }
  const deliver = (event: StoreEvent): void => {
    for (const watcher of watchersOf.get(event.key.resource) ?? []) {
      // A watch that began while this event was waiting has it from the history already.
      if (event.version <= watcher.seen) continue
      watcher.seen = event.version
      if (watcher.namespace === undefined || watcher.namespace === event.key.namespace) tell(watcher, event)
    }
  }
  /** Runs `first`, then delivers what is due; inside of another delivery, leaves that to the outer one. */
  const deliveringAfter = (first: () => void): void => {
    const outermost = !delivering
    delivering = true
    first()
    if (!outermost) return
    for (let next = undelivered.shift(); next; next = undelivered.shift()) deliver(next)
    delivering = false
  }

  return {
    get version() {
      return history.newest
    },
    get oldest() {
      return history.oldest
    },
    get: objects.get,
    list: (resource, namespace) => ({ items: objects.list(resource, namespace), version: history.newest }),
    resources: objects.resources,

    apply(event, characters) {
      if (event.type === 'DELETED') objects.remove(event.key)
      else objects.put(event.key, event.object)
      const trimmed = history.append({
        version: event.version,
        resource: event.key.resource,
        previousVersion: event.previous && versionOf(event.previous),
        deleted: event.type === 'DELETED',
        characters,
        event,
      })
      undelivered.push(event)
      deliveringAfter(() => {})
      return trimmed
    },

    watch({ resource, namespace, fromVersion }, listener) {
      const missed = history.since(resource, fromVersion)
      const watcher: Watcher = { namespace, listener, seen: history.newest }
      let watchers = watchersOf.get(resource)
      if (!watchers) watchersOf.set(resource, (watchers = new Set()))
      watchers.add(watcher)
      deliveringAfter(() => {
        for (const event of missed) if (namespace === undefined || namespace === event.key.namespace) tell(watcher, event)
      })
      return () => {
        watchers.delete(watcher)
        if (watchers.size === 0 && watchersOf.get(resource) === watchers) watchersOf.delete(resource)
      }
    },
  }
}

/** The version an object was last written at. */
export function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion)
}
