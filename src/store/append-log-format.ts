import { crc32 } from 'node:zlib'
import type { SqliteDatabase } from './sqlite-engine.js'
import { checksumOf, type FileKind } from './sqlite-format.js'

/** Marks the file as append-only logs of this program in SQLite's header ("knlg"). */
const APPLICATION_ID = 0x6b6e6c67
const FORMAT = 1

/**
 * One sequence of offsets for all logs of a file: a log that is removed and made again does not repeat any. `forgotten` in
 * `state` is the highest offset that was ever deleted, so that they go on even when nothing is left. A position says that all
 * offsets up to `passed` are done but those in `undone`, a JSON array.
 */
const SCHEMA = `
  CREATE TABLE log (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL) STRICT;
  CREATE TABLE record (offset INTEGER PRIMARY KEY, log INTEGER NOT NULL, bytes BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;
  CREATE INDEX record_of_log ON record (log);
  CREATE TABLE position (
    log INTEGER NOT NULL,
    consumer TEXT NOT NULL,
    passed INTEGER NOT NULL,
    undone TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (log, consumer)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE state (forgotten INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT;
`

/** The checksum of a record: its bytes, bound to its place. */
export function recordChecksum(log: number, offset: number, bytes: Uint8Array): number {
  const place = crc32(`${log}\n${offset}\n`)
  // Of no bytes zlib says 0 or the value it is given, as the pointer happens to be.
  return bytes.length === 0 ? place : crc32(bytes, place)
}

function writeEmptyLogs(database: SqliteDatabase): void {
  // So that what a burst took can be given back to the disk later.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
  database.exec(`
    BEGIN;
    ${SCHEMA}
    INSERT INTO state VALUES (0, ${checksumOf(0)});
    PRAGMA user_version = ${FORMAT};
    COMMIT;
  `)
}

/** The file of the append-only logs. */
export const LOGS_FILE: FileKind = {
  applicationId: APPLICATION_ID,
  formats: { current: FORMAT, migrations: {} },
  writeEmpty: writeEmptyLogs,
}
