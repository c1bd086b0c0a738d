import { expect, test } from 'vitest'
import type { OwnerReference } from '../../../src/apimachinery/object.js'
import { startGarbageCollector } from '../../../src/controller/garbage-collector.js'
import { configMapKind } from '../../../src/kinds/core/configmap/kind.js'
import { aWidget, createBench, type Widget, widgetKind } from './support.js'

async function collecting() {
  const bench = createBench([])
  await bench.manager.start()
  const { client, clock, log, kinds, manager } = bench
  const collector = startGarbageCollector({
    client,
    kinds: kinds.map(({ kind }) => kind),
    clock,
    log,
    informer: manager.informer,
    busy: manager.busy,
  })
  await collector.synced
  const names = async (): Promise<string[]> => [
    ...(await client.list(widgetKind)).map(({ metadata }) => metadata.name),
    ...(await client.list(configMapKind)).map(({ metadata }) => metadata.name),
  ]
  return { ...bench, collector, names }
}

const owner = (widget: Widget, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: widget.apiVersion,
  kind: widget.kind,
  name: widget.metadata.name,
  uid: widget.metadata.uid!,
  ...more,
})
const childOf = (name: string, ...ownerReferences: OwnerReference[]) => ({ metadata: { namespace: 'ns', name, ownerReferences } })

test('in the background a whole tree goes after its root', async () => {
  const { client, manager, names } = await collecting()
  const root = await client.create(widgetKind, aWidget('root'))
  const middle = await client.create(widgetKind, { ...aWidget('middle'), ...childOf('middle', owner(root)) })
  await client.create(configMapKind, childOf('leaf', owner(middle)))
  await client.create(configMapKind, childOf('free'))
  await manager.settled()
  expect(await names()).toEqual(['middle', 'root', 'free', 'leaf'])

  await client.delete(widgetKind, root.metadata, { propagationPolicy: 'Background' })
  await manager.settled()
  expect(await names()).toEqual(['free'])
})

test('what is made with an owner that is gone already goes too, and so does what names a later object of that name', async () => {
  const { client, manager, names } = await collecting()
  const gone = await client.create(widgetKind, aWidget('w'))
  await client.delete(widgetKind, gone.metadata)
  await client.create(widgetKind, aWidget('w'))
  await manager.settled()
  await client.create(configMapKind, childOf('late', owner(gone)))
  await manager.settled()
  expect(await names()).toEqual(['w'])
})

test('a dependent with another owner only loses the reference to the one that is gone', async () => {
  const { client, manager } = await collecting()
  const one = await client.create(widgetKind, aWidget('one'))
  const two = await client.create(widgetKind, aWidget('two'))
  await client.create(configMapKind, childOf('shared', owner(one), owner(two)))
  await client.delete(widgetKind, one.metadata)
  await manager.settled()
  expect((await client.get(configMapKind, { namespace: 'ns', name: 'shared' })).metadata.ownerReferences).toEqual([owner(two)])
})

test('in the foreground the owner stays until what blocks it is gone', async () => {
  const { client, manager, names } = await collecting()
  const root = await client.create(widgetKind, aWidget('root'))
  const held = { ...childOf('held', owner(root, { blockOwnerDeletion: true })) }
  const child = await client.create(configMapKind, { ...held, metadata: { ...held.metadata, finalizers: ['example.test/hold'] } })
  await client.create(configMapKind, childOf('easy', owner(root)))
  await client.delete(widgetKind, root.metadata, { propagationPolicy: 'Foreground' })
  await manager.settled()
  expect(await names()).toEqual(['root', 'held'])

  const held2 = await client.get(configMapKind, child.metadata)
  expect(held2.metadata.deletionTimestamp).toBeDefined()
  await client.update(configMapKind, { ...held2, metadata: { ...held2.metadata, finalizers: [] } })
  await manager.settled()
  expect(await names()).toEqual([])
})

test('an orphaning deletion leaves the dependents, without the reference', async () => {
  const { client, manager, names } = await collecting()
  const root = await client.create(widgetKind, aWidget('root'))
  await client.create(configMapKind, childOf('child', owner(root)))
  await client.delete(widgetKind, root.metadata, { propagationPolicy: 'Orphan' })
  await manager.settled()
  expect(await names()).toEqual(['child'])
  expect((await client.get(configMapKind, { namespace: 'ns', name: 'child' })).metadata.ownerReferences ?? []).toEqual([])
})

test('an owner of a kind that nobody serves counts as alive', async () => {
  const { client, manager, names } = await collecting()
  await client.create(configMapKind, childOf('child', { apiVersion: 'example.test/v1', kind: 'Unknown', name: 'x', uid: 'u' }))
  await manager.settled()
  expect(await names()).toEqual(['child'])
})

test('an owner in another namespace counts as absent', async () => {
  const { client, manager, names } = await collecting()
  const root = await client.create(widgetKind, { metadata: { namespace: 'elsewhere', name: 'root' }, spec: {} })
  await client.create(configMapKind, childOf('child', owner(root)))
  await manager.settled()
  expect(await names()).toEqual(['root'])
})
