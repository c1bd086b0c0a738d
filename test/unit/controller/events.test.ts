import { expect, test } from 'vitest'
import type { Controller, ReconcilerDeps } from '../../../src/controller/reconcile.js'
import { eventKind } from '../../../src/kinds/core/event/kind.js'
import { aWidget, createBench, type Widget, widgetKind } from './support.js'

async function recording() {
  let deps: ReconcilerDeps | undefined
  const controller: Controller<Widget> = {
    kind: widgetKind,
    actsAs: 'kubelet',
    eventSource: { component: 'kubelet', host: 'kn-local' },
    create(given) {
      deps = given
      return async () => ({})
    },
  }
  const bench = createBench([controller])
  await bench.manager.start()
  const widget = await bench.client.create(widgetKind, aWidget('w'))
  await bench.manager.settled()
  return { ...bench, widget, event: deps!.event }
}

test('an Event tells what happened to which part of an object, and who says so', async () => {
  const { client, manager, widget, event } = await recording()
  event(widget, 'Warning', 'BackOff', 'Back-off', { fieldPath: 'spec.parts{a}' })
  await manager.settled()

  const [recorded] = await client.list(eventKind, 'ns')
  expect(recorded).toMatchObject({
    metadata: { name: expect.stringMatching(/^w\.[0-9a-f]{16}$/), namespace: 'ns' },
    involvedObject: {
      apiVersion: 'test.knative.dev/v1',
      kind: 'Widget',
      namespace: 'ns',
      name: 'w',
      uid: widget.metadata.uid,
      fieldPath: 'spec.parts{a}',
    },
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off',
    source: { component: 'kubelet', host: 'kn-local' },
    reportingComponent: 'kubelet',
    reportingInstance: 'kn-local',
    count: 1,
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
  })
  await manager.stop()
})

test('equal Events are counted up, different ones are not', async () => {
  const { client, clock, manager, widget, event } = await recording()
  for (let time = 0; time < 3; time++) {
    event(widget, 'Normal', 'Pulled', 'here')
    await clock.advance(10_000)
  }
  event(widget, 'Normal', 'Pulled', 'there')
  await manager.settled()

  const events = (await client.list(eventKind, 'ns')).map(({ message, count, firstTimestamp, lastTimestamp }) => [
    message,
    count,
    firstTimestamp,
    lastTimestamp,
  ])
  expect(events.sort()).toEqual([
    ['here', 3, '2026-01-01T00:00:00Z', '2026-01-01T00:00:20Z'],
    ['there', 1, '2026-01-01T00:00:30Z', '2026-01-01T00:00:30Z'],
  ])
  await manager.stop()
})

test('an Event is gone an hour of virtual time after it last happened, and happens anew then', async () => {
  const { client, clock, manager, widget, event } = await recording()
  event(widget, 'Normal', 'Pulled', 'here')
  await clock.advance(3_540_000)
  event(widget, 'Normal', 'Pulled', 'here')
  await clock.advance(3_500_000)
  expect(await client.list(eventKind, 'ns')).toHaveLength(1)
  await clock.advance(200_000)
  expect(await client.list(eventKind, 'ns')).toEqual([])

  event(widget, 'Normal', 'Pulled', 'here')
  await manager.settled()
  expect((await client.list(eventKind, 'ns'))[0]!.count).toBe(1)
  await manager.stop()
})

test('an Event that cannot be written is left out', async () => {
  const { client, manager, widget, event } = await recording()
  event({ ...widget, metadata: { ...widget.metadata, name: 'Not A Name' } }, 'Normal', 'Pulled', 'here')
  event(widget, 'Normal', 'Pulled', 'here')
  await manager.settled()
  expect(await client.list(eventKind, 'ns')).toHaveLength(1)
  await manager.stop()
})
