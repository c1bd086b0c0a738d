import type { KubeObject } from '../apimachinery/object.js'
import { refusals, StatusError } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Snapshot } from '../store/store.js'

/** How long a list that was handed out in part can be continued: etcd's compaction interval upstream. */
const SNAPSHOT_LIFE_MS = 5 * 60_000
/** Snapshots are arrays of shared objects; what they cost is the old objects they keep alive. */
const MOST_SNAPSHOTS = 64

const EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue ' +
  'parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token ' +
  'results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and ' +
  'now may show up in the list.'

/** Where a list goes on. `version` -1: from what is stored now, whatever the first page saw. */
export interface PageToken {
  version: number
  /** `namespace/name` of the last item handed out. */
  after: string
}

/** The snapshots that lists in pages are continued from, so that all pages show one moment. */
export interface Pages {
  keep(scope: string, snapshot: Snapshot): void
  /** Throws 410 with a token for the inconsistent rest when the snapshot is gone. */
  find(scope: string, token: PageToken): Snapshot
  /** The snapshot of exactly this version, if it is still kept. */
  exactly(scope: string, version: number): Snapshot | undefined
}

/** `clock` is the real one: a client that pages does not wait for the emulator's time. */
export function createPages(clock: Pick<Clock, 'now'>): Pages {
  const kept = new Map<string, { snapshot: Snapshot; untilMs: number }>()

  const dropOld = (): void => {
    for (const [key, { untilMs }] of kept) {
      if (untilMs > clock.now() && kept.size <= MOST_SNAPSHOTS) return
      kept.delete(key)
    }
  }
  const exactly = (scope: string, version: number): Snapshot | undefined => {
    dropOld()
    return kept.get(`${scope} ${version}`)?.snapshot
  }

  return {
    keep(scope, snapshot) {
      const key = `${scope} ${snapshot.version}`
      // Deleted first, so that the map stays in the order of age.
      kept.delete(key)
      kept.set(key, { snapshot, untilMs: clock.now() + SNAPSHOT_LIFE_MS })
      dropOld()
    },
    exactly,
    find(scope, token) {
      const snapshot = exactly(scope, token.version)
      if (snapshot) return snapshot
      throw new StatusError({
        code: 410,
        reason: 'Expired',
        message: EXPIRED,
        metadata: { continue: encodePageToken({ version: -1, after: token.after }) },
      })
    },
  }
}

/** The place of an object in a list: what tokens name. */
export function placeOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

/** Opaque to clients; the same form as upstream's (apiserver pkg/storage/continue.go). */
export function encodePageToken({ version, after }: PageToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: after })).toString('base64url')
}

/** Throws 400 for a token that this server never gave out. */
export function decodePageToken(text: string): PageToken {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
    if (v === 'meta.k8s.io/v1' && Number.isSafeInteger(rv) && typeof start === 'string') return { version: rv as number, after: start }
  } catch {
    // Not ours: refused like any other token that cannot be read.
  }
  throw refusals.badRequest('continue key is not valid: it was not given out by this server')
}
