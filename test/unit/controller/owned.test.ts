import { expect, test } from 'vitest'
import { ensureOwned } from '../../../src/controller/owned.js'
import { configMapKind } from '../../../src/kinds/core/configmap/kind.js'
import { aWidget, createBench, widgetKind } from './support.js'

const draft = { metadata: { name: 'child', labels: { a: '1' } }, data: { color: 'blue' } }

test('a child is created once with its owner, then left alone while it is as wanted', async () => {
  const { client } = createBench([])
  const owner = await client.create(widgetKind, aWidget('w'))
  const first = await ensureOwned(client, configMapKind, owner, draft)
  const second = await ensureOwned(client, configMapKind, owner, draft)

  expect(first!.result).toBe('created')
  expect(first!.object.metadata).toMatchObject({
    namespace: 'ns',
    ownerReferences: [
      { apiVersion: 'test.knative.dev/v1', kind: 'Widget', name: 'w', uid: owner.metadata.uid, controller: true, blockOwnerDeletion: true },
    ],
  })
  expect(second).toEqual({ object: first!.object, result: 'unchanged' })
})

test('what was changed by others is put right; labels of others stay', async () => {
  const { client } = createBench([])
  const owner = await client.create(widgetKind, aWidget('w'))
  const { object } = (await ensureOwned(client, configMapKind, owner, draft))!
  await client.update(configMapKind, { ...object, metadata: { ...object.metadata, labels: { a: '2', b: '3' } }, data: { color: 'red' } })

  const { result, object: after } = (await ensureOwned(client, configMapKind, owner, draft))!
  expect(result).toBe('updated')
  expect(after).toMatchObject({ metadata: { labels: { a: '1', b: '3' } }, data: { color: 'blue' } })
})

test('a change of its own decides what is put right', async () => {
  const { client } = createBench([])
  const owner = await client.create(widgetKind, aWidget('w'))
  await ensureOwned(client, configMapKind, owner, draft)
  const change = (map: { data?: Record<string, string> }) => ({ ...map, data: { ...map.data, size: 'big' } }) as never

  expect((await ensureOwned(client, configMapKind, owner, draft, { change }))!.object.data).toEqual({ color: 'blue', size: 'big' })
  expect((await ensureOwned(client, configMapKind, owner, draft, { change }))!.result).toBe('unchanged')
})

test('a stranger of that name is neither taken over nor touched', async () => {
  const { client } = createBench([])
  const owner = await client.create(widgetKind, aWidget('w'))
  const stranger = await client.create(configMapKind, { metadata: { namespace: 'ns', name: 'child' }, data: {} })

  expect(await ensureOwned(client, configMapKind, owner, draft)).toBeUndefined()
  expect(await client.get(configMapKind, stranger.metadata)).toEqual(stranger)
})
