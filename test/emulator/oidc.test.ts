import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import type { Client } from '../../src/client/client.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { namespaceKind } from '../../src/kinds/core/namespace/kind.js'
import { serviceAccountKind } from '../../src/kinds/core/serviceaccount/kind.js'
import { eventPolicyKind } from '../../src/kinds/eventpolicy/kind.js'
import { sequenceKind } from '../../src/kinds/sequence/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { fetchFrom, type TestEmulator, test } from '../support/emulator.js'
import { eventually } from '../support/objects.js'

/** A program beside the emulator that is sent events, and may answer with one. */
async function aSink(answerType?: string) {
  const received: IncomingHttpHeaders[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      received.push(request.headers)
      const answer = answerType && { 'ce-specversion': '1.0', 'ce-id': 'r', 'ce-source': '/sink', 'ce-type': answerType }
      response.writeHead(answer ? 200 : 202, answer || {}).end()
      for (const check of [...waiting]) check()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const until = (count: number): Promise<IncomingHttpHeaders[]> =>
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

const inDefault = (name: string) => ({ namespace: 'default', name })

async function setFlags(client: Client, emulator: TestEmulator, data: Record<string, string>): Promise<void> {
  const ref = { namespace: 'knative-eventing', name: 'config-features' }
  await client.patch(configMapKind, ref, { type: 'application/merge-patch+json', body: { data } })
  await emulator.settled()
}

async function tokenOf(client: Client, namespace: string, name: string, audience: string): Promise<string> {
  const { object } = await client.transport.call({
    user: client.user,
    verb: 'create',
    group: '',
    version: 'v1',
    plural: 'serviceaccounts',
    namespace,
    name,
    subresource: 'token',
    object: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [audience] } },
  })
  return (object as unknown as { status: { token: string } }).status.token
}

async function send(emulator: TestEmulator, address: string, token: string, attributes: Record<string, string> = {}): Promise<number> {
  const { host, pathname } = new URL(address)
  const all = { specversion: '1.0', id: '1', source: '/test', type: 'test', ...attributes }
  const headers = Object.fromEntries(Object.entries(all).map(([name, value]) => [`ce-${name}`, value]))
  const { status } = await fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}${pathname}`, {
    method: 'POST',
    body: '',
    headers: { host, ...headers, ...(token && { authorization: `Bearer ${token}` }) },
  })
  return status
}

/** The claims of a token, unverified. */
function claimsIn(authorization: string | undefined): { sub: string; aud: string[] } {
  return JSON.parse(Buffer.from(String(authorization).split('.')[1]!, 'base64url').toString())
}

test('with authentication-oidc, a Broker takes events from whom it may, and Triggers show who they are', async ({ client, emulator }) => {
  await setFlags(client, emulator, { 'authentication-oidc': 'enabled' })
  await client.create(namespaceKind, { metadata: { name: 'far' } })
  for (const namespace of ['default', 'far']) await client.create(serviceAccountKind, { metadata: { namespace, name: 'shop' } })
  const [sink, chained] = [await aSink('answered'), await aSink()]
  for (const name of ['first', 'second']) await client.create(brokerKind, { metadata: inDefault(name) })
  await client.create(triggerKind, {
    metadata: inDefault('asks'),
    spec: {
      broker: 'first',
      filter: { attributes: { type: 'test' } },
      subscriber: { uri: sink.uri, audience: 'my-sink' },
    },
  })
  const second = { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'second' } }
  await client.create(triggerKind, {
    metadata: inDefault('chains'),
    spec: { broker: 'first', filter: { attributes: { type: 'answered' } }, subscriber: second },
  })
  await client.create(triggerKind, { metadata: inDefault('hears'), spec: { broker: 'second', subscriber: { uri: chained.uri } } })
  for (const name of ['asks', 'chains', 'hears']) await eventually(client, triggerKind, name, { type: 'Ready', status: 'True' })
  const broker = await eventually(client, brokerKind, 'first', { type: 'Ready', status: 'True' })
  const { url = '', audience = '' } = broker.status!.address!
  expect(audience).toBe('eventing.knative.dev/broker/default/first')

  const near = await tokenOf(client, 'default', 'shop', audience)
  expect(await send(emulator, url, '')).toBe(401)
  expect(await send(emulator, url, await tokenOf(client, 'default', 'shop', 'elsewhere'))).toBe(401)
  expect(await send(emulator, url, `${near.slice(0, -4)}AAAA`)).toBe(401)
  const far = await tokenOf(client, 'far', 'shop', audience)
  expect(await send(emulator, url, far)).toBe(403)
  expect(await send(emulator, url, near)).toBe(202)

  // The answer has come back into the first Broker in the name of its Trigger, and gone on to the second in that of another.
  const [asked] = await sink.until(1)
  expect(claimsIn(asked!.authorization)).toMatchObject({
    sub: 'system:serviceaccount:default:asks-oidc-eventing.knative.dev-trigger',
    aud: ['my-sink'],
  })
  const [heard] = await chained.until(1)
  expect(heard).toMatchObject({ 'ce-type': 'answered' })
  expect(heard!.authorization).toBeUndefined()

  await client.create(eventPolicyKind, {
    metadata: inDefault('far-only'),
    spec: {
      to: [{ ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'first' } }],
      from: [{ sub: 'system:serviceaccount:far:*' }],
      filters: [{ prefix: { type: 'te' } }],
    },
  })
  await eventually(client, eventPolicyKind, 'far-only', { type: 'Ready', status: 'True' })
  await emulator.settled()
  expect(await send(emulator, url, near)).toBe(403)
  expect(await send(emulator, url, far, { type: 'other' })).toBe(403)
  expect(await send(emulator, url, far)).toBe(202)
  await sink.until(2)
})

test('where everything is denied by default, a Sequence goes on by itself, and is entered by whom its policy names', async ({
  client,
  emulator,
}) => {
  await setFlags(client, emulator, { 'authentication-oidc': 'enabled', 'default-authorization-mode': 'deny-all' })
  await client.create(serviceAccountKind, { metadata: inDefault('shop') })
  const [first, last] = [await aSink('stepped'), await aSink()]
  await client.create(sequenceKind, { metadata: inDefault('line'), spec: { steps: [{ uri: first.uri }, { uri: last.uri }] } })
  const sequence = await eventually(client, sequenceKind, 'line', { type: 'Ready', status: 'True' })
  const { url = '', audience = '' } = sequence.status!.address!
  const token = await tokenOf(client, 'default', 'shop', audience)
  expect(await send(emulator, url, token)).toBe(403)

  await client.create(eventPolicyKind, {
    metadata: inDefault('shop'),
    spec: {
      to: [{ ref: { apiVersion: 'flows.knative.dev/v1', kind: 'Sequence', name: 'line' } }],
      from: [{ sub: 'system:serviceaccount:default:shop' }],
    },
  })
  await emulator.settled()
  expect(await send(emulator, url, token)).toBe(202)
  expect((await last.until(1))[0]).toMatchObject({ 'ce-type': 'stepped' })
})
