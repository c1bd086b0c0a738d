import type { Clock } from '../base/clock.js'
import { isoDurationMs } from '../base/duration.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import { type CloudEvent, forwarded } from '../cloudevents/event.js'
import { encodeBinary } from '../cloudevents/http.js'
import { isSuccess } from '../delivery/deliver.js'
import type { Answer, Send } from '../delivery/send.js'
import type { Broker } from '../kinds/broker/schema.js'
import type { Secret } from '../kinds/core/secret/schema.js'
import { keysIn, REQUEST_REPLY_BROKER_ADDRESS, REQUEST_REPLY_KEYS, type RequestReply } from '../kinds/requestreply/schema.js'
import type { Intake } from './carry.js'
import type { LoggedEvent } from './event-record.js'
import { nextHop } from './headers.js'
import { ALLOW, eventIn, refused, settle, WEBHOOK_ANSWER } from './ingress.js'
import { type InsideAnswer, type InsideHandler, type InsideRequest, isProbe } from './inside.js'
import { correlationId, isCorrelationId } from './request-reply-correlation.js'

/** The data plane of RequestReply. */
export interface RequestReplyPlane {
  readonly inside: InsideHandler
  /** Answers everyone who still waits. */
  stop(): void
}

export interface RequestReplyDeps {
  requestReplies: Pick<Informer<RequestReply>, 'get' | 'onChange'>
  secrets: Pick<Informer<Secret>, 'get'>
  /** The Broker of ours that a URL belongs to. */
  intakeOf(url: string, caCerts: string | undefined): Intake | undefined
  brokers: Pick<Informer<Broker>, 'get'>
  send: Send
  /** Requests wait in real time. */
  realClock: Clock
  random: Random
  log: Logger
}

/** This process is the only replica, as in a fresh installation. */
const INDEX = 0
/** Requests that wait at a time; each of them keeps a connection. Knative holds as many as come. */
const MAX_HELD = 1000
const SYSTEM_NAMESPACE = 'knative-eventing'
/** What an extension cannot be called. */
const ATTRIBUTES = new Set(['specversion', 'id', 'source', 'type', 'datacontenttype', 'dataschema', 'subject', 'time', 'data'])

interface Held {
  /** Whose request it is. */
  readonly uid: string | undefined
  end(answer: InsideAnswer): void
}

/**
 * Where RequestReplies are sent to. `POST /namespace/name`: the event gets a correlation id and goes to the Broker; its sender waits until an
 * event comes back that gives the same text in the reply attribute, or the time is over. `POST /namespace/name/reply`: where the Trigger of
 * the RequestReply takes such events. A request that nobody has answered in time is answered 200 without an event, since that is what
 * Knative's handler comes to when it returns without a word.
 * @see knative/eventing v1.22 pkg/requestreply/ingress_handler.go
 */
export function createRequestReplyPlane(deps: RequestReplyDeps): RequestReplyPlane {
  const { requestReplies, secrets, realClock, random, log } = deps
  /** By correlation id, which no two requests share, whatever the ids of their events. */
  const held = new Map<string, Held>()
  let isStopped = false

  const judge = async (request: InsideRequest): Promise<InsideAnswer> => {
    if (isProbe(request)) return { status: 200 }
    if (request.method === 'OPTIONS') return WEBHOOK_ANSWER
    if (request.method !== 'POST') return refused(405)
    if (request.path === '/') return refused(404)
    // The whole URI is taken apart, query included, and what follows the name is only looked at to tell replies.
    const [, namespace, name, suffix, ...rest] = request.path.replace(/\/$/, '').split('/')
    if (namespace === undefined || name === undefined || rest.length > 0) return refused(400)
    const received = await eventIn(request, deps)
    if ('status' in received) return received
    const requestReply = requestReplies.get({ namespace, name })
    if (!requestReply) return refused(404)
    return suffix === 'reply' ? takeReply(received.event, requestReply) : ask(received, requestReply, request)
  }

  const ask = async (logged: LoggedEvent, requestReply: RequestReply, request: InsideRequest): Promise<InsideAnswer> => {
    if (isStopped) return refused(503)
    const about = log.with({ requestReply: `${requestReply.metadata.namespace}/${requestReply.metadata.name}` })
    const brokerUrl = requestReply.status?.annotations?.[REQUEST_REPLY_BROKER_ADDRESS]
    const correlated = withCorrelation(logged.event, requestReply)
    if (!brokerUrl || !correlated) {
      about.warn('a request could not be sent on: there is no address of the Broker, no key, or no attribute to put its id in')
      return refused(500)
    }
    if (held.size >= MAX_HELD) {
      about.warn('a request was refused: too many wait already', { held: held.size })
      return refused(503)
    }
    const { event, id } = correlated
    const timeoutMs = isoDurationMs(requestReply.spec.timeout ?? '') ?? 0
    let isSent = false
    const answered = new Promise<InsideAnswer>((resolve) => {
      const cancel = realClock.after(timeoutMs, () => {
        about.warn('a request had no reply in time', { timeoutMs })
        end(refused(isSent ? 200 : 500))
      })
      const end = (result: InsideAnswer): void => {
        cancel()
        held.delete(id)
        resolve(result)
      }
      held.set(id, { uid: requestReply.metadata.uid, end })
      request.onGone(() => end(refused(200)))
    })
    const sent = await Promise.race([
      answered,
      sendOn({ ...logged, event }, { url: brokerUrl, caCerts: authorityOfBroker(requestReply) }, timeoutMs),
    ])
    if (!('status' in sent) && !isSuccess(sent)) {
      about.warn('a request could not be sent on', sent.error === undefined ? { statusCode: sent.statusCode } : { error: sent.error })
      held.get(id)?.end(refused(500))
    }
    isSent = true
    return answered
  }

  /** Its object keeps the URL of its Broker alone. */
  const authorityOfBroker = ({ metadata, spec }: RequestReply): string | undefined =>
    deps.brokers.get({ namespace: metadata.namespace, name: spec.brokerRef.name! })?.status?.address?.CACerts

  const sendOn = (
    logged: LoggedEvent,
    { url, caCerts }: { url: string; caCerts: string | undefined },
    timeoutMs: number,
  ): Promise<Answer> => {
    const headers = nextHop(logged.headers, random)
    const intake = deps.intakeOf(url, caCerts)
    // As in Knative, it shows nobody who it is.
    if (intake) return intake({ ...logged, headers }, { account: undefined, audience: undefined })
    const { headers: own, body } = encodeBinary(forwarded(logged.event))
    return deps.send({ url, caCerts, headers: [...own, ...headers, ['prefer', 'reply']], body }, { timeoutMs })
  }

  const takeReply = (event: CloudEvent, { metadata, spec }: RequestReply): InsideAnswer => {
    const keys = keysOf(metadata)
    if (keys.length === 0) return refused(500)
    const { replyAttribute = '' } = spec
    const id = ATTRIBUTES.has(replyAttribute) ? undefined : event.attributes.get(replyAttribute)
    if (typeof id !== 'string' || !keys.some((key) => isCorrelationId(id, key))) return refused(400)
    const waiting = held.get(id)
    if (waiting && waiting.uid === metadata.uid) {
      const { headers, body } = encodeBinary(forwarded(event))
      waiting.end({ status: 200, headers: [ALLOW, ...headers], body })
    }
    return refused(202)
  }

  const withCorrelation = ({ attributes, data }: CloudEvent, { metadata, spec }: RequestReply) => {
    const name = (spec.correlationAttribute ?? '').toLowerCase()
    const key = keysOf(metadata).at(-1)
    const id = key && correlationId(String(attributes.get('id')), key, INDEX, random)
    if (!id || ATTRIBUTES.has(name) || !/^[a-z0-9]+$/.test(name)) return undefined
    const event: CloudEvent = { attributes: new Map([...attributes, [name, id]]), ...(data && { data }) }
    return { event, id }
  }

  const keysOf = ({ namespace = '', name }: RequestReply['metadata']): readonly Buffer[] =>
    keysIn(secrets.get({ namespace: SYSTEM_NAMESPACE, name: REQUEST_REPLY_KEYS })?.data, { namespace, name })

  const release = (isMeant: (held: Held) => boolean, status: number): void => {
    for (const each of [...held.values()]) if (isMeant(each)) each.end(refused(status))
  }

  const unfollow = requestReplies.onChange(({ type, object, previous }) => {
    const gone = type === 'DELETED' ? object : previous && previous.metadata.uid !== object.metadata.uid ? previous : undefined
    if (gone) release(({ uid }) => uid === gone.metadata.uid, 404)
  })

  return {
    inside: (request) => void settle(request, judge(request)),
    stop() {
      isStopped = true
      unfollow()
      release(() => true, 503)
    },
  }
}
