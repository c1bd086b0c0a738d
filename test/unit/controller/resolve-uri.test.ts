import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Destination } from '../../../src/apimachinery/destination.js'
import type { Kind, KindChange, KindFeed, ServedKind } from '../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { createApiServer } from '../../../src/apiserver/server.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { type Client, createClient } from '../../../src/client/client.js'
import { createManager, type Manager } from '../../../src/controller/manager.js'
import { configMapKind } from '../../../src/kinds/core/configmap/kind.js'
import { configMapServed } from '../../../src/kinds/core/configmap/served.js'
import { eventServed } from '../../../src/kinds/core/event/served.js'
import { coreServiceKind } from '../../../src/kinds/core/service/kind.js'
import { coreServiceServed } from '../../../src/kinds/core/service/served.js'
import { createMemoryStore } from '../../../src/store/memory.js'

interface Referrer extends KubeObject {
  spec: { sink?: Destination; watches?: string }
  status?: { observedGeneration?: number; uri?: string; problem?: string; CACerts?: string; audience?: string; saw?: string }
}
interface Sink extends KubeObject {
  status?: object
}

const shape = { namespaced: true, status: true, group: 'test.knative.dev', version: 'v1' }
const referrerKind: Kind<Referrer> = { ...shape, kind: 'Referrer', plural: 'referrers', singular: 'referrer' }
const sinkKind: Kind<Sink> = { ...shape, kind: 'Sink', plural: 'sinks', singular: 'sink' }
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const
const servedAs = (kind: Kind): ServedKind => ({
  kind,
  builtIn: false,
  schema: { type: 'object', properties: { spec: anything, status: anything } },
})

let client: Client
let manager: Manager
let known: Kind[]
let tellKinds: (change: KindChange) => void

beforeEach(async () => {
  const realClock = createVirtualClock()
  const clock = createVirtualClock({ settle: async () => manager.settled() })
  const log = createSilentLogger()
  const random = createSeededRandom(5)
  const kinds = [servedAs(referrerKind), servedAs(sinkKind), coreServiceServed, configMapServed, eventServed] as ServedKind[]
  const server = createApiServer({ store: createMemoryStore({ freeze: true }), kinds, clock, realClock, random, log })
  const clientFor = (name: string): Client => createClient({ transport: server, user: { name, groups: [] }, fieldManager: name })
  known = [referrerKind, sinkKind, coreServiceKind, configMapKind] as Kind[]
  const listeners = new Set<(change: KindChange) => void>()
  tellKinds = (change) => listeners.forEach((listener) => void listener(change))
  const feed: KindFeed = {
    kinds: () => known,
    onKinds: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  manager = createManager({
    clientFor,
    kinds: feed,
    controllers: [
      {
        kind: referrerKind,
        actsAs: 'test',
        create:
          ({ resolveUri, track }) =>
          async (referrer) => {
            const { spec } = referrer as Referrer
            const { address, problem } = await resolveUri(spec.sink, referrer)
            const seen = spec.watches
              ? await track({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'ns', name: spec.watches }, referrer.metadata)
              : undefined
            const { url, CACerts, audience } = address ?? {}
            const saw = (seen?.object as { data?: { word?: string } } | undefined)?.data?.word
            return { status: { uri: url, problem, CACerts, audience, saw } as never }
          },
      },
    ],
    clock,
    realClock,
    eventDelayMs: 0,
    random,
    log,
  })
  client = clientFor('jane')
  await manager.start()
})
afterEach(() => manager.stop())

const ref = { apiVersion: 'test.knative.dev/v1', kind: 'Sink', namespace: 'ns', name: 'target' }
const refer = async (sink: Destination | undefined, watches?: string): Promise<void> => {
  const metadata = { namespace: 'ns', name: 'r' }
  const spec = { ...(sink && { sink }), ...(watches && { watches }) }
  const present = await client.find(referrerKind, metadata)
  if (present) await client.update(referrerKind, { ...present, spec })
  else await client.create(referrerKind, { metadata, spec })
  await manager.settled()
}
const status = async () => {
  const { observedGeneration: _, ...rest } = (await client.get(referrerKind, { namespace: 'ns', name: 'r' })).status!
  return rest
}
const sinkWith = async (sinkStatus: object): Promise<void> => {
  const metadata = { namespace: 'ns', name: 'target' }
  const sink = (await client.find(sinkKind, metadata)) ?? (await client.create(sinkKind, { metadata }))
  await client.updateStatus(sinkKind, { ...sink, status: sinkStatus })
  await manager.settled()
}

describe('what a destination resolves to', () => {
  test('a uri is taken as it is, whoever may answer there', async () => {
    await refer({ uri: 'bad://uri', CACerts: 'ca', audience: 'me' })
    expect(await status()).toEqual({ uri: 'bad://uri', CACerts: 'ca', audience: 'me' })
  })

  test('a uri without a host and no destination at all are problems', async () => {
    await refer({ uri: '/path' })
    expect((await status()).problem).toBe('URI is not absolute (both scheme and host should be non-empty): "/path"')
    await refer(undefined)
    expect((await status()).problem).toBe('destination missing Ref and URI, expected at least one')
  })

  test('a core Service is named by its DNS name, whatever its ports', async () => {
    const service = { apiVersion: 'v1', kind: 'Service', name: 'plain' }
    await refer({ ref: service })
    expect((await status()).problem).toBe('failed to get object ns/plain: services "plain" not found')
    await client.create(coreServiceKind, { metadata: { namespace: 'ns', name: 'plain' }, spec: { ports: [{ port: 8080 }] } } as never)
    await manager.settled()
    expect((await status()).uri).toBe('http://plain.ns.svc.cluster.local')
    await refer({ ref: service, CACerts: 'ca' })
    expect(await status()).toEqual({ uri: 'https://plain.ns.svc.cluster.local', CACerts: 'ca' })
  })

  test('each way in which an object can fail to have an address has its own text', async () => {
    const printed = 'Kind = Sink, Namespace = ns, Name = target, APIVersion = test.knative.dev/v1, Group = , Address = <nil>'
    await refer({ ref })
    expect((await status()).problem).toBe('failed to get object ns/target: sinks.test.knative.dev "target" not found')
    await sinkWith({})
    expect((await status()).problem).toBe(`address not set for ${printed}`)
    await sinkWith({ address: {} })
    expect((await status()).problem).toBe(`URL missing in address of ${printed}`)
    await sinkWith({ address: { url: 'http:///path' } })
    expect((await status()).problem).toBe(`hostname missing in address of ${printed}`)
    await refer({ ref: { ...ref, address: 'tls' } })
    expect((await status()).problem).toMatch(/^address with name "tls" not found for Kind = Sink, /)
  })

  test('the first of several addresses counts before the single one, and a name picks another', async () => {
    const addresses = [
      { name: 'https', url: 'https://a', CACerts: 'theirs', audience: 'them' },
      { name: 'http', url: 'http://b' },
    ]
    await sinkWith({ address: { url: 'http://single' }, addresses })
    await refer({ ref })
    expect(await status()).toEqual({ uri: 'https://a', CACerts: 'theirs', audience: 'them' })
    await refer({ ref: { ...ref, address: 'http' } })
    expect((await status()).uri).toBe('http://b')
    await refer({ ref, CACerts: 'mine', audience: 'me' })
    expect(await status()).toEqual({ uri: 'https://a', CACerts: 'mine', audience: 'me' })
  })

  test.each([
    ['http://a.svc', '/extra/path', 'http://a.svc/extra/path'],
    ['http://a.svc', 'extra', 'http://a.svc/extra'],
    ['http://a.svc/ns/name', 'extra', 'http://a.svc/ns/extra'],
    ['http://a.svc/ns/name', '/extra?q=1#f', 'http://a.svc/extra?q=1#f'],
    ['http://a.svc/ns/name', '?q=1', 'http://a.svc/ns/name?q=1'],
    ['http://a.svc/ns/name', '../up', 'http://a.svc/up'],
    ['http://a.svc/ns/name', '', 'http://a.svc/ns/name'],
  ])('%s with the relative uri %j is %s', async (url, uri, expected) => {
    await sinkWith({ address: { url } })
    await refer({ ref, uri })
    expect((await status()).uri).toBe(expected)
  })

  test('an absolute uri beside a reference is a problem', async () => {
    await sinkWith({ address: { url: 'http://a' } })
    await refer({ ref, uri: 'http://b' })
    expect((await status()).problem).toBe('absolute URI is not allowed when Ref or [apiVersion, kind, name] exists')
  })

  test('a reference without a namespace is looked for beside the referrer', async () => {
    await sinkWith({ address: { url: 'http://a' } })
    await refer({ ref: { apiVersion: ref.apiVersion, kind: ref.kind, name: ref.name } })
    expect((await status()).uri).toBe('http://a')
  })

  test('with kreference-mapping, a template gives the URL and the object need not exist', async () => {
    const config = (name: string, data: Record<string, string>) =>
      client.create(configMapKind, { metadata: { namespace: 'knative-eventing', name }, data })
    await config('config-kreference-mapping', { 'Sink.v1.test.knative.dev': 'https://{{ .Name }}.{{.Namespace}}.example' })
    await refer({ ref })
    expect((await status()).problem).toContain('not found')
    await config('config-features', { 'kreference-mapping': 'Enabled' })
    await manager.settled()
    await refer({ ref, audience: 'me' })
    expect(await status()).toEqual({ uri: 'https://target.ns.example', audience: 'me' })
  })
})

describe('whoever looked something up', () => {
  test('is reconciled when the address changes, goes and comes back', async () => {
    await refer({ ref })
    await sinkWith({ address: { url: 'http://first' } })
    expect((await status()).uri).toBe('http://first')
    await sinkWith({ address: { url: 'http://second' } })
    expect((await status()).uri).toBe('http://second')
    await client.delete(sinkKind, { namespace: 'ns', name: 'target' })
    await manager.settled()
    expect((await status()).problem).toContain('not found')
  })

  test('is told of everything it looked at, and no longer of what it does not look at any more', async () => {
    const word = async (name: string, text: string): Promise<void> => {
      const metadata = { namespace: 'ns', name }
      const present = await client.find(configMapKind, metadata)
      if (present) await client.update(configMapKind, { ...present, data: { word: text } })
      else await client.create(configMapKind, { metadata, data: { word: text } })
      await manager.settled()
    }
    await refer({ uri: 'http://x' }, 'one')
    await word('one', 'a')
    expect((await status()).saw).toBe('a')
    await word('one', 'b')
    expect((await status()).saw).toBe('b')
    await refer({ uri: 'http://x' }, 'two')
    await word('two', 'c')
    const { resourceVersion } = (await client.get(referrerKind, { namespace: 'ns', name: 'r' })).metadata
    await word('one', 'd')
    expect((await status()).saw).toBe('c')
    expect((await client.get(referrerKind, { namespace: 'ns', name: 'r' })).metadata.resourceVersion).toBe(resourceVersion)
  })

  test('is told when the kind itself comes and goes', async () => {
    known = known.filter((kind) => kind !== sinkKind)
    await client.create(sinkKind, { metadata: { namespace: 'ns', name: 'target' }, status: { address: { url: 'http://a' } } } as never)
    await sinkWith({ address: { url: 'http://a' } })
    await refer({ ref })
    expect((await status()).problem).toBe(
      'failed to get lister for test.knative.dev/v1, Resource=sinks: the server could not find the requested resource',
    )
    known = [...known, sinkKind as Kind]
    tellKinds({ added: [sinkKind as Kind], removed: [] })
    await manager.settled()
    expect((await status()).uri).toBe('http://a')
    known = known.filter((kind) => kind !== sinkKind)
    manager.forget(sinkKind as Kind)
    tellKinds({ added: [], removed: [sinkKind as Kind] })
    await manager.settled()
    expect((await status()).problem).toContain('failed to get lister')
  })
})
