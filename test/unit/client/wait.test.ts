import { expect, test } from 'vitest'
import type { WatchEvent } from '../../../src/apimachinery/call.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { refusals } from '../../../src/apimachinery/status-error.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import type { Client } from '../../../src/client/client.js'
import { waitForDeletion, waitForReady } from '../../../src/client/wait.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'
import type { Service } from '../../../src/kinds/service/schema.js'

const ref = { namespace: 'default', name: 'x' }

function service(ready: 'True' | 'False' | 'Unknown', { message = '', generation = 1, observed = 1, resourceVersion = '1' } = {}): Service {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { ...ref, generation, resourceVersion, uid: 'u' },
    spec: { template: { spec: { containers: [] } } },
    status: { observedGeneration: observed, conditions: [{ type: 'Ready', status: ready, reason: 'Why', message }] },
  }
}

/** A server that holds one object, and watches one can push events into. */
function aServer(first: Service | undefined) {
  let current = first
  const watches: { resourceVersion: string | undefined; push: (event: WatchEvent | 'end' | Error) => void }[] = []
  const client = {
    find: async () => current,
    get: async () => {
      if (!current) throw refusals.notFound(serviceKind, 'x')
      return current
    },
    async *watch(_: unknown, { resourceVersion, signal }: { resourceVersion?: string; signal?: AbortSignal }) {
      const queue: (WatchEvent | 'end' | Error)[] = []
      let wake = (): void => {}
      signal?.addEventListener('abort', () => wake())
      watches.push({
        resourceVersion,
        push(event) {
          queue.push(event)
          wake()
        },
      })
      for (;;) {
        while (queue.length > 0) {
          const next = queue.shift()!
          if (next === 'end') return
          if (next instanceof Error) throw next
          yield next
        }
        if (signal?.aborted) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  } as unknown as Client
  return {
    client,
    watches,
    becomes(next: Service | undefined) {
      const before = current
      current = next
      const event = next
        ? { type: 'MODIFIED' as const, object: next as KubeObject }
        : { type: 'DELETED' as const, object: before as KubeObject }
      watches.at(-1)?.push(event)
    },
  }
}

function waiting(server: ReturnType<typeof aServer>, { timeoutSeconds = 600, windowSeconds = 2 } = {}) {
  const clock = createVirtualClock()
  const progress: [number, string][] = []
  const outcome = waitForReady({
    client: server.client,
    kind: serviceKind,
    ref,
    clock,
    timeoutSeconds,
    windowSeconds,
    onProgress: (ms, text) => progress.push([ms, text]),
  }).then(
    (object) => object.metadata.resourceVersion,
    (error: Error) => error.message,
  )
  return { clock, progress, outcome }
}

test('an object that is ready already needs no watch', async () => {
  const server = aServer(service('True', { resourceVersion: '7' }))
  expect(await waiting(server).outcome).toBe('7')
  expect(server.watches).toEqual([])
})

test('the watch begins at the version that was looked at, so that no change in between is missed', async () => {
  const server = aServer(service('Unknown', { resourceVersion: '5' }))
  const { clock, outcome } = waiting(server)
  await clock.advance(0)
  expect(server.watches[0]?.resourceVersion).toBe('5')
  server.becomes(service('True', { resourceVersion: '6' }))
  expect(await outcome).toBe('6')
})

test('ready at an older generation does not count', async () => {
  const server = aServer(service('True', { generation: 2, observed: 1 }))
  const { clock, outcome } = waiting(server)
  await clock.advance(1000)
  server.becomes(service('True', { generation: 2, observed: 2, resourceVersion: '9' }))
  expect(await outcome).toBe('9')
})

test('messages are told with the time since the wait began', async () => {
  const server = aServer(service('Unknown', { message: 'Deploying' }))
  const { clock, progress, outcome } = waiting(server)
  await clock.advance(1500)
  server.becomes(service('Unknown', { message: 'Ingress has not yet been reconciled.' }))
  await clock.advance(10)
  server.becomes(service('True'))
  await outcome
  expect(progress).toEqual([
    [0, 'Deploying'],
    [1500, 'Ingress has not yet been reconciled.'],
  ])
})

test('not ready is a failure once it has lasted for the window', async () => {
  const server = aServer(service('False', { message: 'image not found' }))
  const { clock, outcome } = waiting(server)
  await clock.advance(2000)
  expect(await outcome).toBe('Why: image not found')
})

test('getting better within the window starts it anew', async () => {
  const server = aServer(service('False', { message: 'broken' }))
  const { clock, outcome } = waiting(server)
  await clock.advance(1500)
  server.becomes(service('Unknown'))
  await clock.advance(1500)
  server.becomes(service('True', { resourceVersion: '3' }))
  expect(await outcome).toBe('3')
})

test('the time allowed is told of in seconds when it is up', async () => {
  const { clock, outcome } = waiting(aServer(service('Unknown')), { timeoutSeconds: 5 })
  await clock.advance(5000)
  expect(await outcome).toBe("timeout: service 'x' not ready after 5 seconds")
})

test('a watch that ends is begun anew, after another look', async () => {
  const server = aServer(service('Unknown'))
  const { clock, outcome } = waiting(server)
  await clock.advance(10)
  server.watches[0]!.push('end')
  await clock.advance(600)
  server.watches[1]!.push(refusals.expired('too old resource version'))
  await clock.advance(600)
  expect(server.watches).toHaveLength(3)
  server.becomes(service('True', { resourceVersion: '4' }))
  expect(await outcome).toBe('4')
})

test('an object that is deleted meanwhile is not found', async () => {
  const server = aServer(service('Unknown'))
  const { clock, outcome } = waiting(server)
  await clock.advance(10)
  server.becomes(undefined)
  await clock.advance(600)
  expect(await outcome).toBe('services.serving.knative.dev "x" not found')
})

test('a deletion is over when the object is gone, or another one has its name', async () => {
  const clock = createVirtualClock()
  const gone = aServer(service('True'))
  const options = { kind: serviceKind, ref, clock, timeoutSeconds: 600, uid: 'u' }
  const deletion = waitForDeletion({ ...options, client: gone.client }).then(() => 'gone')
  await clock.advance(10)
  gone.becomes(undefined)
  expect(await deletion).toBe('gone')
  const again = service('True')
  const replaced = aServer({ ...again, metadata: { ...again.metadata, uid: 'other' } })
  expect(await waitForDeletion({ ...options, client: replaced.client }).then(() => 'gone')).toBe('gone')
})

test('a deletion that does not happen is told of when the time is up', async () => {
  const clock = createVirtualClock()
  const outcome = waitForDeletion({
    client: aServer(service('True')).client,
    kind: serviceKind,
    ref,
    clock,
    timeoutSeconds: 3,
    uid: 'u',
  }).catch((error: Error) => error.message)
  await clock.advance(3000)
  expect(await outcome).toBe("timeout: service 'x' not ready after 3 seconds")
})
