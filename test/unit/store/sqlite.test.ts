import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Level, Logger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import { eachRow, loadSqlite } from '../../../src/store/sqlite-engine.js'
import type { Store, StoreEvent } from '../../../src/store/store.js'
import { aConfigMap, aDirectory, configMapKey, eventText, openStore, put, remove } from '../../support/store.js'
import { describeStore } from './contract.js'

let directory: ReturnType<typeof aDirectory>
let path = ''
beforeEach(() => {
  directory = aDirectory()
  path = join(directory.path, 'store.db')
})
afterEach(() => directory.remove())

let emptyStores = 0
describeStore('the store on disk', (options) => openStore(join(directory.path, `empty-${emptyStores++}.db`), options))

const write = (store: Store, name: string, text = '') => store.write(configMapKey(name), put(aConfigMap(name, text)))
const eventsSince = (store: Store, fromVersion: number): string[] => {
  const events: string[] = []
  store.watch({ resource: 'configmaps', fromVersion }, (event) => events.push(eventText(event)))()
  return events
}
const refusalText = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  return 'not refused'
}
const countRows = (): number => {
  const database = loadSqlite()(path, { readOnly: true })
  let rows = 0
  eachRow(database, 'count(*)', 'change', (count) => {
    rows = Number(count)
  })
  database.close()
  return rows
}

describe('durability', () => {
  test('nothing is visible before it is durable', async () => {
    const store = await openStore(path)
    const events: string[] = []
    store.watch({ resource: 'configmaps', fromVersion: 0 }, (event) => events.push(eventText(event)))
    const written = write(store, 'a')
    const seen = { version: store.version, got: store.get(configMapKey('a')), items: store.list('configmaps').items, events: [...events] }
    expect(seen).toEqual({ version: 0, got: undefined, items: [], events: [] })
    await written
    expect(events).toEqual(['ADDED a@1'])
    await store.close()
  })

  test('after a restart everything is as it was, and versions go on', async () => {
    const first = await openStore(path)
    await write(first, 'a', 'one')
    await write(first, 'b', 'Zürich \u{1f600}\u0000"\\\n')
    await write(first, 'a', 'two')
    await first.write({ resource: 'namespaces', name: 'default' }, put(aConfigMap('default', '', '')))
    await first.write(configMapKey('b'), remove)
    await write(first, 'b', 'Zürich \u{1f600}\u0000"\\\n')
    await first.close()

    const second = await openStore(path)
    expect(second.version).toBe(6)
    expect(second.list('configmaps')).toEqual(first.list('configmaps'))
    expect(second.list('namespaces')).toEqual(first.list('namespaces'))
    expect(await write(second, 'c')).toMatchObject({ version: 7 })
    await second.close()
  })

  test('a watch resumes across a restart as if there had been none', async () => {
    const first = await openStore(path)
    await write(first, 'a', 'one')
    await write(first, 'a', 'two')
    await first.write(configMapKey('a'), remove)
    await write(first, 'a', 'three')
    const before = eventsSince(first, 1)
    await first.close()

    const second = await openStore(path)
    expect(eventsSince(second, 1)).toEqual(before)
    expect(before).toEqual(['MODIFIED a@2 was 1', 'DELETED a@3 was 2', 'ADDED a@4'])
    await second.close()
  })

  test('the file keeps the objects, the history and little else', async () => {
    const first = await openStore(path, { historyChanges: 10 })
    const changes = Array.from({ length: 1500 }, (_, index) => index)
    await write(first, 'never-changed')
    await Promise.all(
      changes.map((index) => (index % 14 === 13 ? first.write(configMapKey('c6'), remove) : write(first, `c${index % 7}`, `${index}`))),
    )
    const before = { version: first.version, items: first.list('configmaps').items, events: eventsSince(first, first.version - 10) }
    await first.close()

    expect(countRows()).toBeLessThan(7 + 10 + 2 * 256)
    const second = await openStore(path, { historyChanges: 10 })
    expect({ version: second.version, items: second.list('configmaps').items, events: eventsSince(second, second.version - 10) }).toEqual(
      before,
    )
    expect(() => eventsSince(second, second.version - 11)).toThrow('too old resource version')
    await second.close()
  })

  test('a smaller history than before takes effect with the restart', async () => {
    const first = await openStore(path)
    for (let number = 1; number <= 20; number++) await write(first, 'a', `${number}`)
    await first.close()
    const second = await openStore(path, { historyChanges: 2 })
    expect(eventsSince(second, 18)).toEqual(['MODIFIED a@19 was 18', 'MODIFIED a@20 was 19'])
    expect(() => eventsSince(second, 17)).toThrow('too old resource version: 17 (18)')
    await second.close()
  })

  test('a removal that has left the history stays removed, and its version stays used', async () => {
    const first = await openStore(path, { historyChanges: 0 })
    await write(first, 'kept')
    for (let round = 0; round < 200; round++) {
      await write(first, 'fleeting')
      await first.write(configMapKey('fleeting'), remove)
    }
    await first.close()
    const second = await openStore(path, { historyChanges: 0 })
    expect({ version: second.version, names: second.list('configmaps').items.map(({ metadata }) => metadata.name) }).toEqual({
      version: 401,
      names: ['kept'],
    })
    await second.close()
  })

  test('any sequence of writes and restarts leaves what the store in memory has', async () => {
    const random = createSeededRandom(4711)
    const memory = createMemoryStore({ historyChanges: 50 })
    let disk = await openStore(path, { historyChanges: 50 })
    const viewOf = (store: Store) => ({
      version: store.version,
      items: store.list('configmaps').items,
      events: eventsSince(store, Math.max(0, store.version - 50)),
      oldestRefused: store.version > 50 && refusalText(() => eventsSince(store, store.version - 51)),
    })
    for (let round = 0; round < 12; round++) {
      for (let number = 0; number < 150; number++) {
        const name = `o${Math.floor(random.float() * 30)}`
        const removes = random.float() < 0.4
        for (const store of [memory, disk])
          void store.write(configMapKey(name), (current) =>
            current && removes ? { remove: current } : { put: aConfigMap(name, `${number}`) },
          )
        if (random.float() < 0.1) await disk.settled()
      }
      await disk.settled()
      expect(viewOf(disk)).toEqual(viewOf(memory))
      await disk.close()
      disk = await openStore(path, { historyChanges: 50 })
      expect(viewOf(disk)).toEqual(viewOf(memory))
    }
    await disk.close()
  })

  test('closing leaves one file behind', async () => {
    const store = await openStore(path)
    await write(store, 'a')
    await store.close()
    expect(readdirSync(directory.path)).toEqual(['store.db'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})

describe('a disk that is full', () => {
  const long = 'x'.repeat(200_000)

  test('refuses the write and all that were accepted since, and leaves memory as the disk is', async () => {
    const store = await openStore(path, { maxFileBytes: 100_000 })
    await write(store, 'a', 'durable')
    const events: string[] = []
    store.watch({ resource: 'configmaps', fromVersion: 1 }, (event) => events.push(eventText(event)))

    const results = await Promise.allSettled([
      write(store, 'a', long),
      write(store, 'b'),
      store.write(configMapKey('a'), (current) => ({ keep: current! })),
    ])
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StorageError', code: 'ENOSPC' } })
    expect(results[0]).toMatchObject({ reason: { message: `cannot write to ${path}: no space left on the disk (ENOSPC)` } })

    expect({ version: store.version, events, b: store.get(configMapKey('b')) }).toEqual({ version: 1, events: [], b: undefined })
    expect(store.get(configMapKey('a'))).toMatchObject({ data: { text: 'durable' } })
    const decidedOn = await store.write(configMapKey('a'), (current) => ({
      put: { ...current!, metadata: { ...current!.metadata, labels: { fits: 'yes' } } },
    }))
    // Two versions were refused, and two told the callers inside of the process that things are as before.
    expect(decidedOn).toMatchObject({ version: 6, object: { data: { text: 'durable' } } })
    expect(events).toEqual(['MODIFIED a@6 was 1'])
    await store.close()
  })

  test('is tried again by the next write, and what was refused is not there after a restart', async () => {
    const full = await openStore(path, { maxFileBytes: 100_000 })
    await write(full, 'a')
    await expect(write(full, 'b', long)).rejects.toMatchObject({ code: 'ENOSPC' })
    await expect(write(full, 'b', long)).rejects.toMatchObject({ code: 'ENOSPC' })
    await write(full, 'b', 'short')
    await expect(write(full, 'c', long)).rejects.toMatchObject({ code: 'ENOSPC' })
    await full.close()

    const store = await openStore(path)
    expect(store.list('configmaps')).toMatchObject({ version: 5, items: [{ metadata: { name: 'a' } }, { data: { text: 'short' } }] })
    // Version 6 was the refused write's, 7 took it back: neither is given out a second time.
    expect(await write(store, 'c', long)).toMatchObject({ version: 8 })
    await store.close()
  })

  test('takes back what callers inside of the process have seen, then shows them nothing early until a write goes through', async () => {
    const store = await openStore(path, { maxFileBytes: 100_000 })
    await write(store, 'a', 'before')
    await write(store, 'gone')
    const seen: string[] = []
    const note = ({ type, key, object }: StoreEvent): void => {
      seen.push(`${type} ${key.name} ${(object as { data?: { text?: string } }).data?.text?.slice(0, 6) ?? ''}`)
    }
    store.early.watch({ resource: 'configmaps', fromVersion: 2 }, note)

    await store.early.write(configMapKey('a'), put(aConfigMap('a', long)))
    await store.early.write(configMapKey('new'), put(aConfigMap('new')))
    await store.early.write(configMapKey('gone'), remove)
    expect(seen.splice(0)).toEqual(['MODIFIED a xxxxxx', 'ADDED new ', 'DELETED gone '])
    await store.settled()
    expect(seen.splice(0)).toEqual(['MODIFIED a before', 'DELETED new ', 'ADDED gone '])
    expect(store.early.list('configmaps').items).toEqual(store.list('configmaps').items)

    await expect(store.early.write(configMapKey('a'), put(aConfigMap('a', long)))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(seen).toEqual([])
    const small = store.early.write(configMapKey('a'), put(aConfigMap('a', 'after')))
    const behind = store.early.write(configMapKey('b'), put(aConfigMap('b')))
    expect([seen, store.early.get(configMapKey('b'))]).toEqual([[], undefined])
    await small
    expect(seen.splice(0)).toEqual(['MODIFIED a after', 'ADDED b '])
    await behind
    await store.early.write(configMapKey('c'), put(aConfigMap('c')))
    expect([seen, store.get(configMapKey('c'))]).toEqual([['ADDED c '], undefined])
    await store.close()
  })

  test('does not keep settled or close from resolving', async () => {
    const store = await openStore(path, { maxFileBytes: 100_000 })
    const refused = expect(write(store, 'a', long)).rejects.toMatchObject({ code: 'ENOSPC' })
    await expect(store.settled()).resolves.toBeUndefined()
    await refused
    const refusedToo = expect(write(store, 'a', long)).rejects.toMatchObject({ code: 'ENOSPC' })
    await expect(store.close()).resolves.toBeUndefined()
    await refusedToo
  })
})

describe('opening', () => {
  const refusalOf = async (file: string): Promise<unknown> => {
    try {
      await (await openStore(file)).close()
    } catch (error) {
      return error
    }
    return undefined
  }

  test('a store that is open is refused to a second opener, until it is closed', async () => {
    const store = await openStore(path)
    await write(store, 'a')
    expect(await refusalOf(path)).toMatchObject({
      name: 'StorageError',
      code: 'EBUSY',
      message: `cannot open ${path}: it is open in another process (EBUSY)`,
    })
    expect(await write(store, 'b')).toMatchObject({ version: 2 })
    await store.close()
    expect(await refusalOf(path)).toBeUndefined()
  })

  test('of two that make the same new store at once, each gets it or is told that it is taken', async () => {
    const outcomes = await Promise.allSettled([openStore(path), openStore(path), openStore(path)])
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(opened.length).toBeLessThanOrEqual(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'EBUSY' })
    for (const store of opened) await store.close()
    expect(await refusalOf(path)).toBeUndefined()
  })

  test('a missing directory, a directory in its place and a file on the way are named with the system error', async () => {
    const missing = join(directory.path, 'missing', 'store.db')
    expect(await refusalOf(missing)).toMatchObject({ name: 'StorageError', code: 'ENOENT' })
    expect(existsSync(join(directory.path, 'missing'))).toBe(false)

    mkdirSync(path)
    expect(await refusalOf(path)).toMatchObject({
      name: 'StorageError',
      code: 'EISDIR',
      message: `cannot open ${path}: it is a directory (EISDIR)`,
    })

    writeFileSync(join(directory.path, 'file'), '')
    expect(await refusalOf(join(directory.path, 'file', 'store.db'))).toMatchObject({ name: 'StorageError', code: 'ENOTDIR' })
  })

  // The superuser may write anywhere.
  test.skipIf(process.getuid?.() === 0)('a directory without permission to write is refused with EACCES', async () => {
    const locked = join(directory.path, 'locked')
    mkdirSync(locked, { mode: 0o500 })
    expect(await refusalOf(join(locked, 'store.db'))).toMatchObject({ name: 'StorageError', code: 'EACCES' })
  })

  test('a worker that is not there is a failed open, not a hanging one', async () => {
    await expect(openStore(path, { workerFile: join(directory.path, 'no-worker.cjs') })).rejects.toThrow('no-worker.cjs')
  })

  test('a worker that dies refuses its writes and all later ones; reads go on, and closing is possible', async () => {
    const workerFile = join(directory.path, 'dying-worker.cjs')
    writeFileSync(
      workerFile,
      `const { parentPort } = require('node:worker_threads')
      parentPort.on('message', ({ type }) => (type === 'hold' ? parentPort.postMessage({ type: 'done' }) : process.exit(3)))
      parentPort.postMessage({ type: 'read', marks: { trimmed: 0, reserved: 0 } })`,
    )
    const store = await openStore(path, { workerFile })
    const dead = { name: 'StorageError', code: 'EIO', message: `cannot write to ${path}: its thread ended with code 3 (EIO)` }
    await expect(write(store, 'a')).rejects.toMatchObject(dead)
    await expect(write(store, 'a')).rejects.toMatchObject(dead)
    expect(store.list('configmaps')).toEqual({ items: [], version: 0 })
    await expect(store.close()).resolves.toBeUndefined()
  })

  test('a watch listener that throws is logged, and the write succeeds', async () => {
    const lines: [Level, string][] = []
    const record = (level: Level) => (message: string) => void lines.push([level, message])
    const log: Logger = { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error'), with: () => log }
    const store = await openStore(path, { log })
    store.watch({ resource: 'configmaps', fromVersion: 0 }, () => {
      throw new Error('a bug')
    })
    expect(await write(store, 'a')).toMatchObject({ version: 1 })
    expect(lines).toEqual([['error', 'a watch listener failed']])
    await store.close()
  })
})
