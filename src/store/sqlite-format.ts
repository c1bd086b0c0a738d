import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { OpenDatabase, SqliteDatabase } from './sqlite-engine.js'

/** Marks the file as a store of this program in SQLite's header ("knlo"). */
export const APPLICATION_ID = 0x6b6e6c6f

/** Turns a file of one format into the next, inside a transaction that also writes the new number. */
export type Migration = (database: SqliteDatabase) => void

/** Which formats there are. The number is SQLite's user_version. */
export interface Formats {
  current: number
  /** By the format they start from. */
  migrations: Readonly<Record<number, Migration>>
}

/** A kind of file: what marks it, its formats, how an empty one of the newest format is made. */
export interface FileKind {
  /** In SQLite's header. */
  applicationId: number
  formats: Formats
  /** In an empty database; sets application_id and user_version too. */
  writeEmpty(database: SqliteDatabase): void
}

/** The formats this program knows; the first is 1. */
export const STORE_FORMATS: Formats = { current: 1, migrations: {} }

/**
 * The tables of the newest format. One table of changes is both the objects and the history: the newest change of an object that is not a deletion is its
 * state, and a change goes once it is neither that nor needed by a watch that resumes. `trimmed` in `state` is the version
 * up to which changes have left the history; `reserved` the version up to which numbers may have been given out.
 */
const SCHEMA = `
  CREATE TABLE change (
    version INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    object TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE state (trimmed INTEGER NOT NULL, reserved INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
`

/** A change as it is kept on disk; `deleted` is 0 or 1, the namespace of a cluster-scoped object is empty. */
export type ChangeRow = [version: number, resource: string, namespace: string, name: string, deleted: number, object: string]

/** The checksum of a row of either table. quick_check sees that the file hangs together, this that no text in it changed. */
export function checksumOf(...values: readonly (string | number)[]): number {
  return crc32(values.join('\n'))
}

/** Makes an empty store of the newest format in an empty database. */
export function writeEmptyStore(database: SqliteDatabase): void {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
  database.exec(`
    BEGIN;
    ${SCHEMA}
    INSERT INTO state VALUES (0, 0, ${checksumOf(0, 0)});
    PRAGMA user_version = ${STORE_FORMATS.current};
    COMMIT;
  `)
}

/** The file of the objects. */
export const STORE_FILE: FileKind = { applicationId: APPLICATION_ID, formats: STORE_FORMATS, writeEmpty: writeEmptyStore }

/**
 * Brings a store file from format `from` to the current one, step by step, after a copy was put beside it. Returns the path
 * of the copy. When a step fails the file is still of the format that step began with, and the error is passed on.
 */
export function migrate(open: OpenDatabase, path: string, from: number, { current, migrations }: Formats): string {
  const database = open(path)
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT')
    const backup = freeName(`${path}.format-${from}.backup`)
    database.exec(`VACUUM INTO '${backup.replaceAll("'", "''")}'`)
    syncToDisk(backup)
    syncToDisk(dirname(backup))
    for (let format = from; format < current; format++) {
      database.exec('BEGIN IMMEDIATE')
      try {
        migrations[format]!(database)
        database.exec(`PRAGMA user_version = ${format + 1}; COMMIT`)
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    }
    return backup
  } finally {
    database.close()
  }
}

/** Makes a file's content, or the names in a directory, survive a power failure. */
export function syncToDisk(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function freeName(wanted: string): string {
  let name = wanted
  for (let number = 2; existsSync(name); number++) name = `${wanted}.${number}`
  return name
}
