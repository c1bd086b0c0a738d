import { readyCondition } from '../apimachinery/conditions.js'
import type { KubeObject } from '../apimachinery/object.js'
import { refText } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { CesqlFunctions } from '../cloudevents/cesql.js'
import type { CloudEvent } from '../cloudevents/event.js'
import type { Send } from '../delivery/send.js'
import type { HopPlace, RecordHop } from '../journal/hop.js'
import type { Broker } from '../kinds/broker/schema.js'
import type { EventPolicy } from '../kinds/eventpolicy/schema.js'
import type { InMemoryChannel } from '../kinds/inmemorychannel/schema.js'
import type { Trigger } from '../kinds/trigger/schema.js'
import type { AppendLogs } from '../store/append-log.js'
import type { Intake } from './carry.js'
import type { EventTypeOwner } from './event-types.js'
import { type Addressee, intakeOf } from './ingress.js'
import { createDoors, type Oidc } from './oidc.js'
import { createOutlet, type Outlet } from './outlet.js'
import { filterOf, placeOf, subscriberPlan, triggerPlan } from './plans.js'

export interface Informers {
  brokers: Informer<Broker>
  triggers: Informer<Trigger>
  channels: Informer<InMemoryChannel>
  policies: Pick<Informer<EventPolicy>, 'get'>
}

export interface Dispatcher {
  broker(namespace: string, name: string): Addressee | undefined
  channel(where: { namespace: string; name: string } | { host: string }): Addressee | undefined
  /** Whether a name ("orders-kn-channel.default") is that of a channel. */
  isChannelHost(host: string): boolean
  stop(graceMs: number): Promise<void>
}

export interface DispatcherDeps {
  informers: Informers
  /** Opens the file of the logs, when the first broker or channel is there. */
  openLogs: () => Promise<AppendLogs>
  send: Send
  /** The broker or channel of ours that a URL belongs to. */
  intakeOf(url: string, caCerts: string | undefined): Intake | undefined
  oidc: Oidc
  /** What expressions of Triggers know beside CESQL's own. */
  functions: CesqlFunctions
  /** Told of every event that was received, and of replies. */
  noteEventType(owner: EventTypeOwner, event: CloudEvent): void
  busy(work: Promise<unknown>): void
  record: RecordHop
  clock: Clock
  realClock: Clock
  random: Random
  log: Logger
}

/** The only class of Brokers that is served here. */
const BROKER_CLASS = 'MTChannelBasedBroker'
const CLASS_ANNOTATION = 'eventing.knative.dev/broker.class'
/** On a Broker that has its channel. @see knative/eventing v1.22 pkg/apis/eventing/register.go */
const CHANNEL_ADDRESS_ANNOTATION = 'knative.dev/channelAddress'
/** On the channel of a Broker, whose traffic is in the Broker's own log. */
const BROKER_CHANNEL_LABEL = 'eventing.knative.dev/brokerEverything'
const BROKER_LABEL = 'eventing.knative.dev/broker'
/** Before a file of logs that could not be opened is tried again, in real milliseconds. */
const OPEN_AGAIN_MS = 5000

/**
 * Keeps an outlet for every Broker and channel, and in it a consumer for every Trigger and Subscription, as the objects say at
 * this moment. A Trigger gets its consumer when it is ready for the first time and keeps it until it is deleted.
 */
export function startDispatcher(deps: DispatcherDeps): Dispatcher {
  const { informers, log, realClock, oidc } = deps
  const { brokers, triggers, channels, policies } = informers
  const doorOf = createDoors({ oidc, policies })
  const outlets = new Map<string, { owner: KubeObject; outlet: Promise<Outlet>; ready: Outlet | undefined }>()
  /** Triggers by the broker that they are for: "namespace/name". */
  const triggersOf = new Map<string, Map<string, Trigger>>()
  const channelsByHost = new Map<string, string>()
  let logs: Promise<AppendLogs> | undefined
  let isStopped = false

  const openLogs = (): Promise<AppendLogs> => {
    logs ??= deps.openLogs().catch((error: unknown) => {
      logs = undefined
      log.error('the logs of brokers and channels could not be opened', { error })
      throw error
    })
    return logs
  }

  const outletOf = (kind: 'Broker' | 'InMemoryChannel', owner: KubeObject): Promise<Outlet> => {
    const name = logName(kind, owner)
    const known = outlets.get(name)
    if (known) return known.outlet
    const place = placeOf(kind, owner)
    const outlet = openLogs().then((opened) => {
      const created: Outlet = createOutlet({
        ...deps,
        onReply(at, reply) {
          const from = replier(at, owner)
          if (from) deps.noteEventType(from, reply)
        },
        logger: log,
        log: opened.log(name),
        place,
        tokenFor: oidc.tokenFor,
        ownUrl() {
          const { address, addresses } = ((kind === 'Broker' ? brokers : channels).get(owner.metadata) as Broker | undefined)?.status ?? {}
          return addresses?.[0]?.url ?? address?.url ?? ''
        },
        ownIntake(logged, account) {
          const receiver = (kind === 'Broker' ? brokers : channels).get(owner.metadata) ?? owner
          const addressee = addresseeOf(receiver, () => Promise.resolve(created))
          const audience = (receiver as Broker | InMemoryChannel).status?.address?.audience
          return intakeOf(addressee, kind === 'Broker' ? 'broker' : 'channel', deps.clock)(logged, { account, audience })
        },
      })
      const entry = outlets.get(name)
      if (entry) entry.ready = created
      return created
    })
    outlets.set(name, { owner, outlet, ready: undefined })
    outlet.catch(() => {
      outlets.delete(name)
      // Consumers are to be at work as soon as the file can be opened, not only when someone sends.
      if (!isStopped) realClock.after(OPEN_AGAIN_MS, () => follow(kind, owner))
    })
    return outlet
  }

  const follow = (kind: 'Broker' | 'InMemoryChannel', owner: KubeObject): void => {
    if (isStopped) return
    if (kind === 'Broker') {
      const broker = brokers.get(owner.metadata)
      if (broker) syncBroker(broker)
    } else {
      const channel = channels.get(owner.metadata)
      if (channel) syncChannel(channel)
    }
  }

  /** Does something with an outlet in its turn; without delay when it is open. */
  const within = (kind: 'Broker' | 'InMemoryChannel', owner: KubeObject, work: (outlet: Outlet) => void): void => {
    const ready = outlets.get(logName(kind, owner))?.ready
    if (ready) work(ready)
    else outletOf(kind, owner).then(work, () => {})
  }

  const close = (kind: 'Broker' | 'InMemoryChannel', owner: KubeObject): void => {
    const name = logName(kind, owner)
    const entry = outlets.get(name)
    outlets.delete(name)
    void entry?.outlet
      .then(async (outlet) => {
        for (const consumer of outlet.consumers()) outlet.drop(consumer)
        await (await openLogs()).remove(name)
      })
      .catch((error: unknown) => log.warn('a log could not be removed', { name, error }))
  }

  // ---- brokers and their triggers

  const syncBroker = (broker: Broker): void => {
    if (!isServed(broker)) return
    within('Broker', broker, () => {
      for (const trigger of triggersOf.get(refText(broker.metadata))?.values() ?? []) syncTrigger(trigger)
    })
  }

  const syncTrigger = (trigger: Trigger): void => {
    const broker = brokers.get(brokerRefOf(trigger))
    const { uid = '' } = trigger.metadata
    if (!broker || !isServed(broker)) return
    within('Broker', broker, (outlet) => {
      const current = triggersOf.get(refText(broker.metadata))?.get(uid)
      if (!current || (!outlet.isKnown(uid) && readyCondition(current)?.status !== 'True')) return
      const filter = filterOf(current, deps.functions)
      outlet.set(uid, triggerPlan(current, brokers.get(broker.metadata) ?? broker, filter.verdict), filter)
    })
  }

  const forgetTrigger = (trigger: Trigger): void => {
    const ref = brokerRefOf(trigger)
    const { uid = '' } = trigger.metadata
    triggersOf.get(refText(ref))?.delete(uid)
    const broker = brokers.get(ref)
    if (broker && isServed(broker)) within('Broker', broker, (outlet) => outlet.drop(uid))
  }

  const keepTrigger = (trigger: Trigger): void => {
    const ref = refText(brokerRefOf(trigger))
    if (!triggersOf.has(ref)) triggersOf.set(ref, new Map())
    triggersOf.get(ref)!.set(trigger.metadata.uid ?? '', trigger)
    syncTrigger(trigger)
  }

  // ---- channels and their subscribers

  const syncChannel = (channel: InMemoryChannel): void => {
    if (isOfBroker(channel)) return
    within('InMemoryChannel', channel, (outlet) => {
      const current = channels.get(channel.metadata)
      if (!current || current.metadata.uid !== channel.metadata.uid) return
      const wanted = new Map((current.spec?.subscribers ?? []).map((subscriber) => [subscriber.uid, subscriber]))
      for (const name of outlet.consumers()) if (!wanted.has(name)) outlet.drop(name)
      for (const [uid, subscriber] of wanted) outlet.set(uid, subscriberPlan(current, subscriber), undefined)
    })
  }

  /** The object of a Trigger or Subscription that an answer came through. */
  const replier = (at: HopPlace, channel: KubeObject): EventTypeOwner | undefined => {
    if (at.kind === 'Trigger') return triggers.get(at)
    const subscribers = channels.get(channel.metadata)?.spec.subscribers ?? []
    const subscriber = subscribers.find(({ name }) => name === at.name)
    const metadata = { name: at.name, namespace: at.namespace, uid: subscriber?.uid ?? '' }
    return subscriber && { apiVersion: 'messaging.knative.dev/v1', kind: 'Subscription', metadata }
  }

  /** `at`: whose door it is, where that is another's than the log's. */
  const addresseeOf = (owner: KubeObject, outlet: () => Promise<Outlet>, at = owner): Addressee => ({
    door: doorOf(at),
    isUsable: owner.kind !== 'Broker' || hasChannel(owner),
    append: async (logged) => (await outlet()).append(logged),
    onReceived: (event) => deps.noteEventType(owner, event),
  })

  const channelAddressee = (channel: InMemoryChannel | undefined): Addressee | undefined => {
    if (!channel?.status?.address?.url) return undefined
    if (!isOfBroker(channel)) return addresseeOf(channel, () => outletOf('InMemoryChannel', channel))
    // What is sent past the ingress to a Broker's own channel reaches its Triggers, which refuse it for want of a TTL.
    const { namespace = '' } = channel.metadata
    const broker = brokers.get({ namespace, name: channel.metadata.labels?.[BROKER_LABEL] ?? '' })
    return broker && addresseeOf(broker, () => outletOf('Broker', broker), channel)
  }

  /** What an earlier run left behind for objects that are gone. */
  const sweep = async (): Promise<void> => {
    await Promise.all([brokers.synced, triggers.synced, channels.synced])
    if (isStopped || outlets.size === 0) return
    const opened = await openLogs()
    for (const name of opened.names()) if (!outlets.has(name)) await opened.remove(name)
    for (const { owner, outlet } of [...outlets.values()]) {
      const { place, consumers, drop } = await outlet
      if (place.kind !== 'Broker') continue
      const known = triggersOf.get(refText(owner.metadata))
      for (const uid of consumers()) if (!known?.has(uid)) drop(uid)
    }
  }

  const endings = [
    triggers.onChange(({ type, object, previous }) => {
      if (type === 'DELETED') return forgetTrigger(object)
      // Deleted and made again between two looks.
      if (previous && previous.metadata.uid !== object.metadata.uid) forgetTrigger(previous)
      keepTrigger(object)
    }),
    brokers.onChange(({ type, object, previous }) => {
      if (previous && (type === 'DELETED' || previous.metadata.uid !== object.metadata.uid)) close('Broker', previous)
      if (type !== 'DELETED') syncBroker(object)
    }),
    channels.onChange(({ type, object, previous }) => {
      const before = previous && hostOf(previous)
      if (before !== undefined) channelsByHost.delete(before)
      if (previous && !isOfBroker(previous) && (type === 'DELETED' || previous.metadata.uid !== object.metadata.uid))
        close('InMemoryChannel', previous)
      if (type === 'DELETED') return
      const host = hostOf(object)
      if (host !== undefined) channelsByHost.set(host, refText(object.metadata))
      syncChannel(object)
    }),
  ]
  sweep().catch((error: unknown) => {
    if (!isStopped) log.warn('what is left of removed brokers could not be swept', { error })
  })

  return {
    broker(namespace, name) {
      const broker = brokers.get({ namespace, name })
      return broker && addresseeOf(broker, () => outletOf('Broker', broker))
    },
    channel(where) {
      if ('namespace' in where) return channelAddressee(channels.get(where))
      const key = channelsByHost.get(shortHost(where.host))
      const [namespace = '', name = ''] = key?.split('/') ?? []
      return key === undefined ? undefined : channelAddressee(channels.get({ namespace, name }))
    },
    isChannelHost: (host) => channelsByHost.has(shortHost(host)),
    async stop(graceMs) {
      isStopped = true
      for (const end of endings) end()
      await Promise.all([...outlets.values()].map(({ outlet }) => outlet.then(({ stop }) => stop(graceMs)).catch(() => {})))
      await logs?.then((opened) => opened.close()).catch(() => {})
    },
  }
}

function isServed({ metadata }: Broker): boolean {
  const { [CLASS_ANNOTATION]: brokerClass = BROKER_CLASS } = metadata.annotations ?? {}
  return brokerClass === BROKER_CLASS
}

function hasChannel({ status }: Broker): boolean {
  return Boolean(status?.annotations?.[CHANNEL_ADDRESS_ANNOTATION])
}

function isOfBroker({ metadata }: InMemoryChannel): boolean {
  return metadata.labels?.[BROKER_CHANNEL_LABEL] === 'true'
}

function brokerRefOf({ metadata, spec }: Trigger): { namespace: string; name: string } {
  const own = metadata.namespace ?? ''
  return spec.brokerRef
    ? { namespace: spec.brokerRef.namespace ?? own, name: spec.brokerRef.name }
    : { namespace: own, name: spec.broker ?? '' }
}

/** With the UID, so that one that is deleted and made again begins with nothing. */
function logName(kind: string, { metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}/${metadata.uid}`
}

/** The host of a channel's address, short; undefined where it is the path that says which channel. */
function hostOf({ status }: InMemoryChannel): string | undefined {
  const url = status?.address?.url
  if (url === undefined || !URL.canParse(url)) return undefined
  const { host, pathname } = new URL(url)
  return pathname === '/' ? shortHost(host) : undefined
}

/** A name inside the cluster without port and domain: "orders-kn-channel.default". */
export function shortHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/\.svc(\..*)?$/, '')
}
