import { closeSync, openSync, renameSync, rmSync } from 'node:fs'
import type { HopPlace } from './hop.js'
import { type JournalRecord, recordText, type State } from './record.js'

export type SqlValue = string | number | Uint8Array | null

/** What the journal uses of the node:sqlite API; which library has it is the emulator's to say. */
export interface JournalDatabase {
  exec(sql: string): void
  prepare(sql: string): { run(...values: readonly SqlValue[]): unknown; all(...values: readonly SqlValue[]): unknown[] }
  close(): void
}

export type OpenJournalDatabase = (path: string) => JournalDatabase

/** A record as it lies in the file. */
export interface StoredRecord {
  /** Counts all records there ever were, from 1. */
  n: number
  uid: string
  /** At its last change, and when it was added. */
  version: number
  created: number
  record: JournalRecord
  /** Of the file's limit, in bytes. */
  bytes: number
}

/** What is selected by; all must be equal. */
export interface RecordFilter {
  namespace?: string
  originKind?: string
  originName?: string
  id?: string
  source?: string
  type?: string
  subject?: string
  state?: State
}

/** A record that is to be written. `bytes` is what it took so far, and is brought up to date. */
export type WrittenRecord = StoredRecord & { isNew: boolean; state: State; data?: Uint8Array | undefined }

/** Everything that one transaction writes, in a form that goes to another thread. */
export interface JournalWrite {
  /** For each record its columns, in the order of the table, and its content; `dataStart` and `dataEnd` are in `payload`. */
  readonly rows: readonly { isNew: boolean; columns: readonly SqlValue[]; body: string; dataStart: number; dataEnd: number }[]
  readonly payload: Uint8Array
  /** All records up to this number go. */
  readonly forgetUpTo: number
  readonly version: number
  readonly trimmed: number
  readonly next: number
}

/** The tables of a journal. Everything is synchronous and throws what SQLite throws. */
export interface JournalTables {
  state(): { version: number; trimmed: number; next: number; events: number; bytes: number }
  /** The highest offset on record of a Broker or channel, or -1. */
  top(origin: HopPlace): number
  findByPlace(origin: HopPlace, offset: number): StoredRecord | undefined
  find(n: number): StoredRecord | undefined
  dataOf(n: number): Buffer | undefined
  page(query: PageQuery): StoredRecord[]
  changedSince(version: number, namespace: string | undefined): StoredRecord[]
  oldest(after: number, limit: number): { n: number; bytes: number; atMs: number }[]
  write(write: JournalWrite): void
  close(): void
}

/** Writes to the tables, here or in another thread; always in order. */
export interface JournalWriter {
  /** Calls back once it is written, or with what SQLite threw. */
  write(write: JournalWrite, done: (error?: unknown) => void): void
  /** Writes that are not done. */
  readonly backlog: number
  /** It writes no more, whatever it is given. */
  readonly hasEnded: boolean
  /** Returns when all of them are, and those who wait have been told. */
  flush(): void
  close(): void
}

export interface PageQuery {
  filter: RecordFilter
  before?: number | undefined
  upToVersion?: number | undefined
  limit: number
}

/** An open journal. Reads are synchronous and throw what SQLite throws; they see what has been written, after `flush` everything. */
export interface JournalFile {
  /** The newest version there is. */
  readonly version: number
  /** The version up to which records have been forgotten: a watch from before it cannot be resumed. */
  readonly trimmed: number
  /** The number of the next record. */
  readonly next: number
  readonly events: number
  readonly bytes: number
  /** As the writer has them. */
  readonly backlog: number
  readonly hasEnded: boolean
  /** When the oldest record was accepted, in milliseconds since 1970. */
  readonly oldestAtMs: number | undefined
  /** Whether a change of that version can be read. */
  isWritten(version: number): boolean
  /** The newest record of this place. */
  findByPlace(origin: HopPlace, offset: number): StoredRecord | undefined
  find(n: number): StoredRecord | undefined
  /** What was kept of its payload. */
  dataOf(n: number): Buffer | undefined
  /** The newest first: records before number `before` that were there at `upToVersion`. */
  page(query: PageQuery): StoredRecord[]
  /** In order of version. */
  changedSince(version: number, namespace: string | undefined): StoredRecord[]
  oldest(limit: number): { n: number; bytes: number; atMs: number }[]
  /** `data` only where it is to be written. Calls back once it is written, or with what SQLite threw. */
  write(write: { records: readonly WrittenRecord[]; version: number; next: number }, done: (error?: unknown) => void): void
  /** Removes the oldest records, all of them up to the last of these. */
  forget(going: readonly { n: number; bytes: number }[], version: number, done: (error?: unknown) => void): void
  /** Returns when everything is written. */
  flush(): void
  close(): void
}

/** "knlj" in SQLite's header. */
const APPLICATION_ID = 0x6b6e6c6a
const FORMAT = 1
/** What a record takes beside its text and its payload: its row in the narrow table, and the indexes. */
const ROW_BYTES = 300
/** How long one connection waits for the other, in milliseconds. */
const BUSY_MS = 5000
/** What the write-ahead log may keep of the disk after a burst. */
const LOG_BYTES = 8 * 1024 * 1024

/** What is searched stands apart from what is read, so that a search passes over few pages. */
const SCHEMA = `
  CREATE TABLE record (
    n INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    origin_kind TEXT NOT NULL,
    origin_name TEXT NOT NULL,
    position INTEGER NOT NULL,
    at_ms REAL NOT NULL,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    state TEXT NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX place ON record (namespace, origin_name, position);
  CREATE TABLE content (n INTEGER PRIMARY KEY, body TEXT NOT NULL, data BLOB) STRICT;
  CREATE TABLE state (version INTEGER NOT NULL, trimmed INTEGER NOT NULL, next INTEGER NOT NULL) STRICT;
  INSERT INTO state VALUES (1, 0, 1);
`

const COLUMNS: Readonly<Record<keyof RecordFilter, string>> = {
  namespace: 'namespace',
  originKind: 'origin_kind',
  originName: 'origin_name',
  id: 'id',
  source: 'source',
  type: 'type',
  subject: 'subject',
  state: 'state',
}

const SELECT = 'SELECT record.n, uid, version, created, bytes, body FROM record JOIN content ON content.n = record.n'

/** The file is not a journal that this program can read. */
export class ForeignJournalError extends Error {}

/**
 * Opens the tables of a journal, made new when there is none. They survive the end of the process, however it ends, but are never synced
 * to the disk: all that a crash of the machine can cost is a record of the past. Throws a ForeignJournalError for a file of something
 * else or a newer program, and what SQLite throws for one that is damaged or in use.
 */
export function openJournalTables(open: OpenJournalDatabase, path: string): JournalTables {
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
  const database = open(path)
  try {
    database.exec(
      `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA journal_size_limit = ${LOG_BYTES}`,
    )
    prepareSchema(database, path)
    return tablesOf(database)
  } catch (error) {
    database.close()
    throw error
  }
}

/** Writes on this thread: each call returns when it is done. */
export function createDirectWriter(tables: Pick<JournalTables, 'write'>): JournalWriter {
  return {
    backlog: 0,
    hasEnded: false,
    write(write, done) {
      try {
        tables.write(write)
      } catch (error) {
        done(error)
        return
      }
      done()
    },
    flush: () => {},
    close: () => {},
  }
}

/** Puts a journal that cannot be read out of the way. Returns where it is now. */
export function setJournalAside(path: string): string {
  const aside = `${path}.unreadable`
  rmSync(`${path}-wal`, { force: true })
  rmSync(`${path}-shm`, { force: true })
  renameSync(path, aside)
  return aside
}

function prepareSchema(database: JournalDatabase, path: string): void {
  const [id, format] = ['application_id', 'user_version'].map((name) =>
    Number(Object.values(database.prepare(`PRAGMA ${name}`).all()[0] as object)[0]),
  )
  if (id === APPLICATION_ID && format === FORMAT) return
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').all() as { count: number }[]
  if (tables[0]!.count > 0) throw new ForeignJournalError(`${path} has format ${format}, this kn reads ${FORMAT}`)
  database.exec(`BEGIN; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; COMMIT`)
}

interface Row {
  n: number
  uid: string
  version: number
  created: number
  bytes: number
  body: string
}

function storedFrom({ body, ...rest }: Row): StoredRecord {
  return { ...rest, record: JSON.parse(body) as JournalRecord }
}

function tablesOf(database: JournalDatabase): JournalTables {
  const state = database.prepare('SELECT version, trimmed, next FROM state')
  const totals = database.prepare('SELECT count(*) AS events, coalesce(sum(bytes), 0) AS bytes FROM record')
  const insert = database.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertContent = database.prepare('INSERT INTO content VALUES (?, ?, ?)')
  const update = database.prepare(
    'UPDATE record SET version = ?, at_ms = ?, id = ?, source = ?, type = ?, subject = ?, state = ?, bytes = ? WHERE n = ?',
  )
  const updateBody = database.prepare('UPDATE content SET body = ? WHERE n = ?')
  const updateContent = database.prepare('UPDATE content SET body = ?, data = ? WHERE n = ?')
  const setState = database.prepare('UPDATE state SET version = ?, trimmed = ?, next = ?')
  const top = database.prepare(
    'SELECT position FROM record WHERE namespace = ? AND origin_name = ? AND origin_kind = ? ORDER BY position DESC LIMIT 1',
  )
  const byPlace = database.prepare(
    `${SELECT} WHERE namespace = ? AND origin_name = ? AND position = ? AND origin_kind = ? ORDER BY record.n DESC LIMIT 1`,
  )
  const byNumber = database.prepare(`${SELECT} WHERE record.n = ?`)
  const data = database.prepare('SELECT data FROM content WHERE n = ?')
  const oldest = database.prepare('SELECT n, bytes, at_ms AS atMs FROM record WHERE n > ? ORDER BY n LIMIT ?')
  const since = database.prepare(`${SELECT} WHERE version > ? ORDER BY version`)
  const sinceIn = database.prepare(`${SELECT} WHERE version > ? AND namespace = ? ORDER BY version`)
  const remove = database.prepare('DELETE FROM record WHERE n <= ?')
  const removeContent = database.prepare('DELETE FROM content WHERE n <= ?')
  const pages = new Map<string, ReturnType<JournalDatabase['prepare']>>()

  const inTransaction = (work: () => void): void => {
    database.exec('BEGIN IMMEDIATE')
    try {
      work()
      database.exec('COMMIT')
    } catch (error) {
      try {
        database.exec('ROLLBACK')
      } catch {
        // SQLite rolls back by itself after some errors, and then there is nothing left to undo.
      }
      throw error
    }
  }
  const first = (rows: unknown[]): StoredRecord | undefined => (rows.length > 0 ? storedFrom(rows[0] as Row) : undefined)

  const put = ({ isNew, columns, body, dataStart, dataEnd }: JournalWrite['rows'][number], payload: Uint8Array): void => {
    const n = columns[0]!
    const kept = dataEnd > dataStart ? payload.subarray(dataStart, dataEnd) : null
    if (isNew) {
      insert.run(...columns)
      insertContent.run(n, body, kept)
      return
    }
    const [version, atMs, id, source, type, subject, stateText, bytes] = [columns[2]!, ...columns.slice(8)] as SqlValue[]
    update.run(version!, atMs!, id!, source!, type!, subject!, stateText!, bytes!, n)
    if (kept) updateContent.run(body, kept, n)
    else updateBody.run(body, n)
  }

  return {
    state() {
      const [row] = state.all() as { version: number; trimmed: number; next: number }[]
      const [total] = totals.all() as { events: number; bytes: number }[]
      return { ...row!, ...total! }
    },
    top: ({ namespace, kind, name }) => (top.all(namespace, name, kind)[0] as { position: number } | undefined)?.position ?? -1,
    findByPlace: ({ namespace, kind, name }, offset) => first(byPlace.all(namespace, name, offset, kind)),
    find: (n) => first(byNumber.all(n)),
    dataOf(n) {
      const [row] = data.all(n) as { data: Uint8Array | null }[]
      return row?.data ? Buffer.from(row.data.buffer, row.data.byteOffset, row.data.byteLength) : undefined
    },
    page({ filter, before, upToVersion, limit }) {
      const terms: [sql: string, value: SqlValue][] = []
      for (const [name, value] of Object.entries(filter)) terms.push([`${COLUMNS[name as keyof RecordFilter]} = ?`, value])
      if (before !== undefined) terms.push(['record.n < ?', before])
      if (upToVersion !== undefined) terms.push(['created <= ?', upToVersion])
      const where = terms.length > 0 ? ` WHERE ${terms.map(([sql]) => sql).join(' AND ')}` : ''
      const sql = `${SELECT}${where} ORDER BY record.n DESC LIMIT ?`
      let statement = pages.get(sql)
      if (!statement) {
        statement = database.prepare(sql)
        pages.set(sql, statement)
      }
      return statement.all(...terms.map(([, value]) => value), limit).map((row) => storedFrom(row as Row))
    },
    changedSince: (from, namespace) =>
      (namespace === undefined ? since.all(from) : sinceIn.all(from, namespace)).map((row) => storedFrom(row as Row)),
    oldest: (after, limit) => oldest.all(after, limit) as { n: number; bytes: number; atMs: number }[],
    write({ rows, payload, forgetUpTo, version, trimmed, next }) {
      inTransaction(() => {
        for (const row of rows) put(row, payload)
        if (forgetUpTo > 0) {
          removeContent.run(forgetUpTo)
          remove.run(forgetUpTo)
        }
        setState.run(version, trimmed, next)
      })
    },
    close: () => database.close(),
  }
}

/** A journal over its tables; whoever writes may be in another thread, so what is counted is counted here. */
export function createJournalFile(tables: JournalTables, writer: JournalWriter): JournalFile {
  let { version, trimmed, next, events, bytes } = tables.state()
  let written = version
  /** Up to this number they are gone, or about to go. */
  let forgotten = 0
  let oldestAtMs: number | undefined
  /** By Broker or channel: what comes after it is not in the file, and need not be looked for. */
  const tops = new Map<string, number>()

  const write = (part: Pick<JournalWrite, 'rows' | 'payload' | 'forgetUpTo'>, done: (error?: unknown) => void): void => {
    const upTo = version
    writer.write({ ...part, version, trimmed, next }, (error) => {
      if (error === undefined) written = upTo
      else {
        // What was to go is still there, what was to come is not; versions are not used again.
        forgotten = 0
        oldestAtMs = undefined
        try {
          ;({ events, bytes } = tables.state())
        } catch {
          // A file that cannot be read either is told of by whoever writes.
        }
      }
      done(error)
    })
  }

  return {
    get version() {
      return version
    },
    get trimmed() {
      return trimmed
    },
    get next() {
      return next
    },
    get events() {
      return events
    },
    get bytes() {
      return bytes
    },
    get backlog() {
      return writer.backlog
    },
    get hasEnded() {
      return writer.hasEnded
    },
    get oldestAtMs() {
      oldestAtMs ??= tables.oldest(forgotten, 1)[0]?.atMs
      return oldestAtMs
    },
    isWritten: (at) => at <= written,
    findByPlace(origin, offset) {
      const key = `${origin.namespace}/${origin.name}/${origin.kind}`
      const top = tops.get(key) ?? tables.top(origin)
      tops.set(key, Math.max(top, offset))
      return offset > top ? undefined : tables.findByPlace(origin, offset)
    },
    find: tables.find,
    dataOf: tables.dataOf,
    page: tables.page,
    changedSince: tables.changedSince,
    oldest: (limit) => tables.oldest(forgotten, limit),
    write({ records, version: at, next: following }, done) {
      const payload = new Uint8Array(records.reduce((total, { data }) => total + (data?.length ?? 0), 0))
      let end = 0
      const rows = records.map((record) => {
        const body = recordText(record.record)
        const size = ROW_BYTES + body.length + (record.record.dataKept ?? 0)
        bytes += size - (record.isNew ? 0 : record.bytes)
        if (record.isNew) events++
        record.bytes = size
        const dataStart = end
        if (record.data) {
          payload.set(record.data, end)
          end += record.data.length
        }
        return { isNew: record.isNew, columns: columnsOf(record), body, dataStart, dataEnd: end }
      })
      version = at
      next = following
      write({ rows, payload, forgetUpTo: 0 }, done)
    },
    forget(going, at, done) {
      version = at
      trimmed = at
      events -= going.length
      bytes -= going.reduce((total, record) => total + record.bytes, 0)
      forgotten = going.at(-1)!.n
      oldestAtMs = undefined
      write({ rows: [], payload: new Uint8Array(0), forgetUpTo: forgotten }, done)
    },
    flush: () => writer.flush(),
    close() {
      writer.close()
      tables.close()
    },
  }
}

/** In the order of the table. */
function columnsOf({ n, uid, version, created, record, state, bytes }: WrittenRecord): SqlValue[] {
  const { identity, origin, offset, atMs } = record
  const { id, source, type, subject = null } = identity
  return [n, uid, version, created, origin.namespace, origin.kind, origin.name, offset, atMs, id, source, type, subject, state, bytes]
}
