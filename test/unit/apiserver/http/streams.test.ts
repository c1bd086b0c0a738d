import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { expanded } from '../../../../src/apiserver/field-managers.js'
import type { PodLogOptions, PodLogRef, PodLogs } from '../../../../src/apiserver/http.js'
import { at, aWidget } from '../support.js'
import { anHttpWorld } from './support.js'

const widgets = '/apis/shop.example.dev/v1/namespaces/shop/widgets'

test('a watch answers at once and sends one line of JSON per change', async () => {
  const { stream, ask } = await anHttpWorld()
  const watch = await stream(`${widgets}?watch=true`)
  expect([watch.status, watch.headers['content-type'], watch.headers['transfer-encoding']]).toEqual([200, 'application/json', 'chunked'])
  const created = await ask({ verb: 'create', object: aWidget('a') })
  expect(await watch.event()).toEqual({ type: 'ADDED', object: expanded(created) })
  await ask({ verb: 'delete', name: 'a' })
  expect(await watch.event()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } })
  watch.close()
})

test('the old watch paths work, for a collection and for one object', async () => {
  const { stream, ask } = await anHttpWorld()
  const all = await stream('/apis/shop.example.dev/v1/watch/namespaces/shop/widgets')
  const one = await stream('/apis/shop.example.dev/v1/watch/namespaces/shop/widgets/b')
  await ask({ verb: 'create', object: aWidget('a') })
  await ask({ verb: 'create', object: aWidget('b') })
  expect(await all.event()).toMatchObject({ object: { metadata: { name: 'a' } } })
  expect(await one.event()).toMatchObject({ object: { metadata: { name: 'b' } } })
  all.close()
  one.close()
})

test('a watch as tables sends rows, its columns once, and bookmarks without rows', async () => {
  const { stream, ask } = await anHttpWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  const watch = await stream(`${widgets}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, {
    headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  expect(await watch.event()).toMatchObject({
    type: 'ADDED',
    object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Phase' }], rows: [{ cells: ['a', null] }] },
  })
  const bookmark = await watch.event()
  expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'Table', rows: [], metadata: { resourceVersion: '2' } } })
  expect(bookmark!.object['columnDefinitions'] ?? []).toEqual([])
  watch.close()
})

test('a watch that cannot start is refused with a status code', async () => {
  const { http } = await anHttpWorld()
  expect((await http(`${widgets}?watch=true&resourceVersion=999`)).status).toBe(504)
  expect((await http(`${widgets}?watch=true&sendInitialEvents=true`)).status).toBe(422)
  expect((await http(`${widgets}?watch=true&fieldSelector=odd%3D1`)).status).toBe(400)
})

test('a watch whose time is up ends cleanly', async () => {
  const { stream, realClock } = await anHttpWorld()
  const watch = await stream(`${widgets}?watch=true&timeoutSeconds=5`)
  await realClock.advance(5000)
  expect(await watch.line()).toBeUndefined()
  expect(watch.response.complete).toBe(true)
})

test('a watch that names no time lasts between half an hour and an hour', async () => {
  const { stream, realClock } = await anHttpWorld()
  const watch = await stream(`${widgets}?watch=true`)
  let ended = false
  const end = watch.line().then(() => (ended = true))
  await realClock.advance(1_799_000)
  await stream('/api/v1/namespaces?watch=true').then((other) => other.close())
  expect(ended).toBe(false)
  await realClock.advance(1_801_000)
  await end
  expect(watch.response.complete).toBe(true)
})

test('a watch and a log that is followed end when their reader closes its side, and the connection with them', async () => {
  const endless: PodLogs = async function* (_which: PodLogRef, { signal }: PodLogOptions) {
    yield 'first'
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  } as never
  const { ask, http, socketPath } = await anHttpWorld({ podLogs: endless })
  await ask({
    verb: 'create',
    ...at('pods'),
    object: { metadata: { name: 'p' }, spec: { nodeName: 'node', containers: [{ name: 'app' }] } },
  })
  await ask({
    verb: 'patch',
    subresource: 'status',
    ...at('pods', 'p'),
    patch: { type: 'application/merge-patch+json', body: { status: running(0) } },
  })
  for (const path of [`${widgets}?watch=true`, `${logPath}?follow=true`]) {
    const socket = connect({ path: socketPath, allowHalfOpen: true })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.end()
    await new Promise((resolve) => socket.on('close', resolve).resume())
  }
  expect((await http('/metrics')).body).toContain('apiserver_registered_watchers{resource="widgets"} 0\n')
})

test('a reader that does not read costs nothing but its place: the watch ends cleanly and what was sent is whole', async () => {
  const { stream, ask } = await anHttpWorld()
  const watch = await stream(`${widgets}?watch=true`)
  watch.response.pause()
  const color = 'x'.repeat(2000)
  for (let index = 0; index < 12_000; index++) await ask({ verb: 'create', object: aWidget(`w${index}`, { color }) })
  let seen = 0
  for (let event = await watch.event(); event; event = await watch.event()) {
    expect(event.object['metadata']).toMatchObject({ name: `w${seen}` })
    seen++
  }
  expect(seen).toBeGreaterThan(0)
  expect(seen).toBeLessThan(12_000)
  expect(watch.response.complete).toBe(true)
})

test('a large start does not count against a slow reader', async () => {
  const { stream, ask } = await anHttpWorld()
  for (let index = 0; index < 11_000; index++) await ask({ verb: 'create', object: aWidget(`w${index}`) })
  const watch = await stream(`${widgets}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`)
  let seen = 0
  for (let event = await watch.event(); event?.type === 'ADDED'; event = await watch.event()) seen++
  expect(seen).toBe(11_000)
  watch.close()
})

test('stopping the listener ends watches cleanly and refuses new requests', async () => {
  const { stream, listener, http } = await anHttpWorld()
  const watch = await stream(`${widgets}?watch=true`)
  await listener.stop()
  expect(await watch.line()).toBeUndefined()
  expect(watch.response.complete).toBe(true)
  await expect(http('/healthz')).rejects.toThrow()
})

test('stopping the listener does not wait for connections that never said anything', async () => {
  const { listener, socketPath } = await anHttpWorld()
  const silent = [connect(socketPath), connect({ host: '127.0.0.1', port: listener.port, allowHalfOpen: true })]
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.on('connect', resolve))))
  silent[1]!.end()
  const closed = silent.map((socket) => new Promise((resolve) => socket.on('close', resolve).on('error', resolve).resume()))
  await listener.stop()
  await Promise.all(closed)
})

const asked: { which: PodLogRef; options: PodLogOptions }[] = []
async function* twoLines(): AsyncGenerator<string> {
  yield 'one'
  yield 'two'
}

async function aPodWorld(podStatus: object, containers = [{ name: 'app' }]) {
  asked.length = 0
  const world = await anHttpWorld({
    podLogs: (which, options) => {
      asked.push({ which, options })
      return twoLines()
    },
  })
  const pod = { metadata: { name: 'p' }, spec: { nodeName: 'node', containers } }
  const { metadata } = await world.ask<{ metadata: object }>({ verb: 'create', ...at('pods'), object: pod })
  await world.ask({ verb: 'update', subresource: 'status', ...at('pods', 'p'), object: { metadata, status: podStatus } })
  return world
}

const logPath = '/api/v1/namespaces/shop/pods/p/log'
const running = (restartCount: number, lastState: object = {}): object => ({
  containerStatuses: [{ name: 'app', restartCount, state: { running: {} }, lastState }],
})

test('a log is text, line by line, of the run that is on', async () => {
  const { http } = await aPodWorld(running(2))
  const log = await http(`${logPath}?timestamps=true&tailLines=10&limitBytes=100&previous=false`)
  expect([log.status, log.headers['content-type'], log.body]).toEqual([200, 'text/plain', 'one\ntwo\n'])
  expect(asked[0]).toMatchObject({
    which: { namespace: 'shop', name: 'p', container: 'app', attempt: 2, uid: expect.any(String) },
    options: { follow: false, timestamps: true, tailLines: 10, limitBytes: 100 },
  })
})

test('previous means the run before', async () => {
  const { http } = await aPodWorld(running(2, { terminated: { containerID: 'x' } }))
  await http(`${logPath}?previous=true`)
  expect(asked[0]!.which.attempt).toBe(1)
})

test.each([
  [
    { containerStatuses: [{ name: 'app', state: { waiting: { reason: 'ContainerCreating' } } }] },
    '',
    'container "app" in pod "p" is waiting to start: ContainerCreating',
  ],
  [
    { containerStatuses: [{ name: 'app', state: { waiting: { reason: 'ImagePullBackOff' } } }] },
    '',
    'container "app" in pod "p" is waiting to start: trying and failing to pull image',
  ],
  [running(0), '?previous=true', 'previous terminated container "app" in pod "p" not found'],
  [running(0), '?container=other', 'container other is not valid for pod p'],
  [{}, '', 'container "app" in pod "p" is not available'],
])("a log that is not there is refused in a kubelet's words (%#)", async (status, query, message) => {
  const { http } = await aPodWorld(status)
  expect((await http(logPath + query)).json()).toMatchObject({ code: 400, reason: 'BadRequest', message })
})

test('with several containers a log needs to say which', async () => {
  const { http } = await aPodWorld({}, [{ name: 'a' }, { name: 'b' }])
  expect((await http(logPath)).json()).toMatchObject({
    code: 400,
    message: 'a container name must be specified for pod p, choose one of: [a b]',
  })
})

test('log options that make no sense are invalid, and a Pod that is missing has no log', async () => {
  const { http } = await aPodWorld(running(0))
  expect((await http(`${logPath}?tailLines=-1`)).json()).toMatchObject({
    code: 422,
    message: 'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  })
  expect((await http('/api/v1/namespaces/shop/pods/ghost/log')).status).toBe(404)
  expect((await http(logPath, { method: 'POST', body: {} })).status).toBe(405)
})

test('a reader that leaves a log it follows ends the reading of it', async () => {
  let ended: (() => void) | undefined
  const aborted = new Promise<void>((resolve) => {
    ended = resolve
  })
  const world = await anHttpWorld({
    podLogs: async function* (_which, { signal }) {
      yield 'first'
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      ended!()
    } as (which: PodLogRef, options: PodLogOptions) => AsyncGenerator<string>,
  })
  const pod = { metadata: { name: 'p' }, spec: { nodeName: 'node', containers: [{ name: 'app' }] } }
  await world.ask({ verb: 'create', ...at('pods'), object: pod })
  await world.ask({
    verb: 'patch',
    subresource: 'status',
    ...at('pods', 'p'),
    patch: { type: 'application/merge-patch+json', body: { status: running(0) } },
  })
  const log = await world.stream(`${logPath}?follow=true`)
  expect(await log.line()).toBe('first')
  log.close()
  await aborted
  expect(log.response.destroyed).toBe(true)
})
