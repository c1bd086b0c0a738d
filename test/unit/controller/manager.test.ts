import { expect, test } from 'vitest'
import { refusals } from '../../../src/apimachinery/status-error.js'
import { ensureOwned } from '../../../src/controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../src/controller/reconcile.js'
import { configMapKind } from '../../../src/kinds/core/configmap/kind.js'
import { eventKind } from '../../../src/kinds/core/event/kind.js'
import { aWidget, conditionsOf, createBench, readyOnly, type Widget, widgetKind } from './support.js'

const ref = { namespace: 'ns', name: 'w' }

function controllerOf(
  reconcile: (deps: ReconcilerDeps, widget: Widget) => Promise<Outcome<Widget>>,
  more: Partial<Controller<Widget>> = {},
): Controller<Widget> {
  return { kind: widgetKind, actsAs: 'controller', create: (deps) => (widget) => reconcile(deps, widget), ...more }
}

/** Ready as soon as it has a size. */
const ready = async (deps: ReconcilerDeps, widget: Widget): Promise<Outcome<Widget>> => {
  const conditions = conditionsOf(widget, readyOnly, deps.clock.now())
  if (widget.spec.size === -1) throw new Error('no such size')
  if (widget.spec.size !== undefined) conditions.isTrue('Ready')
  return { status: { conditions: conditions.list() } }
}

test('the status is written once, with the generation that was observed, and not again while it is the same', async () => {
  let calls = 0
  const bench = createBench([
    controllerOf(async () => {
      calls++
      return { status: { seen: 1 } }
    }),
  ])
  await bench.manager.start()
  const created = await bench.client.create(widgetKind, aWidget('w'))
  await bench.manager.settled()
  const stored = await bench.client.get(widgetKind, ref)
  expect(stored.status).toEqual({ seen: 1, observedGeneration: 1 })
  expect(Number(stored.metadata.resourceVersion)).toBe(Number(created.metadata.resourceVersion) + 1)
  // Once for the object, once for the status that was written.
  expect(calls).toBe(2)
  await bench.manager.stop()
})

test('objects that were there before the manager started are reconciled too', async () => {
  const bench = createBench([controllerOf(async () => ({ status: { seen: 2 } }))])
  await bench.client.create(widgetKind, aWidget('w'))
  await bench.manager.start()
  await bench.manager.settled()
  expect((await bench.client.get(widgetKind, ref)).status!.seen).toBe(2)
  await bench.manager.stop()
})

test('a Knative object whose new generation fails says so in Ready and in an Event', async () => {
  const bench = createBench([controllerOf(ready)])
  await bench.manager.start()
  const widget = await bench.client.create(widgetKind, aWidget('w', { size: 1 }))
  await bench.manager.settled()
  await bench.client.patch(widgetKind, ref, { type: 'application/merge-patch+json', body: { spec: { size: -1 } } })
  await bench.manager.settled()

  const { status } = await bench.client.get(widgetKind, ref)
  expect(status!.observedGeneration).toBe(widget.metadata.generation! + 1)
  expect(status!.conditions).toMatchObject([
    { type: 'Ready', status: 'Unknown', reason: 'NewObservedGenFailure', message: 'unsuccessfully observed a new generation' },
  ])
  const [event] = await bench.client.list(eventKind, 'ns')
  expect(event).toMatchObject({
    type: 'Warning',
    reason: 'InternalError',
    message: 'no such size',
    source: { component: 'widget-controller' },
  })
  await bench.manager.stop()
})

test('a condition that a new generation leaves as it was keeps the time of its last change', async () => {
  const bench = createBench([controllerOf(ready)])
  await bench.manager.start()
  await bench.client.create(widgetKind, aWidget('w', { size: 1 }))
  await bench.manager.settled()
  const before = (await bench.client.get(widgetKind, ref)).status!.conditions
  await bench.clock.advance(60_000)
  await bench.client.patch(widgetKind, ref, { type: 'application/merge-patch+json', body: { spec: { size: 2 } } })
  await bench.manager.settled()

  const after = (await bench.client.get(widgetKind, ref)).status!
  expect(after.observedGeneration).toBe(2)
  expect(after.conditions).toEqual(before)
  await bench.manager.stop()
})

test('a conflict is tried again at once, on the object as it is now', async () => {
  let conflicts = 2
  const bench = createBench([
    controllerOf(async () => {
      if (conflicts-- > 0) throw refusals.conflict(widgetKind, 'w')
      return { status: { seen: 3 } }
    }),
  ])
  await bench.manager.start()
  await bench.client.create(widgetKind, aWidget('w'))
  await bench.manager.settled()
  expect((await bench.client.get(widgetKind, ref)).status!.seen).toBe(3)
  expect(await bench.client.list(eventKind, 'ns')).toEqual([])
  await bench.manager.stop()
})

test('children wake their owner, other kinds wake whom they concern, before and after a change', async () => {
  const woken: string[] = []
  const controller = controllerOf(
    async (_deps, widget) => {
      woken.push(widget.metadata.name)
      return {}
    },
    {
      owns: [configMapKind],
      wokenBy: [
        {
          kind: configMapKind,
          wakes: ({ metadata }) => (metadata.labels?.['for'] ? [{ namespace: metadata.namespace, name: metadata.labels['for'] }] : []),
        },
      ],
    },
  )
  const bench = createBench([controller])
  await bench.manager.start()
  const owner = await bench.client.create(widgetKind, aWidget('owner'))
  await bench.client.create(widgetKind, aWidget('one'))
  await bench.client.create(widgetKind, aWidget('two'))
  await bench.manager.settled()

  woken.length = 0
  await ensureOwned(bench.client, configMapKind, owner, { metadata: { name: 'child' }, data: {} })
  await bench.manager.settled()
  expect(woken).toEqual(['owner'])

  woken.length = 0
  const map = await bench.client.create(configMapKind, { metadata: { namespace: 'ns', name: 'map', labels: { for: 'one' } } })
  await bench.manager.settled()
  await bench.client.update(configMapKind, { ...map, metadata: { ...map.metadata, labels: { for: 'two' } } })
  await bench.manager.settled()
  expect(woken.sort()).toEqual(['one', 'one', 'two'])
  await bench.manager.stop()
})

test('an object being deleted is reconciled only while it carries the finalizer named after its kind', async () => {
  const seen: string[] = []
  const bench = createBench([
    controllerOf(async ({ client }, widget) => {
      seen.push(`${widget.metadata.name}${widget.metadata.deletionTimestamp ? ' deleting' : ''}`)
      if (widget.metadata.deletionTimestamp)
        await client.update(widgetKind, { ...widget, metadata: { ...widget.metadata, finalizers: [] } })
      return {}
    }),
  ])
  await bench.manager.start()
  await bench.client.create(widgetKind, {
    ...aWidget('ours'),
    metadata: { ...ref, name: 'ours', finalizers: ['widgets.test.knative.dev'] },
  })
  await bench.client.create(widgetKind, { ...aWidget('other'), metadata: { ...ref, name: 'other', finalizers: ['example.test/other'] } })
  await bench.manager.settled()
  await bench.client.delete(widgetKind, { namespace: 'ns', name: 'ours' })
  await bench.client.delete(widgetKind, { namespace: 'ns', name: 'other' })
  await bench.manager.settled()

  expect(seen.sort()).toEqual(['other', 'ours', 'ours deleting'])
  expect((await bench.client.list(widgetKind, 'ns')).map(({ metadata }) => metadata.name)).toEqual(['other'])
  await bench.manager.stop()
})

test('requeueAfterMs comes due on the virtual clock; wake and busy reach beyond a reconcile', async () => {
  let calls = 0
  let wake: (() => void) | undefined
  let finish: () => void = () => {}
  const bench = createBench([
    controllerOf(async (deps) => {
      calls++
      wake = () => deps.wake(ref)
      if (calls === 1) {
        deps.busy(
          new Promise<void>((resolve) => {
            finish = resolve
          }),
        )
      }
      return { requeueAfterMs: 5000 }
    }),
  ])
  await bench.manager.start()
  await bench.client.create(widgetKind, aWidget('w'))
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  expect(calls).toBe(1)
  expect(bench.manager.isSettled()).toBe(false)
  finish()
  await bench.manager.settled()

  await bench.clock.advance(4999)
  expect(calls).toBe(1)
  await bench.clock.advance(1)
  expect(calls).toBe(2)
  wake!()
  await bench.manager.settled()
  expect(calls).toBe(3)
  await bench.manager.stop()
})

test('configMap gives the data as it is now', async () => {
  const seen: (string | undefined)[] = []
  const bench = createBench([
    controllerOf(
      async (deps) => {
        seen.push(deps.configMap('ns', 'settings')['a'])
        return {}
      },
      { wokenBy: [{ kind: configMapKind, wakes: (_, all) => all.list().map(({ metadata }) => metadata) }] },
    ),
  ])
  await bench.manager.start()
  await bench.client.create(widgetKind, aWidget('w'))
  await bench.manager.settled()
  await bench.client.create(configMapKind, { metadata: { namespace: 'ns', name: 'settings' }, data: { a: '1' } })
  await bench.manager.settled()
  expect(seen).toEqual([undefined, '1'])
  await bench.manager.stop()
})
