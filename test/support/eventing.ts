import type { Kind } from '../../src/apimachinery/kind.js'
import type { Draft, KubeObject, ObjectMeta } from '../../src/apimachinery/object.js'
import { type ApiServer, createApiServer } from '../../src/apiserver/server.js'
import { createVirtualClock, type VirtualClock } from '../../src/base/clock.js'
import { createSilentLogger } from '../../src/base/logger.js'
import { createSeededRandom } from '../../src/base/random.js'
import { type Client, createClient } from '../../src/client/client.js'
import { createManager, type Manager } from '../../src/controller/manager.js'
import type { Controller } from '../../src/controller/reconcile.js'
import { createNamespaceInjectionController, createTriggerInjectionController } from '../../src/kinds/broker/injection.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { createBrokerController } from '../../src/kinds/broker/reconcile.js'
import type { Broker } from '../../src/kinds/broker/schema.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { endpointsKind } from '../../src/kinds/core/endpoints/kind.js'
import { endpointSliceKind } from '../../src/kinds/core/endpointslice/kind.js'
import { SERVICE_NAME_LABEL } from '../../src/kinds/core/endpointslice/schema.js'
import { eventKind } from '../../src/kinds/core/event/kind.js'
import { namespaceKind } from '../../src/kinds/core/namespace/kind.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { EVENTING_CONFIG } from '../../src/kinds/eventing-config.js'
import { createEventPolicyController } from '../../src/kinds/eventpolicy/reconcile.js'
import { createEventTypeController } from '../../src/kinds/eventtype/reconcile.js'
import { servedKinds } from '../../src/kinds/index.js'
import { createInMemoryChannelController } from '../../src/kinds/inmemorychannel/reconcile.js'
import { createRequestReplyController } from '../../src/kinds/requestreply/reconcile.js'
import { createSubscriptionController } from '../../src/kinds/subscription/reconcile.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { createTriggerController } from '../../src/kinds/trigger/reconcile.js'
import type { Trigger } from '../../src/kinds/trigger/schema.js'
import { createMemoryStore } from '../../src/store/memory.js'

export { conditionText } from './messaging.js'

const SYSTEM = 'knative-eventing'
const DATA_PLANE = ['broker-ingress', 'broker-filter', 'imc-dispatcher']

/** Eventing's kinds and controllers over a store in memory, with the ConfigMaps of a fresh installation. Nothing here carries events. */
export interface Eventing {
  client: Client
  clock: VirtualClock
  settled(): Promise<void>
  /** Acts as someone who may do everything, as the controllers do. */
  admin: Client
  /** Creates an object in `default` (or where the metadata says), waits until everything that follows has happened, and reads it again. */
  create<T extends KubeObject>(kind: Kind<T>, name: string, spec: object, metadata?: Partial<ObjectMeta>): Promise<T>
  get<T extends KubeObject>(kind: Kind<T>, name: string): Promise<T>
  /** Changes an object in `default`, waits, and reads it again. */
  change<T extends KubeObject>(kind: Kind<T>, name: string, change: (object: T) => T): Promise<T>
  setStatus<T extends KubeObject & { status?: unknown }>(kind: Kind<T>, name: string, status: NonNullable<T['status']>): Promise<void>
  broker(name: string): Promise<Broker>
  trigger(name: string): Promise<Trigger>
  /** Deletes an object in `default`, and then what it owned. */
  remove(kind: Kind, name: string): Promise<void>
  setConfig(name: string, data: Record<string, string>): Promise<void>
  /** `Warning InternalError: …` of every Event about an object of this name. */
  eventsAbout(name: string): Promise<string[]>
  /** Puts a core Service of the data plane, or what is behind it, out of the way, or back. */
  setDataPlane(name: string, state: 'absent' | 'unavailable' | 'ready'): Promise<void>
  stop(): Promise<void>
}

export async function startEventing(): Promise<Eventing> {
  const clock: VirtualClock = createVirtualClock({ settle: async () => manager.settled() })
  const realClock = createVirtualClock()
  const log = createSilentLogger()
  const random = createSeededRandom(1)
  const server: ApiServer = createApiServer({
    store: createMemoryStore({ freeze: true }),
    kinds: servedKinds,
    clock,
    realClock,
    random,
    log,
  })
  const clientFor = (name: string, groups = ['system:masters']): Client =>
    createClient({ transport: server, user: { name, groups }, fieldManager: name })
  const controllers: Controller[] = [
    createInMemoryChannelController(),
    createSubscriptionController(),
    createBrokerController(),
    createTriggerController(),
    createEventTypeController(),
    createEventPolicyController(),
    createRequestReplyController(),
    createNamespaceInjectionController(),
    createTriggerInjectionController(),
  ]
  const manager: Manager = createManager({ clientFor, controllers, kinds: server.stored, clock, realClock, eventDelayMs: 0, random, log })
  const client = clientFor('jane', [])
  const ref = (name: string) => ({ namespace: 'default', name })

  const slices = (name: string, isReady: boolean) => ({
    metadata: { namespace: SYSTEM, name, labels: { [SERVICE_NAME_LABEL]: name } },
    addressType: 'IPv4' as const,
    endpoints: isReady ? [{ addresses: ['10.244.0.1'], conditions: { ready: true } }] : [],
  })
  const setDataPlane: Eventing['setDataPlane'] = async (name, state) => {
    const place = { namespace: SYSTEM, name }
    const subsets = [{ addresses: [{ ip: '10.244.0.1' }], ports: [{ name: 'http', port: 8080, protocol: 'TCP' as const }] }]
    for (const kind of [coreServiceKind, endpointSliceKind, endpointsKind] as Kind[])
      if (await client.find(kind, place)) await client.delete(kind, place)
    if (state !== 'absent') {
      await client.create(coreServiceKind, { metadata: place, spec: { ports: [{ name: 'http', port: 80 }] } })
      await client.create(endpointSliceKind, slices(name, state === 'ready'))
      await client.create(endpointsKind, { metadata: place, subsets: state === 'ready' ? subsets : [] })
    }
    await manager.settled()
  }

  for (const name of ['default', 'other', SYSTEM]) await client.create(namespaceKind, { metadata: { name } })
  for (const [name, data] of Object.entries(EVENTING_CONFIG))
    await client.create(configMapKind, { metadata: { namespace: SYSTEM, name }, data: { ...data } })
  await manager.start()
  for (const name of DATA_PLANE) await setDataPlane(name, 'ready')

  const eventing: Eventing = {
    client,
    clock,
    admin: clientFor('root'),
    settled: () => manager.settled(),
    async create<T extends KubeObject>(kind: Kind<T>, name: string, spec: object, metadata: Partial<ObjectMeta> = {}) {
      const whole = { ...ref(name), ...metadata }
      await client.create(kind, { metadata: whole, spec } as unknown as Draft<T>)
      await manager.settled()
      return client.get(kind, whole)
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
    broker: (name) => client.get(brokerKind, ref(name)),
    trigger: (name) => client.get(triggerKind, ref(name)),
    async remove(kind, name) {
      await client.delete(kind, ref(name))
      await manager.settled()
      await collect()
    },
    async setConfig(name, data) {
      const place = { namespace: SYSTEM, name }
      const present = await client.find(configMapKind, place)
      if (present) await client.update(configMapKind, { ...present, data })
      else await client.create(configMapKind, { metadata: place, data })
      await manager.settled()
    },
    async eventsAbout(name) {
      const events = (await client.list(eventKind)).filter((event) => event.involvedObject.name === name)
      return events.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
    },
    setDataPlane,
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
  return eventing
}

/** A Trigger's spec: of Broker `default`, to a URI, unless it says otherwise. */
export function aTriggerSpec(spec: object = {}): object {
  return { broker: 'default', subscriber: { uri: 'http://subscriber.example.com' }, ...spec }
}

/** The one object of a kind in `default`. Throws when there are none or several. */
export async function onlyOne<T extends KubeObject>(client: Client, kind: Kind<T>): Promise<T> {
  const [only, ...others] = await client.list(kind, 'default')
  if (!only || others.length > 0) throw new Error(`expected one ${kind.kind}, found ${only ? others.length + 1 : 0}`)
  return only
}
