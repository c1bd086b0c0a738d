import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { createNewest } from '../../../src/apiserver/newest.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import type { Change, Store, StoreKey, WriteResult } from '../../../src/store/store.js'

/** A store whose writes are decided at once but become visible, or are refused, only when the test says so. */
function aSlowStore(): Store & { flush(refuse?: Error): void } {
  const memory = createMemoryStore()
  let waiting: { key: StoreKey; change: Change; resolve(result: WriteResult): void; reject(error: Error): void }[] = []
  return {
    ...memory,
    get version() {
      return memory.version
    },
    write: (key, decide) =>
      new Promise((resolve, reject) => {
        waiting.push({ key, change: decide(memory.get(key)), resolve, reject })
      }),
    flush(refuse) {
      for (const { key, change, resolve, reject } of waiting) {
        if (refuse) reject(refuse)
        else void memory.write(key, () => change).then(resolve)
      }
      waiting = []
    },
  }
}

const key = (name: string): StoreKey => ({ resource: 'notes', namespace: 'shop', name })
const note = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Note', metadata: { name, namespace: 'shop' } })
const names = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name).sort()

test('a write that is accepted but not durable yet is seen by the next one, and by nobody who reads the store', async () => {
  const store = aSlowStore()
  const newest = createNewest(store)
  const written = newest.write(key('a'), () => ({ put: note('a') }))
  expect(newest.get(key('a'))).toEqual(note('a'))
  expect(names(newest.list('notes', 'shop'))).toEqual(['a'])
  expect(newest.list('notes', 'attic')).toEqual([])
  expect(store.get(key('a'))).toBeUndefined()

  store.flush()
  const { object } = await written
  expect(newest.get(key('a'))).toBe(object)
  expect(names(newest.list('notes'))).toEqual(['a'])
})

test('an accepted removal is gone for the next write at once', async () => {
  const store = aSlowStore()
  const newest = createNewest(store)
  for (const name of ['a', 'b']) void newest.write(key(name), () => ({ put: note(name) }))
  store.flush()
  await store.settled()
  const removed = newest.write(key('a'), (current) => ({ remove: current! }))
  expect(newest.get(key('a'))).toBeUndefined()
  expect(names(newest.list('notes', 'shop'))).toEqual(['b'])
  expect(store.get(key('a'))).toBeDefined()
  store.flush()
  await removed
  expect(names(newest.list('notes', 'shop'))).toEqual(['b'])
})

test('a write that the disk refuses is forgotten', async () => {
  const store = aSlowStore()
  const newest = createNewest(store)
  const written = newest.write(key('a'), () => ({ put: note('a') }))
  store.flush(new Error('disk full'))
  await expect(written).rejects.toThrow('disk full')
  expect(newest.get(key('a'))).toBeUndefined()
  expect(newest.list('notes')).toEqual([])
})
