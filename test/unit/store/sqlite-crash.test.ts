import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { aConfigMap, aDirectory, configMapKey, openStore, put } from '../../support/store.js'

const WRITER = join(import.meta.dirname, 'acknowledging-writer.ts')

let directory: ReturnType<typeof aDirectory>
let path = ''
beforeEach(() => {
  directory = aDirectory()
  path = join(directory.path, 'store.db')
})
afterEach(() => directory.remove())

interface Acknowledged {
  version: number
  name: string
  text: string
}

/** Starts a writer and reads what it says; `onWrite` is called for each acknowledged write. */
async function runWriter(options: { characters?: number; shell?: string; onWrite?: (child: ChildProcess, count: number) => void } = {}) {
  const command = [process.execPath, '--import', 'tsx', WRITER, path, String(options.characters ?? 100)]
  const child = options.shell
    ? spawn('/bin/sh', ['-c', `${options.shell}; exec "$@"`, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
    : spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const acknowledged: Acknowledged[] = []
  let last: Record<string, unknown> = {}
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as Record<string, unknown>
    if ('name' in said) {
      acknowledged.push(said as unknown as Acknowledged)
      options.onWrite?.(child, acknowledged.length)
    } else last = said
  }
  await exited
  return { acknowledged, last }
}

test('a store whose process is killed in mid-write loses nothing acknowledged, and its versions do not go back', {
  timeout: 60_000,
}, async () => {
  let newest = 0
  for (const killAfter of [1, 150, 700]) {
    const { acknowledged } = await runWriter({ onWrite: (child, count) => count === killAfter && child.kill('SIGKILL') })
    expect(acknowledged.length).toBeGreaterThanOrEqual(killAfter)
    expect(Math.min(...acknowledged.map(({ version }) => version))).toBeGreaterThan(newest)

    const store = await openStore(path)
    const latest = new Map(acknowledged.map((write) => [write.name, write]))
    for (const [name, { version, text }] of latest) {
      const object = store.get(configMapKey(name)) as ReturnType<typeof aConfigMap>
      // Writes that were under way when it died may be there as well, whole.
      const storedAt = Number(object.metadata.resourceVersion)
      expect(storedAt).toBeGreaterThanOrEqual(version)
      if (storedAt === version) expect(object.data.text).toBe(text)
      else expect(object.data.text).toMatch(/^\d+ \d+ x{100}$/)
    }
    expect(store.version).toBeGreaterThanOrEqual(acknowledged.at(-1)!.version)
    const events: number[] = []
    store.watch({ resource: 'configmaps', fromVersion: newest }, ({ version }) => events.push(version))()
    expect(events).toEqual(expect.arrayContaining(acknowledged.map(({ version }) => version)))

    newest = (await store.write(configMapKey('probe'), put(aConfigMap('probe')))).version
    expect(newest).toBeGreaterThan(
      store
        .list('configmaps')
        .items.reduce((most, { metadata }) => (metadata.name === 'probe' ? most : Math.max(most, Number(metadata.resourceVersion))), 0),
    )
    await store.close()
  }
})

test('a file system that refuses in mid-write leaves exactly what was acknowledged', { timeout: 60_000 }, async () => {
  // A limit on the size of any one file makes the system refuse the log's growth, in blocks of 512 bytes.
  const { acknowledged, last } = await runWriter({ shell: 'ulimit -f 3000', characters: 20_000 })
  expect(acknowledged.length).toBeGreaterThan(10)
  expect(last).toMatchObject({ refused: ['EIO', 'EIO', 'EIO', 'EIO'], version: acknowledged.at(-1)!.version })

  const store = await openStore(path)
  const latest = new Map(acknowledged.map(({ name, version }) => [name, String(version)]))
  expect(new Map(store.list('configmaps').items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))).toEqual(
    new Map([...latest].sort(([a], [b]) => (a < b ? -1 : 1))),
  )
  expect(last['names']).toEqual(store.list('configmaps').items.map(({ metadata }) => metadata.name))
  await store.close()
})

test('a store that another process has open is refused with EBUSY, naming the file', { timeout: 60_000 }, async () => {
  const refusals: unknown[] = []
  let asked: Promise<void> | undefined
  await runWriter({
    onWrite: (child, count) => {
      if (count < 5 || asked) return
      asked = openStore(path)
        .then(
          (store) => store.close(),
          (error: unknown) => void refusals.push(error),
        )
        .finally(() => child.kill('SIGKILL'))
    },
  })
  await asked
  expect(refusals).toMatchObject([
    { name: 'StorageError', code: 'EBUSY', message: `cannot open ${path}: it is open in another process (EBUSY)` },
  ])
})
