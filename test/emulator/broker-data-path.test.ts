import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { deploymentKind } from '../../src/kinds/core/deployment/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { eventTypeKind } from '../../src/kinds/eventtype/kind.js'
import { inMemoryChannelKind } from '../../src/kinds/inmemorychannel/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { subscriptionKind } from '../../src/kinds/subscription/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { fetchFrom, HELLO_IMAGE, type TestEmulator, test } from '../support/emulator.js'
import { aService, eventually, eventuallyNone } from '../support/objects.js'

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

/** A program beside the emulator that is sent events. */
async function aSink(statusOf: (count: number) => number = () => 202) {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (bytes) => {
      body += bytes
    })
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.writeHead(statusOf(received.length)).end()
      for (const check of [...waiting]) check()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const until = (count: number): Promise<Received[]> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (received.length < count) return
        waiting.delete(check)
        resolve(received)
      }
      waiting.add(check)
      check()
    })
  return { uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received, until }
}

/** Sends an event to an address as the object's status has it. */
async function send(emulator: TestEmulator, address: string, attributes: Record<string, string> = {}, body = '{}'): Promise<number> {
  const { host, pathname } = new URL(address)
  const all = { specversion: '1.0', id: '1', source: '/test', type: 'test', ...attributes }
  const headers = Object.fromEntries(Object.entries(all).map(([name, value]) => [`ce-${name}`, value]))
  const url = `http://127.0.0.1:${emulator.ports.clusterLocal}${pathname}`
  const { status } = await fetchFrom(url, { method: 'POST', body, headers: { host, 'content-type': 'application/json', ...headers } })
  return status
}

const inDefault = (name: string) => ({ namespace: 'default', name })

test('what is sent to a Broker reaches its subscriber, and is tried again as the clock is moved', async ({ client, clock, emulator }) => {
  const sink = await aSink((count) => (count < 3 ? 503 : 202))
  await client.create(brokerKind, {
    metadata: inDefault('main'),
    spec: { delivery: { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT10S' } },
  })
  const filter = { attributes: { type: 'paid' } }
  await client.create(triggerKind, { metadata: inDefault('t'), spec: { broker: 'main', filter, subscriber: { uri: sink.uri } } })
  await eventually(client, triggerKind, 't', { type: 'Ready', status: 'True' })
  const broker = await eventually(client, brokerKind, 'main', { type: 'Ready', status: 'True' })

  const address = broker.status!.address!.url!
  expect(await send(emulator, address, { type: 'other' })).toBe(202)
  expect(await send(emulator, address, { type: 'paid', id: 'p' }, '{"n":1}')).toBe(202)
  await sink.until(1)
  await emulator.settled()
  await clock.advance(9_999, { settle: emulator.settled })
  expect(sink.received).toHaveLength(1)
  // The second retry is due 20 seconds after the first has failed, not after the clock has been moved.
  await clock.advance(20_001, { settle: emulator.settled })
  expect(sink.received).toHaveLength(3)
  expect(sink.received[2]).toMatchObject({ body: '{"n":1}', headers: { 'ce-id': 'p', 'ce-type': 'paid' } })
})

test('an event starts the Service at zero that subscribes to it', async ({ client, clock, emulator }) => {
  const dead = await aSink()
  await client.create(serviceKind, aService({ name: 'hello' }))
  await eventually(client, serviceKind, 'hello', { type: 'Ready', status: 'True' })
  await clock.advance(300_000, { settle: emulator.settled })
  await eventuallyNone(client, [podKind], 'hello')

  const broker = await client.create(brokerKind, { metadata: inDefault('main') })
  const subscriber = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' } }
  const delivery = { deadLetterSink: { uri: dead.uri } }
  await client.create(triggerKind, { metadata: inDefault('t'), spec: { broker: broker.metadata.name, subscriber, delivery } })
  await eventually(client, triggerKind, 't', { type: 'Ready', status: 'True' })
  const { status } = await eventually(client, brokerKind, 'main', { type: 'Ready', status: 'True' })
  expect(await send(emulator, status!.address!.url!, { id: 'wake' })).toBe(202)
  // Its greeting is no event, which a Trigger takes for a failure that it can say nothing about.
  const [letter] = await dead.until(1)
  expect(letter!.headers).toMatchObject({ 'ce-id': 'wake' })
  expect(letter!.headers['ce-knativeerrorcode']).toBeUndefined()
  expect((await client.list(podKind, 'default')).some(({ metadata }) => metadata.name.startsWith('hello'))).toBe(true)
})

test('a channel delivers to a plain Service at the port of its Pod, and what fails to its dead letter sink', async ({
  client,
  emulator,
}) => {
  const dead = await aSink()
  const labels = { app: 'web' }
  // Without it a Pod is ready as soon as its program runs, whether it listens yet or not.
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 }
  const containers = [{ name: 'web', image: HELLO_IMAGE, ports: [{ containerPort: 8080 }], readinessProbe }]
  await client.create(deploymentKind, {
    metadata: inDefault('web'),
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  })
  await client.create(coreServiceKind, { metadata: inDefault('web'), spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } })
  await eventually(client, deploymentKind, 'web', { type: 'Available', status: 'True' })
  await client.create(inMemoryChannelKind, { metadata: inDefault('orders'), spec: {} })
  const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'orders' }
  const delivery = { deadLetterSink: { uri: dead.uri } }
  const web = { ref: { apiVersion: 'v1', kind: 'Service', name: 'web' } }
  await client.create(subscriptionKind, { metadata: inDefault('works'), spec: { channel, subscriber: web, delivery } })
  await client.create(subscriptionKind, {
    metadata: inDefault('fails'),
    spec: { channel, subscriber: { uri: 'http://127.0.0.1:1' }, delivery },
  })
  await eventually(client, subscriptionKind, 'works', { type: 'Ready', status: 'True' })
  await eventually(client, subscriptionKind, 'fails', { type: 'Ready', status: 'True' })
  const { status } = await eventually(client, inMemoryChannelKind, 'orders', { type: 'Ready', status: 'True' })
  expect(await send(emulator, status!.address!.url!, { id: 'o' })).toBe(202)
  await dead.until(1)
  await emulator.settled()
  expect(dead.received.map(({ headers }) => [headers['ce-id'], headers['ce-knativeerrordest']])).toEqual([['o', 'http://127.0.0.1:1']])
})

test('EventTypes make themselves, once the flag says so', async ({ client, emulator }) => {
  await client.create(brokerKind, { metadata: inDefault('main') })
  const { status } = await eventually(client, brokerKind, 'main', { type: 'Ready', status: 'True' })
  expect(await send(emulator, status!.address!.url!, { type: 'before' })).toBe(202)
  await client.patch(
    configMapKind,
    { namespace: 'knative-eventing', name: 'config-features' },
    {
      type: 'application/merge-patch+json',
      body: { data: { 'eventtype-auto-create': 'enabled' } },
    },
  )
  await emulator.settled()
  for (const type of ['paid', 'paid', 'sent']) expect(await send(emulator, status!.address!.url!, { type })).toBe(202)
  await emulator.settled()
  const types = await client.list(eventTypeKind, 'default')
  expect(types.map(({ spec }) => [spec.type, spec.source, spec.reference?.name]).sort()).toEqual([
    ['paid', '/test', 'main'],
    ['sent', '/test', 'main'],
  ])
  expect(types[0]!.metadata.name).toMatch(/^et-main-[0-9a-f]{32}$/)
})
