import { expect, test } from 'vitest'
import type { ApiCall, ObjectList } from '../../../src/apimachinery/call.js'
import { at, aWidget, aWorld, type World } from './support.js'

const namesOf = (list: ObjectList): string[] => list.items.map(({ metadata }) => metadata.name)
const listed = async (world: World, options: ApiCall['options'] = {}, namespace: string | undefined = 'shop'): Promise<ObjectList> =>
  world.ask<ObjectList>({ verb: 'list', options, ...(namespace === '' ? {} : { namespace }) })

async function aShopWith(...names: string[]): Promise<World> {
  const world = await aWorld()
  for (const name of names) await world.ask({ verb: 'create', object: aWidget(name, { color: name }, { labels: { letter: name } }) })
  return world
}

test('a list is sorted, carries the version of the store, and is empty rather than missing', async () => {
  const world = await aShopWith('c', 'a', 'b')
  const all = await listed(world)
  expect(all).toMatchObject({
    kind: 'WidgetList',
    apiVersion: 'shop.example.dev/v1',
    metadata: { resourceVersion: String(world.store.version) },
  })
  expect(namesOf(all)).toEqual(['a', 'b', 'c'])
  expect((await listed(world, {}, 'elsewhere')).items).toEqual([])
})

test('a list of all namespaces is asked for by leaving the namespace out', async () => {
  const { server, ask } = await aShopWith('a')
  await ask({ verb: 'create', ...at('namespaces'), object: { metadata: { name: 'attic' } } })
  await ask({ verb: 'create', namespace: 'attic', object: aWidget('z') })
  const { object } = await server.call({
    user: { name: 'u', groups: [] },
    verb: 'list',
    group: 'shop.example.dev',
    version: 'v1',
    plural: 'widgets',
  })
  expect(namesOf(object as ObjectList)).toEqual(['z', 'a'])
})

test('label and field selectors narrow a list, and an unknown field is a bad request', async () => {
  const world = await aShopWith('a', 'b', 'c')
  expect(namesOf(await listed(world, { labelSelector: 'letter in (a,c)' }))).toEqual(['a', 'c'])
  expect(namesOf(await listed(world, { fieldSelector: 'metadata.name=b' }))).toEqual(['b'])
  expect(namesOf(await listed(world, { fieldSelector: 'spec.color!=b,metadata.namespace=shop' }))).toEqual(['a', 'c'])
  const refused = await world.refusal({ verb: 'list', options: { fieldSelector: 'spec.size=1' } })
  expect(refused.status).toMatchObject({ code: 400, message: expect.stringContaining('field label not supported: spec.size') })
})

test('pages show one moment, whatever is written in between', async () => {
  const world = await aShopWith('a', 'b', 'c', 'd')
  const first = await listed(world, { limit: 2 })
  expect(namesOf(first)).toEqual(['a', 'b'])
  expect(first.metadata.remainingItemCount).toBe(2)

  await world.ask({ verb: 'delete', name: 'c' })
  await world.ask({ verb: 'create', object: aWidget('bb') })
  const second = await listed(world, { limit: 2, continue: first.metadata.continue! })
  expect(namesOf(second)).toEqual(['c', 'd'])
  expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion })
})

test('pages of a selection leave out how many remain and end when nothing more matches', async () => {
  const world = await aShopWith('a', 'b', 'c', 'd')
  const first = await listed(world, { limit: 1, labelSelector: 'letter in (a,c)' })
  expect(namesOf(first)).toEqual(['a'])
  expect(first.metadata.remainingItemCount).toBeUndefined()
  const second = await listed(world, { limit: 1, labelSelector: 'letter in (a,c)', continue: first.metadata.continue! })
  expect(namesOf(second)).toEqual(['c'])
  expect(second.metadata.continue).toBeUndefined()
})

test('a page token is gone after five minutes, and its refusal offers the rest as it is by then', async () => {
  const world = await aShopWith('a', 'b', 'c')
  const { metadata } = await listed(world, { limit: 1 })
  await world.realClock.advance(5 * 60_000)
  await world.ask({ verb: 'delete', name: 'b' })
  const refused = await world.refusal({ verb: 'list', options: { continue: metadata.continue! } })
  expect(refused.status).toMatchObject({
    code: 410,
    reason: 'Expired',
    message: expect.stringMatching(/^The provided continue parameter is too old/),
  })
  expect(namesOf(await listed(world, { continue: refused.status.metadata.continue! }))).toEqual(['c'])
})

test('a token that was never given out is a bad request', async () => {
  const { refusal } = await aWorld()
  expect((await refusal({ verb: 'list', options: { continue: 'nonsense' } })).code).toBe(400)
})

test('a version from the future is refused with 504 and a hint to try again', async () => {
  const { refusal } = await aWorld()
  const refused = await refusal({ verb: 'list', options: { resourceVersion: '99' } })
  expect(refused.status).toMatchObject({
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: Too large resource version: 99, current: 1',
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
  })
  expect((await refusal({ verb: 'get', name: 'a', options: { resourceVersion: '99' } })).code).toBe(504)
})

test('an exact version is answered while it is known, else it is gone', async () => {
  const world = await aShopWith('a', 'b')
  const now = String(world.store.version)
  expect(namesOf(await listed(world, { resourceVersion: now, resourceVersionMatch: 'Exact' }))).toEqual(['a', 'b'])
  await world.ask({ verb: 'delete', name: 'a' })
  expect((await world.refusal({ verb: 'list', options: { resourceVersion: now, resourceVersionMatch: 'Exact' } })).reason).toBe('Expired')
  expect(namesOf(await listed(world, { resourceVersion: now, resourceVersionMatch: 'NotOlderThan' }))).toEqual(['b'])
})

test.each([
  [{ resourceVersionMatch: 'Exact' }, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
  [{ resourceVersion: '0', resourceVersionMatch: 'Exact' }, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'],
  [{ resourceVersion: '1', resourceVersionMatch: 'Roughly' }, 'Unsupported value: "Roughly": supported values: "Exact", "NotOlderThan"'],
  [{ sendInitialEvents: true }, 'sendInitialEvents is forbidden for list'],
])('list options that mean nothing are invalid: %j', async (options, message) => {
  const { refusal } = await aWorld()
  const refused = await refusal({ verb: 'list', options })
  expect(refused.code).toBe(422)
  expect(refused.message).toContain('ListOptions.meta.k8s.io "" is invalid: ')
  expect(refused.message).toContain(message)
})

test('a resourceVersion that is no number is a bad request', async () => {
  const { refusal } = await aWorld()
  expect((await refusal({ verb: 'list', options: { resourceVersion: 'abc' } })).code).toBe(400)
})

test('what is not served is not found, and a verb that is not offered is not allowed', async () => {
  const { refusal } = await aWorld()
  const unknown = await refusal({ verb: 'list', plural: 'gadgets' })
  expect(unknown.status).toMatchObject({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' })
  expect((await refusal({ verb: 'get', name: 'a', subresource: 'log' })).code).toBe(404)
  expect((await refusal({ verb: 'delete', name: 'a', subresource: 'status' })).code).toBe(405)
  expect((await refusal({ verb: 'get', ...at('notes', 'n'), subresource: 'status' })).code).toBe(404)
})
