import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import type { CloudEvent } from '../../../src/cloudevents/event.js'
import { MAX_EVENT_BYTES } from '../../../src/eventing/inside.js'
import { openAppendLogs } from '../../../src/store/append-log.js'
import { StorageError } from '../../../src/store/store.js'
import { aDirectory, LOGS_WORKER } from '../../support/store.js'
import { aBench, aBroker, aChannel, aSink, ask, aTrigger, BROKER_HOST, ceHeaders, eventually } from './support.js'

const EVENT = ceHeaders()
const without = (name: string): Record<string, string> => Object.fromEntries(Object.entries(EVENT).filter(([header]) => header !== name))
const structured = (text: string, type = 'application/cloudevents+json'): [Record<string, string>, string] => [
  { 'content-type': type },
  text,
]

describe('the ingress of Brokers', () => {
  const ALLOW = { allow: 'POST, OPTIONS', 'content-length': '0' }

  test('answers OPTIONS on any path as a webhook that takes everything', async () => {
    const { eventing } = await aBench()
    expect(await ask(eventing, BROKER_HOST, 'OPTIONS', '/any/where/at/all')).toEqual({
      status: 200,
      headers: { ...ALLOW, 'webhook-allowed-origin': '*', 'webhook-allowed-rate': '*' },
      body: '',
    })
  })

  test('answers probes by their User-Agent, and nobody else on their path', async () => {
    const { eventing } = await aBench()
    expect((await ask(eventing, BROKER_HOST, 'GET', '/healthz', { 'user-agent': 'kube-probe/1.35' })).status).toBe(200)
    expect((await ask(eventing, BROKER_HOST, 'GET', '/healthz')).status).toBe(405)
  })

  test.each<[number, string, string, string, Record<string, string>, string?]>([
    [405, 'a GET', 'GET', '/default/main', EVENT],
    [405, 'a HEAD', 'HEAD', '/default/main', EVENT],
    [404, 'the path /', 'POST', '/', EVENT],
    [400, 'a path of one part', 'POST', '/default', EVENT],
    [400, 'a path of three parts', 'POST', '/default/main/more', EVENT],
    [404, 'a Broker that is not there', 'POST', '/default/other', EVENT],
    [404, 'a query, which is part of the name', 'POST', '/default/main?x=1', EVENT],
    [400, 'something that is no event, even for a Broker that is not there', 'POST', '/default/other', {}, 'hello'],
    [400, 'no ce-specversion', 'POST', '/default/main', without('ce-specversion')],
    [400, 'no id', 'POST', '/default/main', without('ce-id')],
    [400, 'an unknown version', 'POST', '/default/main', { ...EVENT, 'ce-specversion': '19.0' }],
    [400, 'a bad time', 'POST', '/default/main', { ...EVENT, 'ce-time': 'noon' }],
    [400, 'a bad extension name', 'POST', '/default/main', { ...EVENT, 'ce-a_b': '1' }],
    [400, 'a batch', 'POST', '/default/main', ...structured('[]', 'application/cloudevents-batch+json')],
    [400, 'JSON that is none', 'POST', '/default/main', ...structured('{')],
    [400, 'another format', 'POST', '/default/main', ...structured('<event/>', 'application/cloudevents+xml')],
    [400, 'a TTL that is used up', 'POST', '/default/main', { ...EVENT, 'ce-knativebrokerttl': '1' }],
    [500, 'a Broker without a channel', 'POST', '/default/bare', EVENT],
    [202, 'one slash too many at the end', 'POST', '/default/main/', EVENT],
    [202, 'version 0.3', 'POST', '/default/main', { ...EVENT, 'ce-specversion': '0.3' }],
    [202, 'a TTL that is no number', 'POST', '/default/main', { ...EVENT, 'ce-knativebrokerttl': 'many' }],
    [
      202,
      'a structured event',
      'POST',
      '/default/main',
      ...structured('{"specversion":"1.0","id":"1","source":"/s","type":"t"}', 'Application/CloudEvents+JSON; charset=utf-8'),
    ],
  ])('answers %i to %s', async (status, _, method, path, headers, body) => {
    const { eventing, informers } = await aBench()
    informers.brokers.put(aBroker('main'))
    informers.brokers.put({ ...aBroker('bare'), status: {} })
    expect(await ask(eventing, BROKER_HOST, method, path, headers, body)).toEqual({ status, headers: ALLOW, body: '' })
  })

  test('refuses more than it can keep with 413, and a body that does not come in time', async () => {
    const realClock = createVirtualClock()
    const { eventing, informers } = await aBench({ realClock })
    informers.brokers.put(aBroker('main'))
    const tooLong = Readable.from([Buffer.alloc(MAX_EVENT_BYTES), Buffer.alloc(1)])
    expect((await ask(eventing, BROKER_HOST, 'POST', '/default/main', EVENT, tooLong)).status).toBe(413)

    const slow = new Readable({ read() {} })
    slow.push('half')
    const asked = ask(eventing, BROKER_HOST, 'POST', '/default/main', EVENT, slow)
    await realClock.advance(10_000)
    expect((await asked).status).toBe(400)
  })

  test('keeps a structured event byte for byte and hands its numbers on as text', async () => {
    const bench = await aBench()
    const sink = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url, { spec: { filter: { attributes: { count: '42' } } } }))
    const text =
      '{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2020-01-01T02:00:00.50+02:00","count":42,"data":{"b" : 1,  "a":2}}'
    await ask(bench.eventing, BROKER_HOST, 'POST', '/default/main', ...structured(text))
    const [event] = await sink.until(1)
    expect(event).toMatchObject({ body: '{"b" : 1,  "a":2}', headers: { 'ce-count': '42', 'ce-time': '2020-01-01T00:00:00.5Z' } })
    expect(event!.headers['content-type']).toBeUndefined()
  })

  test('answers 202 to events that nobody wants, and tells of them', async () => {
    const noted: string[] = []
    const bench = await aBench({
      noteEventType: ({ kind, metadata }, event: CloudEvent) => void noted.push(`${kind} ${metadata.name} ${event.attributes.get('type')}`),
    })
    bench.informers.brokers.put(aBroker('main'))
    expect(await bench.send('default/main', { type: 'lonely' })).toBe(202)
    expect(noted).toEqual(['Broker main lonely'])
  })

  test('answers 500 when the disk refuses, and delivers nothing of what it refused', async () => {
    const sink = await aSink()
    let isFull = false
    const bench = await aBench({
      async openLogs() {
        if (isFull) throw new StorageError('ENOSPC', 'no space left')
        throw new StorageError('EACCES', 'not yours')
      },
    })
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url))
    expect(await bench.send('default/main')).toBe(500)
    isFull = true
    expect(await bench.send('default/main')).toBe(500)
    expect(sink.received).toEqual([])
  })

  test('with a disk that fills up answers 500, and goes on with what it has taken', async () => {
    const held: (() => void)[] = []
    const sink = await aSink((_, response) => held.push(() => response.writeHead(200).end()))
    const directory = aDirectory()
    const path = `${directory.path}/events.db`
    const bench = await aBench({
      path,
      openLogs: () => openAppendLogs({ path, workerFile: LOGS_WORKER, maxFileBytes: 300_000, log: createSilentLogger() }),
    })
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url))
    const statuses: number[] = []
    for (let number = 0; number < 40; number++) statuses.push(await bench.send('default/main', { id: String(number) }, 'x'.repeat(10_000)))
    const taken = statuses.filter((status) => status === 202).length
    expect(statuses).toEqual([...Array(taken).fill(202), ...Array(40 - taken).fill(500)])
    expect(taken).toBeGreaterThan(5)
    await sink.until(taken)
    for (const release of held) release()
    await eventually(() => bench.hops.filter(({ hop }) => hop === 'delivered').length === taken)
    await bench.eventing.stop()
    directory.remove()
  })
})

describe('channels', () => {
  const HOST = 'orders-kn-channel.default.svc.cluster.local'

  test.each<[number, string, string, string, string, Record<string, string>]>([
    [202, 'an event by Host', HOST, 'POST', '/', EVENT],
    [202, 'a shorter name', 'orders-kn-channel.default.svc', 'POST', '/', EVENT],
    [202, 'a port', `${HOST}:8080`, 'POST', '/', EVENT],
    [202, 'the path of a channel', 'imc-dispatcher.knative-eventing.svc.cluster.local', 'POST', '/default/orders', EVENT],
    [200, 'OPTIONS', HOST, 'OPTIONS', '/', {}],
    [405, 'a GET', HOST, 'GET', '/', {}],
    [400, 'no event', HOST, 'POST', '/', {}],
    [400, 'a path of one part', HOST, 'POST', '/default', EVENT],
    [500, 'a channel that is not there, before its method is looked at', HOST, 'GET', '/default/other', {}],
  ])('answer %i to %s', async (status, _, host, method, path, headers) => {
    const { eventing, informers } = await aBench()
    informers.channels.put(aChannel('orders', []))
    const answered = await ask(eventing, host, method, path, headers)
    expect(answered).toMatchObject({ status, headers: { allow: 'POST, OPTIONS' } })
  })

  test('that are gone answer no more', async () => {
    const { eventing, informers } = await aBench()
    informers.channels.put(aChannel('orders', []))
    informers.channels.remove(aChannel('orders', []))
    expect(eventing.inside(HOST)).toBeUndefined()
  })

  test('hand every event to each Subscription, replies to where it says, and what is no event is no reply', async () => {
    const bench = await aBench()
    const answering = await aSink((received, response) => {
      if (received.id === 'text') response.writeHead(200).end('thanks')
      else response.writeHead(200, ceHeaders({ id: `re-${received.id}` })).end('{}')
    })
    const [replies, plain] = [await aSink(), await aSink()]
    bench.informers.channels.put(
      aChannel('orders', [
        { uid: 'a', name: 'asks', namespace: 'default', subscriberUri: answering.url, replyUri: replies.url },
        { uid: 'b', name: 'listens', namespace: 'default', subscriberUri: plain.url },
      ]),
    )
    for (const id of ['text', 'x']) await ask(bench.eventing, HOST, 'POST', '/', ceHeaders({ id }), '{}')
    await plain.until(2)
    const [reply] = await replies.until(1)
    expect(reply!.headers).toMatchObject({ 'ce-id': 're-x', 'kn-namespace': 'default' })
    expect(reply!.headers['prefer']).toBeUndefined()
    await eventually(() => bench.hops.filter(({ hop }) => hop === 'delivered').length === 4)
    expect(plain.received[0]!.headers).toMatchObject({ prefer: 'reply', 'kn-namespace': 'default' })
    expect(plain.received[0]!.headers['ce-knativebrokerttl']).toBeUndefined()
    expect(replies.received).toHaveLength(1)
  })

  test('reply into another channel and into a Broker without a detour, and dead-letter to the URI in their spec', async () => {
    const bench = await aBench()
    const answering = await aSink((received, response) => response.writeHead(200, ceHeaders({ id: `${received.id}+` })).end('{}'))
    const [last, dead] = [await aSink(), await aSink()]
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', last.url))
    bench.informers.channels.put(
      aChannel('orders', [
        { uid: 'a', name: 'a', subscriberUri: answering.url, replyUri: 'http://next-kn-channel.default.svc.cluster.local' },
      ]),
    )
    bench.informers.channels.put(
      aChannel('next', [
        { uid: 'b', name: 'b', subscriberUri: answering.url, replyUri: `http://${BROKER_HOST}/default/main` },
        { uid: 'c', name: 'c', subscriberUri: 'http://127.0.0.1:1/', delivery: { deadLetterSink: { uri: dead.url } } },
      ]),
    )
    await ask(bench.eventing, HOST, 'POST', '/', ceHeaders({ id: 'x' }), '{}')
    expect((await last.until(1))[0]!.id).toBe('x++')
    expect((await dead.until(1))[0]!.headers).toMatchObject({ 'ce-id': 'x+', 'ce-knativeerrordest': 'http://127.0.0.1:1/' })
  })

  test('try a subscriber once where nobody asks for more, and drop what it refuses', async () => {
    const bench = await aBench()
    const sink = await aSink((_, response) => response.writeHead(503).end())
    bench.informers.channels.put(aChannel('orders', [{ uid: 'a', name: 'a', subscriberUri: sink.url }]))
    expect((await ask(bench.eventing, HOST, 'POST', '/', EVENT, '{}')).status).toBe(202)
    await eventually(() =>
      bench.hops.some((hop) => hop.hop === 'dropped' && hop.why === 'the last answer was 503, and there is no dead letter sink'),
    )
    expect(sink.received).toHaveLength(1)
  })

  test('send nothing more to a Subscription that is gone', async () => {
    const bench = await aBench()
    const [stays, goes] = [await aSink(), await aSink()]
    const subscriber = { uid: 'a', name: 'a', subscriberUri: stays.url }
    bench.informers.channels.put(aChannel('orders', [subscriber, { uid: 'b', name: 'b', subscriberUri: goes.url }]))
    await ask(bench.eventing, HOST, 'POST', '/', EVENT, '{}')
    await goes.until(1)
    bench.informers.channels.put(aChannel('orders', [subscriber]))
    await ask(bench.eventing, HOST, 'POST', '/', EVENT, '{}')
    await stays.until(2)
    expect(goes.received).toHaveLength(1)
  })
})

describe('the filter', () => {
  const FILTER = 'broker-filter.knative-eventing.svc.cluster.local'
  const WITH_TTL = ceHeaders({ knativebrokerttl: '9' })

  test.each<[number, string, string, string, Record<string, string>]>([
    [202, 'an event that passes', 'POST', '/triggers/default/t/uid-t', WITH_TTL],
    [200, 'one that does not', 'POST', '/triggers/default/t/uid-t', { ...WITH_TTL, 'ce-type': 'other' }],
    [405, 'OPTIONS', 'OPTIONS', '/triggers/default/t/uid-t', {}],
    [400, 'another prefix', 'POST', '/trigger/default/t/uid-t', WITH_TTL],
    [404, 'a Trigger that is not there', 'POST', '/triggers/default/u/uid-t', WITH_TTL],
    [400, 'a Trigger that was made anew', 'POST', '/triggers/default/t/old', WITH_TTL],
    [400, 'no event', 'POST', '/triggers/default/t/uid-t', {}],
    [400, 'no TTL', 'POST', '/triggers/default/t/uid-t', EVENT],
    [404, 'a Trigger whose subscriber has no address', 'POST', '/triggers/default/lost/uid-lost', WITH_TTL],
    [400, 'a path that is too short', 'POST', '/triggers/default/t', WITH_TTL],
    [400, 'a path that leads nowhere', 'POST', '/triggers/default/t/uid-t/elsewhere', WITH_TTL],
    [400, 'a path that is too long', 'POST', '/triggers/default/t/uid-t/reply/more', WITH_TTL],
  ])('answers %i to %s', async (status, _, method, path, headers) => {
    const { eventing, informers } = await aBench()
    const sink = await aSink()
    informers.triggers.put(aTrigger('t', sink.url, { spec: { filter: { attributes: { type: 'test' } } } }))
    informers.triggers.put(aTrigger('lost', undefined))
    expect(await ask(eventing, FILTER, method, path, headers, '')).toMatchObject({ status, headers: { allow: 'POST' } })
    expect(sink.received).toHaveLength(status === 202 ? 1 : 0)
  })

  test('answers with the reply and the TTL of the event, or with what went wrong', async () => {
    const { eventing, informers } = await aBench()
    const sink = await aSink((received, response) => {
      if (received.id === 'bad') response.writeHead(418, { 'retry-after': '3' }).end('teapot')
      else response.writeHead(200, ceHeaders({ id: 'r' })).end('{"re":1}')
    })
    informers.triggers.put(aTrigger('t', sink.url))
    expect(await ask(eventing, FILTER, 'POST', '/triggers/default/t/uid-t', WITH_TTL)).toMatchObject({
      status: 200,
      headers: { 'ce-id': 'r', 'ce-knativebrokerttl': '9' },
      body: '{"re":1}',
    })
    const refused = await ask(eventing, FILTER, 'POST', '/triggers/default/t/uid-t', { ...WITH_TTL, 'ce-id': 'bad' })
    expect(refused).toMatchObject({ status: 418, headers: { 'retry-after': '3' } })
    expect(JSON.parse(refused.body)).toEqual({ errdestination: sink.url, errresponsebody: Buffer.from('teapot').toString('base64') })
  })
})
