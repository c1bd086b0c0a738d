import { cpSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { type AppendLogs, openAppendLogs } from '../../../src/store/append-log.js'
import { eachRow, loadSqlite } from '../../../src/store/sqlite-engine.js'
import { aDirectory, LOGS_WORKER } from '../../support/store.js'

let directory: ReturnType<typeof aDirectory>
let path = ''
const opened: AppendLogs[] = []
beforeEach(() => {
  directory = aDirectory()
  path = join(directory.path, 'events.db')
})
afterEach(async () => {
  for (const logs of opened.splice(0)) await logs.close()
  directory.remove()
})

async function open(at = path, options: { maxFileBytes?: number } = {}): Promise<AppendLogs> {
  const logs = await openAppendLogs({ path: at, workerFile: LOGS_WORKER, log: createSilentLogger(), ...options })
  opened.push(logs)
  return logs
}
const ALL = { records: 10_000, bytes: 100_000_000 }
const texts = async (logs: AppendLogs, name: string, after = 0): Promise<string[]> =>
  (await logs.log(name).read(after, ALL)).map(({ bytes }) => bytes.toString())
const appendTexts = (logs: AppendLogs, name: string, ...each: string[]): Promise<number[]> =>
  Promise.all(each.map((text) => logs.log(name).append(Buffer.from(text))))
const countRecords = (): number => {
  const database = loadSqlite()(path, { readOnly: true })
  let rows = 0
  eachRow(database, 'count(*)', 'record', (count) => {
    rows = Number(count)
  })
  database.close()
  return rows
}

describe('records', () => {
  test('each log has its own records, in the order in which they were appended, and offsets are never shared', async () => {
    const logs = await open()
    const [a, b] = await Promise.all([appendTexts(logs, 'a', 'a1', 'a2', 'a3'), appendTexts(logs, 'b', 'b1', 'b2')])
    expect(a).toEqual([...a].sort((one, other) => one - other))
    expect(new Set([...a, ...b]).size).toBe(5)
    expect(await texts(logs, 'a')).toEqual(['a1', 'a2', 'a3'])
    expect(await texts(logs, 'b')).toEqual(['b1', 'b2'])
    expect(logs.log('a').head).toBe(a[2])
  })

  test('are read from behind an offset, no more than asked for, but at least one however large it is', async () => {
    const logs = await open()
    const offsets = await appendTexts(logs, 'a', 'x'.repeat(100), 'y'.repeat(100), 'z'.repeat(100))
    const read = async (after: number, records: number, bytes: number) =>
      (await logs.log('a').read(after, { records, bytes })).map((record) => record.bytes.toString()[0])
    expect(await read(0, 2, 1000)).toEqual(['x', 'y'])
    expect(await read(0, 9, 250)).toEqual(['x', 'y'])
    expect(await read(offsets[0]!, 9, 1)).toEqual(['y'])
    expect(await read(offsets[2]!, 9, 1000)).toEqual([])
  })

  test('survive a restart with every byte, and offsets go on', async () => {
    const bytes = createSeededRandom(1).bytes(3000)
    const first = await open()
    const offset = await first.log('a').append(bytes)
    await first.log('a').append(Buffer.alloc(0))
    await first.close()

    const second = await open()
    const found = await second.log('a').read(0, ALL)
    expect(found.map((record) => record.bytes.equals(bytes))).toEqual([true, false])
    expect(found[1]!.bytes).toHaveLength(0)
    expect(second.names()).toEqual(['a'])
    expect((await appendTexts(second, 'a', 'next'))[0]).toBeGreaterThan(offset + 1)
  })

  test('many appends at once share few syncs', async () => {
    const logs = await open()
    const log = logs.log('a')
    let isDone = false
    const first = log.append(Buffer.from('first')).then(() => {
      isDone = true
    })
    const rest = Array.from({ length: 500 }, (_, index) => log.append(Buffer.from(String(index))))
    expect(isDone).toBe(false)
    await first
    const offsets = await Promise.all(rest)
    expect(offsets).toEqual(Array.from({ length: 500 }, (_, index) => offsets[0]! + index))
  })

  test('of a log that is removed are gone, and its name begins anew with offsets of its own', async () => {
    const logs = await open()
    const [before] = await appendTexts(logs, 'a', 'old')
    await logs.log('a').save('c', { passed: before!, undone: [] })
    const late = logs.log('a')
    await logs.remove('a')
    await expect(late.append(Buffer.from('late'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(logs.names()).toEqual([])
    await logs.close()
    expect(countRecords()).toBe(0)

    const again = await open()
    expect(again.log('a').consumers()).toEqual([])
    expect((await appendTexts(again, 'a', 'new'))[0]).toBeGreaterThan(before!)
  })
})

describe('positions', () => {
  test('survive a restart, the newest that was saved', async () => {
    const first = await open()
    const log = first.log('a')
    await Promise.all([
      log.save('c', { passed: 3, undone: [] }),
      log.save('c', { passed: 9, undone: [4, 7] }),
      log.save('d', { passed: 1, undone: [] }),
    ])
    await log.forget('d')
    await first.close()
    const second = (await open()).log('a')
    expect(second.consumers()).toEqual(['c'])
    expect(second.position('c')).toEqual({ passed: 9, undone: [4, 7] })
  })

  test('of a name like a property of every object are kept like any other', async () => {
    const first = await open()
    await first.log('__proto__').save('constructor', { passed: 2, undone: [] })
    await first.close()
    expect((await open()).log('__proto__').position('constructor')).toEqual({ passed: 2, undone: [] })
  })
})

describe('trimming', () => {
  test('lets go of old records with the next sync, but for the newest that are to be kept', async () => {
    const logs = await open()
    const log = logs.log('a')
    const offsets = await appendTexts(logs, 'a', '1', '2', '3', '4', '5')
    log.trim(offsets[2]!)
    await log.save('c', { passed: offsets[2]!, undone: [] })
    expect(await texts(logs, 'a')).toEqual(['4', '5'])
    log.trim(offsets[4]!, 1)
    await log.save('c', { passed: offsets[4]!, undone: [] })
    expect(await texts(logs, 'a')).toEqual(['5'])
  })

  test('of everything does not make offsets go back, however the process ends', async () => {
    const first = await open()
    const [, last] = await appendTexts(first, 'a', '1', '2')
    first.log('a').trim(last!)
    await first.close()
    const second = await open()
    expect(second.log('a').head).toBe(last)
    expect((await appendTexts(second, 'a', '3'))[0]).toBe(last! + 1)
  })
})

describe('what goes wrong', () => {
  test('a full disk refuses appends, keeps what is there readable, and takes more once room was made', async () => {
    const logs = await open(path, { maxFileBytes: 400_000 })
    const log = logs.log('a')
    const kept: number[] = []
    const refused: unknown[] = []
    for (let number = 0; number < 60; number++)
      await log.append(Buffer.alloc(10_000, number)).then(
        (offset) => kept.push(offset),
        (error: unknown) => refused.push(error),
      )
    expect(kept.length).toBeGreaterThan(10)
    expect(refused.length).toBeGreaterThan(10)
    expect(refused[0]).toMatchObject({ name: 'StorageError', code: 'ENOSPC' })
    expect((await log.read(0, ALL)).map(({ offset, bytes }) => [offset, bytes[0]])).toEqual(kept.map((offset, index) => [offset, index]))

    log.trim(kept.at(-1)!)
    await log.save('c', { passed: kept.at(-1)!, undone: [] })
    expect(await log.append(Buffer.alloc(10_000))).toBe(kept.at(-1)! + 1)
  })

  test('a log that was cut off in the middle of a write comes back with a whole beginning of what was appended', async () => {
    const logs = await open()
    const appended: string[] = []
    for (let batch = 0; batch < 8; batch++) {
      const some = Array.from({ length: 5 }, (_, index) => `${batch}.${index} ${'x'.repeat(700)}`)
      await appendTexts(logs, 'a', ...some)
      appended.push(...some)
    }
    const whole = statSync(`${path}-wal`).size
    const lengths = new Set<number>()
    for (const cut of [0, 1, 17, 4097, 9000, 20_000, Math.floor(whole / 2)]) {
      const copy = join(directory.path, `copy-${cut}.db`)
      cpSync(path, copy)
      cpSync(`${path}-wal`, `${copy}-wal`)
      truncateSync(`${copy}-wal`, whole - cut)
      const torn = await open(copy)
      const found = await texts(torn, 'a')
      expect(found).toEqual(appended.slice(0, found.length))
      // Batches are there whole or not at all.
      expect(found.length % 5).toBe(0)
      lengths.add(found.length)
      if (found.length > 0) expect(torn.log('a').head).toBe((await torn.log('a').read(0, ALL)).at(-1)!.offset)
    }
    expect(Math.max(...lengths)).toBe(40)
    expect(lengths.size).toBeGreaterThan(2)
  })

  test('a damaged file is refused with its name and the way out, and stays as it is', async () => {
    const logs = await open()
    await appendTexts(logs, 'a', ...Array.from({ length: 50 }, () => 'x'.repeat(500)))
    await logs.close()
    const bytes = readFileSync(path)
    bytes.fill(0xaa, 8192, 12_288)
    writeFileSync(path, bytes)
    await expect(open()).rejects.toMatchObject({ name: 'CorruptStoreError', message: expect.stringContaining(`move ${path}`) })
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('a record whose bytes changed on disk is refused when it is read', async () => {
    const logs = await open()
    await appendTexts(logs, 'a', 'genuine')
    await logs.close()
    const database = loadSqlite()(path)
    database.exec("UPDATE record SET bytes = CAST('forged!' AS BLOB)")
    database.close()
    await expect((await open()).log('a').read(0, ALL)).rejects.toMatchObject({ name: 'CorruptStoreError' })
  })

  test('a file that is open already is refused with EBUSY, a store of objects is no log', async () => {
    await open()
    await expect(open()).rejects.toMatchObject({ code: 'EBUSY' })
    const other = join(directory.path, 'other.db')
    writeFileSync(other, 'SQLite it is not')
    await expect(open(other)).rejects.toMatchObject({ name: 'CorruptStoreError' })
  })

  test('appends after the end are refused', async () => {
    const logs = await open()
    const log = logs.log('a')
    const last = log.append(Buffer.from('last'))
    await logs.close()
    expect(await last).toBeGreaterThan(0)
    await expect(log.append(Buffer.from('late'))).rejects.toMatchObject({ code: 'ECLOSED' })
  })
})
