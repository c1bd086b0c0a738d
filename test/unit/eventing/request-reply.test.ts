import { createDecipheriv } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { parseCesql } from '../../../src/cloudevents/cesql.js'
import type { Reach } from '../../../src/delivery/send.js'
import type { Oidc } from '../../../src/eventing/oidc.js'
import { correlationFunctions, correlationId, isCorrelationId } from '../../../src/eventing/request-reply-correlation.js'
import type { Secret } from '../../../src/kinds/core/secret/schema.js'
import type { RequestReply } from '../../../src/kinds/requestreply/schema.js'
import { anEvent } from '../cloudevents/support.js'
import { aBench, aBroker, aSink, ask, aTrigger, BROKER_HOST, ceHeaders, eventually } from './support.js'

const HOST = 'request-reply.knative-eventing.svc.cluster.local'
const EVENT = ceHeaders()
const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)

function theKeys(data: Record<string, Buffer>): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'knative-eventing', name: 'request-reply-keys' },
    data: Object.fromEntries(Object.entries(data).map(([name, key]) => [name, key.toString('base64')])),
  }
}

function aRequestReply(name = 'rr', spec: Partial<RequestReply['spec']> = {}, uid = `uid-${name}`): RequestReply {
  return {
    apiVersion: 'eventing.knative.dev/v1alpha1',
    kind: 'RequestReply',
    metadata: { namespace: 'default', name, uid },
    spec: {
      brokerRef: { kind: 'Broker', name: 'main' },
      correlationAttribute: 'correlationid',
      replyAttribute: 'replyid',
      timeout: 'PT30S',
      ...spec,
    },
    status: { annotations: { 'eventing.knative.dev/brokerAddress': `http://${BROKER_HOST}/default/main` } },
  }
}

/** A RequestReply over a Broker with one Trigger, whose sink sees what comes in; the clock of requests stands still. */
async function aPlane(options: { oidc?: Oidc; reach?: () => Reach } = {}, requestReply = aRequestReply()) {
  const realClock = createVirtualClock()
  const bench = await aBench({ realClock, ...options })
  const { informers, eventing } = bench
  const sink = await aSink()
  informers.brokers.put(aBroker('main'))
  informers.triggers.put(aTrigger('all', sink.url))
  informers.secrets.put(theKeys({ 'default.rr.key-0': KEY }))
  informers.requestReplies.put(requestReply)
  const request = (attributes: Record<string, string> = {}, body = '{}', gone?: AbortSignal) =>
    ask(eventing, HOST, 'POST', '/default/rr', ceHeaders(attributes), body, gone)
  const reply = (replyid: string, attributes: Record<string, string> = {}, body = '{}') =>
    ask(eventing, HOST, 'POST', '/default/rr/reply', ceHeaders({ id: 'r', type: 'answer', replyid, ...attributes }), body)
  /** What the requests that have come so far are to be answered with, in the order in which they came. */
  const correlations = async (count: number) =>
    (await sink.until(count)).map(({ headers }) => String(headers['ce-correlationid'] ?? 'none'))
  return { ...bench, realClock, sink, request, reply, correlations }
}

describe('a correlation id', () => {
  const random = createSeededRandom(3)

  test('is the id of the event, the same sealed as Go seals it, and the replica', () => {
    const [id, sealed, index, ...rest] = correlationId('order-1', KEY, 2, random)!.split(':')
    expect([id, index, rest]).toEqual(['order-1', '2', []])
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+=*$/)
    expect(sealed!.length % 4).toBe(0)
    const bytes = Buffer.from(sealed!, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(-16))
    expect(Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString()).toBe('order-1')
  })

  test('is another one each time, known by its key alone', () => {
    const one = correlationId('1', KEY, 0, random)!
    expect(correlationId('1', KEY, 0, random)).not.toBe(one)
    expect(isCorrelationId(one, KEY)).toBe(true)
    expect(isCorrelationId(one, OTHER_KEY)).toBe(false)
    for (const bytes of [16, 24])
      expect(isCorrelationId(correlationId('1', Buffer.alloc(bytes), 0, random)!, Buffer.alloc(bytes))).toBe(true)
    expect(correlationId('1', Buffer.alloc(31), 0, random)).toBeUndefined()
    expect(isCorrelationId(one, Buffer.alloc(31))).toBe(false)
  })

  test('that a program in Go has made is read', () => {
    // By crypto/cipher and base64.URLEncoding, with this key and the bytes 0 to 11 for a nonce.
    expect(isCorrelationId('Zoë:AAECAwQFBgcICQoL4clWjdXy4mk_HNGenRe6RqGvw18=:0', KEY)).toBe(true)
  })

  const [id, sealed] = correlationId('1', KEY, 0, random)!.split(':') as [string, string]
  const changed = Buffer.from(sealed, 'base64url')
  changed[20]! ^= 1
  test.each([
    ['another id', `2:${sealed}:0`],
    ['a changed seal', `${id}:${changed.toString('base64url')}:0`],
    ['no replica', `${id}:${sealed}`],
    ['too many parts', `${id}:${sealed}:0:0`],
    ['a seal that is too short', `${id}:AAAA:0`],
    ['no seal', `${id}::0`],
    ['what is no base64', `${id}:${sealed.slice(0, -4)}+/==:0`],
    ['what lacks its padding', `${id}:${sealed}A:0`],
    ['nothing', ''],
  ])('with %s is none', (_, text) => {
    expect(isCorrelationId(text, KEY)).toBe(false)
  })
})

describe('KN_VERIFY_CORRELATION_ID', () => {
  const id = correlationId('1', KEY, 0, createSeededRandom(4))!
  const functions = (secret: Secret | undefined) =>
    correlationFunctions({
      get: (ref) => (ref.namespace === 'knative-eventing' && ref.name === secret?.metadata.name ? secret : undefined),
    })
  const evaluate = (text: string, replyid: string | undefined, secret: Secret | undefined = theKeys({ 'default.rr.key-0': KEY })) => {
    const parsed = parseCesql(text, 'knative', functions(secret))
    if ('problem' in parsed) throw new Error(parsed.problem)
    const { value, errors } = parsed.expression.evaluate(anEvent(replyid === undefined ? {} : { replyid }))
    return [value, ...errors.map(({ kind, crash }) => (crash ? 'crash' : kind))]
  }
  const EXPRESSION = 'KN_VERIFY_CORRELATION_ID(replyid, "rr", "default", "request-reply-keys", 0, 1)'

  test('is true for what was sealed with a key of the RequestReply', () => {
    expect(evaluate(EXPRESSION, id)).toEqual([true])
    expect(evaluate(EXPRESSION.replace('KN_VERIFY', 'kn_Verify'), id)).toEqual([true])
  })

  test('any of its keys will do, as long as it is there', () => {
    expect(evaluate(EXPRESSION, id, theKeys({ 'default.rr.key-1': OTHER_KEY, 'default.rr.key-0': KEY }))).toEqual([true])
    expect(evaluate(EXPRESSION, id, theKeys({ 'default.rr.key-1': OTHER_KEY }))).toEqual([false])
    expect(evaluate(EXPRESSION, id, theKeys({}))).toEqual([false])
  })

  test('keys of others do not count, however their names begin', () => {
    expect(evaluate(EXPRESSION, id, theKeys({ 'default.rr2.key-0': KEY, 'other.rr.key-0': KEY, 'default.rr.x.key-0': KEY }))).toEqual([
      false,
    ])
    expect(evaluate(EXPRESSION.replace('request-reply-keys', 'constructor'), id)).toEqual([false])
  })

  test.each([
    ['0, 2', 0, true],
    ['1, 2', 0, false],
    ['1, 2', 5, true],
    ['0, 1', 4, true],
  ])('of replicas "%s", the id of replica %i: %s', (replicas, index, value) => {
    expect(evaluate(EXPRESSION.replace('0, 1', replicas), correlationId('1', KEY, index, createSeededRandom(5))!)).toEqual([value])
  })

  test.each([[''], ['x'], ['1:2'], ['1:2:x'], ['1:2:99999999999'], ['1:2:0:0']])('%j is no id, which is no error', (text) => {
    expect(evaluate(EXPRESSION, text)).toEqual([false])
  })

  test('an event without the attribute is an error, as for every function', () => {
    expect(evaluate(EXPRESSION, undefined)).toEqual([false, 'missingAttribute'])
  })

  test('has six arguments, of which the last are integers, and no replicas take the filter down', () => {
    expect(evaluate('KN_VERIFY_CORRELATION_ID(replyid, "rr", "default", "request-reply-keys")', id)).toEqual([false, 'missingFunction'])
    expect(evaluate(EXPRESSION.replace('0, 1', '"a", 1'), id)).toEqual([false, 'cast'])
    expect(evaluate(EXPRESSION.replace('0, 1', '0, 0'), id)).toEqual([false, 'crash'])
  })
})

describe('a request to a RequestReply', () => {
  test('goes to the Broker with its correlation id, and is answered with the event that gives that back', async () => {
    const { request, reply, sink, correlations } = await aPlane()
    const answered = request({ id: 'q', type: 'question', ext: 'kept' }, '{"n":1}')
    const [correlation] = await correlations(1)
    expect(sink.received[0]).toMatchObject({ body: '{"n":1}', headers: { 'ce-id': 'q', 'ce-type': 'question', 'ce-ext': 'kept' } })
    expect(correlation).toMatch(/^q:[A-Za-z0-9_-]+=*:0$/)
    expect((await reply(correlation!, {}, '{"n":2}')).status).toBe(202)
    const { status, headers, body } = await answered
    expect([status, body]).toEqual([200, '{"n":2}'])
    expect(headers).toMatchObject({ 'ce-id': 'r', 'ce-type': 'answer', 'ce-replyid': correlation, allow: 'POST, OPTIONS' })
  })

  test('of several at once each gets its own reply, those whose events have the same id too', async () => {
    const { request, reply, correlations } = await aPlane()
    const answers = [request(), request(), request({ id: '2' })]
    const all = await correlations(3)
    expect(new Set(all).size).toBe(3)
    for (const correlation of [...all].reverse()) await reply(correlation, {}, JSON.stringify(correlation))
    const bodies = (await Promise.all(answers)).map(({ body }) => JSON.parse(body) as string)
    expect(new Set(bodies)).toEqual(new Set(all))
    expect(bodies.map((body) => body[0])).toEqual(['1', '1', '2'])
  })

  test('takes the first reply; a second one, and one that nobody waits for, are taken without a word', async () => {
    const { request, reply, correlations } = await aPlane()
    const answered = request()
    const [correlation] = await correlations(1)
    await reply(correlation!, {}, '"first"')
    expect((await reply(correlation!, {}, '"second"')).status).toBe(202)
    expect((await answered).body).toBe('"first"')
    expect((await reply(correlationId('1', KEY, 0, createSeededRandom(6))!)).status).toBe(202)
  })

  test('waits as long as its timeout says, and is answered 200 without an event then', async () => {
    const { request, realClock, correlations } = await aPlane({}, aRequestReply('rr', { timeout: 'PT2.5S' }))
    let isAnswered = false
    const answered = request().finally(() => {
      isAnswered = true
    })
    await correlations(1)
    await realClock.advance(2499)
    expect(isAnswered).toBe(false)
    await realClock.advance(1)
    expect(await answered).toEqual({ status: 200, headers: { allow: 'POST, OPTIONS', 'content-length': '0' }, body: '' })
  })

  test.each([
    ['deleted', 404],
    ['deleted and made again between two looks', 404],
  ])('is answered when the RequestReply is %s', async (how, status) => {
    const { request, correlations, informers } = await aPlane()
    informers.requestReplies.put(aRequestReply('other'))
    const answered = request()
    await correlations(1)
    informers.requestReplies.remove(aRequestReply('other'))
    if (how === 'deleted') informers.requestReplies.remove(aRequestReply())
    else informers.requestReplies.put(aRequestReply('rr', {}, 'uid-new'))
    expect((await answered).status).toBe(status)
  })

  test('goes on waiting while the RequestReply merely changes, and is answered under its new names', async () => {
    const { request, reply, correlations, informers } = await aPlane()
    const answered = request()
    const [correlation] = await correlations(1)
    informers.requestReplies.put(aRequestReply('rr', { replyAttribute: 'answerto' }))
    expect((await reply(correlation!)).status).toBe(400)
    expect((await reply('x', { answerto: correlation! })).status).toBe(202)
    expect((await answered).status).toBe(200)
  })

  test('is answered when the emulator stops, and so is one that comes later', async () => {
    const { request, correlations, eventing } = await aPlane()
    const answered = request()
    await correlations(1)
    const stopped = eventing.stop()
    expect((await answered).status).toBe(503)
    expect((await request()).status).toBe(503)
    await stopped
  })

  test('that nobody waits for any more makes room; beyond 1000 they are refused', async () => {
    const { request, sink } = await aPlane()
    const gone = new AbortController()
    const answers = Array.from({ length: 1000 }, (_, index) => request({ id: `${index}` }, '{}', index === 0 ? gone.signal : undefined))
    await sink.until(1000)
    expect((await request()).status).toBe(503)
    gone.abort()
    await answers[0]
    const after = request({ id: 'after' })
    await sink.until(1001)
    expect(sink.received.some(({ id }) => id === 'after')).toBe(true)
    void Promise.all([after, ...answers])
  })

  test('a key that is added seals from then on, and the older ones still open', async () => {
    const { request, reply, correlations, informers } = await aPlane()
    const before = request()
    const [first] = await correlations(1)
    informers.secrets.put(theKeys({ 'default.rr.key-10': OTHER_KEY, 'default.rr.key-9': KEY }))
    const after = request()
    const [, second] = await correlations(2)
    expect([first, second].map((each) => isCorrelationId(each!, OTHER_KEY))).toEqual([false, true])
    await reply(first!)
    await reply(second!)
    expect([(await before).status, (await after).status]).toEqual([200, 200])
  })

  const without = (name: string) => Object.fromEntries(Object.entries(EVENT).filter(([header]) => header !== name))
  test.each([
    [405, 'another method', 'GET', '/default/rr', EVENT],
    [404, 'no path', 'POST', '/', EVENT],
    [400, 'half a path', 'POST', '/default', EVENT],
    [400, 'a longer path', 'POST', '/default/rr/reply/x', EVENT],
    [400, 'what is no event', 'POST', '/default/rr', {}],
    [400, 'an event without a type', 'POST', '/default/rr', without('ce-type')],
    [404, 'a RequestReply that is not there', 'POST', '/default/constructor', EVENT],
    [400, 'a reply without the attribute', 'POST', '/default/rr/reply', EVENT],
    [400, 'a reply that is sealed by nobody', 'POST', '/default/rr/reply', ceHeaders({ replyid: '1:AAAA:0' })],
    [200, 'the question what may be sent', 'OPTIONS', '/default/rr', { 'webhook-request-origin': 'a' }],
  ])('%i for %s', async (status, _, method, path, headers) => {
    const { eventing } = await aPlane()
    const answer = await ask(eventing, HOST, method, path, headers, '{}')
    expect(answer).toMatchObject({ status, headers: { allow: 'POST, OPTIONS' }, body: '' })
  })

  test.each([
    ['no address of its Broker yet', { ...aRequestReply(), status: {} }],
    [
      'a Broker that is not there',
      { ...aRequestReply(), status: { annotations: { 'eventing.knative.dev/brokerAddress': `http://${BROKER_HOST}/default/gone` } } },
    ],
    ['an attribute that is no name', aRequestReply('rr', { correlationAttribute: 'correlation-id' })],
    ['an attribute that events have', aRequestReply('rr', { correlationAttribute: 'subject' })],
  ])('500 for a RequestReply with %s', async (_, requestReply) => {
    const { request } = await aPlane({ reach: () => ({ host: '127.0.0.1', port: 1, hostHeader: 'gone' }) }, requestReply)
    expect((await request()).status).toBe(500)
  })

  test('500 without a key, both ways', async () => {
    const { request, reply, informers } = await aPlane()
    informers.secrets.put(theKeys({ 'default.rr2.key-0': KEY }))
    expect([(await request()).status, (await reply('1:AAAA:0')).status]).toEqual([500, 500])
  })

  test('500 where the Broker asks who sends, since a RequestReply shows nobody who it is', async () => {
    const oidc = {
      isEnabled: () => true,
      defaultMode: () => 'Allow-All' as const,
      tokenFor: () => Promise.reject(new Error('none')),
      subjectOf: () => undefined,
    }
    const { request, sink } = await aPlane({ oidc })
    expect((await request()).status).toBe(500)
    expect(sink.received).toEqual([])
  })

  test('goes by HTTP to a Broker that is not one of this emulator, and that Broker’s refusal is 500', async () => {
    const broker = await aSink((received, response) => response.writeHead(received.id === 'no' ? 403 : 202).end())
    const elsewhere = { ...aRequestReply(), status: { annotations: { 'eventing.knative.dev/brokerAddress': `${broker.url}default/main` } } }
    const { request, reply } = await aPlane({}, elsewhere)
    expect((await request({ id: 'no' })).status).toBe(500)
    const answered = request({ id: 'yes' })
    const [, received] = await broker.until(2)
    expect(received).toMatchObject({ path: '/default/main', id: 'yes' })
    await reply(String(received!.headers['ce-correlationid']))
    expect((await answered).status).toBe(200)
  })

  test('a reply to another RequestReply with the same key answers nobody', async () => {
    const { request, correlations, informers, eventing } = await aPlane()
    informers.requestReplies.put(aRequestReply('twin'))
    informers.secrets.put(theKeys({ 'default.rr.key-0': KEY, 'default.twin.key-0': KEY }))
    let isAnswered = false
    void request().then(() => {
      isAnswered = true
    })
    const [correlation] = await correlations(1)
    const { status } = await ask(eventing, HOST, 'POST', '/default/twin/reply', ceHeaders({ replyid: correlation! }), '{}')
    expect(status).toBe(202)
    await new Promise<void>((resolve) => setImmediate(resolve))
    expect(isAnswered).toBe(false)
  })
})

test('the Trigger of a RequestReply gets the replies alone', async () => {
  const { request, correlations, informers, send, hops } = await aPlane()
  const back = await aSink()
  const cesql = 'KN_VERIFY_CORRELATION_ID(replyid, "rr", "default", "request-reply-keys", 0, 1)'
  informers.triggers.put(aTrigger('rr0-1', back.url, { spec: { filters: [{ cesql }] } }))
  void request()
  const [correlation] = await correlations(1)
  await send('default/main', { id: 'forged', replyid: `1:${'A'.repeat(40)}:0` })
  await send('default/main', { id: 'answer', replyid: correlation! })
  await back.until(1)
  expect(back.received.map(({ id }) => id)).toEqual(['answer'])
  await eventually(() => hops.some(({ hop, event }) => hop === 'filtered' && event.id === 'forged'))
  expect(hops.find(({ hop, event }) => hop === 'filtered' && event.id === '1')).toMatchObject({
    clause: 'filters[0].cesql',
    reason: 'the expression fails: the event has no replyid (missingAttribute)',
  })
})
