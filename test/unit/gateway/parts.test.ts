import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { pickInstance } from '../../../src/gateway/breaker.js'
import { createDeadline, createDeadlines } from '../../../src/gateway/deadlines.js'
import { createEndpoints } from '../../../src/gateway/endpoints.js'
import { forwardedLines } from '../../../src/gateway/forwarded.js'
import { createInstance } from '../../../src/gateway/instance.js'
import { createRequestCounts } from '../../../src/gateway/request-counts.js'
import { createRoutes, hostName, matchPath } from '../../../src/gateway/routes.js'
import { aKIngress, aRule, createInformers, somePods } from './support.js'

test('deadlines fire in their time, near and far, and not once disarmed', async () => {
  const clock = createVirtualClock({ startMs: 1_000_000 })
  const deadlines = createDeadlines(clock)
  const fired: [string, number][] = []
  const named = (name: string) => createDeadline(() => fired.push([name, clock.now() - 1_000_000]))
  const [near, far, moved, never] = [named('near'), named('far'), named('moved'), named('never')]
  deadlines.arm(near, 1_000_100)
  deadlines.arm(far, 1_000_000 + 300_000)
  deadlines.arm(moved, 1_000_050)
  deadlines.arm(never, 1_000_100)
  deadlines.arm(moved, 1_000_500)
  deadlines.disarm(never)
  await clock.advance(400_000)
  expect(fired.map(([name]) => name)).toEqual(['near', 'moved', 'far'])
  for (const [index, dueMs] of [100, 500, 300_000].entries()) {
    expect(fired[index]![1]).toBeGreaterThanOrEqual(dueMs)
    expect(fired[index]![1]).toBeLessThanOrEqual(dueMs + 20)
  }
  expect(clock.nextDue()).toBeUndefined()
})

test('a deadline may arm and disarm others of the same moment when it fires', async () => {
  const clock = createVirtualClock()
  const deadlines = createDeadlines(clock)
  const fired: string[] = []
  const other = createDeadline(() => fired.push('other'))
  const again = createDeadline(() => {
    fired.push('again')
    deadlines.disarm(other)
    if (fired.length < 3) deadlines.arm(again, clock.now() + 20)
  })
  deadlines.arm(other, clock.now() + 100)
  deadlines.arm(again, clock.now() + 100)
  await clock.advance(1000)
  expect(fired).toEqual(['again', 'again', 'again'])
})

test('concurrency is averaged over the time between two snapshots, waiting included', () => {
  const counts = createRequestCounts(0)
  const hello = counts.counter('default', 'hello')
  counts.began(hello, 0)
  counts.began(hello, 500)
  counts.ended(hello, 750)
  expect(counts.snapshot(1000)).toEqual([{ namespace: 'default', name: 'hello', averageConcurrency: 1.25, requestCount: 2 }])
  expect(counts.snapshot(2000)).toEqual([{ namespace: 'default', name: 'hello', averageConcurrency: 1, requestCount: 0 }])
  counts.ended(hello, 2500)
  expect(counts.snapshot(3000)[0]?.averageConcurrency).toBe(0.5)
  expect(counts.snapshot(4000)).toEqual([])
})

test('two snapshots at the same moment report what is in flight', () => {
  const counts = createRequestCounts(0)
  const hello = counts.counter('default', 'hello')
  counts.began(hello, 1000)
  counts.snapshot(1000)
  expect(counts.snapshot(1000)).toMatchObject([{ averageConcurrency: 1 }])
})

test('without a limit the less busy of two instances is picked, so all get their share', () => {
  const random = createSeededRandom(1)
  const ready = ['a', 'b', 'c', 'd'].map((key, index) =>
    createInstance({ key, podUid: key, podName: key, address: key, host: '127.0.0.1', port: index + 1 }),
  )
  for (let request = 0; request < 400; request++) pickInstance(ready, 0, { next: 0 }, random)!.inFlight++
  for (const { inFlight } of ready) expect(inFlight).toBeGreaterThan(90)
})

test('up to three at a time fill the first instance first; above, instances take turns', () => {
  const random = createSeededRandom(1)
  const pick = (limit: number) => {
    const ready = ['a', 'b'].map((key) => createInstance({ key, podUid: key, podName: key, address: key, host: '127.0.0.1', port: 1 }))
    const turn = { next: 0 }
    return Array.from({ length: 5 }, () => {
      const picked = pickInstance(ready, limit, turn, random)
      if (picked) picked.inFlight++
      return picked?.key
    })
  }
  expect(pick(2)).toEqual(['a', 'a', 'b', 'b', undefined])
  expect(pick(4)).toEqual(['a', 'b', 'a', 'b', 'a'])
})

test('the longest path wins, and of equal ones the one with more headers', () => {
  const { kingresses } = createInformers()
  const rule = aRule('a.example', 'plain')
  const path = (serviceName: string, prefix?: string, headers?: Record<string, { exact: string }>) => ({
    ...(prefix ? { path: prefix } : {}),
    ...(headers ? { headers } : {}),
    splits: [{ serviceNamespace: 'default', serviceName, servicePort: 80 }],
  })
  rule.http.paths = [path('plain'), path('tagged', undefined, { 'X-Tag': { exact: 'blue' } }), path('deep', '/.well-known/acme')]
  kingresses.put(aKIngress('one', [rule]))
  const routes = createRoutes(kingresses)
  const find = (target: string, tag?: string) =>
    matchPath(routes.find('ExternalIP', 'a.example')!, target, (name) => (name === 'x-tag' ? tag : undefined))?.targets[0]?.name
  expect([find('/'), find('/', 'blue'), find('/', 'green'), find('/.well-known/acme/x', 'blue')]).toEqual([
    'plain',
    'tagged',
    'plain',
    'deep',
  ])
})

test('a host belongs to the oldest Ingress that claims it, and falls to the next when that goes', () => {
  const { kingresses } = createInformers()
  const routes = createRoutes(kingresses)
  const young = aKIngress('young', [aRule('a.example', 'young')])
  young.metadata.creationTimestamp = '2026-02-01T00:00:00Z'
  const old = aKIngress('old', [aRule('a.example', 'old')])
  const owner = () => routes.find('ExternalIP', 'a.example')?.[0]?.targets[0]?.name
  kingresses.put(young)
  expect(owner()).toBe('young')
  kingresses.put(old)
  expect(owner()).toBe('old')
  kingresses.put(aKIngress('old', [aRule('b.example', 'old')]))
  expect(owner()).toBe('young')
  kingresses.remove(young)
  expect(owner()).toBeUndefined()
})

test('a change of one Ingress leaves the routes of the others as they are', () => {
  const { kingresses } = createInformers()
  const routes = createRoutes(kingresses)
  for (const name of ['one', 'two']) kingresses.put(aKIngress(name, [aRule(`${name}.example`, name)]))
  const before = [routes.find('ExternalIP', 'one.example'), routes.find('ExternalIP', 'two.example')]
  kingresses.put({ ...aKIngress('one', [aRule('one.example', 'one')]), status: { observedGeneration: 1 } })
  expect(routes.find('ExternalIP', 'one.example')).toBe(before[0])
  kingresses.put(aKIngress('one', [aRule('one.example', 'other')]))
  expect(routes.find('ExternalIP', 'one.example')).not.toBe(before[0])
  expect(routes.find('ExternalIP', 'two.example')).toBe(before[1])
})

test.for([
  ['Hello.Example:8080', 'hello.example'],
  ['hello.example.', 'hello.example'],
  ['[::1]:80', '[::1]'],
  ['', ''],
])('the host %j is looked up as %j', ([host, name]) => {
  expect(hostName(host!)).toBe(name)
})

test('an instance counts once its slice says ready and its Pod says where it listens', () => {
  const { slices, pods } = createInformers()
  const endpoints = createEndpoints(slices, pods)
  const changed: string[] = []
  endpoints.onChange((service) => changed.push(service))
  const { pods: made, slice } = somePods('hello', [4001, 4002, 4003])
  slice.endpoints[1]!.conditions = { ready: false }
  slices.put(slice)
  const ports = () => endpoints.of('default/hello-private').map(({ port }) => port)
  expect(ports()).toEqual([])
  for (const pod of made) pods.put(pod)
  expect(ports()).toEqual([4001, 4003])
  expect(changed.length).toBeGreaterThanOrEqual(4)
  pods.put({ ...made[0]!, metadata: { ...made[0]!.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
  expect(ports()).toEqual([4003])
  slices.remove(slice)
  expect(ports()).toEqual([])
})

test('what proxies further out have said is kept, and the client added', () => {
  const lines = forwardedLines(
    { forwardedFor: '203.0.113.9, ::1', forwardedProto: 'https', forwardedHost: 'shop.example', forwarded: '' },
    '127.0.0.1',
    'hello.default.localhost',
  )
  expect(lines.split('\r\n')).toEqual([
    'X-Forwarded-For: 203.0.113.9, ::1, 127.0.0.1',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.example',
    'Forwarded: for=203.0.113.9;host=shop.example;proto=https, for="[::1]", for=127.0.0.1',
    '',
  ])
})
