import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { createSender, type Reach } from '../delivery/send.js'
import type { RecordHop } from '../journal/hop.js'
import type { Secret } from '../kinds/core/secret/schema.js'
import type { RequestReply } from '../kinds/requestreply/schema.js'
import type { AppendLogs } from '../store/append-log.js'
import type { Intake } from './carry.js'
import { type Informers, shortHost, startDispatcher } from './dispatcher.js'
import { type Encryption, NO_ENCRYPTION } from './encryption.js'
import type { EventTypeOwner } from './event-types.js'
import { createFilterEndpoint, type SubscriptionOf } from './filter-endpoint.js'
import { createBrokerIngress, createChannelIngress, intakeOf } from './ingress.js'
import { answer, type InsideHandler } from './inside.js'
import { NO_OIDC, type Oidc } from './oidc.js'
import { createRequestReplyPlane } from './request-reply.js'
import { correlationFunctions } from './request-reply-correlation.js'

export interface Eventing {
  /** Who answers for a host inside the cluster, if it is one of Eventing's. `isSecure`: the request came with TLS. */
  inside(host: string, isSecure?: boolean): InsideHandler | undefined
  /** Begins no more deliveries, gives those in flight a moment, saves where everybody is. */
  stop(): Promise<void>
}

export interface EventingDeps {
  informers: Informers & { requestReplies: Informer<RequestReply>; secrets: Pick<Informer<Secret>, 'get'> }
  openLogs: () => Promise<AppendLogs>
  reach: (url: URL) => Reach | Promise<Reach>
  record: RecordHop
  /** Absent: nobody has to show who they are. */
  oidc?: Oidc
  /** Absent: transport-encryption is off, and nobody is trusted but whom the destinations name. */
  encryption?: Encryption
  /** The Subscription by which a Trigger gets its events: as whom that sends. Absent: there is none. */
  subscriptionOf?: SubscriptionOf
  /** Told of every event that was received, and of replies, for EventTypes that make themselves. */
  noteEventType?: (owner: EventTypeOwner, event: CloudEvent) => void
  /** Names work that settling waits for. */
  busy?: (work: Promise<unknown>) => void
  clock: Clock
  realClock: Clock
  random: Random
  log: Logger
}

/** @see knative/eventing v1.22 config/brokers/mt-channel-broker, config/channels/in-memory-channel */
const BROKER_INGRESS = 'broker-ingress.knative-eventing'
const BROKER_FILTER = 'broker-filter.knative-eventing'
const CHANNEL_DISPATCHER = 'imc-dispatcher.knative-eventing'
const REQUEST_REPLY = 'request-reply.knative-eventing'
/** In real milliseconds: what is in flight then is delivered again after the next start. */
const STOP_GRACE_MS = 1000
/** Settling waits no longer than that for an answer, in real milliseconds: a sink that hangs must not hold the clock. */
const SETTLE_MS = 2000

/** A server that transport-encryption has switched off goes on listening. */
const notServed: InsideHandler = (request) => {
  request.body.resume()
  answer(request, { status: 404 })
}

/**
 * Eventing's data path: ingress, durable logs, delivery to Triggers and Subscriptions. An event goes this way:
 *
 * 1. `ingress.ts` checks it and appends it to the log of its broker or channel; then, and not before, its sender gets 202;
 * 2. `fan-out.ts` offers it to the consumers whose filter it passes (`outlet.ts` puts both together, `dispatcher.ts` keeps them);
 * 3. `consumer.ts` decides when its turn is, and keeps the position;
 * 4. `carry.ts` delivers it, takes the reply back in, or sends it to the dead letter sink.
 */
export function startEventing(deps: EventingDeps): Eventing {
  const { realClock, clock } = deps
  const log = deps.log.with({ room: 'eventing' })
  const { oidc = NO_OIDC, encryption = NO_ENCRYPTION } = deps
  const sender = createSender({ reach: deps.reach, trustBundles: encryption.trustBundles, realClock })
  const busy = (work: Promise<unknown>): void => {
    deps.busy?.(
      new Promise<void>((resolve) => {
        const cancel = realClock.after(SETTLE_MS, resolve)
        const end = (): void => {
          cancel()
          resolve()
        }
        work.then(end, end)
      }),
    )
  }
  const functions = correlationFunctions(deps.informers.secrets)
  const dispatcher = startDispatcher({
    ...deps,
    log,
    functions,
    send: sender.send,
    oidc,
    busy,
    noteEventType: deps.noteEventType ?? (() => {}),
    intakeOf: (url, caCerts) => intakeAt(url, caCerts),
  })

  /** The way into a broker or channel without HTTP, by its URL; with https only where TLS could not but succeed. */
  const intakeAt = (text: string, caCerts?: string): Intake | undefined => {
    if (!URL.canParse(text)) return undefined
    const { host, hostname, pathname, protocol } = new URL(text)
    const isSecure = protocol === 'https:'
    if (!isServed(isSecure) || (!isSecure && protocol !== 'http:')) return undefined
    if (isSecure && (caCerts === undefined || !encryption.vouches(hostname, caCerts))) return undefined
    const short = shortHost(host)
    const [, namespace = '', name = '', ...rest] = pathname.split('/')
    if (short === BROKER_INGRESS && name && rest.length === 0) {
      const broker = dispatcher.broker(namespace, name)
      return broker && intakeOf(broker, 'broker', clock)
    }
    if (short === CHANNEL_DISPATCHER && name && rest.length === 0) {
      const channel = dispatcher.channel({ namespace, name })
      return channel && intakeOf(channel, 'channel', clock)
    }
    const channel = pathname === '/' ? dispatcher.channel({ host }) : undefined
    return channel && intakeOf(channel, 'channel', clock)
  }

  /** @see knative/eventing v1.22 pkg/eventingtls/servermanager.go */
  const isServed = (isSecure: boolean): boolean => encryption.mode() !== (isSecure ? 'disabled' : 'strict')

  const brokerIngress = createBrokerIngress({ ...dispatcher, clock, realClock })
  const channelIngress = createChannelIngress({ ...dispatcher, clock, realClock })
  const brokerFilter = createFilterEndpoint({
    ...deps.informers,
    subscriptionOf: deps.subscriptionOf ?? (() => undefined),
    oidc,
    functions,
    send: sender.send,
    realClock,
    random: deps.random,
  })
  const requestReply = createRequestReplyPlane({
    ...deps.informers,
    intakeOf: intakeAt,
    send: sender.send,
    realClock,
    random: deps.random,
    log,
  })
  const fixed = new Map([
    [BROKER_INGRESS, brokerIngress],
    [BROKER_FILTER, brokerFilter],
    [CHANNEL_DISPATCHER, channelIngress],
    [REQUEST_REPLY, requestReply.inside],
  ])

  return {
    inside(host, isSecure = false) {
      const short = shortHost(host)
      const handler = fixed.get(short) ?? (dispatcher.isChannelHost(host) ? channelIngress : undefined)
      return handler && !isServed(isSecure) ? notServed : handler
    },
    async stop() {
      requestReply.stop()
      await dispatcher.stop(STOP_GRACE_MS)
      sender.stop()
    },
  }
}
