import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { Pod } from '../../../src/kinds/core/pod/schema.js'
import { ask, startApp, startTestGateway, type TestGateway, turns } from './support.js'

const HOST = 'hello.default.localhost'

function leaving(gateway: TestGateway, name: string): void {
  const pod = gateway.informers.pods.get({ namespace: 'default', name }) as Pod
  gateway.informers.pods.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:30Z' } })
}

function watched(promise: Promise<void>): { isDone: boolean } {
  const state = { isDone: false }
  void promise.then(() => {
    state.isDone = true
  })
  return state
}

test('a Pod on its way out gets no request, and is drained when what it works on is answered', async () => {
  const held: ServerResponse[] = []
  const first = await startApp((_request, response) => void held.push(response))
  const second = await startApp((_request, response) => response.end('second'))
  const gateway = await startTestGateway()
  gateway.serve('hello', [first.port])
  const slow = ask(gateway.externalPort, HOST)
  while (held.length === 0) await turns()
  gateway.scale('hello', [first.port, second.port])

  leaving(gateway, 'hello-pod-0')
  const drained = watched(gateway.drained('hello-uid-0', new AbortController().signal))
  for (let request = 0; request < 10; request++) expect((await ask(gateway.externalPort, HOST)).body).toBe('second')
  expect(drained.isDone).toBe(false)

  held[0]!.end('first')
  expect((await slow).body).toBe('first')
  await turns()
  expect(drained.isDone).toBe(true)
})

test('a Pod without requests is drained at once, and so is one that never had any', async () => {
  const app = await startApp((_request, response) => response.end('ok'))
  const gateway = await startTestGateway()
  gateway.serve('hello', [app.port])
  expect((await ask(gateway.externalPort, HOST)).status).toBe(200)
  leaving(gateway, 'hello-pod-0')
  await gateway.drained('hello-uid-0', new AbortController().signal)
  await gateway.drained('ghost', new AbortController().signal)
})

test('draining ends with its signal, with the gateway, and when the Revision is gone before its Pods', async () => {
  const held: ServerResponse[] = []
  const app = await startApp((_request, response) => void held.push(response))
  const gateway = await startTestGateway()
  gateway.serve('hello', [app.port])
  const slow = ask(gateway.externalPort, HOST)
  while (held.length === 0) await turns()
  leaving(gateway, 'hello-pod-0')

  const hurry = new AbortController()
  const hurried = gateway.drained('hello-uid-0', hurry.signal)
  hurry.abort()
  await hurried

  const patient = watched(gateway.drained('hello-uid-0', new AbortController().signal))
  gateway.informers.revisions.remove(gateway.informers.revisions.get({ namespace: 'default', name: 'hello' })!)
  await turns()
  expect(patient.isDone).toBe(false)
  await gateway.stop()
  await slow
  await turns()
  expect(patient.isDone).toBe(true)
})
