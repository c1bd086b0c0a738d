import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSeededRandom } from '../../../src/base/random.js'
import { loadSqlite } from '../../../src/store/sqlite-engine.js'
import { readStoreFile } from '../../../src/store/sqlite-file.js'
import type { ChangeRow, Formats } from '../../../src/store/sqlite-format.js'
import { CorruptStoreError, StoreFormatError } from '../../../src/store/store.js'
import { aConfigMap, aDirectory, configMapKey, openStore, put } from '../../support/store.js'

const open = loadSqlite()
let directory: ReturnType<typeof aDirectory>
let path = ''
beforeEach(() => {
  directory = aDirectory()
  path = join(directory.path, 'store.db')
})
afterEach(() => directory.remove())

/** A closed store of `objects` ConfigMaps, each written once, in one file. */
async function aClosedStore(objects = 40): Promise<void> {
  const store = await openStore(path)
  for (let number = 0; number < objects; number++)
    await store.write(configMapKey(`o${number}`), put(aConfigMap(`o${number}`, `text of ${number} `.repeat(number))))
  await store.close()
}

/** Opens the file as the program does and hands back why that was refused. */
async function refusal(): Promise<unknown> {
  const store = await openStore(path).catch((error: unknown) => error)
  if (store instanceof Error) return store
  throw new Error('the store was opened')
}

/** Changes the file through SQLite, as somebody with a database browser would. */
function meddle(sql: string): void {
  const database = open(path)
  database.exec(sql)
  database.close()
}

function readRows(file: string, formats?: Formats): ChangeRow[] {
  const rows: ChangeRow[] = []
  readStoreFile({ open, path: file, ...(formats && { formats }), onRows: (portion) => rows.push(...portion), onMigrated() {} })
  return rows
}

describe('a damaged store is refused and left as it is', () => {
  test.each<[what: string, says: string, damage: () => void]>([
    ['whose objects were changed by one bit', 'does not match its checksum', () => flipBit(readFileSync(path).indexOf('text of 7'))],
    ['that is not a database', 'not a database', () => writeFileSync(path, 'kind: ConfigMap\n'.repeat(1000))],
    ['that is empty', 'it is empty', () => writeFileSync(path, '')],
    ['that was cut short', '', () => truncateSync(path, 3 * 4096)],
    ['with a page of noise', '', () => writeFileSync(path, withNoise(readFileSync(path), 2 * 4096, 4096))],
    ['with an object that is no JSON', 'checksum', () => meddle(`UPDATE change SET object = '{"apiVersion":' WHERE version = 3`)],
    ['that lost a table', 'no such table', () => meddle('DROP TABLE state')],
    ['that lost its state', '0 states', () => meddle('DELETE FROM state')],
    ['whose state was changed', 'its state does not match', () => meddle('UPDATE state SET trimmed = 7')],
    ['of another program', 'not a store of this program', () => meddle('PRAGMA application_id = 7')],
    ['of a format that never was', 'format 0, which never was', () => meddle('PRAGMA user_version = 0')],
  ])('%s', async (_what, says, damage) => {
    await aClosedStore()
    damage()
    const before = readFileSync(path)

    const error = await refusal()
    expect(error).toBeInstanceOf(CorruptStoreError)
    expect(error).toMatchObject({ path })
    expect((error as Error).message).toContain(`the store ${path} is damaged: `)
    expect((error as Error).message).toContain(says)
    expect((error as Error).message).toContain('begin with an empty store')
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('whose file is gone while the log with its newest changes is there', async () => {
    writeFileSync(`${path}-wal`, 'changes')
    expect(await refusal()).toMatchObject({
      name: 'CorruptStoreError',
      message: expect.stringContaining(`${path}-wal with its newest changes is still there`),
    })
    expect(readdirSync(directory.path)).toEqual(['store.db-wal'])
  })

  test('whose log holds changes: they are not moved into it', async () => {
    const store = await openStore(path)
    await store.write(configMapKey('a'), put(aConfigMap('a', 'recognisable')))
    const copy = join(directory.path, 'copy.db')
    copyFileSync(path, copy)
    writeFileSync(`${copy}-wal`, readFileSync(`${path}-wal`))
    await store.close()
    path = copy
    // A change made through another connection, so that its frame in the log is in order but its checksum is not.
    const other = open(path)
    other.exec(`UPDATE change SET object = '{}'`)
    const before = [readFileSync(path), readFileSync(`${path}-wal`)]

    expect(await refusal()).toBeInstanceOf(CorruptStoreError)
    expect([readFileSync(path), readFileSync(`${path}-wal`)]).toEqual(before)
    // Only now: a connection that nobody holds any more is closed whenever memory is tidied up, and moves the log.
    other.close()
  })

  test('wherever a bit flips, it is noticed or nothing that is stored has changed', async () => {
    await aClosedStore()
    const whole = readFileSync(path)
    const stored = readRows(path)
    const random = createSeededRandom(20260)
    let noticed = 0
    for (let round = 0; round < 400; round++) {
      const at = Math.floor(random.float() * whole.length)
      const damaged = Buffer.from(whole)
      damaged[at]! ^= 1 << Math.floor(random.float() * 8)
      const file = join(directory.path, `flipped-${round}.db`)
      writeFileSync(file, damaged)
      try {
        expect(readRows(file), `bit flipped in byte ${at}`).toEqual(stored)
      } catch (error) {
        if (!(error instanceof CorruptStoreError || error instanceof StoreFormatError)) throw error
        noticed++
      }
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    }
    expect(noticed).toBeGreaterThan(100)
  })

  function flipBit(at: number): void {
    expect(at).toBeGreaterThan(0)
    const bytes = readFileSync(path)
    bytes[at]! ^= 1
    writeFileSync(path, bytes)
  }

  function withNoise(bytes: Buffer, from: number, length: number): Buffer {
    createSeededRandom(7).bytes(length).copy(bytes, from)
    return bytes
  }
})

describe('a torn log', () => {
  /** Ten acknowledged writes that are still in the log, copied while the store is open: what a crash leaves. */
  async function aCrashedStore(): Promise<{ log: Buffer; restore: (log: Buffer) => void }> {
    const live = join(directory.path, 'live.db')
    const store = await openStore(live)
    for (let number = 1; number <= 10; number++) await store.write(configMapKey('a'), put(aConfigMap('a', `write ${number}`)))
    const main = readFileSync(live)
    const log = readFileSync(`${live}-wal`)
    await store.close()
    return {
      log,
      restore: (torn) => {
        rmSync(`${path}-shm`, { force: true })
        writeFileSync(path, main)
        writeFileSync(`${path}-wal`, torn)
      },
    }
  }

  test('that is whole gives back every acknowledged write', async () => {
    const { log, restore } = await aCrashedStore()
    restore(log)
    const store = await openStore(path)
    expect(store.list('configmaps')).toMatchObject({ version: 10, items: [{ data: { text: 'write 10' } }] })
    await store.close()
  })

  test.each<[how: string, tear: (log: Buffer) => Buffer]>([
    ['cut in its last frame', (log) => log.subarray(0, log.length - 100)],
    ['with noise in its last frame', (log) => Buffer.concat([log.subarray(0, log.length - 64), createSeededRandom(3).bytes(64)])],
  ])('%s loses only the write that was under way', async (_how, tear) => {
    const { log, restore } = await aCrashedStore()
    restore(tear(log))
    const store = await openStore(path)
    expect(store.list('configmaps')).toMatchObject({ version: 9, items: [{ data: { text: 'write 9' } }] })
    const { version } = await store.write(configMapKey('a'), put(aConfigMap('a', 'after the crash')))
    await store.close()

    const again = await openStore(path)
    expect(again.list('configmaps')).toMatchObject({ version, items: [{ data: { text: 'after the crash' } }] })
    expect(version).toBeGreaterThan(9)
    await again.close()
  })

  test.each<[how: string, tear: (log: Buffer, at: number, bit: number) => Buffer]>([
    ['cut anywhere', (log, at) => log.subarray(0, at)],
    ['with one bit flipped anywhere', withFlippedBit],
  ])('%s gives back the store as it was after one of the writes, never a mixture', async (_how, tear) => {
    const { log, restore } = await aCrashedStore()
    const random = createSeededRandom(11)
    const seen = new Set<number>()
    for (let round = 0; round < 60; round++) {
      restore(tear(log, Math.floor(random.float() * log.length), Math.floor(random.float() * 8)))
      const rows = readRows(path)
      expect(rows.map(([version, , , , , object]) => `${version} ${JSON.parse(object).data.text}`)).toEqual(
        Array.from({ length: rows.length }, (_, index) => `${index + 1} write ${index + 1}`),
      )
      seen.add(rows.length)
    }
    expect(seen.size).toBeGreaterThan(5)
  })

  test('with a bit flipped in its middle gives no version out again that anybody may have seen', async () => {
    const { log, restore } = await aCrashedStore()
    restore(withFlippedBit(log, log.indexOf('write 6'), 0))
    const store = await openStore(path)
    expect(store.list('configmaps')).toMatchObject({ version: 5, items: [{ data: { text: 'write 5' } }] })
    const { version } = await store.write(configMapKey('a'), put(aConfigMap('a', 'after the crash')))
    expect(version).toBeGreaterThan(10)
    await store.close()
  })

  function withFlippedBit(log: Buffer, at: number, bit: number): Buffer {
    const flipped = Buffer.from(log)
    flipped[at]! ^= 1 << bit
    return flipped
  }
})

describe('formats', () => {
  test('a newer format is refused with the way it is numbered, and left as it is', async () => {
    await aClosedStore()
    meddle('PRAGMA user_version = 9')
    const before = readFileSync(path)
    const error = await refusal()
    expect(error).toBeInstanceOf(StoreFormatError)
    expect(error).toMatchObject({ found: 9, supported: 1, message: `${path} has format 9; this kn reads up to 1` })
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  const upperCased: Formats = {
    current: 3,
    migrations: {
      1: (database) => database.exec('ALTER TABLE change ADD COLUMN note TEXT'),
      2: (database) => database.exec('ALTER TABLE change DROP COLUMN note; CREATE TABLE extra (value INTEGER)'),
    },
  }

  test('an older format is brought up to date step by step, with a copy of what was', async () => {
    await aClosedStore(3)
    const rows = readRows(path)
    const backups: string[] = []
    readStoreFile({ open, path, formats: upperCased, onRows() {}, onMigrated: (backup) => backups.push(backup) })

    expect(backups).toEqual([`${path}.format-1.backup`])
    expect(readRows(backups[0]!)).toEqual(rows)
    expect(readRows(path, upperCased)).toEqual(rows)
    expect(await refusal()).toMatchObject({ name: 'StoreFormatError', found: 3 })
  })

  test('a migration that fails leaves the file in the format it had, and an earlier copy is not overwritten', async () => {
    await aClosedStore(3)
    const rows = readRows(path)
    writeFileSync(`${path}.format-1.backup`, 'an earlier copy')
    const broken: Formats = {
      current: 2,
      migrations: {
        1: (database) => {
          database.exec('DELETE FROM change')
          throw new Error('it went wrong')
        },
      },
    }
    expect(() => readRows(path, broken)).toThrow('it went wrong')
    expect(readRows(path)).toEqual(rows)
    expect(readFileSync(`${path}.format-1.backup`, 'utf8')).toBe('an earlier copy')
    expect(existsSync(`${path}.format-1.backup.2`)).toBe(true)
  })
})
