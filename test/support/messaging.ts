import type { Condition } from '../../src/apimachinery/conditions.js'
import type { Kind } from '../../src/apimachinery/kind.js'
import type { Draft, KubeObject } from '../../src/apimachinery/object.js'
import { createApiServer } from '../../src/apiserver/server.js'
import { createVirtualClock, type VirtualClock } from '../../src/base/clock.js'
import { createSilentLogger } from '../../src/base/logger.js'
import { createSeededRandom } from '../../src/base/random.js'
import { type Client, createClient } from '../../src/client/client.js'
import { createManager } from '../../src/controller/manager.js'
import type { Controller } from '../../src/controller/reconcile.js'
import { createChannelController } from '../../src/kinds/channel/reconcile.js'
import { channelServed } from '../../src/kinds/channel/served.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { configMapServed } from '../../src/kinds/core/configmap/served.js'
import { endpointsKind } from '../../src/kinds/core/endpoints/kind.js'
import { endpointsServed } from '../../src/kinds/core/endpoints/served.js'
import { eventKind } from '../../src/kinds/core/event/kind.js'
import { eventServed } from '../../src/kinds/core/event/served.js'
import { secretServed } from '../../src/kinds/core/secret/served.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { coreServiceServed } from '../../src/kinds/core/service/served.js'
import { serviceAccountServed } from '../../src/kinds/core/serviceaccount/served.js'
import { eventPolicyServed } from '../../src/kinds/eventpolicy/served.js'
import { createInMemoryChannelController } from '../../src/kinds/inmemorychannel/reconcile.js'
import { inMemoryChannelSchema } from '../../src/kinds/inmemorychannel/schema.js'
import { inMemoryChannelServed } from '../../src/kinds/inmemorychannel/served.js'
import type { Channelable } from '../../src/kinds/messaging-schema.js'
import { createParallelController } from '../../src/kinds/parallel/reconcile.js'
import { parallelServed } from '../../src/kinds/parallel/served.js'
import { createSequenceController } from '../../src/kinds/sequence/reconcile.js'
import { sequenceServed } from '../../src/kinds/sequence/served.js'
import { createSubscriptionController } from '../../src/kinds/subscription/reconcile.js'
import { subscriptionServed } from '../../src/kinds/subscription/served.js'
import { createMemoryStore } from '../../src/store/memory.js'

const SYSTEM = 'knative-eventing'

/** A kind of channel that someone else brings. No controller works on it: tests play that. */
export const quietChannelKind: Kind<Channelable> = {
  group: 'example.com',
  version: 'v1',
  kind: 'QuietChannel',
  plural: 'quietchannels',
  singular: 'quietchannel',
  namespaced: true,
  status: true,
}

/** Channels, Subscriptions and what is built of them, over a store in memory. Nothing here carries events. */
export interface Messaging {
  client: Client
  clock: VirtualClock
  settled(): Promise<void>
  /** Creates an object in `default` as a user would, waits until everything that follows has happened, and reads it again. */
  create<T extends KubeObject>(kind: Kind<T>, name: string, spec: object, metadata?: object): Promise<T>
  /** An object in `default`. */
  get<T extends KubeObject>(kind: Kind<T>, name: string): Promise<T>
  /** Changes an object in `default`, waits, and reads it again. */
  change<T extends KubeObject>(kind: Kind<T>, name: string, change: (object: T) => T): Promise<T>
  /** Plays the controller of an object in `default`: writes its status, and waits. */
  setStatus<T extends KubeObject & { status?: unknown }>(kind: Kind<T>, name: string, status: NonNullable<T['status']>): Promise<void>
  /** Names of the objects of a kind in `default`. */
  names(kind: Kind): Promise<string[]>
  /** Deletes an object in `default`, and then what it owned. */
  remove(kind: Kind, name: string): Promise<void>
  setConfig(name: string, data: Record<string, string>): Promise<void>
  /** `Normal SubscriberSync: …` of every Event about an object in `default`. */
  eventsAbout(name: string): Promise<string[]>
  /** Takes the dispatcher's Endpoints away, or gives them back. */
  setDispatcher(state: 'absent' | 'empty' | 'ready'): Promise<void>
  stop(): Promise<void>
}

export async function startMessaging(): Promise<Messaging> {
  const clock: VirtualClock = createVirtualClock({ settle: async () => manager.settled() })
  const realClock = createVirtualClock()
  const log = createSilentLogger()
  const random = createSeededRandom(1)
  const server = createApiServer({
    store: createMemoryStore({ freeze: true }),
    kinds: [
      configMapServed,
      endpointsServed,
      eventServed,
      secretServed,
      coreServiceServed,
      serviceAccountServed,
      eventPolicyServed,
      channelServed,
      inMemoryChannelServed,
      subscriptionServed,
      sequenceServed,
      parallelServed,
      { kind: quietChannelKind, schema: inMemoryChannelSchema, builtIn: false },
    ],
    clock,
    realClock,
    random,
    log,
  })
  const clientFor = (name: string): Client => createClient({ transport: server, user: { name, groups: [] }, fieldManager: name })
  const controllers: Controller[] = [
    createInMemoryChannelController(),
    createChannelController(),
    createSubscriptionController(),
    createSequenceController(),
    createParallelController(),
  ]
  const manager = createManager({ clientFor, controllers, kinds: server.stored, clock, realClock, eventDelayMs: 0, random, log })
  const client = clientFor('jane')
  const dispatcher = { namespace: SYSTEM, name: 'imc-dispatcher' }
  const subsets = [{ addresses: [{ ip: '10.244.0.1' }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }]
  const defaults = { 'default-ch-config': 'clusterDefault: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel}' }
  await client.create(configMapKind, { metadata: { namespace: SYSTEM, name: 'default-ch-webhook' }, data: defaults })
  await client.create(coreServiceKind, { metadata: dispatcher, spec: { ports: [{ name: 'http', port: 80 }] } })
  await client.create(endpointsKind, { metadata: dispatcher, subsets })
  await manager.start()
  await manager.settled()

  const ref = (name: string) => ({ namespace: 'default', name })
  const messaging: Messaging = {
    client,
    clock,
    settled: () => manager.settled(),
    async create<T extends KubeObject>(kind: Kind<T>, name: string, spec: object, metadata: object = {}) {
      await client.create(kind, { metadata: { ...ref(name), ...metadata }, spec } as unknown as Draft<T>)
      await manager.settled()
      return client.get(kind, ref(name))
    },
    get: (kind, name) => client.get(kind, ref(name)),
    async change(kind, name, change) {
      await client.update(kind, change(await client.get(kind, ref(name))))
      await manager.settled()
      return client.get(kind, ref(name))
    },
    async setStatus(kind, name, status) {
      await client.updateStatus(kind, { ...(await client.get(kind, ref(name))), status })
      await manager.settled()
    },
    async names(kind) {
      return (await client.list(kind, 'default')).map(({ metadata }) => metadata.name).sort()
    },
    async remove(kind, name) {
      await client.delete(kind, ref(name))
      await manager.settled()
      await collect()
    },
    async setConfig(name, data) {
      const config = { namespace: SYSTEM, name }
      const present = await client.find(configMapKind, config)
      if (present) await client.update(configMapKind, { ...present, data })
      else await client.create(configMapKind, { metadata: config, data })
      await manager.settled()
    },
    async eventsAbout(name) {
      const events = (await client.list(eventKind, 'default')).filter((event) => event.involvedObject.name === name)
      return events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
    },
    async setDispatcher(state) {
      const present = await client.find(endpointsKind, dispatcher)
      if (state === 'absent') await client.delete(endpointsKind, dispatcher)
      else if (present) await client.update(endpointsKind, { ...present, subsets: state === 'ready' ? subsets : [] })
      else await client.create(endpointsKind, { metadata: dispatcher, subsets: state === 'ready' ? subsets : [] })
      await manager.settled()
    },
    stop: () => manager.stop(),
  }

  /** Plays the garbage collector: deletes whatever has lost its owner, until there is nothing left of it. */
  async function collect(): Promise<void> {
    for (let isDone = false; !isDone; ) {
      const objects = (
        await Promise.all(server.stored.kinds().map(async (kind) => (await client.list(kind)).map((object) => ({ kind, object }))))
      ).flat()
      const alive = new Set(objects.map(({ object }) => object.metadata.uid))
      const orphans = objects.filter(
        ({ object: { metadata } }) => !metadata.deletionTimestamp && metadata.ownerReferences?.some(({ uid }) => !alive.has(uid)),
      )
      for (const { kind, object } of orphans) await client.delete(kind, object.metadata)
      await manager.settled()
      isDone = orphans.length === 0
    }
  }
  return messaging
}

/** `status reason: message` of a condition, or `none`. */
export function conditionText(object: { status?: { conditions?: readonly Condition[] } }, type: string): string {
  const condition = object.status?.conditions?.find((candidate) => candidate.type === type)
  if (!condition) return 'none'
  const { status, reason, message } = condition
  return `${status}${reason ? ` ${reason}` : ''}${message ? `: ${message}` : ''}`
}

/** A Subscription's spec: from an InMemoryChannel, unless another kind is named, to `uri`. */
export function aSubscription(
  channel: string,
  options: { apiVersion?: string; kind?: string; uri?: string } & Record<string, unknown> = {},
): object {
  const { apiVersion = 'messaging.knative.dev/v1', kind = 'InMemoryChannel', uri = 'http://subscriber.example.com', ...rest } = options
  return { channel: { apiVersion, kind, name: channel }, subscriber: { uri }, ...rest }
}
