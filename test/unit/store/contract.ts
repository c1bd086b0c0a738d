import { afterEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import type { Store } from '../../../src/store/store.js'
import { aConfigMap, configMapKey, eventText, put, remove } from '../../support/store.js'

/** What every Store does, whatever is below it. `make` gives an empty one; it is closed after the test. */
export function describeStore(name: string, make: (options: { historyChanges?: number; freeze?: boolean }) => Promise<Store>): void {
  describe(`${name}, as any Store`, () => {
    let open: Store[] = []
    const aStore = async (options: { historyChanges?: number; freeze?: boolean } = {}): Promise<Store> => {
      const store = await make({ freeze: true, ...options })
      open.push(store)
      return store
    }
    afterEach(async () => {
      await Promise.all(open.map((store) => store.close()))
      open = []
    })
    const write = (store: Store, object: KubeObject) =>
      store.write({ resource: 'configmaps', namespace: object.metadata.namespace, name: object.metadata.name }, put(object))
    const names = (items: readonly KubeObject[]): string[] => items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)

    test('an empty store is at version 0 and holds nothing', async () => {
      const store = await aStore()
      expect(store.version).toBe(0)
      expect(store.list('configmaps')).toEqual({ items: [], version: 0 })
      expect(store.get(configMapKey('a'))).toBeUndefined()
      expect(store.resources()).toEqual([])
    })

    test('every write gets the next version, on a copy of what was handed in', async () => {
      const store = await aStore()
      const given = aConfigMap('a')
      const first = await write(store, given)
      const second = await write(store, aConfigMap('b'))

      expect([first.version, second.version, store.version]).toEqual([1, 2, 2])
      expect(first).toMatchObject({ changed: true, object: { metadata: { resourceVersion: '1' } } })
      expect(given.metadata.resourceVersion).toBeUndefined()
      expect(store.get(configMapKey('a'))).toBe(first.object)
    })

    test('inside of the process a write is seen at once, in the same order, and by later writes of anyone', async () => {
      const store = await aStore()
      const seen: string[] = []
      store.early.watch({ resource: 'configmaps', fromVersion: 0 }, (event) => seen.push(eventText(event)))
      const first = store.early.write(configMapKey('a'), put(aConfigMap('a', 'first')))
      expect(seen).toEqual(['ADDED a@1'])
      expect(store.early.get(configMapKey('a'))).toMatchObject({ data: { text: 'first' } })
      const second = store.write(configMapKey('a'), (current) => ({ put: { ...current!, metadata: { ...current!.metadata, labels: {} } } }))
      expect(seen).toEqual(['ADDED a@1', 'MODIFIED a@2 was 1'])
      expect(store.early.version).toBe(2)
      await first
      const { object } = await second
      expect(store.get(configMapKey('a'))).toBe(object)
      expect(store.early.get(configMapKey('a'))).toBe(object)
      expect(store.early.list('configmaps').items).toEqual(store.list('configmaps').items)
    })

    test('a write decides at once, on top of writes that are not durable yet', async () => {
      const store = await aStore()
      const seen: unknown[] = []
      const first = store.write(configMapKey('a'), (current) => {
        seen.push(current)
        return { put: aConfigMap('a', 'first') }
      })
      const second = store.write(configMapKey('a'), (current) => {
        seen.push(current?.metadata.resourceVersion)
        return { remove: current! }
      })
      const third = store.write(configMapKey('a'), (current) => {
        seen.push(current)
        return { put: aConfigMap('a', 'third') }
      })
      expect(seen).toEqual([undefined, '1', undefined])

      expect(await Promise.all([first, second, third])).toMatchObject([{ version: 1 }, { version: 2 }, { version: 3 }])
      expect(store.get(configMapKey('a'))).toMatchObject({ data: { text: 'third' }, metadata: { resourceVersion: '3' } })
    })

    test('keep stores nothing, uses up no version and tells nobody', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a'))
      const events: string[] = []
      store.watch({ resource: 'configmaps', fromVersion: 1 }, (event) => events.push(eventText(event)))

      const kept = await store.write(configMapKey('a'), (current) => ({ keep: current! }))
      expect(kept).toEqual({ object: store.get(configMapKey('a')), changed: false, version: 1 })
      expect({ version: store.version, events }).toEqual({ version: 1, events: [] })
    })

    test('keep of an object whose last write is not durable yet waits for that write', async () => {
      const store = await aStore()
      const order: string[] = []
      await Promise.all([
        write(store, aConfigMap('a')).then(() => order.push('write')),
        store.write(configMapKey('a'), (current) => ({ keep: current! })).then(({ version }) => order.push(`keep at ${version}`)),
      ])
      expect(order).toEqual(['write', 'keep at 1'])
    })

    test('what decide throws is passed on, with nothing changed and no version used up', async () => {
      const store = await aStore()
      const refusal = new Error('not today')
      const refused = store.write(configMapKey('a'), () => {
        throw refusal
      })
      await expect(refused).rejects.toBe(refusal)
      expect({ version: store.version, got: store.get(configMapKey('a')) }).toEqual({ version: 0, got: undefined })
      expect(await write(store, aConfigMap('b'))).toMatchObject({ version: 1 })
    })

    test('a write from inside of a decision is refused; the outer one goes on', async () => {
      const store = await aStore()
      let inner: Promise<unknown> | undefined
      const outer = store.write(configMapKey('a'), () => {
        inner = write(store, aConfigMap('b')).catch((error: Error) => error.message)
        return { put: aConfigMap('a') }
      })
      expect(await outer).toMatchObject({ version: 1 })
      expect(await inner).toBe('configmaps: default/b cannot be written while another write is being decided')
    })

    test('an object is refused under a key that is not its own', async () => {
      const store = await aStore()
      await expect(store.write(configMapKey('a'), put(aConfigMap('b')))).rejects.toThrow('default/b cannot be stored as default/a')
      await expect(store.write(configMapKey('a', 'other'), put(aConfigMap('a')))).rejects.toThrow('cannot be stored as other/a')
    })

    test('removing what is not there is refused', async () => {
      const store = await aStore()
      await expect(store.write(configMapKey('a'), () => ({ remove: aConfigMap('a') }))).rejects.toThrow('it does not exist')
    })

    test('writes resolve in order, each visible and delivered by then', async () => {
      const store = await aStore()
      const order: string[] = []
      store.watch({ resource: 'configmaps', fromVersion: 0 }, ({ version }) => order.push(`event ${version}`))
      await Promise.all(
        ['a', 'b', 'c'].map(async (name) => {
          const { version } = await write(store, aConfigMap(name))
          expect(store.version).toBeGreaterThanOrEqual(version)
          expect(order).toContain(`event ${version}`)
          order.push(`resolved ${version}`)
        }),
      )
      expect(order.filter((line) => line.startsWith('event'))).toEqual(['event 1', 'event 2', 'event 3'])
      expect(order.filter((line) => line.startsWith('resolved'))).toEqual(['resolved 1', 'resolved 2', 'resolved 3'])
    })

    test('lists are in byte order of namespace, then name', async () => {
      const store = await aStore()
      // By the code units of JavaScript the emoji would come before U+FF5E, and "a-b/" before "a/" by the joined key.
      for (const [namespace, name] of [
        ['a-b', 'x'],
        ['a', '\u{1f600}'],
        ['a', '～'],
        ['a', 'b'],
        ['a', 'a.b'],
        ['B', 'z'],
        ['a', 'a-b'],
        ['a', 'a'],
      ])
        await write(store, aConfigMap(name!, '', namespace))

      const all = ['B/z', 'a/a', 'a/a-b', 'a/a.b', 'a/b', 'a/～', 'a/\u{1f600}', 'a-b/x']
      expect(names(store.list('configmaps').items)).toEqual(all)
      expect(names(store.list('configmaps', 'a').items)).toEqual(all.filter((name) => name.startsWith('a/')))
    })

    test('a list stays in order while objects come, change and go', async () => {
      const store = await aStore()
      for (const name of ['m', 'c', 'x']) await write(store, aConfigMap(name))
      const before = store.list('configmaps')
      await write(store, aConfigMap('d'))
      await write(store, aConfigMap('c', 'changed'))
      await store.write(configMapKey('m'), remove)
      await write(store, aConfigMap('z'))

      expect(names(before.items)).toEqual(['default/c', 'default/m', 'default/x'])
      expect(before).toMatchObject({ version: 3, items: [{ data: { text: '' } }, {}, {}] })
      const after = store.list('configmaps', 'default')
      expect(names(after.items)).toEqual(['default/c', 'default/d', 'default/x', 'default/z'])
      expect(after).toMatchObject({ version: 7, items: [{ data: { text: 'changed' } }, {}, {}, {}] })
    })

    test('a list is the same array until something in it changes', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a'))
      const before = store.list('configmaps').items
      await store.write({ resource: 'secrets', namespace: 'default', name: 's' }, put(aConfigMap('s')))
      expect(store.list('configmaps').items).toBe(before)
      await write(store, aConfigMap('a', 'changed'))
      expect(store.list('configmaps').items).not.toBe(before)
    })

    test('lists tell resources and namespaces apart', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a', '', 'one'))
      await write(store, aConfigMap('b', '', 'two'))
      await store.write({ resource: 'namespaces', name: 'one' }, put(aConfigMap('one', '', '')))

      expect(names(store.list('configmaps', 'two').items)).toEqual(['two/b'])
      expect(store.list('configmaps', 'three')).toEqual({ items: [], version: 3 })
      expect(store.list('namespaces').items).toHaveLength(1)
      expect(store.get({ resource: 'namespaces', name: 'one' })).toBeDefined()
      expect([...store.resources()].sort()).toEqual(['configmaps', 'namespaces'])
    })

    test('a resource without objects is not named any more', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a'))
      await store.write(configMapKey('a'), remove)
      expect(store.resources()).toEqual([])
      expect(store.list('configmaps')).toEqual({ items: [], version: 2 })
    })

    test('a watch gets every later change of its resource in order, with the state before it', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a'))
      const events: string[] = []
      store.watch({ resource: 'configmaps', fromVersion: store.version }, (event) => events.push(eventText(event)))
      await write(store, aConfigMap('b'))
      await store.write({ resource: 'secrets', namespace: 'default', name: 's' }, put(aConfigMap('s')))
      await write(store, aConfigMap('a', 'changed'))
      await store.write(configMapKey('a'), remove)
      await write(store, aConfigMap('a', 'again'))

      expect(events).toEqual(['ADDED b@2', 'MODIFIED a@4 was 1', 'DELETED a@5 was 4', 'ADDED a@6'])
    })

    test('a removed object is delivered as it last was, at the version of its removal', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a', 'last words'))
      const { object } = await store.write(configMapKey('a'), remove)
      expect(object).toMatchObject({ data: { text: 'last words' }, metadata: { resourceVersion: '2' } })
      expect(store.get(configMapKey('a'))).toBeUndefined()
    })

    test('a watch of a namespace hears nothing of the others', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a', '', 'one'))
      const events: string[] = []
      const listen = { resource: 'configmaps', namespace: 'two', fromVersion: 0 }
      await write(store, aConfigMap('b', '', 'two'))
      store.watch(listen, (event) => events.push(eventText(event)))
      await write(store, aConfigMap('c', '', 'one'))
      await write(store, aConfigMap('d', '', 'two'))
      expect(events).toEqual(['ADDED b@2', 'ADDED d@4'])
    })

    test('a watch resumes from any version in the history, and goes on without a gap', async () => {
      const store = await aStore()
      for (const text of ['1', '2', '3']) await write(store, aConfigMap('a', text))
      const events: string[] = []
      store.watch({ resource: 'configmaps', fromVersion: 1 }, (event) => events.push(eventText(event)))
      expect(events).toEqual(['MODIFIED a@2 was 1', 'MODIFIED a@3 was 2'])
      await write(store, aConfigMap('a', '4'))
      expect(events.slice(2)).toEqual(['MODIFIED a@4 was 3'])
    })

    test('a watch from before the history is refused with 410 Expired', async () => {
      const store = await aStore({ historyChanges: 3 })
      for (const name of ['a', 'b', 'c', 'd', 'e']) await write(store, aConfigMap(name))
      const events: string[] = []
      store.watch({ resource: 'configmaps', fromVersion: 2 }, (event) => events.push(eventText(event)))
      expect(events).toEqual(['ADDED c@3', 'ADDED d@4', 'ADDED e@5'])

      const tooOld = statusOf(() => store.watch({ resource: 'configmaps', fromVersion: 1 }, () => {}))
      expect(tooOld).toMatchObject({ code: 410, reason: 'Expired', message: 'too old resource version: 1 (2)' })
    })

    test('a watch from the future is refused with 504 Timeout', async () => {
      const store = await aStore()
      await write(store, aConfigMap('a'))
      const refusal = statusOf(() => store.watch({ resource: 'configmaps', fromVersion: 7 }, () => {}))
      expect(refusal).toMatchObject({
        code: 504,
        reason: 'Timeout',
        message: 'Timeout: Too large resource version: 7, current: 1',
        details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
      })
    })

    test('a watch that was stopped hears nothing more, even when it stops inside of a change', async () => {
      const store = await aStore()
      const events: string[] = []
      const stop = store.watch({ resource: 'configmaps', fromVersion: 0 }, (event) => {
        events.push(eventText(event))
        stop()
        stop()
      })
      await Promise.all([write(store, aConfigMap('a')), write(store, aConfigMap('b'))])
      expect(events).toEqual(['ADDED a@1'])
    })

    test('every watcher sees the same order, also when one of them answers a change with a write', async () => {
      const store = await aStore()
      const seen: Record<string, string[]> = { eager: [], quiet: [] }
      let reaction: Promise<unknown> | undefined
      store.watch({ resource: 'configmaps', fromVersion: 0 }, (event) => {
        seen['eager']!.push(eventText(event))
        if (event.key.name === 'a') reaction = write(store, aConfigMap('reaction'))
      })
      store.watch({ resource: 'configmaps', fromVersion: 0 }, (event) => seen['quiet']!.push(eventText(event)))
      await write(store, aConfigMap('a'))
      await reaction
      expect(seen).toEqual({ eager: ['ADDED a@1', 'ADDED reaction@2'], quiet: ['ADDED a@1', 'ADDED reaction@2'] })
    })

    test('a watch that begins inside of a change sees every change once', async () => {
      const store = await aStore()
      const events: string[] = []
      let begun = false
      store.watch({ resource: 'configmaps', fromVersion: 0 }, () => {
        if (begun) return
        begun = true
        void write(store, aConfigMap('b'))
        store.watch({ resource: 'configmaps', fromVersion: 0 }, (event) => events.push(eventText(event)))
      })
      await write(store, aConfigMap('a'))
      await store.settled()
      await write(store, aConfigMap('c'))
      expect(events).toEqual(['ADDED a@1', 'ADDED b@2', 'ADDED c@3'])
    })

    test('settled resolves when everything accepted so far is visible', async () => {
      const store = await aStore()
      for (const name of ['a', 'b', 'c']) void write(store, aConfigMap(name))
      await store.settled()
      expect(store.version).toBe(3)
      await expect(store.settled()).resolves.toBeUndefined()
    })

    test('close finishes what was accepted and refuses what comes after; reads go on', async () => {
      const store = await aStore()
      const accepted = write(store, aConfigMap('a'))
      const closed = store.close()
      await expect(write(store, aConfigMap('b'))).rejects.toMatchObject({ name: 'StorageError', code: 'ECLOSED' })
      await closed
      expect(await accepted).toMatchObject({ version: 1 })
      expect(names(store.list('configmaps').items)).toEqual(['default/a'])
      await expect(store.close()).resolves.toBeUndefined()
    })

    test('with freeze nobody can change an object or a list that went in or came out', async () => {
      const store = await aStore({ freeze: true })
      const { object } = await write(store, aConfigMap('a'))
      expect(() => Object.assign((object as ReturnType<typeof aConfigMap>).data, { text: 'changed' })).toThrow(TypeError)
      expect(() => (store.list('configmaps').items as KubeObject[]).push(object)).toThrow(TypeError)
      expect(() => (store.list('configmaps', 'default').items as KubeObject[]).pop()).toThrow(TypeError)
    })
  })
}

function statusOf(call: () => unknown): StatusError['status'] {
  try {
    call()
  } catch (error) {
    if (error instanceof StatusError) return error.status
    throw error
  }
  throw new Error('it was not refused')
}
