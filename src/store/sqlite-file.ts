import { randomBytes } from 'node:crypto'
import { accessSync, closeSync, constants, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { damagedStore, eachRow, isDamage, type OpenDatabase, type SqliteDatabase, storageErrorFrom } from './sqlite-engine.js'
import { type ChangeRow, checksumOf, type FileKind, type Formats, migrate, STORE_FILE, syncToDisk } from './sqlite-format.js'
import { StorageError, StoreFormatError } from './store.js'

/** What one sync makes durable, all of it or nothing. */
export interface Commit {
  rows: readonly ChangeRow[]
  /** Versions of changes that nobody needs any more. */
  forget: readonly number[]
  trimmed: number
  reserved: number
}

/** The two numbers kept beside the changes (sqlite-format.ts says what they are). */
export interface Marks {
  trimmed: number
  reserved: number
}

/** A store file that was read and found good. */
export interface ReadStoreFile {
  readonly marks: Marks
  /** Opens it for writing. Throws a StorageError, EBUSY when another process has it or has changed it since. */
  hold(): StoreFile
}

/** An open store file, held under an exclusive lock. */
export interface StoreFile {
  /** Returns when it is on disk. Throws a StorageError with nothing changed. */
  commit(commit: Commit): void
  /** Writes the marks and lets go of the file. Throws a StorageError when they could not be written. */
  close(marks: Marks): void
}

/** Rows are handed on in portions of about this many characters. */
const PORTION_CHARACTERS = 1_000_000
const PAGE_BYTES = 4096
/** What the write-ahead log may keep of the disk after a burst. */
const LOG_BYTES = 8 * 1024 * 1024

/**
 * Reads a store file, made new when there is none, and hands all its changes to `onRows` in order of version. It is read
 * through and checked before anything can write to it. Throws StorageError (no such directory, no permission, open
 * elsewhere), StoreFormatError (newer than this program) or CorruptStoreError (with the file left as it is). A file of an
 * older format is brought up to date; `onMigrated` is told where the copy is.
 */
export function readStoreFile(options: {
  open: OpenDatabase
  path: string
  maxFileBytes?: number | undefined
  formats?: Formats
  onRows: (rows: ChangeRow[]) => void
  onMigrated: (backup: string) => void
}): ReadStoreFile {
  const { open, path, formats = STORE_FILE.formats } = options
  return readable(path, () => {
    prepareFile({ open, path, kind: { ...STORE_FILE, formats }, onMigrated: options.onMigrated })
    const read = readThrough(open, path, options.onRows)
    const { trimmed, reserved } = read
    return { marks: { trimmed, reserved }, hold: () => readable(path, () => openForWriting(open, path, read, options.maxFileBytes)) }
  })
}

/** Runs the opening of a file; what SQLite and the system say of it becomes an error that names the file and the way out. */
export function readable<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (isDamage(error)) throw damagedStore(path, (error as Error).message)
    throw storageErrorFrom(error, path, 'open')
  }
}

/** Sees to it that a file of this kind and of its current format is there: made new, or brought up to date beside a copy. */
export function prepareFile(options: { open: OpenDatabase; path: string; kind: FileKind; onMigrated: (backup: string) => void }): void {
  const { open, path, kind } = options
  accessSync(dirname(path), constants.W_OK)
  if (isThere(path)) accessSync(path, constants.R_OK | constants.W_OK)
  else create(open, path, kind)

  const format = readFormat(open, path, kind)
  if (format < kind.formats.current) options.onMigrated(migrate(open, path, format, kind.formats))
}

/** Whether there is a store file to read; throws for what only looks like one or has lost its other half. */
function isThere(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false })
  if (file?.isDirectory()) throw new StorageError('EISDIR', `cannot open ${path}: it is a directory (EISDIR)`)
  if (file && !file.isFile()) throw new StorageError('EINVAL', `cannot open ${path}: it is not a regular file (EINVAL)`)
  // A new file gets its name only when it is complete, so an empty one has lost what was in it.
  if (file?.size === 0) throw damagedStore(path, 'it is empty')
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  if (!file && log && log.size > 0) throw damagedStore(path, `it is gone, but ${path}-wal with its newest changes is still there`)
  return file !== undefined
}

/** Makes a new file under another name first, so that a crash leaves either none or a whole one. */
function create(open: OpenDatabase, path: string, kind: FileKind): void {
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.new`
  // Made by hand for the mode, and because the system's own error says more than SQLite's.
  closeSync(openSync(unfinished, 'wx', 0o600))
  try {
    const database = open(unfinished)
    try {
      database.exec(
        `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`,
      )
      kind.writeEmpty(database)
    } finally {
      database.close()
    }
    syncToDisk(unfinished)
    giveName(unfinished, path)
    syncToDisk(dirname(path))
  } finally {
    for (const suffix of ['', '-wal', '-shm']) rmSync(unfinished + suffix, { force: true })
  }
}

function giveName(unfinished: string, path: string): void {
  try {
    // Unlike a rename, a link never replaces the file that another process made in the meantime.
    linkSync(unfinished, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    renameSync(unfinished, path)
  }
}

/** Reads without the right to write: closing such a connection moves nothing from the log into a file that may be damaged. */
export function reading<T>(open: OpenDatabase, path: string, read: (database: SqliteDatabase) => T): T {
  const database = open(path, { readOnly: true })
  try {
    database.exec('BEGIN')
    const result = read(database)
    database.exec('COMMIT')
    return result
  } finally {
    database.close()
  }
}

function readFormat(open: OpenDatabase, path: string, { applicationId: expected, formats: { current, migrations } }: FileKind): number {
  const [applicationId, format] = reading(open, path, (database) => {
    let header: [number, number] = [0, 0]
    eachRow(database, 'application_id, user_version', 'pragma_application_id, pragma_user_version', (id, version) => {
      header = [Number(id), Number(version)]
    })
    return header
  })
  if (applicationId !== expected) throw damagedStore(path, 'it is not a store of this program')
  if (format > current) throw new StoreFormatError(path, format, current)
  for (let step = format; step < current; step++)
    if (!migrations[step]) throw damagedStore(path, `it has format ${format}, which never was`)
  return format
}

function readThrough(open: OpenDatabase, path: string, onRows: (rows: ChangeRow[]) => void): Extent {
  return reading(open, path, (database) => {
    quickCheck(database, path)
    let portion: ChangeRow[] = []
    let characters = 0
    eachRow(database, 'version, resource, namespace, name, deleted, object, checksum', 'change ORDER BY version', (...values) => {
      const checksum = values.pop()
      const row = values as ChangeRow
      if (checksumOf(...row) !== checksum) throw damagedStore(path, `the change at version ${row[0]} does not match its checksum`)
      portion.push(row)
      characters += row[5].length
      if (characters < PORTION_CHARACTERS) return
      onRows(portion)
      portion = []
      characters = 0
    })
    onRows(portion)
    return readExtent(database, path)
  })
}

/** Throws a CorruptStoreError where the pages of a file do not fit together. */
export function quickCheck(database: SqliteDatabase, path: string): void {
  eachRow(database, 'quick_check', 'pragma_quick_check', (finding) => {
    if (finding !== 'ok') throw damagedStore(path, String(finding))
  })
}

/** The marks and the newest change: no commit leaves all three as they were. */
type Extent = Marks & { newest: number }

function readExtent(database: SqliteDatabase, path: string): Extent {
  let newest = 0
  eachRow(database, 'max(version)', 'change', (version) => {
    newest = Number(version)
  })
  return { ...readMarks(database, path), newest }
}

function readMarks(database: SqliteDatabase, path: string): Marks {
  const found: Marks[] = []
  eachRow(database, 'trimmed, reserved, checksum', 'state', (trimmed, reserved, checksum) => {
    const marks = { trimmed: Number(trimmed), reserved: Number(reserved) }
    if (checksumOf(marks.trimmed, marks.reserved) !== checksum) throw damagedStore(path, 'its state does not match its checksum')
    found.push(marks)
  })
  if (!found[0] || found.length > 1) throw damagedStore(path, `it has ${found.length} states instead of one`)
  return found[0]
}

/** Takes the exclusive lock, with every commit synced. Throws as SQLite does when another process has the file. */
export function lockForWriting(database: SqliteDatabase): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  // What is removed (the values of a Secret, say) is overwritten wherever its page is written anyway.
  database.exec(`PRAGMA secure_delete = FAST; PRAGMA journal_size_limit = ${LOG_BYTES}; BEGIN IMMEDIATE; COMMIT`)
}

/** Tidies up behind the reading, once the lock is held, and sets how large the file may become. */
export function afterLock(database: SqliteDatabase, path: string, maxFileBytes: number | undefined): void {
  // Left by the reading; under this lock the index of the log is kept in memory.
  rmSync(`${path}-shm`, { force: true })
  if (maxFileBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.floor(maxFileBytes / PAGE_BYTES)}`)
}

/** Does all of `work` or nothing, and returns when it is on disk. Throws a StorageError when the disk refuses. */
export function inTransaction(database: SqliteDatabase, path: string, work: () => void): void {
  try {
    database.exec('BEGIN IMMEDIATE')
    work()
    database.exec('COMMIT')
  } catch (error) {
    try {
      database.exec('ROLLBACK')
    } catch {
      // SQLite rolls back by itself after some errors, and then there is nothing left to undo.
    }
    throw storageErrorFrom(error, path, 'write to')
  }
}

function openForWriting(open: OpenDatabase, path: string, read: Extent, maxFileBytes: number | undefined): StoreFile {
  const database = open(path)
  try {
    lockForWriting(database)
    const now = readExtent(database, path)
    // Between the reading and this lock another process may have had the file.
    if (now.newest !== read.newest || now.trimmed !== read.trimmed || now.reserved !== read.reserved)
      throw new StorageError('EBUSY', `cannot open ${path}: another process has just changed it (EBUSY)`)
    afterLock(database, path, maxFileBytes)
  } catch (error) {
    database.close()
    throw error
  }

  const insert = database.prepare('INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?)')
  const remove = database.prepare('DELETE FROM change WHERE version = ?')
  const setMarks = database.prepare('UPDATE state SET trimmed = ?, reserved = ?, checksum = ?')
  let { trimmed, reserved } = read

  const putMarks = (next: Marks): void => {
    if (next.trimmed !== trimmed || next.reserved !== reserved)
      setMarks.run(next.trimmed, next.reserved, checksumOf(next.trimmed, next.reserved))
  }

  return {
    commit(commit) {
      inTransaction(database, path, () => {
        for (const row of commit.rows) insert.run(...row, checksumOf(...row))
        for (const version of commit.forget) remove.run(version)
        putMarks(commit)
      })
      trimmed = commit.trimmed
      reserved = commit.reserved
    },
    close(last) {
      try {
        inTransaction(database, path, () => putMarks(last))
      } finally {
        database.close()
      }
    },
  }
}
