import type { Logger } from '../base/logger.js'
import type { LogCommit, LogRecord, Position } from './append-log-file.js'
import { type LogsWorker, startLogsWorker } from './append-log-thread.js'
import { StorageError } from './store.js'

export type { LogRecord, Position } from './append-log-file.js'

/** Durable append-only logs in one file, each with the positions of its consumers. */
export interface AppendLogs {
  names(): readonly string[]
  /** The log of that name; one that is new is on disk with its first record or position. */
  log(name: string): AppendLog
  /** Takes a log away, with records and positions; resolves when that is on disk. Its offsets are never given out again. */
  remove(name: string): Promise<void>
  /** Syncs, then lets go of the file. Appends afterwards are refused. */
  close(): Promise<void>
}

export interface AppendLog {
  readonly name: string
  /** The offset of the newest durable record, or one before the next where there is none. */
  readonly head: number
  /**
   * Resolves with the record's offset once it is durable: appends that arrive while one sync is under way share the next. The
   * bytes must not change afterwards. Rejects with a StorageError when the disk refuses, with nothing appended.
   */
  append(bytes: Uint8Array): Promise<number>
  /** Durable records after an offset, in order: no more than so many, and no more bytes than that unless it is a single one. */
  read(afterOffset: number, limit: { records: number; bytes: number }): Promise<LogRecord[]>
  /** Names of the consumers that have a position. */
  consumers(): readonly string[]
  position(consumer: string): Position | undefined
  /** Keeps how far a consumer is. Many saves share one sync, of which only the newest is written. Rejects with a StorageError. */
  save(consumer: string, position: Position): Promise<void>
  /** Forgets a consumer. */
  forget(consumer: string): Promise<void>
  /** Lets go of the records up to an offset, but for the newest `keep`; done with a sync that is due anyway. */
  trim(upTo: number, keep?: number): void
}

/** One sync takes at most this many records, or about this many bytes. */
const BATCH_RECORDS = 1024
const BATCH_BYTES = 8 * 1024 * 1024

interface Append {
  log: LogState
  bytes: Uint8Array
  resolve(offset: number): void
  reject(error: Error): void
}

interface LogState {
  readonly id: number
  readonly name: string
  isOnDisk: boolean
  isRemoved: boolean
  head: number
  /** As last saved, durable or not. */
  positions: Map<string, Position>
  changed: Map<string, Position | undefined>
  trim: { upTo: number; keep: number } | undefined
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/**
 * Opens the file at `path`, kept by a worker thread (`workerFile`, built from append-log-worker.ts). `maxFileBytes` makes it
 * refuse, with ENOSPC, beyond that size. Rejects with a StorageError (no such directory, no permission, EBUSY when another
 * process has it), a CorruptStoreError or a StoreFormatError.
 */
export async function openAppendLogs(options: {
  path: string
  workerFile: string
  maxFileBytes?: number
  log: Logger
}): Promise<AppendLogs> {
  const { path } = options
  const logger = options.log.with({ path })
  const worker: LogsWorker = await startLogsWorker({
    workerFile: options.workerFile,
    path,
    maxFileBytes: options.maxFileBytes,
    onMigrated: (backup) => logger.info('logs were brought to the current format', { backup }),
  })

  let newest = worker.content.newest
  const logs = new Map<string, LogState>()
  for (const { id, name, head, positions } of worker.content.logs)
    logs.set(name, {
      id,
      name,
      isOnDisk: true,
      isRemoved: false,
      head,
      positions: new Map(positions),
      changed: new Map(),
      trim: undefined,
    })
  let nextId = Math.max(0, ...worker.content.logs.map(({ id }) => id)) + 1

  const appends: Append[] = []
  /** Waits for positions and removals. */
  let waiters: Waiter[] = []
  let removed: number[] = []
  const changedLogs = new Set<LogState>()
  let isSyncing = false
  let isSyncDue = false
  /** What is to be saved goes without new records after a refusal: trimming may be what makes room. */
  let wasRefused = false
  let closing: Promise<void> | undefined

  const schedule = (): void => {
    if (isSyncing || isSyncDue) return
    isSyncDue = true
    // Whatever else this turn of the event loop appends goes into the same sync.
    queueMicrotask(() => {
      isSyncDue = false
      if (!isSyncing) void sync()
    })
  }

  const sync = async (): Promise<void> => {
    isSyncing = true
    while (appends.length > 0 || waiters.length > 0) {
      const batch = wasRefused && changedLogs.size > 0 && waiters.length > 0 ? [] : takeBatch(appends)
      const saved = waiters
      waiters = []
      try {
        const done = await commit(batch)
        wasRefused = false
        done()
        for (const waiter of saved) waiter.resolve()
      } catch (error) {
        if (!wasRefused) logger.warn('the disk refused to store events', { records: batch.length, error })
        wasRefused = true
        for (const { reject } of batch) reject(error as Error)
        for (const waiter of saved) waiter.reject(error as Error)
      }
    }
    isSyncing = false
  }

  /** Writes a batch of records and everything that is to be saved beside it. Returns what tells those who wait. */
  const commit = async (batch: readonly Append[]): Promise<() => void> => {
    const first = newest + 1
    const touched = new Set([...changedLogs, ...batch.map(({ log }) => log)])
    const present = [...touched].filter(({ isRemoved }) => !isRemoved)
    const created = present.filter(({ isOnDisk }) => !isOnDisk)
    const gone = removed
    const changes = present.map((log) => ({ log, changed: log.changed, trim: log.trim }))
    const live = batch.filter(({ log }) => !log.isRemoved)
    const request: LogCommit = {
      create: created.map(({ id, name }): [number, string] => [id, name]),
      records: packed(live, first),
      positions: changes.flatMap(({ log, changed }) =>
        [...changed].map(([consumer, position]): [number, string, Position | undefined] => [log.id, consumer, position]),
      ),
      trim: changes.flatMap(({ log, trim }) => (trim ? [{ log: log.id, ...trim }] : [])),
      remove: gone,
    }
    for (const { log } of changes) {
      log.changed = new Map()
      log.trim = undefined
    }
    changedLogs.clear()
    removed = []
    try {
      await worker.commit(request)
    } catch (error) {
      // Nothing of it is on disk: it is to be saved still, but for what has changed again in the meantime.
      for (const { log, changed, trim } of changes) {
        log.changed = new Map([...changed, ...log.changed])
        log.trim ??= trim
        if (log.changed.size > 0 || log.trim) changedLogs.add(log)
      }
      removed = [...gone, ...removed]
      throw error
    }
    for (const log of created) log.isOnDisk = true
    newest += live.length
    return () => {
      live.forEach(({ log }, index) => {
        log.head = first + index
      })
      for (const [index, { resolve }] of live.entries()) resolve(first + index)
      for (const { log, reject } of batch) if (log.isRemoved) reject(refusal('ENOENT', `the log ${log.name} is gone`))
    }
  }

  const refusal = (code: string, why: string): StorageError => new StorageError(code, `cannot write to ${path}: ${why} (${code})`)

  const change = (log: LogState, consumer: string, position: Position | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      if (closing) return reject(refusal('ECLOSED', 'it is closed'))
      if (log.isRemoved) return resolve()
      if (position) log.positions.set(consumer, position)
      else log.positions.delete(consumer)
      log.changed.set(consumer, position)
      changedLogs.add(log)
      waiters.push({ resolve, reject })
      schedule()
    })

  const logFrom = (log: LogState): AppendLog => ({
    name: log.name,
    get head() {
      return log.head
    },
    append: (bytes) =>
      new Promise((resolve, reject) => {
        if (closing) return reject(refusal('ECLOSED', 'it is closed'))
        if (log.isRemoved) return reject(refusal('ENOENT', `the log ${log.name} is gone`))
        appends.push({ log, bytes, resolve, reject })
        schedule()
      }),
    read: (afterOffset, limit) => (log.isOnDisk && !log.isRemoved ? worker.read(log.id, afterOffset, limit) : Promise.resolve([])),
    consumers: () => [...log.positions.keys()],
    position: (consumer) => log.positions.get(consumer),
    save: (consumer, position) => change(log, consumer, position),
    forget: (consumer) => change(log, consumer, undefined),
    trim(upTo, keep = 0) {
      if (log.isRemoved || !log.isOnDisk) return
      log.trim = { upTo: Math.min(upTo, log.head), keep }
      changedLogs.add(log)
    },
  })

  const states = new Map<LogState, AppendLog>()
  return {
    names: () => [...logs.keys()],
    log(name) {
      let state = logs.get(name)
      if (!state) {
        state = {
          id: nextId++,
          name,
          isOnDisk: false,
          isRemoved: false,
          head: newest,
          positions: new Map(),
          changed: new Map(),
          trim: undefined,
        }
        logs.set(name, state)
      }
      const log = states.get(state) ?? logFrom(state)
      states.set(state, log)
      return log
    },
    remove: (name) =>
      new Promise((resolve, reject) => {
        const state = logs.get(name)
        if (!state) return resolve()
        if (closing) return reject(refusal('ECLOSED', 'it is closed'))
        logs.delete(name)
        states.delete(state)
        state.isRemoved = true
        changedLogs.delete(state)
        // One whose first record is on its way is removed after it.
        removed.push(state.id)
        waiters.push({ resolve, reject })
        schedule()
      }),
    close() {
      closing ??= (async () => {
        if (isSyncing || isSyncDue || changedLogs.size > 0 || removed.length > 0)
          await new Promise<void>((resolve) => {
            waiters.push({ resolve, reject: () => resolve() })
            schedule()
          })
        await worker.close().catch((error: unknown) => logger.warn('the logs were closed by the end of their thread', { error }))
      })()
      return closing
    },
  }
}

/** The bytes of a batch, one after the other, in memory of their own that can be handed over. */
function packed(batch: readonly Append[], first: number): LogCommit['records'] {
  const payload = new Uint8Array(batch.reduce((total, { bytes }) => total + bytes.length, 0))
  const ends: number[] = []
  let end = 0
  for (const { bytes } of batch) {
    payload.set(bytes, end)
    end += bytes.length
    ends.push(end)
  }
  return { logs: batch.map(({ log }) => log.id), offsets: batch.map((_, index) => first + index), ends, payload }
}

/** Takes the next batch off the front of the queue. */
function takeBatch(appends: Append[]): Append[] {
  let bytes = 0
  let count = 0
  while (count < appends.length && count < BATCH_RECORDS && bytes < BATCH_BYTES) bytes += appends[count++]!.bytes.length
  return appends.splice(0, count)
}
