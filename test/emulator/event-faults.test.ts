import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished } from 'vitest'
import type { DeliverySpec } from '../../src/apimachinery/delivery-spec.js'
import type { Client } from '../../src/client/client.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import { eventRecordKind } from '../../src/kinds/emulator/eventrecord/kind.js'
import type { EventRecord } from '../../src/kinds/emulator/eventrecord/schema.js'
import { inMemoryChannelKind } from '../../src/kinds/inmemorychannel/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { subscriptionKind } from '../../src/kinds/subscription/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { makeHome, until } from '../support/daemon.js'
import { BIN, run, type TestEmulator, test } from '../support/emulator.js'
import { aService, eventually, eventuallyNone } from '../support/objects.js'

interface Received {
  id: string
  headers: IncomingHttpHeaders
  body: string
}
type Answer = (received: Received, response: ServerResponse, request: IncomingMessage) => void

/** A program beside the emulator that is sent events; it can go away and come back at the same port. */
async function aSink(answer: Answer = (_, response) => response.writeHead(202).end()) {
  const received: Received[] = []
  const server = createServer((incoming, response) => {
    let body = ''
    incoming.on('data', (bytes) => {
      body += bytes
    })
    incoming.on('end', () => {
      const one = { id: String(incoming.headers['ce-id']), headers: incoming.headers, body }
      received.push(one)
      answer(one, response, incoming)
    })
  })
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  const leave = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  onTestFinished(() => (server.listening ? leave() : undefined))
  return {
    uri: `http://127.0.0.1:${port}/`,
    received,
    /** How often each event came. */
    counts: () =>
      Object.fromEntries([...new Set(received.map(({ id }) => id))].map((id) => [id, received.filter((one) => one.id === id).length])),
    leave,
    comeBack: () => listen(port),
  }
}

const inDefault = (name: string) => ({ namespace: 'default', name })
const BROKER_HOST = 'broker-ingress.knative-eventing.svc.cluster.local'

/** A ready Broker `main` with one Trigger `t`. */
async function aBrokerTo(client: Client, subscriber: object, delivery: DeliverySpec = {}): Promise<void> {
  await client.create(brokerKind, { metadata: inDefault('main') })
  await aTriggerTo(client, 't', subscriber, delivery)
  await eventually(client, brokerKind, 'main', { type: 'Ready', status: 'True' })
}

async function aTriggerTo(client: Client, name: string, subscriber: object, delivery: DeliverySpec = {}): Promise<void> {
  await client.create(triggerKind, { metadata: inDefault(name), spec: { broker: 'main', subscriber, delivery } })
  await eventually(client, triggerKind, name, { type: 'Ready', status: 'True' })
}

/** Sends an event, to Broker `main` unless a host says otherwise; resolves to the status of the answer. */
function send(
  port: number,
  id: string,
  { host = BROKER_HOST, path = '/default/main', body = '{}', agent = new Agent() } = {},
): Promise<number> {
  const headers = {
    host,
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/test',
    'ce-type': 'test',
    'content-type': 'application/json',
  }
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode!))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
const sendTo = ({ ports }: TestEmulator, id: string, options: Parameters<typeof send>[2] = {}): Promise<number> =>
  send(ports.clusterLocal, id, options)

async function recordOf(client: Client, id: string): Promise<EventRecord> {
  const [record, ...others] = (await client.list(eventRecordKind, 'default')).filter(({ spec }) => spec.id === id)
  if (!record || others.length > 0) throw new Error(`expected one record of ${id}, found ${record ? others.length + 1 : 0}`)
  return record
}

/** Moves the clock until nothing is under way any more. Attempts are made in real time: it waits for what came of them, too. */
async function untilDone(
  { emulator, clock, client }: { emulator: TestEmulator; clock: Clockwork; client: Client },
  ids: readonly string[],
) {
  const pending = new Set(['Accepted', 'Delivering'])
  return until(
    async () => {
      await clock.advance(1000, { settle: emulator.settled })
      const records = await Promise.all(ids.map((id) => recordOf(client, id)))
      return records.some(({ status }) => pending.has(status.state))
        ? undefined
        : new Map(records.map((record) => [record.spec.id, record]))
    },
    20_000,
    'the end of every delivery',
  )
}
type Clockwork = { advance(ms: number, how: { settle: () => Promise<void> }): Promise<void> }

const statusesOf = (record: EventRecord): (number | undefined)[] => record.status.hops[0]!.attempts!.map(({ statusCode }) => statusCode)
const TWO_RETRIES: DeliverySpec = { retry: 2, backoffPolicy: 'exponential', backoffDelay: 'PT1S' }

describe('a status', () => {
  const DELIVERED = [200, 201, 202, 204, 206, 299]
  const RETRIED = [404, 408, 409, 429, 500, 501, 502, 503, 504, 599]
  const FINAL = [300, 304, 305, 400, 401, 402, 403, 405, 406, 410, 411, 412, 413, 415, 418, 422, 425, 451]

  test('decides whether an event is delivered, tried again, or dead-lettered at once', async ({ client, clock, emulator }) => {
    const sink = await aSink(({ id }, response) =>
      response.writeHead(Number(id)).end([...DELIVERED, 304].includes(Number(id)) ? '' : `no ${id}`),
    )
    const dead = await aSink()
    await aBrokerTo(client, { uri: sink.uri }, { ...TWO_RETRIES, deadLetterSink: { uri: dead.uri } })
    const all = [...DELIVERED, ...RETRIED, ...FINAL].map(String)
    for (const id of all) expect(await sendTo(emulator, id)).toBe(202)
    const records = await untilDone({ emulator, clock, client }, all)

    const expected = Object.fromEntries([...DELIVERED, ...FINAL].map((status) => [status, 1]).concat(RETRIED.map((status) => [status, 3])))
    expect(sink.counts()).toEqual(expected)
    expect(dead.counts()).toEqual(Object.fromEntries([...RETRIED, ...FINAL].map((status) => [status, 1])))
    for (const { id, headers } of dead.received)
      expect(headers).toMatchObject({
        'ce-knativeerrorcode': id,
        'ce-knativeerrordest': sink.uri,
        'ce-knativeerrordata': id === '304' ? '' : Buffer.from(`no ${id}`).toString('base64'),
      })
    for (const [id, record] of records) {
      const isDelivered = DELIVERED.includes(Number(id))
      expect({ id, state: record.status.state }).toEqual({ id, state: isDelivered ? 'Delivered' : 'DeadLettered' })
      expect(statusesOf(record)).toEqual(Array(expected[id]).fill(Number(id)))
      expect(record.status.hops[0]!.attempts!.map(({ retryIn }) => retryIn)).toEqual(
        RETRIED.includes(Number(id)) ? ['1s', '2s', undefined] : [undefined],
      )
    }
  })

  test('3xx is followed where it leads, and what counts is the last answer', async ({ client, clock, emulator }) => {
    const target = await aSink()
    const sink = await aSink(({ id }, response, { method }) => {
      if (method === 'GET') response.writeHead(204).end()
      else if (id === 'circle') response.writeHead(307, { location: '/' }).end()
      else response.writeHead(Number(id), { location: Number(id) < 304 ? '/got' : target.uri }).end()
    })
    const dead = await aSink()
    await aBrokerTo(client, { uri: sink.uri }, { deadLetterSink: { uri: dead.uri } })
    const all = ['301', '302', '303', '307', '308', 'circle']
    for (const id of all) expect(await sendTo(emulator, id, { body: '{"n":1}' })).toBe(202)
    const records = await untilDone({ emulator, clock, client }, all)

    expect(all.map((id) => records.get(id)!.status.state)).toEqual([...Array(5).fill('Delivered'), 'DeadLettered'])
    // 307 and 308 take the event along; the others ask with GET.
    expect(target.received.map(({ id, body }) => [id, body])).toEqual([
      ['307', '{"n":1}'],
      ['308', '{"n":1}'],
    ])
    expect(Buffer.from(String(dead.received[0]!.headers['ce-knativeerrordata']), 'base64').toString()).toContain(
      'stopped after 10 redirects',
    )
  })

  test('Retry-After holds an event back up to retryAfterMax, with 429 and 503 only', async ({ client, clock, emulator }) => {
    await client.patch(
      configMapKind,
      { namespace: 'knative-eventing', name: 'config-features' },
      { type: 'application/merge-patch+json', body: { data: { 'delivery-retryafter': 'enabled' } } },
    )
    await emulator.settled()
    const asked: Record<string, string> = { 429: '10', 503: '100', 500: '10' }
    const sink = await aSink(({ id }, response) => {
      const isFirst = sink.counts()[id] === 1
      response.writeHead(isFirst ? Number(id) : 202, isFirst ? { 'retry-after': asked[id] } : {}).end()
    })
    await aBrokerTo(client, { uri: sink.uri }, { ...TWO_RETRIES, retryAfterMax: 'PT30S' })
    for (const id of Object.keys(asked)) expect(await sendTo(emulator, id)).toBe(202)
    await until(() => sink.received.length === 3 || undefined)
    const moved = async (ms: number): Promise<Record<string, number>> => {
      await emulator.settled()
      await clock.advance(ms, { settle: emulator.settled })
      return sink.counts()
    }
    expect(await moved(999)).toEqual({ 429: 1, 503: 1, 500: 1 })
    expect(await moved(1)).toEqual({ 429: 1, 503: 1, 500: 2 })
    expect(await moved(8999)).toEqual({ 429: 1, 503: 1, 500: 2 })
    expect(await moved(1)).toEqual({ 429: 2, 503: 1, 500: 2 })
    expect(await moved(19_999)).toEqual({ 429: 2, 503: 1, 500: 2 })
    expect(await moved(1)).toEqual({ 429: 2, 503: 2, 500: 2 })
    const retries = await Promise.all(
      Object.keys(asked).map(async (id) => (await recordOf(client, id)).status.hops[0]!.attempts![0]!.retryIn),
    )
    expect(Object.fromEntries(Object.keys(asked).map((id, index) => [id, retries[index]]))).toEqual({ 429: '10s', 500: '1s', 503: '30s' })
  })
})

describe('a sink that', () => {
  test.for<[what: string, error: RegExp, answer: Answer]>([
    ['closes the connection without an answer', /EOF|reset/, (_, response) => response.destroy()],
    [
      'resets in the middle of its answer',
      /reset|EOF|aborted/,
      (_, response) => response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy()),
    ],
    ['hangs', /context deadline exceeded/, () => {}],
    [
      'hangs in the middle of its answer',
      /context deadline exceeded/,
      (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('half'),
    ],
  ])('%s is tried again, and the event is dead-lettered with the reason', async ([, error, answer], { client, clock, emulator }) => {
    const sink = await aSink(answer)
    const dead = await aSink()
    await aBrokerTo(client, { uri: sink.uri }, { ...TWO_RETRIES, timeout: 'PT0.2S', deadLetterSink: { uri: dead.uri } })
    expect(await sendTo(emulator, 'a')).toBe(202)
    const record = (await untilDone({ emulator, clock, client }, ['a'])).get('a')!

    expect(sink.counts()).toEqual({ a: 3 })
    expect(dead.received).toHaveLength(1)
    const { headers, body } = dead.received[0]!
    expect(headers).toMatchObject({ 'ce-id': 'a', 'ce-knativeerrorcode': '500', 'ce-knativeerrordest': sink.uri })
    const data = Buffer.from(String(headers['ce-knativeerrordata']), 'base64').toString()
    expect(data).toMatch(error)
    expect(data).toContain(`dispatch error: Post "${sink.uri}": `)
    expect(body).toBe('{}')
    expect(record.status.state).toBe('DeadLettered')
    expect(record.status.hops[0]).toMatchObject({ attemptCount: 3, deadLetter: { destination: dead.uri, statusCode: 202 } })
    for (const attempt of record.status.hops[0]!.attempts!) expect(attempt.error).toMatch(error)
  })

  test('refuses connections is tried again, and without a dead letter sink the event is kept in the journal alone', async ({
    client,
    clock,
    emulator,
  }) => {
    const sink = await aSink()
    await sink.leave()
    await aBrokerTo(client, { uri: sink.uri }, TWO_RETRIES)
    expect(await sendTo(emulator, 'a', { body: '{"kept":true}' })).toBe(202)
    const record = (await untilDone({ emulator, clock, client }, ['a'])).get('a')!
    expect(record.status).toMatchObject({
      state: 'Failed',
      hops: [{ attemptCount: 3, dropped: { why: expect.stringContaining('connection refused') } }],
    })
    expect(Buffer.from(record.spec.data!, 'base64').toString()).toBe('{"kept":true}')
    // It is given up: a sink that comes back later gets what is sent then, and not this one.
    await sink.comeBack()
    expect(await sendTo(emulator, 'b')).toBe(202)
    await untilDone({ emulator, clock, client }, ['b'])
    expect(sink.counts()).toEqual({ b: 1 })
  })

  test.for<[what: string, headers: Record<string, string>, body: string]>([
    ['no event', { 'content-type': 'text/html' }, '<p>Thanks!</p>'],
    ['ce headers without an id', { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s' }, ''],
    ['a ce header whose name is none', { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 't', 'ce-source': '/s', 'ce-a_b': 'x' }, ''],
    ['JSON that breaks off', { 'content-type': 'application/cloudevents+json' }, '{"specversion":"1.0","id":'],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]'],
  ])(
    'answers %s fails for a Trigger, with nothing said of it, and is right for a Subscription',
    async ([, headers, body], { client, clock, emulator }) => {
      const sink = await aSink((_, response) => response.writeHead(200, headers).end(body))
      const dead = await aSink()
      const delivery = { ...TWO_RETRIES, deadLetterSink: { uri: dead.uri } }
      await aBrokerTo(client, { uri: sink.uri }, delivery)
      await client.create(inMemoryChannelKind, { metadata: inDefault('orders'), spec: {} })
      const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'orders' }
      await client.create(subscriptionKind, { metadata: inDefault('s'), spec: { channel, subscriber: { uri: sink.uri }, delivery } })
      await eventually(client, subscriptionKind, 's', { type: 'Ready', status: 'True' })
      expect(await sendTo(emulator, 'through-broker')).toBe(202)
      expect(await sendTo(emulator, 'through-channel', { host: 'orders-kn-channel.default.svc.cluster.local', path: '/' })).toBe(202)
      const records = await untilDone({ emulator, clock, client }, ['through-broker', 'through-channel'])

      expect(sink.counts()).toEqual({ 'through-broker': 3, 'through-channel': 1 })
      expect(dead.counts()).toEqual({ 'through-broker': 1 })
      expect(Object.keys(dead.received[0]!.headers).filter((name) => name.startsWith('ce-knativeerror'))).toEqual([])
      expect(records.get('through-broker')!.status.state).toBe('DeadLettered')
      expect(statusesOf(records.get('through-broker')!)).toEqual([502, 502, 502])
      const [attempt] = records.get('through-broker')!.status.hops[0]!.attempts!
      expect(attempt!.note).toMatch(/^answered 200 with a (body that is no event|malformed event: .+)$/)
      expect(records.get('through-channel')!.status.state).toBe('Delivered')
    },
  )

  test('is a Service at zero is started for an event, and needs one attempt', async ({ client, clock, emulator }) => {
    const image = 'gcr.io/knative-releases/knative.dev/eventing/cmd/event_display'
    await client.create(serviceKind, aService({ name: 'display', container: { image } }))
    await eventually(client, serviceKind, 'display', { type: 'Ready', status: 'True' })
    await clock.advance(300_000, { settle: emulator.settled })
    await eventuallyNone(client, [podKind], 'display')
    await aBrokerTo(client, { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'display' } })
    expect(await sendTo(emulator, 'wake')).toBe(202)
    const record = (await untilDone({ emulator, clock, client }, ['wake'])).get('wake')!
    expect(record.status).toMatchObject({ state: 'Delivered', hops: [{ attemptCount: 1 }] })
    expect((await client.list(podKind, 'default')).some(({ metadata }) => metadata.name.startsWith('display'))).toBe(true)
  })

  test('is away for a minute gets everything that was sent meanwhile, once, when it is back', async ({ client, clock, emulator }) => {
    const sink = await aSink()
    const dead = await aSink()
    const delivery: DeliverySpec = { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT1S', deadLetterSink: { uri: dead.uri } }
    await aBrokerTo(client, { uri: sink.uri }, delivery)
    expect(await sendTo(emulator, 'before')).toBe(202)
    await until(() => sink.received.length === 1 || undefined)
    await sink.leave()
    const meanwhile = Array.from({ length: 12 }, (_, index) => `meanwhile-${index}`)
    for (const id of meanwhile) {
      expect(await sendTo(emulator, id)).toBe(202)
      await emulator.settled()
      await clock.advance(5000, { settle: emulator.settled })
    }
    expect(sink.counts()).toEqual({ before: 1 })
    await sink.comeBack()
    expect(await sendTo(emulator, 'after')).toBe(202)
    const all = ['before', ...meanwhile, 'after']
    const records = await untilDone({ emulator, clock, client }, all)
    expect(sink.counts()).toEqual(Object.fromEntries(all.map((id) => [id, 1])))
    expect(dead.received).toEqual([])
    for (const [, record] of records) expect(record.status.state).toBe('Delivered')
    // At 0, 1, 3, 7, 15, 31 and 63 seconds.
    expect(records.get('meanwhile-0')!.status.hops[0]!.attemptCount).toBe(7)
    expect(records.get('after')!.status.hops[0]!.attemptCount).toBe(1)
  })
})

test('an event that always fails holds up no others, and is dead-lettered when its attempts are used up', async ({
  client,
  clock,
  emulator,
}) => {
  const sink = await aSink(({ id }, response) => response.writeHead(id === 'poison' ? 500 : 202).end())
  const dead = await aSink()
  await aBrokerTo(client, { uri: sink.uri }, { ...TWO_RETRIES, deadLetterSink: { uri: dead.uri } })
  const good = Array.from({ length: 250 }, (_, index) => `good-${index}`)
  expect(await sendTo(emulator, 'poison')).toBe(202)
  for (const id of good) expect(await sendTo(emulator, id)).toBe(202)
  // The clock stands still: the poison waits for its second attempt.
  await until(() => sink.received.length === good.length + 1 || undefined, 20_000, 'the arrival of all others')
  expect(dead.received).toEqual([])
  expect((await recordOf(client, 'poison')).status).toMatchObject({
    state: 'Delivering',
    hops: [{ attempts: [{ statusCode: 500, retryIn: '1s' }] }],
  })
  const records = await untilDone({ emulator, clock, client }, ['poison', good[0]!, good.at(-1)!])
  expect(sink.counts()['poison']).toBe(3)
  expect(dead.counts()).toEqual({ poison: 1 })
  expect([...records.values()].map(({ status }) => status.state)).toEqual(['DeadLettered', 'Delivered', 'Delivered'])
})

test('a dead letter sink that fails is tried as often, and the journal says that the event is lost to both', async ({
  client,
  clock,
  emulator,
}) => {
  const sink = await aSink((_, response) => response.writeHead(422).end())
  const dead = await aSink((_, response) => response.writeHead(503).end())
  await aBrokerTo(client, { uri: sink.uri }, { ...TWO_RETRIES, deadLetterSink: { uri: dead.uri } })
  expect(await sendTo(emulator, 'a')).toBe(202)
  const record = (await untilDone({ emulator, clock, client }, ['a'])).get('a')!
  expect([sink.counts(), dead.counts()]).toEqual([{ a: 1 }, { a: 3 }])
  expect(record.status).toMatchObject({
    state: 'Failed',
    hops: [{ deadLetter: { statusCode: 503 }, dropped: { why: `the dead letter sink ${dead.uri} failed too: the last answer was 503` } }],
  })
})

test('a reply that comes round again is told as such, and what it answers counts as delivered', async ({ client, clock, emulator }) => {
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'back', 'ce-type': 'test', 'ce-source': '/sink' }
  const sink = await aSink(({ id }, response) => (id === 'out' ? response.writeHead(200, headers) : response.writeHead(202)).end())
  await aBrokerTo(client, { uri: sink.uri })
  expect(await sendTo(emulator, 'out')).toBe(202)
  await until(() => sink.received.length === 2 || undefined)
  const { status } = (await untilDone({ emulator, clock, client }, ['out', 'back'])).get('back')!
  expect(status).toMatchObject({ state: 'Delivered', hops: [{ looped: { cycle: ['Trigger default/t', 'Trigger default/t'] } }] })
  expect(status.hops[0]!.dropped).toBeUndefined()
})

/** The limit of the shell is in its own units: 1024 bytes with bash. */
const LIMIT_KB = 4096

test.skipIf(process.platform !== 'linux')(
  'a full disk refuses events, and everything that was accepted arrives once there is room',
  async () => {
    const home = makeHome({ KN_EMULATOR: '1' })
    onTestFinished(() => home.remove())
    expect(await home.kn(['emulator', 'start', ...(await home.portFlags())])).toMatchObject({ exitCode: 0 })
    const held: ServerResponse[] = []
    let isHolding = true
    const sink = await aSink((_, response) => (isHolding ? void held.push(response) : response.writeHead(202).end()))
    expect(await home.kn(['broker', 'create', 'main'])).toMatchObject({ exitCode: 0 })
    expect(await home.kn(['trigger', 'create', 't', '--broker', 'main', '--sink', sink.uri])).toMatchObject({ exitCode: 0 })
    expect(await home.kn(['emulator', 'stop'])).toMatchObject({ exitCode: 0 })
    // No file of this emulator may become larger than that, as if there were no room for it.
    const limited = await run(
      'bash',
      ['-c', `ulimit -f ${LIMIT_KB} && exec "$@"`, 'bash', process.execPath, BIN, 'emulator', 'start'],
      home.env,
    )
    expect(limited).toMatchObject({ exitCode: 0 })
    const { ports, pid } = await home.status()
    const agent = new Agent({ keepAlive: true })
    const body = JSON.stringify('x'.repeat(20_000))
    const accepted: string[] = []
    const refused: string[] = []
    for (let number = 0; number < 1000 && refused.length < 20; number++) {
      const status = await send(ports.clusterLocal, `n${number}`, { body, agent })
      expect([202, 500]).toContain(status)
      ;(status === 202 ? accepted : refused).push(`n${number}`)
    }
    expect(refused.length).toBeGreaterThan(0)
    expect(accepted.length).toBeGreaterThan(50)

    process.kill(pid, 'SIGKILL')
    await until(() => !isAlive(pid) || undefined, 10_000, 'the end of the emulator')
    isHolding = false
    for (const response of held) response.destroy()
    sink.received.length = 0
    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0, stderr: expect.not.stringContaining('Error') })
    expect(await send(ports.clusterLocal, 'room', { body })).toBe(202)
    await until(() => sink.received.some(({ id }) => id === 'room') || undefined, 20_000, 'the last event')
    expect(new Set(sink.received.map(({ id }) => id))).toEqual(new Set([...accepted, 'room']))
    agent.destroy()
  },
)

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
