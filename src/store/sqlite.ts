import type { KubeObject } from '../apimachinery/object.js'
import { onNextTurn } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createDecider } from './decide.js'
import type { HistoryEntry } from './history.js'
import { damagedStore } from './sqlite-engine.js'
import type { Marks } from './sqlite-file.js'
import type { ChangeRow } from './sqlite-format.js'
import { createLoading, keyText, type Loading } from './sqlite-load.js'
import { type StoreWorker, startStoreWorker } from './sqlite-thread.js'
import { HISTORY_CHANGES, HISTORY_CHARACTERS, StorageError, type Store, type StoreEvent, type StoreKey, type WriteResult } from './store.js'
import { createVisible, type Restored, type Visible, versionOf } from './visible.js'

/** One sync takes at most this many changes, or about this many characters of JSON: handing them over blocks the caller. */
const BATCH_CHANGES = 512
const BATCH_CHARACTERS = 4_000_000

/** So many changes wait for no others: while the disk takes them, the next ones are decided. */
const CHANGES_AT_ONCE = 8

/** Version numbers are reserved on disk in steps of this many, so that a refused write's number is not given out again after a crash. */
const RESERVE_VERSIONS = 1000

/** Changes that left the history are deleted from the file this many at a time, with a sync that is due anyway. */
const FORGET_CHANGES = 256

/** Or as soon as they are about this many characters. */
const FORGET_CHARACTERS = 8_000_000

/** Callers inside of the process follow changes as they happen; hardly anything is looked up in their history. */
const EARLY_HISTORY_CHANGES = 1000

type Shown = NonNullable<Waiter['change']>

/** Somebody waiting for the next sync: with a change, or just for everything before it. */
interface Waiter {
  change: { event: StoreEvent; row: ChangeRow; isShownEarly: boolean } | undefined
  done(): void
  refused(error: Error): void
}

/**
 * The Store in a SQLite file at `path`, kept by a worker thread (`workerFile`, built from sqlite-worker.ts). Many writes share
 * one sync: while one is under way the next gathers. `maxFileBytes` makes the store refuse writes, with ENOSPC, beyond that size.
 *
 * Throws StorageError (no such directory, no permission, EBUSY when another process has it), CorruptStoreError or
 * StoreFormatError. An error that a watch listener throws is logged.
 */
export async function openSqliteStore(options: {
  path: string
  workerFile: string
  historyChanges?: number
  historyCharacters?: number
  freeze?: boolean
  maxFileBytes?: number
  log: Logger
}): Promise<Store> {
  const { path, historyChanges = HISTORY_CHANGES, historyCharacters = HISTORY_CHARACTERS, freeze = false } = options
  const log = options.log.with({ path })

  const loading = createLoading({ freeze })
  const worker = await startStoreWorker({
    workerFile: options.workerFile,
    path,
    maxFileBytes: options.maxFileBytes,
    onRows: loading.add,
    onMigrated: (backup) => log.info('store was brought to the current format', { backup }),
  })

  /** Versions of changes in the file that nobody needs any more. */
  let forgettable: number[] = []
  let forgettableCharacters = 0
  const onTrimmed = ({ version, previousVersion, deleted, characters = 0 }: HistoryEntry): void => {
    if (previousVersion !== undefined) forgettable.push(previousVersion)
    if (deleted) forgettable.push(version)
    // What it replaced was about as long.
    if (previousVersion !== undefined) forgettableCharacters += characters
  }
  const onListenerError = (error: unknown): void => log.error('a watch listener failed', { error })
  const restored = await orEnd(worker, () => restoredFrom(path, loading, worker.marks))
  await orEnd(worker, worker.hold)
  const visible = createVisible({ historyChanges, historyCharacters, freeze, restored, onTrimmed, onListenerError })

  const early = createVisible({
    historyChanges: EARLY_HISTORY_CHANGES,
    historyCharacters,
    freeze,
    restored: { oldest: visible.version, objects: objectsIn(visible), changes: [] },
    onListenerError,
  })
  /** The disk refused the last commit: nothing is shown early until it takes one. */
  let isCautious = false

  let onDisk: Marks = worker.marks
  const decideChange = createDecider({ freeze })
  let lastVersion = Math.max(visible.version, onDisk.reserved)
  let waiters: Waiter[] = []
  let syncing = false
  let syncDue = false
  let closing: Promise<void> | undefined
  /** The newest state of objects whose changes are accepted but not durable; undefined for removed ones. */
  const pending = new Map<string, { object: KubeObject | undefined; version: number }>()

  const wait = (waiter: Waiter): void => {
    waiters.push(waiter)
    if (syncing) return
    if (waiters.length >= CHANGES_AT_ONCE) return void sync()
    if (syncDue) return
    syncDue = true
    // Whatever else is written before the next turn of the event loop, by other requests too, goes into the same sync.
    onNextTurn(() => {
      syncDue = false
      if (!syncing) void sync()
    })
  }

  const sync = async (): Promise<void> => {
    syncing = true
    while (waiters.length > 0) {
      const batch = takeBatch(waiters)
      const rows = batch.flatMap(({ change }) => (change ? [change.row] : []))
      try {
        if (rows.length > 0) await commit(rows)
      } catch (error) {
        refuse([...batch, ...waiters], error as Error)
        continue
      }
      for (const { change } of batch) if (change) show(change)
      if (isCautious && rows.length > 0) {
        isCautious = false
        for (const { change } of waiters) if (change) showEarly(change)
      }
      for (const waiter of batch) waiter.done()
    }
    syncing = false
  }

  const commit = async (rows: readonly ChangeRow[]): Promise<void> => {
    const newest = rows.at(-1)![0]
    const reserved = newest > onDisk.reserved ? newest + RESERVE_VERSIONS : onDisk.reserved
    if (forgettable.length < FORGET_CHANGES && forgettableCharacters < FORGET_CHARACTERS) {
      await worker.commit({ rows, forget: [], trimmed: onDisk.trimmed, reserved })
      onDisk = { trimmed: onDisk.trimmed, reserved }
      return
    }
    const trimmed = visible.oldest
    await worker.commit({ rows, forget: forgettable, trimmed, reserved })
    forgettable = []
    forgettableCharacters = 0
    onDisk = { trimmed, reserved }
  }

  const showEarly = (change: Shown): void => {
    if (change.isShownEarly) return
    change.isShownEarly = true
    early.apply(change.event, change.row[5].length)
  }

  const show = (change: Shown): void => {
    showEarly(change)
    const { event } = change
    const id = keyText(event.key)
    if (pending.get(id)?.version === event.version) pending.delete(id)
    for (const trimmed of visible.apply(event, change.row[5].length)) onTrimmed(trimmed)
  }

  const refuse = (refused: readonly Waiter[], error: Error): void => {
    log.warn('the disk refused to store changes', { changes: refused.filter(({ change }) => change).length, error })
    // Later writes were decided on top of what is now refused, so they go with it.
    waiters = []
    pending.clear()
    isCautious = true
    takeBack(refused.flatMap(({ change }) => (change?.isShownEarly ? [change.event.key] : [])))
    for (const waiter of refused) waiter.refused(error)
  }

  /** Shows those who have seen what was refused the objects as they are. */
  const takeBack = (keys: readonly StoreKey[]): void => {
    for (const key of new Map(keys.map((key) => [keyText(key), key])).values()) {
      const seen = early.get(key)
      const object = visible.get(key)
      if (seen === object) continue
      const version = ++lastVersion
      if (object) early.apply({ type: seen ? 'MODIFIED' : 'ADDED', key, object, previous: seen, version })
      else if (seen) early.apply({ type: 'DELETED', key, object: withVersion(seen, version), previous: seen, version })
    }
  }

  const writeAnd = (resolveWhen: 'accepted' | 'durable', ...[key, decide]: Parameters<Store['write']>): Promise<WriteResult> =>
    new Promise<WriteResult>((resolve, reject) => {
      if (closing) throw new StorageError('ECLOSED', `the store ${path} is closed`)
      const id = keyText(key)
      const accepted = pending.get(id)
      const current = accepted ? accepted.object : visible.get(key)
      const answer = decideChange({ key, current, decide, version: lastVersion + 1 })

      if ('kept' in answer) {
        const object = answer.kept
        const result = { object, changed: false, version: versionOf(object) || visible.version }
        if (accepted && (resolveWhen === 'durable' || isCautious)) wait({ change: undefined, done: () => resolve(result), refused: reject })
        else resolve(result)
        return
      }
      const { event } = answer
      const deleted = event.type === 'DELETED'
      const row: ChangeRow = [event.version, key.resource, key.namespace ?? '', key.name, deleted ? 1 : 0, JSON.stringify(event.object)]
      lastVersion = event.version
      pending.set(id, { object: deleted ? undefined : event.object, version: event.version })
      const result = { object: event.object, changed: true, version: event.version }
      const change: Shown = { event, row, isShownEarly: false }
      if (resolveWhen === 'accepted' && !isCautious) resolve(result)
      wait({ change, done: () => resolve(result), refused: reject })
      if (!isCautious) showEarly(change)
    })

  const settled = (): Promise<void> =>
    new Promise((resolve) => (syncing || syncDue ? wait({ change: undefined, done: resolve, refused: () => resolve() }) : resolve()))

  return {
    get version() {
      return visible.version
    },
    get: visible.get,
    list: visible.list,
    resources: visible.resources,
    watch: visible.watch,
    write: (key, decide) => writeAnd('durable', key, decide),
    settled,
    early: {
      get version() {
        return early.version
      },
      get: early.get,
      list: early.list,
      resources: early.resources,
      watch: early.watch,
      write: (key, decide) => writeAnd('accepted', key, decide),
      settled,
    },
    close() {
      closing ??= settled()
        .then(() => worker.close({ trimmed: onDisk.trimmed, reserved: lastVersion }))
        // Everything acknowledged is on disk already. Without its last marks the next start only skips some versions.
        .catch((error: unknown) => log.warn('the store was closed without its last marks', { error }))
      return closing
    },
  }
}

/** Does one step of opening; when it fails the thread is ended first. */
async function orEnd<T>(worker: StoreWorker, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    await worker.close(worker.marks).catch(() => {})
    throw error
  }
}

function restoredFrom(path: string, loading: Loading, { trimmed }: Marks): Restored {
  try {
    return loading.restored(trimmed)
  } catch (error) {
    throw damagedStore(path, (error as Error).message)
  }
}

/** Takes the next batch off the front of the queue. */
function takeBatch(waiters: Waiter[]): Waiter[] {
  let characters = 0
  let count = 0
  while (count < waiters.length && count < BATCH_CHANGES && characters < BATCH_CHARACTERS)
    characters += waiters[count++]!.change?.row[5].length ?? 0
  return waiters.splice(0, count)
}

function* objectsIn({ resources, list }: Visible): Generator<{ key: StoreKey; object: KubeObject }> {
  for (const resource of resources()) {
    for (const object of list(resource).items) {
      const { namespace, name } = object.metadata
      yield { key: { resource, ...(namespace && { namespace }), name }, object }
    }
  }
}

function withVersion(object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
}
