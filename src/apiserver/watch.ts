import type { ApiCall, StopWatch, WatchEvent } from '../apimachinery/call.js'
import type { KubeObject } from '../apimachinery/object.js'
import type { Cancel } from '../base/clock.js'
import type { StoreEvent } from '../store/store.js'
import type { VerbDeps } from './deps.js'
import type { Resource } from './resource.js'
import { type Selection, selectionFor } from './selection.js'
import { sourceView } from './sourced.js'
import { checkVersionOptions, tooLargeVersion, versionFrom } from './versions.js'

/** How often a quiet watch tells its client how far it has come (apiserver pkg/storage/cacher). */
const BOOKMARK_EVERY_MS = 60_000
/** One more bookmark this long before the watch ends, so that the client resumes without a replay. */
const BOOKMARK_BEFORE_END_MS = 2000

/**
 * Follows a collection: what is there (unless the call says from where), then every change, in order. A change that makes
 * an object leave the selection is told as DELETED, one that makes it enter as ADDED. May call back before it returns:
 * with what is there already, and with `onEnd` for a refusal.
 */
export function watch(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  onEvent: (event: WatchEvent) => void,
  onEnd: (error?: unknown) => void,
): StopWatch {
  const options = call.options ?? {}
  const timers: Cancel[] = []
  let unwatch: (() => void) | undefined
  let stopped = false
  const stop = (): void => {
    stopped = true
    for (const cancel of timers.splice(0)) cancel()
    unwatch?.()
  }
  const send = (event: WatchEvent): void => {
    if (!stopped) onEvent(event)
  }
  const inTurn = createTurns((error) => {
    if (stopped) return
    stop()
    onEnd(error)
  })
  const shown = (objects: readonly KubeObject[]) => resource.reading?.shown(objects) ?? objects

  try {
    checkVersionOptions(options, 'watch')
    const selection = selectionFor(resource, options)
    const namespace = resource.kind.namespaced ? call.namespace : undefined
    const store = resource.served.source ? sourceView(resource.served.source, resource) : deps.store
    const requested = versionFrom(options.resourceVersion)
    const listed = options.sendInitialEvents ?? requested === 0
    // With sendInitialEvents the version only says how old the start may be: checked, then the present is sent.
    if (listed && requested > store.version) throw tooLargeVersion(requested, store.version)
    let fromVersion = requested
    if (listed || requested === 0) {
      const snapshot = store.list(resource.stored, namespace)
      fromVersion = snapshot.version
      if (listed)
        inTurn(shown(snapshot.items), (items) => {
          for (const object of items) if (selection.matches(object)) send({ type: 'ADDED', object })
        })
    }
    if (options.sendInitialEvents && options.allowWatchBookmarks)
      inTurn([], () => send(bookmark(resource, fromVersion, { 'k8s.io/initial-events-end': 'true' })))

    unwatch = store.watch({ resource: resource.stored, namespace, fromVersion }, (change) => {
      const tell = (told: StoreEvent): void => {
        const event = eventFor(told, selection)
        if (event) send(event)
      }
      if (!resource.reading) return tell(change)
      const { object, previous } = change
      inTurn(shown(previous ? [object, previous] : [object]), ([now, before]) => tell({ ...change, object: now!, previous: before }))
    })
  } catch (error) {
    stop()
    onEnd(error)
    return stop
  }

  const { realClock } = deps
  const sendBookmark = (): void => {
    const version = resource.served.source?.version() ?? deps.store.version
    inTurn([], () => send(bookmark(resource, version)))
  }
  if (options.allowWatchBookmarks) {
    const again = (): void => {
      timers[0] = realClock.after(BOOKMARK_EVERY_MS, () => {
        again()
        sendBookmark()
      })
    }
    again()
  }
  if (options.timeoutSeconds !== undefined && options.timeoutSeconds > 0) {
    const timeoutMs = options.timeoutSeconds * 1000
    if (options.allowWatchBookmarks && timeoutMs > BOOKMARK_BEFORE_END_MS)
      timers.push(realClock.after(timeoutMs - BOOKMARK_BEFORE_END_MS, sendBookmark))
    timers.push(
      realClock.after(timeoutMs, () => {
        if (stopped) return
        stop()
        onEnd()
      }),
    )
  }
  return stop
}

/**
 * Keeps things in order of which some have to be waited for: a conversion by a webhook. What is there at once is handed on at
 * once, unless something before it is still awaited.
 */
function createTurns(
  onFailure: (error: unknown) => void,
): (objects: readonly KubeObject[] | Promise<readonly KubeObject[]>, then: (objects: readonly KubeObject[]) => void) => void {
  let last: Promise<void> | undefined
  return (objects, then) => {
    if (!last && !(objects instanceof Promise)) {
      then(objects)
      return
    }
    // Whatever fails is told once, in its turn; until then nobody listens to it.
    if (objects instanceof Promise) objects.catch(() => {})
    const turn = (last ?? Promise.resolve())
      .then(async () => then(await objects))
      .catch(onFailure)
      .finally(() => {
        if (last === turn) last = undefined
      })
    last = turn
  }
}

/** What a change means to someone who sees only a selection. */
function eventFor({ type, object, previous, version }: StoreEvent, selection: Selection): WatchEvent | undefined {
  if (selection.all) return { type, object }
  if (type === 'ADDED') return selection.matches(object) ? { type, object } : undefined
  if (type === 'DELETED') return selection.matches(previous ?? object) ? { type, object } : undefined
  const was = previous !== undefined && selection.matches(previous)
  const is = selection.matches(object)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object }
  if (!was) return undefined
  return { type: 'DELETED', object: { ...previous, metadata: { ...previous.metadata, resourceVersion: String(version) } } }
}

function bookmark(resource: Resource, version: number, annotations?: Record<string, string>): WatchEvent {
  // creationTimestamp is null on the wire: some clients require the member.
  const metadata = { resourceVersion: String(version), creationTimestamp: null, ...(annotations && { annotations }) }
  return {
    type: 'BOOKMARK',
    object: { kind: resource.kind.kind, apiVersion: resource.apiVersion, metadata } as unknown as KubeObject,
  }
}
