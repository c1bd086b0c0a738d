import { StatusError } from '../apimachinery/status-error.js'
import type { StoreEvent } from './store.js'

/** One change of the past. */
export interface HistoryEntry {
  version: number
  resource: string
  /** The version of the object that this change replaced or removed; undefined where there was none. */
  previousVersion: number | undefined
  deleted: boolean
  /** How long the object is as JSON, where that is known. */
  characters?: number | undefined
  /** The event, or what makes it: changes read from disk are only decoded once a watch asks for them. */
  event: StoreEvent | (() => StoreEvent)
}

/** The window of changes a watch can resume from. */
export interface History {
  /** The version of the newest change; where the history begins when there is none. */
  readonly newest: number
  /** The oldest version a watch can resume from: every change after it is here. */
  readonly oldest: number
  /** Adds the newest change; returns those that fell out of the window for it. */
  append(entry: HistoryEntry): readonly HistoryEntry[]
  /**
   * The changes of one resource after a version, in order. Throws a StatusError: 410 Expired when changes after that
   * version have left the window, 504 Timeout when it lies in the future.
   */
  since(resource: string, version: number): StoreEvent[]
}

/** An array whose front falls off without being copied each time. */
interface Track {
  entries: HistoryEntry[]
  first: number
}

/**
 * A history that begins after version `start` and keeps the last `changes` changes, whatever their resource, and of these only so many
 * that their objects have no more than `characters` together: a few large objects that change often would fill the memory.
 */
export function createHistory({
  changes,
  characters = Number.POSITIVE_INFINITY,
  start = 0,
}: {
  changes: number
  characters?: number
  start?: number
}): History {
  let oldest = start
  let newest = start
  let kept = 0
  const all: Track = { entries: [], first: 0 }
  // The same entries by resource, so that resuming one watch does not read through everybody else's changes.
  const byResource = new Map<string, Track>()

  return {
    get newest() {
      return newest
    },
    get oldest() {
      return oldest
    },

    append(entry) {
      newest = entry.version
      let track = byResource.get(entry.resource)
      if (!track) byResource.set(entry.resource, (track = { entries: [], first: 0 }))
      track.entries.push(entry)
      all.entries.push(entry)
      kept += entry.characters ?? 0
      const dropped: HistoryEntry[] = []
      while (all.entries.length > all.first && (all.entries.length - all.first > changes || kept > characters)) {
        const first = dropFirst(all)
        kept -= first.characters ?? 0
        oldest = first.version
        const shortened = byResource.get(first.resource)!
        dropFirst(shortened)
        if (shortened.first === shortened.entries.length) byResource.delete(first.resource)
        dropped.push(first)
      }
      return dropped
    },

    since(resource, version) {
      if (version > newest) throw tooLargeVersion(version, newest)
      if (version < oldest) throw expiredVersion(version, oldest)
      const track = byResource.get(resource)
      if (!track) return []
      const events: StoreEvent[] = []
      for (let index = firstAfter(track, version); index < track.entries.length; index++) {
        const entry = track.entries[index]!
        if (typeof entry.event === 'function') entry.event = entry.event()
        events.push(entry.event)
      }
      return events
    },
  }
}

function dropFirst(track: Track): HistoryEntry {
  const dropped = track.entries[track.first++]!
  // Half the array is dead by then, so each entry is moved about once in its life.
  if (track.first * 2 >= track.entries.length) {
    track.entries = track.entries.slice(track.first)
    track.first = 0
  }
  return dropped
}

function firstAfter({ entries, first }: Track, version: number): number {
  let low = first
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (entries[middle]!.version <= version) low = middle + 1
    else high = middle
  }
  return low
}

/** @see kubernetes/apiserver v0.35 pkg/storage/cacher/watch_cache.go, getAllEventsSinceLocked */
function expiredVersion(asked: number, oldest: number): StatusError {
  return new StatusError({ code: 410, reason: 'Expired', message: `too old resource version: ${asked} (${oldest})` })
}

/** @see kubernetes/apiserver v0.35 pkg/storage/errors.go, NewTooLargeResourceVersionError */
function tooLargeVersion(asked: number, newest: number): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${newest}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
      retryAfterSeconds: 1,
    },
  })
}
