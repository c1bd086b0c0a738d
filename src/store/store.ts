import type { KubeObject } from '../apimachinery/object.js'

/** Where an object is kept. `resource` is the groupResource name: `pods`, `services.serving.knative.dev`. */
export interface StoreKey {
  resource: string
  /** Absent for cluster-scoped kinds. */
  namespace?: string | undefined
  name: string
}

/** A change that is durable and visible. `version` is its place in the one order of all changes. */
export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  key: StoreKey
  /** The object after the change; for DELETED its last state, with the deletion's resourceVersion. */
  object: KubeObject
  /** The object before the change (MODIFIED and DELETED), so that selectors can tell who left. */
  previous: KubeObject | undefined
  version: number
}

/** What a write does to the newest state of one object. `keep` stores nothing and uses up no version. */
export type Change = { put: KubeObject } | { remove: KubeObject } | { keep: KubeObject }

export interface WriteResult {
  /** What is stored now, or what was removed, with its resourceVersion set. */
  object: KubeObject
  changed: boolean
  version: number
}

export interface Snapshot {
  /** In byte order of namespace, then name. Immutable. */
  items: readonly KubeObject[]
  /** The newest visible version when it was taken. */
  version: number
}

/**
 * Everything that survives a restart. Reads and watches are served from memory and see only what is durable (but for `early`);
 * writes are grouped into few syncs. Objects are immutable: never change one that went in or came out.
 */
export interface Store {
  /** The newest visible version; 0 in an empty store. Never goes back, not even after a crash. */
  readonly version: number
  get(key: StoreKey): KubeObject | undefined
  /** All objects of a resource, or those of one namespace. Cheap: the array is kept until the next change. */
  list(resource: string, namespace?: string): Snapshot
  /** Names of resources that hold at least one object. */
  resources(): readonly string[]
  /**
   * Calls `decide` at once with the newest state of the object (accepted writes that are not durable yet included) and
   * accepts what it returns: sets metadata.resourceVersion to the next version and queues it for the next sync.
   * Resolves once durable and visible. What `decide` throws is passed on with nothing changed. Rejects with a
   * StorageError when the disk refuses; every write accepted since the last sync is then refused and memory is as before.
   */
  write(key: StoreKey, decide: (current: KubeObject | undefined) => Change): Promise<WriteResult>
  /**
   * Delivers every later change of a resource in order, synchronously when it becomes visible. With `fromVersion` first
   * replays what came after that version; throws a StatusError (410 Expired) when that is outside the history window,
   * (504 Timeout) when it lies in the future.
   */
  watch(
    options: { resource: string; namespace?: string | undefined; fromVersion: number },
    listener: (event: StoreEvent) => void,
  ): () => void
  /** Resolves when everything accepted so far is durable and visible. */
  settled(): Promise<void>
  /**
   * The same store for callers inside of the process, who end with it: reads and watches see a write as soon as it is accepted, and
   * writes resolve then. When the disk refuses what was seen here, watches are told of the objects as they were before, under new
   * versions, and until the disk takes something again these callers wait as all others do.
   */
  readonly early: StoreView
  /** Syncs, then lets go of the files. Writes afterwards are refused. */
  close(): Promise<void>
}

/** One of the two ways to look at a store. */
export type StoreView = Omit<Store, 'early' | 'close'>

/** The disk refused: full, gone, not writable. `code` is the system's (ENOSPC, EIO, EROFS, SQLITE_FULL …). */
export class StorageError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'StorageError'
    this.code = code
  }
}

/** A store that cannot be trusted: which file, what is wrong, how to recover. It is never opened, cut or overwritten. */
export class CorruptStoreError extends Error {
  readonly path: string
  constructor(path: string, message: string) {
    super(message)
    this.name = 'CorruptStoreError'
    this.path = path
  }
}

/** Written by another version of this program: `found` is newer than what this one reads. */
export class StoreFormatError extends Error {
  readonly found: number
  readonly supported: number
  constructor(path: string, found: number, supported: number) {
    super(`${path} has format ${found}; this kn reads up to ${supported}`)
    this.name = 'StoreFormatError'
    this.found = found
    this.supported = supported
  }
}

/** How many changes of the past a watch can resume from before it gets 410 Gone. */
export const HISTORY_CHANGES = 10_000

/** How much JSON these changes may be together; beyond it there are fewer. Objects take about three bytes a character. */
export const HISTORY_CHARACTERS = 24_000_000
