import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import { decodeMessage, encodeBinary, encodeStructured } from '../cloudevents/http.js'
import { isSuccess } from '../delivery/deliver.js'
import { answerHeader, type Send } from '../delivery/send.js'
import type { Trigger } from '../kinds/trigger/schema.js'
import { nextHop, passedThrough } from './headers.js'
import { answer, bodyOf, type InsideAnswer, type InsideHandler, type InsideRequest, isProbe } from './inside.js'
import { filterOf } from './plans.js'
import { ttlOf, withoutTtl, withTtlOf } from './ttl.js'

const ALLOW: [string, string] = ['allow', 'POST']
const plain = (status: number): InsideAnswer => ({ status, headers: [ALLOW] })

/**
 * `POST /triggers/namespace/name/uid`, where on a cluster a broker's channel sends to: filters, sends the event once to the Trigger's
 * subscriber and answers with what that says. Broker traffic does not pass here; who follows a Subscription's URI does.
 * @see knative/eventing v1.22 pkg/broker/filter/filter_handler.go
 */
export function createFilterEndpoint(deps: {
  triggers: Pick<Informer<Trigger>, 'get'>
  send: Send
  realClock: Clock
  random: Random
}): InsideHandler {
  const judge = async (request: InsideRequest): Promise<InsideAnswer> => {
    if (isProbe(request)) return { status: 200 }
    if (request.method !== 'POST') return plain(405)
    const [empty, prefix, namespace = '', name = '', uid, suffix, ...rest] = request.path.replace(/\/$/, '').split('/')
    const isKnownPath = suffix === undefined || suffix === 'reply' || suffix === 'dls'
    if (empty !== '' || prefix !== 'triggers' || uid === undefined || !isKnownPath || rest.length > 0) return plain(400)
    const trigger = deps.triggers.get({ namespace, name })
    if (!trigger) return plain(404)
    if (trigger.metadata.uid !== uid) return plain(400)
    const body = await bodyOf(request, deps.realClock)
    if (!(body instanceof Buffer)) return plain(400)
    const flat = request.headers.flat()
    const decoded = decodeMessage(flat, body)
    if (!('event' in decoded)) return plain(400)
    return dispatch(trigger, decoded, flat)
  }

  const dispatch = async (
    trigger: Trigger,
    { event, mode }: Extract<ReturnType<typeof decodeMessage>, { mode: unknown }>,
    headers: readonly string[],
  ): Promise<InsideAnswer> => {
    if (ttlOf(event) === undefined) return plain(400)
    const { subscriberUri, subscriberCACerts } = trigger.status ?? {}
    if (!subscriberUri) return plain(404)
    if (filterOf(trigger).mismatch(event)) return plain(200)
    const format = trigger.spec.delivery?.format ?? (mode === 'structured' ? 'json' : 'binary')
    const encoded = format === 'json' ? encodeStructured(withoutTtl(event)) : encodeBinary(withoutTtl(event))
    const passed = nextHop(passedThrough(headers), deps.random)
    const outgoing = [...encoded.headers, ...passed, ['kn-namespace', trigger.metadata.namespace ?? ''], ['prefer', 'reply']] as const
    const got = await deps.send({
      url: subscriberUri,
      headers: outgoing as readonly [string, string][],
      body: encoded.body,
      caCerts: subscriberCACerts,
    })

    const body = got.body ?? Buffer.alloc(0)
    if (!isSuccess(got)) {
      const text = got.error === undefined ? body : Buffer.from(`dispatch error: ${got.error}`)
      const problem = { errdestination: subscriberUri, errresponsebody: text.toString('base64') }
      const retryAfter = answerHeader(got, 'retry-after')
      const kept: [string, string][] = retryAfter === undefined ? [] : [['retry-after', retryAfter]]
      return {
        status: got.statusCode ?? 500,
        headers: [ALLOW, ['content-type', 'application/json'], ...kept],
        body: Buffer.from(JSON.stringify(problem)),
      }
    }
    const reply = decodeMessage(got.headers ?? [], body)
    if (!('event' in reply)) return plain('none' in reply && body.length === 0 ? got.statusCode! : 502)
    const message = encodeBinary(withTtlOf(reply.event, event))
    const answered = passedThrough(got.headers ?? []).map(([name, value]): [string, string] => [name, value])
    return { status: got.statusCode!, headers: [ALLOW, ...message.headers, ...answered], body: message.body }
  }

  return (request) =>
    void judge(request).then(
      (judged) => answer(request, judged),
      () => request.abort(),
    )
}
