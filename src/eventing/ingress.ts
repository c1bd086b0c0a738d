import type { Clock } from '../base/clock.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { forwarded } from '../cloudevents/event.js'
import { decodeMessage } from '../cloudevents/http.js'
import type { Answer } from '../delivery/send.js'
import type { Intake } from './carry.js'
import type { LoggedEvent } from './event-record.js'
import { passedThrough } from './headers.js'
import { answer, bodyOf, headerOf, type InsideAnswer, type InsideHandler, type InsideRequest, isProbe } from './inside.js'
import { bearerOf, type Door } from './oidc.js'
import { takenIn } from './ttl.js'

/** A broker or channel, as far as those who send to it are concerned. */
export interface Addressee {
  /** Whether a sender may send it an event. */
  readonly door: Door
  /** False for a Broker as long as it has no channel. */
  readonly isUsable: boolean
  /** Resolves once the event is durable; rejects with a StorageError. */
  append(logged: LoggedEvent): Promise<unknown>
  /** Told of every event that was received, whatever became of it. */
  onReceived(event: CloudEvent): void
}

export interface IngressDeps {
  broker(namespace: string, name: string): Addressee | undefined
  /** The channel of that name, or at that host. */
  channel(where: { namespace: string; name: string } | { host: string }): Addressee | undefined
  /** For times of arrival. */
  clock: Clock
  realClock: Clock
}

export const ALLOW: [string, string] = ['allow', 'POST, OPTIONS']
export const WEBHOOK_ANSWER: InsideAnswer = {
  status: 200,
  headers: [ALLOW, ['webhook-allowed-origin', '*'], ['webhook-allowed-rate', '*']],
}
/** An answer without a body. */
export const refused = (status: number): InsideAnswer => ({ status, headers: [ALLOW] })

/**
 * Where Brokers are sent to: `POST /namespace/name`. 202 means that the event is on disk. Bodies of answers are empty.
 * @see knative/eventing v1.22 pkg/broker/ingress/ingress_handler.go
 */
export function createBrokerIngress(deps: IngressDeps): InsideHandler {
  const judge = async (request: InsideRequest): Promise<InsideAnswer> => {
    if (isProbe(request)) return { status: 200 }
    if (request.method === 'OPTIONS') return WEBHOOK_ANSWER
    if (request.method !== 'POST') return refused(405)
    if (request.path === '/') return refused(404)
    const key = keyFrom(request.path)
    if (!key) return refused(400)
    const received = await eventIn(request, deps)
    if ('status' in received) return received
    const broker = deps.broker(key.namespace, key.name)
    if (!broker) return refused(404)
    const taken = await intakeOf(broker, 'broker', deps.clock)(received, credentialOf(request))
    return { status: taken.statusCode!, headers: [ALLOW] }
  }
  return (request) => void settle(request, judge(request))
}

/**
 * Where channels are sent to: by Host, or `POST /namespace/name`.
 * @see knative/eventing v1.22 pkg/channel/event_receiver.go
 */
export function createChannelIngress(deps: IngressDeps): InsideHandler {
  const judge = async (request: InsideRequest): Promise<InsideAnswer> => {
    if (isProbe(request)) return { status: 200 }
    const [path = ''] = request.path.split('?')
    const key = path === '/' ? { host: request.host } : keyFrom(path)
    if (!key) return refused(400)
    const channel = deps.channel(key)
    if (!channel) return refused(500)
    if (request.method === 'OPTIONS') return WEBHOOK_ANSWER
    if (request.method !== 'POST') return refused(405)
    const received = await eventIn(request, deps)
    if ('status' in received) return received
    const taken = await intakeOf(channel, 'channel', deps.clock)(received, credentialOf(request))
    return { status: taken.statusCode!, headers: [ALLOW] }
  }
  return (request) => void settle(request, judge(request))
}

/** Takes an event in: once it came by HTTP, or, for replies, without that. */
export function intakeOf(addressee: Addressee, kind: 'broker' | 'channel', clock: Clock): Intake {
  return async (logged, credential) => {
    const status = addressee.door(logged.event, credential)
    if (status !== undefined) return { statusCode: status }
    return kind === 'broker' ? takeIntoBroker(logged, addressee, clock) : takeIntoChannel(logged, addressee)
  }
}

const credentialOf = (request: InsideRequest) => bearerOf(headerOf(request, 'authorization'))

async function takeIntoBroker(logged: LoggedEvent, broker: Addressee, clock: Clock): Promise<Answer> {
  const event = takenIn(forwarded(logged.event))
  if (!event) return { statusCode: 400 }
  if (!broker.isUsable) return { statusCode: 500 }
  const arrived = { ...event, attributes: new Map([...event.attributes, ['knativearrivaltime', goTime(clock.now())]]) }
  return append({ ...logged, event: arrived }, broker)
}

function takeIntoChannel(logged: LoggedEvent, channel: Addressee): Promise<Answer> {
  return append({ ...logged, event: forwarded(logged.event) }, channel)
}

async function append(logged: LoggedEvent, to: Addressee): Promise<Answer> {
  try {
    await to.append(logged)
    return { statusCode: 202 }
  } catch {
    // The log says itself when the disk refuses. To a sender it is a channel that cannot be reached.
    return { statusCode: 500 }
  } finally {
    to.onReceived(logged.event)
  }
}

/** The event of a request, or how it is refused. */
export async function eventIn(request: InsideRequest, { realClock }: Pick<IngressDeps, 'realClock'>): Promise<LoggedEvent | InsideAnswer> {
  const body = await bodyOf(request, realClock)
  if (body === 'too long') return refused(413)
  if (body === 'broken') return refused(400)
  const flat = request.headers.flat()
  const decoded = decodeMessage(flat, body)
  return 'event' in decoded ? { event: decoded.event, headers: passedThrough(flat) } : refused(400)
}

/** The path and what follows it, query included, with one slash at its end left out, is exactly a namespace and a name. */
function keyFrom(path: string): { namespace: string; name: string } | undefined {
  const [empty, namespace, name, ...rest] = path.replace(/\/$/, '').split('/')
  return empty === '' && namespace !== undefined && name !== undefined && rest.length === 0 ? { namespace, name } : undefined
}

/** Answers once it is clear how. */
export async function settle(request: InsideRequest, judged: Promise<InsideAnswer>): Promise<void> {
  try {
    answer(request, await judged)
  } catch {
    request.abort()
  }
}

/** RFC 3339 with as many digits of a second as it takes, as Go writes it. */
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z')
}
