import { createRequire } from 'node:module'
import { CorruptStoreError, StorageError } from './store.js'

/** What this store uses of the node:sqlite API. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): { run(...values: readonly SqliteValue[]): unknown; all(...values: readonly SqliteValue[]): unknown[] }
  function(name: string, options: { varargs: boolean }, callback: (...values: SqliteValue[]) => null): void
  close(): void
}

export type SqliteValue = string | number | Uint8Array | null

/** Opens a database file; throws as the SQLite library does (`storageErrorFrom` makes that readable). */
export type OpenDatabase = (path: string, options?: { readOnly?: boolean }) => SqliteDatabase

interface SqliteModule {
  DatabaseSync: new (path: string, options: { readOnly?: boolean }) => SqliteDatabase
}

/**
 * The SQLite of this Node: built in from 22.13 on, otherwise the package with the same API. Node's own warning that its
 * SQLite is experimental is not shown.
 */
export function loadSqlite(): OpenDatabase {
  const require = createRequire(import.meta.url)
  const { DatabaseSync } = (
    hasBuiltIn() ? withoutExperimentalWarning(() => require('node:sqlite')) : require('@photostructure/sqlite')
  ) as SqliteModule
  return (path, options = {}) => new DatabaseSync(path, options)
}

function hasBuiltIn(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}

function withoutExperimentalWarning<T>(load: () => T): T {
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, [warning, ...rest])
  }) as typeof process.emitWarning
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

/**
 * Calls back with the columns of every row. Leaves no statement behind: the package for Node 20 cannot finalize one, and a
 * connection with an open statement keeps its lock on the file after it is closed.
 */
export function eachRow(database: SqliteDatabase, columns: string, from: string, callback: (...values: SqliteValue[]) => void): void {
  database.function('each_row', { varargs: true }, (...values) => {
    callback(...values)
    return null
  })
  database.exec(`SELECT each_row(${columns}) FROM ${from}`)
}

/** SQLite's result codes, by number: which system error stands behind them, and how to say it. */
const SYSTEM_ERRORS: Record<number, { code: string; why: string }> = {
  3: { code: 'EACCES', why: 'permission denied' },
  5: { code: 'EBUSY', why: 'it is open in another process' },
  6: { code: 'EBUSY', why: 'it is open in another process' },
  7: { code: 'ENOMEM', why: 'out of memory' },
  8: { code: 'EROFS', why: 'it is read-only' },
  10: { code: 'EIO', why: 'input/output error' },
  13: { code: 'ENOSPC', why: 'no space left on the disk' },
  14: { code: 'EIO', why: 'a file cannot be opened' },
}

/** SQLITE_CORRUPT, SQLITE_NOTADB, and SQLITE_ERROR: our statements never change, so then a table or column is missing. */
const DAMAGED = [11, 26, 1]

/** Whether an error comes from SQLite and says that the file's content makes no sense. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error)
  return code !== undefined && DAMAGED.includes(code)
}

/** What an error of SQLite or of the file system means for `path`; any other error is returned unchanged. */
export function storageErrorFrom(error: unknown, path: string, doing: 'open' | 'write to'): unknown {
  if (error instanceof StorageError || error instanceof CorruptStoreError) return error
  const result = resultCode(error)
  if (result !== undefined) {
    const { code, why } = SYSTEM_ERRORS[result] ?? { code: `SQLITE_${result}`, why: (error as Error).message }
    return new StorageError(code, `cannot ${doing} ${path}: ${why} (${code})`)
  }
  const { code, syscall } = error as NodeJS.ErrnoException
  return code && syscall ? new StorageError(code, `cannot ${doing} ${path}: ${systemText(code)} (${code})`) : error
}

/** SQLite's primary result code (the low byte of the extended one), or undefined for other errors. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | undefined)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

function systemText(code: string): string {
  const texts: Record<string, string> = {
    ENOENT: 'its directory does not exist',
    ENOTDIR: 'a part of the path is not a directory',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left on the disk',
    EDQUOT: 'the disk quota is used up',
    EMFILE: 'too many open files',
    ENAMETOOLONG: 'the path is too long',
  }
  return texts[code] ?? 'the system refused'
}

/** The error for a store file that cannot be trusted, and what the person can do about it. */
export function damagedStore(path: string, what: string): CorruptStoreError {
  return new CorruptStoreError(
    path,
    `the store ${path} is damaged: ${what}. Nothing in it was changed. Put a good copy in its place, or move ${path} and ${path}-wal away to begin with an empty store`,
  )
}
