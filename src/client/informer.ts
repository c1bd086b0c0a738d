import type { Kind } from '../apimachinery/kind.js'
import { type KubeObject, type ObjectRef, refText } from '../apimachinery/object.js'
import { StatusError } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Client } from './client.js'

export interface InformerChange<T extends KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: T
  /** What the cache held before; undefined for ADDED. */
  previous: T | undefined
}

/** A local cache of one kind, kept by a watch. Reads are synchronous and never stale by more than the watch. */
export interface Informer<T extends KubeObject> {
  readonly kind: Kind<T>
  get(ref: ObjectRef): T | undefined
  /** All cached objects, or those of a namespace, in no particular order. The same array until something changes. */
  list(namespace?: string): readonly T[]
  /** Those of `list` that have this value of a label. Costs what it finds: an index of the label is kept from the first call on. */
  labelled(label: string, value: string, namespace?: string): readonly T[]
  /** Calls back for every change, in order, after the cache holds it. First replays what is cached as ADDED. */
  onChange(listener: (change: InformerChange<T>) => void): () => void
  /** Resolves when the first list is in the cache. */
  readonly synced: Promise<void>
  stop(): void
}

/** What follows a watch that ended: the waits double from the first to the last, and start over once one lasted. */
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 10_000

/** Lists, then watches from there for as long as it is not stopped; after 410 Gone it lists anew and reports the difference. */
export function startInformer<T extends KubeObject>(options: {
  client: Client
  kind: Kind<T>
  namespace?: string
  labelSelector?: string
  /** Real time: how long to wait before a watch that failed is tried again. */
  clock: Clock
  log: Logger
}): Informer<T> {
  const { client, kind, namespace, labelSelector, clock } = options
  const log = options.log.with({ informer: kind.kind })
  const objects = new Map<string, T>()
  const lists = new Map<string | undefined, readonly T[]>()
  const byLabel = new Map<string, LabelIndex<T>>()
  const listeners = new Set<(change: InformerChange<T>) => void>()
  const stopped = new AbortController()
  let markSynced: () => void = () => {}
  const synced = new Promise<void>((resolve) => {
    markSynced = resolve
  })

  const tell = (change: InformerChange<T>): void => {
    for (const listener of [...listeners]) {
      try {
        listener(change)
      } catch (error) {
        log.error('informer listener failed', { error })
      }
    }
  }
  const note = (previous: T | undefined, next: T | undefined): void => {
    lists.clear()
    for (const index of byLabel.values()) index.note(previous, next)
  }
  const keep = (object: T): void => {
    const key = refText(object.metadata)
    const previous = objects.get(key)
    if (previous?.metadata.resourceVersion === object.metadata.resourceVersion) return
    objects.set(key, object)
    note(previous, object)
    tell({ type: previous ? 'MODIFIED' : 'ADDED', object, previous })
  }
  const drop = (object: T): void => {
    const key = refText(object.metadata)
    const previous = objects.get(key)
    if (!previous) return
    objects.delete(key)
    note(previous, undefined)
    tell({ type: 'DELETED', object, previous })
  }

  const listAnew = async (): Promise<string> => {
    const { items, resourceVersion } = await client.listWithVersion(kind, namespace, labelSelector ? { labelSelector } : {})
    const present = new Set(items.map((item) => refText(item.metadata)))
    for (const [key, object] of [...objects]) if (!present.has(key)) drop(object)
    for (const item of items) keep(item)
    markSynced()
    return resourceVersion
  }

  const follow = async (from: string): Promise<string> => {
    let version = from
    const watch = { namespace, resourceVersion: from, signal: stopped.signal, ...(labelSelector && { labelSelector }) }
    for await (const event of client.watch(kind, watch)) {
      if (event.type === 'ERROR')
        throw new StatusError({ code: event.object.code ?? 500, reason: event.object.reason ?? '', message: event.object.message ?? '' })
      version = event.object.metadata.resourceVersion ?? version
      if (event.type === 'DELETED') drop(event.object)
      else if (event.type !== 'BOOKMARK') keep(event.object)
    }
    return version
  }

  const run = async (): Promise<void> => {
    let version: string | undefined
    let waitMs = FIRST_RETRY_MS
    while (!stopped.signal.aborted) {
      const startedMs = clock.now()
      try {
        version ??= await listAnew()
        version = await follow(version)
      } catch (error) {
        if (stopped.signal.aborted) return
        log.debug('informer starts over', { error })
        version = undefined
      }
      waitMs = clock.now() - startedMs > LAST_RETRY_MS ? FIRST_RETRY_MS : Math.min(waitMs * 2, LAST_RETRY_MS)
      await clock.sleep(waitMs, stopped.signal).catch(() => {})
    }
  }
  void run()

  return {
    kind,
    get: (ref) => objects.get(refText(ref)),
    list(inNamespace) {
      let listed = lists.get(inNamespace)
      if (!listed) {
        listed = [...objects.values()].filter(({ metadata }) => inNamespace === undefined || metadata.namespace === inNamespace)
        lists.set(inNamespace, listed)
      }
      return listed
    },
    labelled(label, value, inNamespace) {
      let index = byLabel.get(label)
      if (!index) {
        byLabel.set(label, (index = createLabelIndex<T>(label)))
        for (const object of objects.values()) index.note(undefined, object)
      }
      const found = index.having(value)
      return inNamespace === undefined ? found : found.filter(({ metadata }) => metadata.namespace === inNamespace)
    },
    onChange(listener) {
      listeners.add(listener)
      for (const object of [...objects.values()]) listener({ type: 'ADDED', object, previous: undefined })
      return () => void listeners.delete(listener)
    },
    synced,
    stop: () => stopped.abort(),
  }
}

/** Objects by the value of one label; those without it are not here. */
interface LabelIndex<T> {
  note(previous: T | undefined, next: T | undefined): void
  having(value: string): readonly T[]
}

function createLabelIndex<T extends KubeObject>(label: string): LabelIndex<T> {
  const byValue = new Map<string, Set<T>>()
  const valueIn = (object: T | undefined): string | undefined =>
    object?.metadata.labels && Object.hasOwn(object.metadata.labels, label) ? object.metadata.labels[label] : undefined
  return {
    note(previous, next) {
      const before = valueIn(previous)
      if (previous && before !== undefined) {
        const others = byValue.get(before)
        others?.delete(previous)
        if (others?.size === 0) byValue.delete(before)
      }
      const after = valueIn(next)
      if (!next || after === undefined) return
      const same = byValue.get(after)
      if (same) same.add(next)
      else byValue.set(after, new Set([next]))
    },
    having: (value) => [...(byValue.get(value) ?? [])],
  }
}
