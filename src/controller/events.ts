import { type KubeObject, type ObjectRef, refText, timestamp } from '../apimachinery/object.js'
import { isNotFound } from '../apimachinery/status-error.js'
import type { Cancel, Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Client } from '../client/client.js'
import type { Informer } from '../client/informer.js'
import { type RecordedEvent, recordedEvent } from './built-in.js'
import type { EventDetail, EventSource, ReconcilerDeps } from './reconcile.js'

/** How many different Events a recorder remembers so that it can count them up (client-go tools/record, maxLruCacheEntries). */
const REMEMBERED_EVENTS = 4096
/** How long an Event is kept after it last happened (kube-apiserver --event-ttl). */
export const EVENT_TTL_MS = 3_600_000
/** Expired Events go in sweeps, not one timer each. */
const SWEEP_MS = 60_000
/** Where Events about cluster-scoped objects are kept. */
const DEFAULT_NAMESPACE = 'default'

/**
 * Records Events about objects; one that was recorded before is counted up. Never throws and never waits: an Event that
 * cannot be written (its namespace is going away, say) is left out.
 * @param options.delayMs real milliseconds until an Event is written, so that what it tells of comes first: a Pod's start records half
 *   a dozen of them, and every write before the one that matters is time a held request waits.
 * @see client-go tools/record/events_cache.go
 */
export function createEventRecorder(options: {
  client: Client
  clock: Clock
  realClock: Clock
  delayMs: number
  random: Random
  log: Logger
  source: EventSource
  busy(work: Promise<unknown>): void
}): ReconcilerDeps['event'] {
  const { client, clock, realClock, delayMs, random, log } = options
  /** In order of use, so that the first is the one to forget. */
  const known = new Map<string, { ref: ObjectRef; count: number }>()
  const waiting: Happened[] = []

  const create = async ({ about, type, reason, message, detail, atMs }: Happened): Promise<ObjectRef> => {
    const { name, namespace, uid, resourceVersion } = about.metadata
    const source = detail.source ?? options.source
    const now = timestamp(atMs)
    const unique = (BigInt(atMs) * 1_000_000n + BigInt(Math.floor(random.float() * 1_000_000))).toString(16)
    const event = await client.create(recordedEvent, {
      metadata: { name: `${name}.${unique}`, namespace: namespace ?? DEFAULT_NAMESPACE },
      involvedObject: {
        kind: about.kind,
        ...(namespace && { namespace }),
        name,
        ...(uid && { uid }),
        apiVersion: about.apiVersion,
        ...(resourceVersion && { resourceVersion }),
        ...(detail.fieldPath && { fieldPath: detail.fieldPath }),
      },
      reason,
      message,
      source: { component: source.component, ...(source.host && { host: source.host }) },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
    })
    return { namespace: event.metadata.namespace, name: event.metadata.name }
  }

  const record = async (happened: Happened): Promise<void> => {
    const { about, type, reason, message, detail, atMs } = happened
    const { component } = detail.source ?? options.source
    const key = [about.metadata.uid, detail.fieldPath, type, reason, message, component].join('\n')
    const before = known.get(key)
    known.delete(key)
    if (before) {
      const count = before.count + 1
      try {
        const body = { count, lastTimestamp: timestamp(atMs) }
        await client.patch(recordedEvent, before.ref, { type: 'application/merge-patch+json', body })
        known.set(key, { ref: before.ref, count })
        return
      } catch (error) {
        // Expired meanwhile: it happens anew.
        if (!isNotFound(error)) throw error
      }
    }
    known.set(key, { ref: await create(happened), count: 1 })
    if (known.size > REMEMBERED_EVENTS) known.delete(known.keys().next().value!)
  }

  const writeWaiting = async (): Promise<void> => {
    if (delayMs > 0) await realClock.sleep(delayMs)
    // One after the other, so that equal ones are counted and not written twice.
    for (let next = waiting[0]; next; next = waiting[0]) {
      const happened = next
      await record(happened).catch((error: unknown) => {
        log.debug('event not recorded', { about: refText(happened.about.metadata), reason: happened.reason, error })
      })
      waiting.shift()
    }
  }

  return (about, type, reason, message, detail = {}) => {
    waiting.push({ about, type, reason, message, detail, atMs: clock.now() })
    if (waiting.length === 1) options.busy(writeWaiting())
  }
}

/** What an Event tells of, until it is written. */
interface Happened {
  about: KubeObject
  type: string
  reason: string
  message: string
  detail: EventDetail
  atMs: number
}

/** Removes Events an hour of virtual time after they last happened. Returns what ends it. */
export function startEventExpiry(options: {
  client: Client
  events: Informer<RecordedEvent>
  clock: Clock
  log: Logger
  /** Told of each sweep, so that others can wait for it. */
  busy?: (work: Promise<unknown>) => void
}): () => void {
  const { client, events, clock, log, busy } = options
  let cancel: Cancel | undefined
  let isStopped = false

  const sweep = async (): Promise<void> => {
    cancel = undefined
    const due = events.list().filter((event) => expiresAtMs(event) <= clock.now())
    for (const { metadata } of due) {
      if (isStopped) return
      const preconditions = { resourceVersion: metadata.resourceVersion! }
      await client.delete(recordedEvent, metadata, { preconditions }).catch((error: unknown) => {
        log.debug('expired event not removed', { event: refText(metadata), error })
      })
    }
    plan()
  }
  const plan = (): void => {
    if (cancel || isStopped) return
    let earliestMs = Number.POSITIVE_INFINITY
    for (const event of events.list()) earliestMs = Math.min(earliestMs, expiresAtMs(event))
    if (earliestMs === Number.POSITIVE_INFINITY) return
    const waitMs = Math.max(earliestMs - clock.now(), SWEEP_MS)
    cancel = clock.after(waitMs, () => {
      const swept = sweep()
      busy?.(swept)
    })
  }
  // A new Event never expires before those that are there, so one planned sweep is enough.
  const unsubscribe = events.onChange(({ type }) => {
    if (type === 'ADDED') plan()
  })
  return () => {
    isStopped = true
    unsubscribe()
    cancel?.()
  }
}

function expiresAtMs({ lastTimestamp, eventTime, series, metadata }: RecordedEvent): number {
  const times = [lastTimestamp, eventTime, series?.lastObservedTime, metadata.creationTimestamp]
  return Math.max(0, ...times.map((time) => (time ? Date.parse(time) : 0))) + EVENT_TTL_MS
}
