import { expect, test } from 'vitest'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import { aWidget, aWorld, told, type Widget } from './support.js'

test('a watch without a version tells what is there, then every change in order', async () => {
  const { ask, watch } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  const { events, stop } = watch()
  const b = await ask({ verb: 'create', object: aWidget('b') })
  await ask({ verb: 'update', name: 'b', object: { ...b, spec: { size: 1 } } })
  await ask({ verb: 'delete', name: 'a' })
  expect(told(events)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a'])
  stop()
  await ask({ verb: 'create', object: aWidget('c') })
  expect(events).toHaveLength(4)
})

test('events carry the stored objects themselves', async () => {
  const { ask, watch } = await aWorld()
  const { events } = watch()
  const a = await ask({ verb: 'create', object: aWidget('a') })
  expect(events[0]!.object).toBe(a)
})

test('a watch goes on from a version it has seen', async () => {
  const { ask, watch } = await aWorld()
  const a = await ask({ verb: 'create', object: aWidget('a') })
  await ask({ verb: 'create', object: aWidget('b') })
  const { events } = watch({ options: { resourceVersion: a.metadata.resourceVersion! } })
  await ask({ verb: 'create', object: aWidget('c') })
  expect(told(events)).toEqual(['ADDED b', 'ADDED c'])
})

test('a watch from before the history window ends with 410, one from the future with 504', async () => {
  const { ask, watch } = await aWorld({ store: createMemoryStore({ historyChanges: 2 }) })
  for (const name of ['a', 'b', 'c', 'd']) await ask({ verb: 'create', object: aWidget(name) })
  const old = watch({ options: { resourceVersion: '1' } })
  expect(old.events).toEqual([])
  expect(old.ends).toHaveLength(1)
  expect((old.ends[0] as StatusError).code).toBe(410)
  const future = watch({ options: { resourceVersion: '9999' } })
  expect((future.ends[0] as StatusError).code).toBe(504)
})

test('an object that enters a selection is ADDED, one that leaves it DELETED as it was, with the version of the change', async () => {
  const { ask, watch, store } = await aWorld()
  const { events } = watch({ options: { labelSelector: 'on=yes' } })
  const label = async (name: string, on: string): Promise<Widget> =>
    ask({ verb: 'patch', name, patch: { type: 'application/merge-patch+json', body: { metadata: { labels: { on } } } } })
  await ask({ verb: 'create', object: aWidget('a') })
  await label('a', 'yes')
  await ask({ verb: 'patch', name: 'a', patch: { type: 'application/merge-patch+json', body: { spec: { size: 1 } } } })
  await label('a', 'no')
  expect(told(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
  expect(events[2]).toMatchObject({ object: { metadata: { labels: { on: 'yes' }, resourceVersion: String(store.version) } } })
  await ask({ verb: 'delete', name: 'a' })
  expect(events).toHaveLength(3)
})

test('a watch of one object is a field selector on its name', async () => {
  const { ask, watch } = await aWorld()
  const { events } = watch({ options: { fieldSelector: 'metadata.name=b' } })
  await ask({ verb: 'create', object: aWidget('a') })
  await ask({ verb: 'create', object: aWidget('b') })
  expect(told(events)).toEqual(['ADDED b'])
})

test('a watch ends cleanly when its time is up, after a last bookmark', async () => {
  const { watch, realClock, ask } = await aWorld()
  const { events, ends } = watch({ options: { timeoutSeconds: 90, allowWatchBookmarks: true } })
  await ask({ verb: 'create', object: aWidget('a') })
  await realClock.advance(60_000)
  expect(told(events)).toEqual(['ADDED a', 'BOOKMARK'])
  expect(events[1]!.object).toEqual({
    kind: 'Widget',
    apiVersion: 'shop.example.dev/v1',
    metadata: { resourceVersion: '2', creationTimestamp: null },
  })
  await realClock.advance(28_000)
  expect(told(events)).toEqual(['ADDED a', 'BOOKMARK', 'BOOKMARK'])
  expect(ends).toEqual([])
  await realClock.advance(2000)
  expect(ends).toEqual([undefined])
  await ask({ verb: 'create', object: aWidget('b') })
  expect(events).toHaveLength(3)
})

test('a watch that did not ask for bookmarks gets none, and a stopped one leaves no timer', async () => {
  const { watch, realClock } = await aWorld()
  const { events, stop } = watch({ options: { timeoutSeconds: 300 } })
  await realClock.advance(120_000)
  expect(events).toEqual([])
  stop()
  expect(realClock.nextDue()).toBeUndefined()
})

test('sendInitialEvents tells what is there, then marks the end of it with a bookmark', async () => {
  const { ask, watch } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  const options = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: true }
  for (const resourceVersion of ['', '0', '1']) {
    const { events } = watch({ options: { ...options, resourceVersion } })
    expect(told(events)).toEqual(['ADDED a', 'BOOKMARK'])
    expect(events[1]).toMatchObject({
      object: { metadata: { resourceVersion: '2', annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
  }
  const tooNew = watch({ options: { ...options, resourceVersion: '50' } })
  expect((tooNew.ends[0] as StatusError).code).toBe(504)
})

test('sendInitialEvents=false starts with the next change', async () => {
  const { ask, watch } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  const { events } = watch({ options: { sendInitialEvents: false, resourceVersionMatch: 'NotOlderThan' } })
  await ask({ verb: 'create', object: aWidget('b') })
  expect(told(events)).toEqual(['ADDED b'])
})

test.each([
  [{ sendInitialEvents: true }, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
  [{ sendInitialEvents: true, resourceVersionMatch: 'Exact' }, 'supported values: "NotOlderThan"'],
  [
    { resourceVersionMatch: 'NotOlderThan', resourceVersion: '1' },
    'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
  ],
])('watch options that mean nothing end the watch at once: %j', async (options, message) => {
  const { watch } = await aWorld()
  const { ends } = watch({ options })
  expect(ends).toHaveLength(1)
  expect(ends[0]).toBeInstanceOf(StatusError)
  expect((ends[0] as StatusError).code).toBe(422)
  expect((ends[0] as StatusError).message).toContain(message)
})
