import { LOGS_FILE, recordChecksum } from './append-log-format.js'
import { damagedStore, eachRow, type OpenDatabase, type SqliteDatabase } from './sqlite-engine.js'
import { afterLock, inTransaction, lockForWriting, prepareFile, quickCheck, readable, reading } from './sqlite-file.js'
import { checksumOf } from './sqlite-format.js'

/** A consumer's place in a log: everything up to `passed` is done, but the offsets in `undone`. */
export interface Position {
  readonly passed: number
  readonly undone: readonly number[]
}

/** What one sync makes durable, all of it or nothing, in this order. */
export interface LogCommit {
  create: readonly [id: number, name: string][]
  /** Parallel lists; `ends` are ends of records in `payload`, which holds their bytes one after the other. */
  records: { logs: readonly number[]; offsets: readonly number[]; ends: readonly number[]; payload: Uint8Array }
  positions: readonly [log: number, consumer: string, position: Position | undefined][]
  /** Deletes records up to an offset, but for the newest `keep`. */
  trim: readonly { log: number; upTo: number; keep: number }[]
  remove: readonly number[]
}

/** What is in a file when it is opened. */
export interface LogsContent {
  logs: readonly { id: number; name: string; head: number; positions: readonly [consumer: string, position: Position][] }[]
  /** The highest offset that was ever given to a record that became durable. */
  newest: number
}

export interface LogRecord {
  readonly offset: number
  readonly bytes: Buffer
}

export interface LogsFile {
  readonly content: LogsContent
  /** Returns when it is on disk. Throws a StorageError with nothing changed. */
  commit(commit: LogCommit): void
  /** Records after an offset, in order: at most so many, and no more bytes unless it is a single one. Throws a CorruptStoreError. */
  read(log: number, afterOffset: number, limit: { records: number; bytes: number }): LogRecord[]
  close(): void
}

/**
 * Opens a file of logs, made new when there is none, under an exclusive lock. Throws StorageError (EBUSY when another process
 * has it), StoreFormatError or CorruptStoreError, with the file left as it is.
 */
export function openLogsFile(options: {
  open: OpenDatabase
  path: string
  maxFileBytes?: number | undefined
  onMigrated: (backup: string) => void
}): LogsFile {
  const { open, path } = options
  return readable(path, () => {
    prepareFile({ open, path, kind: LOGS_FILE, onMigrated: options.onMigrated })
    // Looked through without the right to write: a damaged file is to stay as it is.
    reading(open, path, (database) => {
      quickCheck(database, path)
      readContent(database, path)
    })
    const database = open(path)
    try {
      lockForWriting(database)
      const { content, forgotten } = readContent(database, path)
      afterLock(database, path, options.maxFileBytes)
      // What was trimmed in an earlier run goes back to the disk.
      database.exec('PRAGMA incremental_vacuum')
      return { content, ...createOperations(database, path, forgotten) }
    } catch (error) {
      database.close()
      throw error
    }
  })
}

function readContent(database: SqliteDatabase, path: string): { content: LogsContent; forgotten: number } {
  const states: number[] = []
  eachRow(database, 'forgotten, checksum', 'state', (value, checksum) => {
    if (checksumOf(Number(value)) !== checksum) throw damagedStore(path, 'its state does not match its checksum')
    states.push(Number(value))
  })
  const [forgotten] = states
  if (forgotten === undefined || states.length > 1) throw damagedStore(path, `it has ${states.length} states instead of one`)

  let newest = forgotten
  const heads = new Map<number, number>()
  eachRow(database, 'log, head', '(SELECT log, max(offset) AS head FROM record GROUP BY log)', (log, head) => {
    heads.set(Number(log), Number(head))
    newest = Math.max(newest, Number(head))
  })
  const logs = new Map<number, { id: number; name: string; head: number; positions: [string, Position][] }>()
  eachRow(database, 'id, name, checksum', 'log ORDER BY id', (...values) => {
    const [id, name, checksum] = [Number(values[0]), String(values[1]), values[2]]
    if (checksumOf(id, name) !== checksum) throw damagedStore(path, `the log ${id} does not match its checksum`)
    logs.set(id, { id, name, head: heads.get(id) ?? forgotten, positions: [] })
  })
  for (const log of heads.keys()) if (!logs.has(log)) throw damagedStore(path, `it has records of a log ${log}, which does not exist`)
  eachRow(database, 'log, consumer, passed, undone, checksum', 'position', (...values) => {
    const [log, consumer, passed, undone] = [Number(values[0]), String(values[1]), Number(values[2]), String(values[3])]
    if (checksumOf(log, consumer, passed, undone) !== values[4])
      throw damagedStore(path, `the position of ${consumer} does not match its checksum`)
    // A position cannot be ahead of what it counts, but the newest records may have been trimmed.
    newest = Math.max(newest, passed)
    logs.get(log)?.positions.push([consumer, { passed, undone: JSON.parse(undone) as number[] }])
  })
  return { content: { logs: [...logs.values()], newest }, forgotten }
}

function createOperations(database: SqliteDatabase, path: string, forgottenAtOpening: number): Omit<LogsFile, 'content'> {
  let forgotten = forgottenAtOpening
  const createLog = database.prepare('INSERT INTO log VALUES (?, ?, ?)')
  // The SQLite of some Nodes takes no bytes for no value.
  const insert = database.prepare("INSERT INTO record VALUES (?, ?, ifnull(?, x''), ?)")
  const setPosition = database.prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?)')
  const dropPosition = database.prepare('DELETE FROM position WHERE log = ? AND consumer = ?')
  const trimAll = database.prepare('DELETE FROM record WHERE log = ? AND offset <= ?')
  const trimButNewest = database.prepare(
    'DELETE FROM record WHERE log = ?1 AND offset <= min(?2, (SELECT offset FROM record WHERE log = ?1 ORDER BY offset DESC LIMIT 1 OFFSET ?3))',
  )
  const dropRecords = database.prepare('DELETE FROM record WHERE log = ?')
  const dropPositions = database.prepare('DELETE FROM position WHERE log = ?')
  const dropLog = database.prepare('DELETE FROM log WHERE id = ?')
  const setState = database.prepare('UPDATE state SET forgotten = ?, checksum = ?')

  const highest = (log: number): number => {
    let offset = 0
    eachRow(database, 'head', `(SELECT max(offset) AS head FROM record WHERE log = ${log})`, (head) => {
      offset = Number(head ?? 0)
    })
    return offset
  }

  return {
    commit({ create, records, positions, trim, remove }) {
      let deleted = forgotten
      inTransaction(database, path, () => {
        for (const [id, name] of create) createLog.run(id, name, checksumOf(id, name))
        let start = 0
        for (let at = 0; at < records.offsets.length; at++) {
          const [log, offset, end] = [records.logs[at]!, records.offsets[at]!, records.ends[at]!]
          const bytes = records.payload.subarray(start, end)
          insert.run(offset, log, bytes, recordChecksum(log, offset, bytes))
          start = end
        }
        for (const [log, consumer, position] of positions) {
          if (!position) {
            dropPosition.run(log, consumer)
            continue
          }
          const undone = JSON.stringify(position.undone)
          setPosition.run(log, consumer, position.passed, undone, checksumOf(log, consumer, position.passed, undone))
        }
        for (const { log, upTo, keep } of trim) {
          if (keep > 0) trimButNewest.run(log, upTo, keep)
          else trimAll.run(log, upTo)
          deleted = Math.max(deleted, upTo)
        }
        for (const log of remove) {
          deleted = Math.max(deleted, highest(log))
          dropRecords.run(log)
          dropPositions.run(log)
          dropLog.run(log)
        }
        if (deleted > forgotten) setState.run(deleted, checksumOf(deleted))
      })
      forgotten = deleted
    },

    read(log, afterOffset, limit) {
      return readable(path, () => {
        const range = `record WHERE log = ${log} AND offset > ${afterOffset} ORDER BY offset LIMIT ${limit.records}`
        let total = 0
        let last = 0
        // length() reads no content, so a few large records do not have to be loaded to find out that they are too many.
        eachRow(database, 'offset, length(bytes)', range, (offset, length) => {
          if (last > 0 && total + Number(length) > limit.bytes) total = Number.POSITIVE_INFINITY
          else {
            total += Number(length)
            last = Number(offset)
          }
        })
        const found: LogRecord[] = []
        const wanted = `record WHERE log = ${log} AND offset > ${afterOffset} AND offset <= ${last} ORDER BY offset`
        eachRow(database, 'offset, bytes, checksum', wanted, (...values) => {
          const offset = Number(values[0])
          const bytes = Buffer.from(values[1] as Uint8Array)
          if (recordChecksum(log, offset, bytes) !== values[2])
            throw damagedStore(path, `the record at offset ${offset} does not match its checksum`)
          found.push({ offset, bytes })
        })
        return found
      })
    },

    close: () => database.close(),
  }
}
