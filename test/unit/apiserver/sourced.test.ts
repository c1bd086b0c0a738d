import { expect, test } from 'vitest'
import type { ApiCall, ObjectList } from '../../../src/apimachinery/call.js'
import type { ObjectSource, ServedKind, SourceEvent } from '../../../src/apimachinery/kind.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import { aWorld, type Widget, type World, widgetKind, widgetServed } from './support.js'

/** Widgets that are not in the store: the newest first, each at the version of its number. */
function aSource(count: number): ObjectSource<Widget> & { add(color: string): void; reads: number } {
  const widgets: Widget[] = []
  const listeners = new Set<(event: SourceEvent<Widget>) => void>()
  const source = {
    reads: 0,
    version: () => widgets.length,
    find: ({ name, namespace }: { name: string; namespace?: string | undefined }) =>
      namespace === 'shop' ? widgets.find(({ metadata }) => metadata.name === name) : undefined,
    page({ after, upToVersion, limit }: Parameters<ObjectSource['page']>[0]) {
      source.reads++
      const newest = widgets.slice(0, upToVersion).reverse()
      const start = after === undefined ? 0 : newest.findIndex(({ metadata }) => metadata.name === after) + 1
      return newest.slice(start, start + limit)
    },
    watch({ fromVersion }: { fromVersion: number }, listener: (event: SourceEvent<Widget>) => void) {
      if (fromVersion < 2) throw new StatusError({ code: 410, reason: 'Expired', message: 'too old' })
      for (const object of widgets.slice(fromVersion))
        listener({ type: 'ADDED', object, previous: undefined, version: Number(object.metadata.resourceVersion) })
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    add(color: string) {
      const number = widgets.length + 1
      const object: Widget = {
        apiVersion: 'shop.example.dev/v1',
        kind: 'Widget',
        metadata: { name: `w${String(number).padStart(4, '0')}`, namespace: 'shop', resourceVersion: String(number) },
        spec: { color },
      }
      widgets.push(object)
      for (const listener of listeners) listener({ type: 'ADDED', object, previous: undefined, version: number })
    },
  }
  for (let index = 0; index < count; index++) source.add(index % 2 === 0 ? 'red' : 'blue')
  return source
}

async function aWorldWith(source: ObjectSource<Widget>): Promise<World> {
  const served: ServedKind<Widget> = { ...widgetServed, verbs: ['get', 'list', 'watch'], source }
  const { testKinds } = await import('./support.js')
  return aWorld({ kinds: [...testKinds.filter(({ kind }) => kind !== (widgetKind as object)), served as ServedKind] })
}

const listed = (world: World, options: ApiCall['options'] = {}) => world.ask<ObjectList>({ verb: 'list', options })
const namesOf = ({ items }: ObjectList) => items.map(({ metadata }) => metadata.name)

test('objects of a source are got and listed in the order of the source, under its version', async () => {
  const world = await aWorldWith(aSource(3))
  expect(await listed(world)).toMatchObject({ kind: 'WidgetList', metadata: { resourceVersion: '3' } })
  expect(namesOf(await listed(world))).toEqual(['w0003', 'w0002', 'w0001'])
  expect(await world.ask({ verb: 'get', name: 'w0002' })).toMatchObject({ spec: { color: 'blue' } })
  expect((await world.refusal({ verb: 'get', name: 'w0009' })).message).toBe('widgets.shop.example.dev "w0009" not found')
})

test.each(['create', 'update', 'patch', 'delete', 'deletecollection'] as const)('a source is not written to: %s is 405', async (verb) => {
  const world = await aWorldWith(aSource(1))
  const refusal = await world.refusal({ verb, name: 'w0001', object: {} })
  expect(refusal.status).toMatchObject({ code: 405, reason: 'MethodNotAllowed' })
})

test('pages of a list go on where the last one ended, and leave out what came in between', async () => {
  const source = aSource(5)
  const world = await aWorldWith(source)
  const first = await listed(world, { limit: 2 })
  expect(namesOf(first)).toEqual(['w0005', 'w0004'])
  source.add('red')
  const second = await listed(world, { limit: 2, continue: first.metadata.continue! })
  expect(namesOf(second)).toEqual(['w0003', 'w0002'])
  expect(second.metadata.resourceVersion).toBe('5')
  const third = await listed(world, { limit: 2, continue: second.metadata.continue! })
  expect(namesOf(third)).toEqual(['w0001'])
  expect(third.metadata.continue).toBeUndefined()
})

test('a page that a selector leaves gaps in is filled up, and a list without limit has everything', async () => {
  const source = aSource(1500)
  const world = await aWorldWith(source)
  const page = await listed(world, { limit: 700, fieldSelector: 'spec.color=blue' })
  expect(page.items).toHaveLength(700)
  expect(page.metadata.continue).toBeDefined()
  const rest = await listed(world, { limit: 700, fieldSelector: 'spec.color=blue', continue: page.metadata.continue! })
  expect(rest.items).toHaveLength(50)
  expect(new Set([...namesOf(page), ...namesOf(rest)]).size).toBe(750)
  expect((await listed(world)).items).toHaveLength(1500)
})

test('a version that the source has not reached is refused', async () => {
  const world = await aWorldWith(aSource(3))
  expect((await world.refusal({ verb: 'list', options: { resourceVersion: '9' } })).message).toBe(
    'Timeout: Too large resource version: 9, current: 3',
  )
  expect((await world.refusal({ verb: 'list', options: { resourceVersion: '2', resourceVersionMatch: 'Exact' } })).status.code).toBe(410)
  expect((await listed(world, { resourceVersion: '3', resourceVersionMatch: 'Exact' })).items).toHaveLength(3)
})

test('a watch begins with what is there, goes on with what comes, and ends where the source has forgotten', async () => {
  const source = aSource(2)
  const world = await aWorldWith(source)
  const fromStart = world.watch()
  const resumed = world.watch({ options: { resourceVersion: '2', fieldSelector: 'spec.color=red' } })
  source.add('red')
  source.add('blue')
  const seen = (events: readonly { type: string; object: object }[]) =>
    events.map(({ type, object }) => `${type} ${(object as Widget).metadata.name}`)
  expect(seen(fromStart.events)).toEqual(['ADDED w0002', 'ADDED w0001', 'ADDED w0003', 'ADDED w0004'])
  expect(seen(resumed.events)).toEqual(['ADDED w0003'])
  expect(world.watch({ options: { resourceVersion: '1' } }).ends).toEqual([expect.objectContaining({ message: 'too old' })])
})

test('bookmarks of a watch carry the version of the source', async () => {
  const source = aSource(2)
  const world = await aWorldWith(source)
  const watch = world.watch({ options: { resourceVersion: '2', allowWatchBookmarks: true } })
  source.add('red')
  await world.realClock.advance(60_000)
  expect(watch.events.at(-1)).toMatchObject({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '3' } } })
})

test('objects of a source are not among those that are stored', async () => {
  const { server } = await aWorldWith(aSource(1))
  expect(server.kinds.map(({ kind }) => kind.plural)).toContain('widgets')
  expect(server.stored.kinds().map(({ plural }) => plural)).not.toContain('widgets')
})
