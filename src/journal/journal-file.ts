import { closeSync, openSync, renameSync, rmSync } from 'node:fs'
import type { HopPlace } from './hop.js'
import { type JournalRecord, type State, stateOf } from './record.js'

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

/** Everything that one transaction writes. */
export interface JournalWrite {
  /** `data` only where it is to be written; `bytes` is brought up to date. */
  records: readonly (StoredRecord & { isNew: boolean; data?: Uint8Array | undefined })[]
  version: number
  next: number
}

/** An open journal. Everything is synchronous and throws what SQLite throws. */
export interface JournalFile {
  /** The newest version there is. */
  readonly version: number
  /** The version up to which records have been forgotten: a watch from before it cannot be resumed. */
  readonly trimmed: number
  /** The number of the next record. */
  readonly next: number
  readonly events: number
  readonly bytes: number
  /** The newest record of this place. */
  findByPlace(origin: HopPlace, offset: number): StoredRecord | undefined
  find(n: number): StoredRecord | undefined
  /** What was kept of its payload. */
  dataOf(n: number): Buffer | undefined
  /** The newest first: records before number `before` that were there at `upToVersion`. */
  page(query: { filter: RecordFilter; before?: number | undefined; upToVersion?: number | undefined; limit: number }): StoredRecord[]
  /** In order of version. */
  changedSince(version: number, namespace: string | undefined): StoredRecord[]
  oldest(limit: number): { n: number; bytes: number; atMs: number }[]
  write(write: JournalWrite): void
  /** Removes all records up to number `upTo`. */
  forget(upTo: number, version: number): void
  close(): void
}

/** "knlj" in SQLite's header. */
const APPLICATION_ID = 0x6b6e6c6a
const FORMAT = 1
/** What a record takes beside its text and its payload: its row in the narrow table, and the indexes. */
const ROW_BYTES = 300
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
 * Opens a journal, made new when there is none. It survives the end of the process, however it ends, but is never synced to the disk:
 * that would hold up the event loop, and all that a crash of the machine can cost is a record of the past. Throws a ForeignJournalError for a file of something else or a newer program,
 * and what SQLite throws for one that is damaged or in use.
 */
export function openJournalFile(open: OpenJournalDatabase, path: string): JournalFile {
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
  const database = open(path)
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA journal_size_limit = ${LOG_BYTES}`)
    prepareSchema(database, path)
  } catch (error) {
    database.close()
    throw error
  }
  return journalFileOver(database)
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

function journalFileOver(database: JournalDatabase): JournalFile {
  const [state] = database.prepare('SELECT version, trimmed, next FROM state').all() as { version: number; trimmed: number; next: number }[]
  const [total] = database.prepare('SELECT count(*) AS events, coalesce(sum(bytes), 0) AS bytes FROM record').all() as {
    events: number
    bytes: number
  }[]
  let { version, trimmed, next } = state!
  let { events, bytes } = total!

  const insert = database.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertContent = database.prepare('INSERT INTO content VALUES (?, ?, ?)')
  const update = database.prepare(
    'UPDATE record SET version = ?, at_ms = ?, id = ?, source = ?, type = ?, subject = ?, state = ?, bytes = ? WHERE n = ?',
  )
  const updateBody = database.prepare('UPDATE content SET body = ? WHERE n = ?')
  const updateContent = database.prepare('UPDATE content SET body = ?, data = ? WHERE n = ?')
  const setState = database.prepare('UPDATE state SET version = ?, trimmed = ?, next = ?')
  const byPlace = database.prepare(
    `${SELECT} WHERE namespace = ? AND origin_name = ? AND position = ? AND origin_kind = ? ORDER BY record.n DESC LIMIT 1`,
  )
  const byNumber = database.prepare(`${SELECT} WHERE record.n = ?`)
  const data = database.prepare('SELECT data FROM content WHERE n = ?')
  const oldest = database.prepare('SELECT n, bytes, at_ms AS atMs FROM record ORDER BY n LIMIT ?')
  const since = database.prepare(`${SELECT} WHERE version > ? ORDER BY version`)
  const sinceIn = database.prepare(`${SELECT} WHERE version > ? AND namespace = ? ORDER BY version`)
  const goingTotal = database.prepare('SELECT count(*) AS events, coalesce(sum(bytes), 0) AS bytes FROM record WHERE n <= ?')
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

  /** Returns what the record takes now. */
  const put = ({ n, uid, version: at, created, record, isNew, data: payload }: JournalWrite['records'][number]): number => {
    const { identity, origin, offset, atMs } = record
    const { id, source, type } = identity
    const subject = identity.subject ?? null
    const body = JSON.stringify(record)
    const size = ROW_BYTES + body.length + (record.dataKept ?? 0)
    if (isNew) {
      const { namespace, kind, name } = origin
      insert.run(n, uid, at, created, namespace, kind, name, offset, atMs, id, source, type, subject, stateOf(record), size)
      insertContent.run(n, body, payload ?? null)
    } else {
      update.run(at, atMs, id, source, type, subject, stateOf(record), size, n)
      if (payload) updateContent.run(body, payload, n)
      else updateBody.run(body, n)
    }
    return size
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
    oldest: (limit) => oldest.all(limit) as { n: number; bytes: number; atMs: number }[],
    write(write) {
      let added = 0
      let grown = 0
      inTransaction(() => {
        for (const record of write.records) {
          const size = put(record)
          grown += size - (record.isNew ? 0 : record.bytes)
          record.bytes = size
          if (record.isNew) added++
        }
        setState.run(write.version, trimmed, write.next)
      })
      version = write.version
      next = write.next
      events += added
      bytes += grown
    },
    forget(upTo, at) {
      const [going] = goingTotal.all(upTo) as { events: number; bytes: number }[]
      inTransaction(() => {
        removeContent.run(upTo)
        remove.run(upTo)
        setState.run(at, at, next)
      })
      version = at
      trimmed = at
      events -= going!.events
      bytes -= going!.bytes
    },
    close: () => database.close(),
  }
}
