import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSilentLogger } from '../../../src/base/logger.js'
import { type AppendLogs, openAppendLogs } from '../../../src/store/append-log.js'
import { aDirectory, LOGS_WORKER } from '../../support/store.js'
import { aBench, aBroker, aSink, ask, aTrigger, BROKER_HOST, ceHeaders, eventually, reply, someInformers } from './support.js'

describe('delivery to Triggers', () => {
  test('an event reaches every Trigger whose filter it passes, with what Knative adds and without what it takes away', async () => {
    const bench = await aBench()
    const [all, paid, other] = [await aSink(), await aSink(), await aSink()]
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('all', all.url))
    bench.informers.triggers.put(aTrigger('paid', `${paid.url}hook?x=1`, { spec: { filter: { attributes: { type: 'paid' } } } }))
    bench.informers.triggers.put(aTrigger('other', other.url, { spec: { filters: [{ prefix: { type: 'un' } }] } }))

    const headers = {
      authorization: 'secret',
      'x-request-id': 'r1',
      'x-b3-traceid': 'b3',
      'knative-foo': 'bar',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    }
    expect(await bench.send('default/main', { type: 'paid', subject: 'a%20b', extra: '7' }, '{"n": 1}', headers)).toBe(202)
    const [event] = await paid.until(1)
    await all.until(1)

    expect(event).toMatchObject({ path: '/hook?x=1', body: '{"n": 1}' })
    expect(event!.headers).toMatchObject({
      'ce-type': 'paid',
      'ce-subject': 'a%20b',
      'ce-extra': '7',
      'ce-knativearrivaltime': '2026-01-01T00:00:00Z',
      'content-type': 'application/json',
      'kn-namespace': 'default',
      prefer: 'reply',
      'x-request-id': 'r1',
      'x-b3-traceid': 'b3',
      'knative-foo': 'bar',
    })
    expect(event!.headers['ce-knativebrokerttl']).toBeUndefined()
    expect(event!.headers['authorization']).toBeUndefined()
    expect(event!.headers['traceparent']).toMatch(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/)
    expect(other.received).toEqual([])
    expect(bench.hops.filter(({ hop }) => hop === 'filtered')).toMatchObject([
      {
        at: { kind: 'Trigger', name: 'other' },
        clause: 'filters[0].prefix.type',
        expected: 'un',
        actual: 'paid',
        reason: 'type "paid" does not begin with "un"',
      },
    ])
  })

  test('a Trigger that is made later gets only what is sent from then on; one that is deleted gets nothing more', async () => {
    const bench = await aBench()
    const [early, late] = [await aSink(), await aSink()]
    bench.informers.brokers.put(aBroker('main'))
    const trigger = aTrigger('early', early.url)
    bench.informers.triggers.put(trigger)
    await bench.send('default/main', { id: 'one' })
    await early.until(1)
    bench.informers.triggers.put(aTrigger('late', late.url))
    await bench.send('default/main', { id: 'two' })
    await early.until(2)
    bench.informers.triggers.remove(trigger)
    await bench.send('default/main', { id: 'three' })
    await late.until(2)
    expect(late.received.map(({ id }) => id)).toEqual(['two', 'three'])
    expect(early.received.map(({ id }) => id)).toEqual(['one', 'two'])
  })

  test('a change of filter or subscriber counts from the next event', async () => {
    const bench = await aBench()
    const [before, after] = [await aSink(), await aSink()]
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', before.url, { spec: { filter: { attributes: { type: 'a' } } } }))
    await bench.send('default/main', { id: '1', type: 'a' })
    await bench.send('default/main', { id: '2', type: 'b' })
    await before.until(1)
    bench.informers.triggers.put(aTrigger('t', after.url, { spec: { filter: { attributes: { type: 'b' } } } }))
    await bench.send('default/main', { id: '3', type: 'a' })
    await bench.send('default/main', { id: '4', type: 'b' })
    await after.until(1)
    expect([before.received.map(({ id }) => id), after.received.map(({ id }) => id)]).toEqual([['1'], ['4']])
  })

  test('a Trigger gets nothing before it was ready once', async () => {
    const bench = await aBench()
    const sink = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    const unready = aTrigger('t', sink.url, { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } })
    bench.informers.triggers.put(unready)
    await bench.send('default/main', { id: 'early' })
    bench.informers.triggers.put(aTrigger('t', sink.url))
    await bench.send('default/main', { id: 'then' })
    await sink.until(1)
    bench.informers.triggers.put(unready)
    await bench.send('default/main', { id: 'still' })
    await sink.until(2)
    expect(sink.received.map(({ id }) => id)).toEqual(['then', 'still'])
  })

  test('an event is neither told apart from another of its id nor changed but for when it came, whatever it says about that', async () => {
    const bench = await aBench()
    const [sink, dead] = [await aSink((_, response) => response.writeHead(400).end()), await aSink()]
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url, { status: { deadLetterSinkUri: dead.url } }))
    for (let copy = 0; copy < 2; copy++) await bench.send('default/main', { id: 'same', knativearrivaltime: '1999-01-01T00:00:00Z' })
    const [events, letters] = [await sink.until(2), await dead.until(2)]
    for (const { headers } of [...events, ...letters])
      expect(headers).toMatchObject({ 'ce-id': 'same', 'ce-knativearrivaltime': '2026-01-01T00:00:00Z' })
  })

  test('a Broker takes events as soon as it has a channel, ready or not', async () => {
    const bench = await aBench()
    const sink = await aSink()
    const broker = aBroker('main')
    bench.informers.brokers.put({ ...broker, status: { ...broker.status, conditions: [{ type: 'Ready', status: 'False' }] } })
    bench.informers.triggers.put(aTrigger('t', sink.url))
    expect(await bench.send('default/main')).toBe(202)
    await sink.until(1)

    const foreign = aBroker('foreign')
    const annotations = { 'eventing.knative.dev/broker.class': 'Kafka' }
    bench.informers.brokers.put({ ...foreign, metadata: { ...foreign.metadata, annotations } })
    expect(await bench.send('default/foreign')).toBe(202)
  })

  test('the format of a Broker’s delivery is without effect', async () => {
    const bench = await aBench()
    const sink = await aSink()
    bench.informers.brokers.put(aBroker('main', { delivery: { format: 'json' } }))
    bench.informers.triggers.put(aTrigger('t', sink.url))
    await bench.send('default/main')
    expect((await sink.until(1))[0]!.headers).toMatchObject({ 'ce-id': '1', 'content-type': 'application/json' })
  })

  test('a Trigger may have events sent in structured mode', async () => {
    const bench = await aBench()
    const sink = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url, { spec: { delivery: { format: 'json' } } }))
    await bench.send('default/main', { id: '1' }, '{"a":1}')
    const [event] = await sink.until(1)
    expect(event!.headers['content-type']).toBe('application/cloudevents+json')
    expect(JSON.parse(event!.body)).toMatchObject({ id: '1', data: { a: 1 } })
  })

  test('a hundred Triggers of other types do not get an event, and are named as not wanting it only so often', async () => {
    const bench = await aBench()
    const sink = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    for (let number = 0; number < 300; number++)
      bench.informers.triggers.put(aTrigger(`t${number}`, sink.url, { spec: { filter: { attributes: { type: `type-${number}` } } } }))
    await bench.send('default/main', { type: 'type-123' })
    await sink.until(1)
    await eventually(() => bench.hops.some(({ hop }) => hop === 'delivered'))
    expect(sink.received).toHaveLength(1)
    expect(bench.hops.flatMap((hop) => (hop.hop === 'missed' ? hop.misses : []))).toHaveLength(100)
  })
})

describe('when a delivery fails', () => {
  test('it is tried again after each wait on the virtual clock, and each attempt is told', async () => {
    const bench = await aBench()
    const sink = await aSink((_, response, count) => response.writeHead(count < 4 ? 503 : 200).end(count < 4 ? 'oh' : ''))
    bench.informers.brokers.put(aBroker('main', { delivery: { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT1S' } }))
    bench.informers.triggers.put(aTrigger('t', sink.url))
    await bench.send('default/main')
    const told = (): number => bench.hops.filter(({ hop }) => hop === 'attempted').length
    for (const [after, waitMs] of [
      [1, 1000],
      [2, 2000],
      [3, 4000],
    ] as const) {
      await eventually(() => told() === after)
      await bench.clock.advance(waitMs - 1)
      expect(sink.received).toHaveLength(after)
      await bench.clock.advance(1)
      await sink.until(after + 1)
    }
    await eventually(() => bench.hops.some(({ hop }) => hop === 'delivered'))
    expect(bench.hops.filter(({ hop }) => hop === 'attempted')).toMatchObject([
      { attempt: 1, statusCode: 503, retryInMs: 1000 },
      { attempt: 2, statusCode: 503, retryInMs: 2000 },
      { attempt: 3, statusCode: 503, retryInMs: 4000 },
      { attempt: 4, statusCode: 200 },
    ])
    expect(bench.hops.at(-1)).toMatchObject({ hop: 'delivered', attempts: 4, statusCode: 200 })
  })

  test('an event that waits for its next attempt holds up no other event, and one subscriber none of another', async () => {
    const bench = await aBench()
    const [picky, fine] = [await aSink(({ id }, response) => response.writeHead(id === 'poison' ? 500 : 200).end()), await aSink()]
    bench.informers.brokers.put(aBroker('main', { delivery: { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT60S' } }))
    bench.informers.triggers.put(aTrigger('picky', picky.url))
    bench.informers.triggers.put(aTrigger('fine', fine.url))
    await bench.send('default/main', { id: 'poison' })
    await picky.until(2)
    for (let number = 0; number < 200; number++) await bench.send('default/main', { id: `n${number}` })
    await picky.until(202)
    await fine.until(201)
    expect(new Set(picky.received.map(({ id }) => id)).size).toBe(201)
  })

  test.each([
    ['422 with a body', 422, 'no such thing', '422', Buffer.from('no such thing').toString('base64')],
    ['400 with nothing', 400, '', '400', ''],
    ['a body of 5000 bytes', 410, 'x'.repeat(5000), '410', Buffer.from('x'.repeat(5000)).toString('base64').slice(0, 1024)],
  ])('%s goes to the dead letter sink at once, saying where, what and how', async (_, status, body, code, data) => {
    const bench = await aBench()
    const sink = await aSink((_received, response) => response.writeHead(status).end(body))
    const dead = await aSink()
    bench.informers.brokers.put(aBroker('main', { delivery: { retry: 3 } }))
    bench.informers.triggers.put(aTrigger('t', sink.url, { status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main', { id: 'x' })
    const [letter] = await dead.until(1)
    expect(sink.received).toHaveLength(1)
    expect(letter!.headers).toMatchObject({
      'ce-id': 'x',
      'ce-knativeerrordest': sink.url,
      'ce-knativeerrorcode': code,
      'ce-knativeerrordata': data,
      'ce-knativebrokerttl': '255',
      'kn-namespace': 'default',
    })
    expect(letter!.headers['prefer']).toBeUndefined()
    await eventually(() => bench.hops.some((hop) => hop.hop === 'dead-lettered' && hop.statusCode === 202))
  })

  test('a subscriber that cannot be reached makes a dead letter of code 500 that says why', async () => {
    const bench = await aBench()
    const dead = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', 'http://127.0.0.1:1/', { status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main')
    const [letter] = await dead.until(1)
    expect(letter!.headers['ce-knativeerrorcode']).toBe('500')
    expect(Buffer.from(String(letter!.headers['ce-knativeerrordata']), 'base64').toString()).toBe(
      'dispatch error: Post "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    )
  })

  test('an answer that is no event, or a malformed one, is a failure that is tried again and says nothing about itself', async () => {
    const bench = await aBench()
    const sink = await aSink(({ id }, response) => {
      if (id === 'text') response.writeHead(200).end('thanks!')
      else response.writeHead(200, { 'ce-specversion': '1.0', 'ce-id': 'only' }).end()
    })
    const dead = await aSink()
    bench.informers.brokers.put(aBroker('main', { delivery: { retry: 1 } }))
    bench.informers.triggers.put(aTrigger('t', sink.url, { status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main', { id: 'text' })
    await bench.send('default/main', { id: 'malformed' })
    await dead.until(2)
    expect(sink.received).toHaveLength(4)
    for (const letter of dead.received) expect(Object.keys(letter.headers).filter((name) => name.startsWith('ce-knativeerror'))).toEqual([])
    // What the dead letter does not say is in the journal, attempt by attempt.
    const notes = (id: string) =>
      bench.hops.flatMap((hop) => (hop.hop === 'attempted' && hop.event.id === id ? [[hop.statusCode, hop.note]] : []))
    const text = [502, 'answered 200 with a body that is no event']
    expect(notes('text')).toEqual([text, text])
    const [[status, malformed]] = notes('malformed') as [[number, string]]
    expect(status).toBe(502)
    expect(malformed).toMatch(/^answered 200 with a malformed event: .+/)
  })

  test('an answer that is no event is told where the event is given up, too', async () => {
    const bench = await aBench()
    const sink = await aSink((_, response) => response.writeHead(200).end('thanks!'))
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url))
    await bench.send('default/main')
    await eventually(() => bench.hops.some(({ hop }) => hop === 'dropped'))
    expect(bench.hops.find(({ hop }) => hop === 'dropped')).toMatchObject({
      why: 'the last answer was 502 (answered 200 with a body that is no event), and there is no dead letter sink',
    })
  })

  test('an attempt that was not made says why, and one that needs no word has none', async () => {
    const bench = await aBench()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('nowhere', undefined))
    const sink = await aSink()
    bench.informers.triggers.put(aTrigger('fine', sink.url))
    await bench.send('default/main')
    const attempts = () => bench.hops.flatMap((hop) => (hop.hop === 'attempted' ? [[hop.at.name, hop.statusCode, hop.note]] : []))
    await eventually(() => attempts().length === 2)
    expect(attempts().sort()).toEqual([
      ['fine', 202, undefined],
      ['nowhere', 404, 'not sent: the subscriber has no address'],
    ])
  })

  test('a dead letter sink is tried as often as a subscriber, and what it answers is no reply', async () => {
    const bench = await aBench()
    const sink = await aSink((_, response) => response.writeHead(503).end())
    const dead = await aSink((_, response, count) => {
      if (count === 1) response.writeHead(503).end()
      else reply(response, { id: 'thanks', type: 'thanks' })
    })
    bench.informers.brokers.put(aBroker('main', { delivery: { retry: 1 } }))
    bench.informers.triggers.put(aTrigger('t', sink.url, { status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main')
    await eventually(() => bench.hops.some(({ hop }) => hop === 'dead-lettered'))
    expect([sink.received.length, dead.received.length]).toEqual([2, 2])
    expect(bench.hops.filter(({ hop }) => hop === 'accepted')).toHaveLength(1)
  })

  test('without a dead letter sink the event is dropped, and the journal hears why', async () => {
    const bench = await aBench()
    const sink = await aSink((_, response) => response.writeHead(400).end())
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('t', sink.url))
    await bench.send('default/main')
    await eventually(() =>
      bench.hops.some((hop) => hop.hop === 'dropped' && hop.why === 'the last answer was 400, and there is no dead letter sink'),
    )
  })

  test("a Trigger's own delivery takes the place of the Broker's as a whole", async () => {
    const bench = await aBench()
    const sink = await aSink((_, response) => response.writeHead(500).end())
    const dead = await aSink()
    bench.informers.brokers.put(aBroker('main', { delivery: { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT10S' } }))
    bench.informers.triggers.put(aTrigger('t', sink.url, { spec: { delivery: { retry: 1 } }, status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main')
    await dead.until(1)
    expect(sink.received).toHaveLength(2)
  })
})

describe('replies', () => {
  test('come back into the Broker as events of their own, one TTL older', async () => {
    const bench = await aBench()
    const answering = await aSink((_, response) => reply(response, { id: 'r', type: 'answer' }))
    const listening = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('asks', answering.url, { spec: { filter: { attributes: { type: 'question' } } } }))
    bench.informers.triggers.put(aTrigger('hears', listening.url, { spec: { filter: { attributes: { type: 'answer' } } } }))
    await bench.send('default/main', { id: 'q', type: 'question' })
    const [heard] = await listening.until(1)
    expect(heard!.headers).toMatchObject({ 'ce-id': 'r', 'ce-type': 'answer' })
    const accepted = bench.hops.filter((hop) => hop.hop === 'accepted')
    expect(accepted.map(({ attributes }) => attributes['knativebrokerttl'])).toEqual(['255', '254'])
    expect(accepted[1]).toMatchObject({ replyOf: { at: { kind: 'Trigger', name: 'asks' }, offset: accepted[0]!.offset } })
    expect(bench.hops).toContainEqual(
      expect.objectContaining({ hop: 'replied', statusCode: 202, reply: expect.objectContaining({ id: 'r' }) }),
    )
  })

  test('are events in any answer of 2xx, 202 included; a batch is none, and a failure', async () => {
    const bench = await aBench()
    const answering = await aSink(({ id }, response) => {
      if (id === 'accepted') reply(response, { id: 'r', type: 'answer' }, 202)
      else response.writeHead(200, { 'content-type': 'application/cloudevents-batch+json' }).end('[]')
    })
    const [listening, dead] = [await aSink(), await aSink()]
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(
      aTrigger('asks', answering.url, {
        spec: { filter: { attributes: { type: 'question' } } },
        status: { deadLetterSinkUri: dead.url },
      }),
    )
    bench.informers.triggers.put(aTrigger('hears', listening.url, { spec: { filter: { attributes: { type: 'answer' } } } }))
    await bench.send('default/main', { id: 'accepted', type: 'question' })
    await bench.send('default/main', { id: 'batched', type: 'question' })
    expect((await listening.until(1))[0]!.id).toBe('r')
    expect((await dead.until(1))[0]!.id).toBe('batched')
  })

  test('that the Broker refuses leave what they answered as the dead letter', async () => {
    const bench = await aBench()
    const answering = await aSink((_, response) => reply(response, { id: 'r', type: 'answer' }))
    const dead = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('asks', answering.url, { status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main', { id: 'q', type: 'question', knativebrokerttl: '2' })
    expect((await dead.until(1))[0]!.headers).toMatchObject({
      'ce-id': 'q',
      'ce-type': 'question',
      'ce-knativeerrordest': 'http://broker-ingress.knative-eventing.svc.cluster.local/default/main',
      'ce-knativeerrorcode': '400',
    })
  })

  test('to themselves end with the TTL, in the dead letter sink, and are told as a loop once, at the first time round', async () => {
    const bench = await aBench()
    const echo = await aSink(({ headers }, response) => reply(response, { id: String(headers['ce-id']), type: 'echo' }))
    const dead = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('echo', echo.url, { status: { deadLetterSinkUri: dead.url } }))
    await bench.send('default/main', { id: 'e', type: 'echo', knativebrokerttl: '6' })
    const [letter] = await dead.until(1)
    // 5, 4, 3, 2 and 1; the fifth reply would be 0.
    expect(echo.received).toHaveLength(5)
    expect(letter!.headers).toMatchObject({ 'ce-knativeerrorcode': '400', 'ce-knativebrokerttl': '1' })
    const loops = bench.hops.filter(({ hop }) => hop === 'looped')
    expect(loops).toMatchObject([{ cycle: ['Trigger default/echo', 'Trigger default/echo'], at: { name: 'echo' } }])
    const delivered = bench.hops.filter(({ hop }) => hop === 'delivered').length
    expect(delivered).toBe(5)
  })
})

describe('a restart', () => {
  test('goes on where it was: nothing is lost, and nothing that was done comes again', async () => {
    const informers = someInformers()
    let isUp = false
    const sink = await aSink((_, response, count) => response.writeHead(isUp || count <= 3 ? 200 : 503).end())
    informers.brokers.put(aBroker('main', { delivery: { retry: 9, backoffPolicy: 'linear', backoffDelay: 'PT60S' } }))
    informers.triggers.put(aTrigger('t', sink.url))
    const first = await aBench({ informers })
    for (let number = 1; number <= 8; number++) {
      await first.send('default/main', { id: `n${number}` })
      await eventually(() => sink.received.some(({ id }) => id === `n${number}`))
    }
    await eventually(() => first.hops.filter(({ hop }) => hop === 'delivered').length === 3)
    await first.eventing.stop()

    isUp = true
    const before = sink.received.length
    const second = await aBench({ informers, path: first.path })
    await eventually(() => second.hops.filter(({ hop }) => hop === 'delivered').length === 5)
    expect(
      sink.received
        .slice(before)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['n4', 'n5', 'n6', 'n7', 'n8'])
    await second.send('default/main', { id: 'n9' })
    await eventually(() => sink.received.at(-1)?.id === 'n9')
  })

  test('after a kill delivers again what was in flight, and nothing else', async () => {
    const informers = someInformers()
    const held: string[] = []
    const sink = await aSink(({ id }, response) => {
      if (held.length < 3 && id.startsWith('held')) held.push(id)
      else response.writeHead(200).end()
    })
    informers.brokers.put(aBroker('main'))
    informers.triggers.put(aTrigger('t', sink.url))
    const source = aDirectory()
    onTestFinished(() => source.remove())
    const path = join(source.path, 'events.db')
    let logs: AppendLogs | undefined
    const openLogs = async (): Promise<AppendLogs> => {
      logs = await openAppendLogs({ path, workerFile: LOGS_WORKER, log: createSilentLogger() })
      return logs
    }
    const killed = await aBench({ informers, path, openLogs })
    for (const id of ['a', 'held1', 'b', 'held2', 'c', 'held3', 'd']) await killed.send('default/main', { id })
    await sink.until(7)
    await eventually(() => killed.hops.filter(({ hop }) => hop === 'delivered').length === 4)
    // Positions are saved one after the other, each at once: after a few more saves those before are on disk.
    for (let number = 1; number <= 3; number++) await logs!.log('probe').save('probe', { passed: number, undone: [] })
    // What a kill leaves: the files as they are.
    const directory = aDirectory()
    onTestFinished(() => directory.remove())
    const copy = join(directory.path, 'events.db')
    cpSync(killed.path, copy)
    cpSync(`${killed.path}-wal`, `${copy}-wal`)

    const next = await aBench({ informers: { ...someInformers(), ...informers }, path: copy })
    await eventually(() => next.hops.filter(({ hop }) => hop === 'delivered').length === 3)
    expect(
      sink.received
        .slice(7)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['held1', 'held2', 'held3'])
  })

  test('forgets Triggers and Brokers that went away in between', async () => {
    const informers = someInformers()
    const sink = await aSink()
    informers.brokers.put(aBroker('main'))
    informers.brokers.put(aBroker('old'))
    informers.triggers.put(aTrigger('t', sink.url))
    const first = await aBench({ informers })
    await first.send('default/main', { id: '1' })
    await first.send('default/old', { id: '2' })
    await sink.until(1)
    await first.eventing.stop()

    informers.brokers.remove(aBroker('old'))
    informers.triggers.remove(aTrigger('t', sink.url))
    const second = await aBench({ informers, path: first.path })
    await second.send('default/main', { id: '3' })
    await second.eventing.stop()
    // A Trigger of the same name and another UID begins at the end.
    informers.triggers.put(aTrigger('t', sink.url, { uid: 'another' }))
    const third = await aBench({ informers, path: first.path })
    expect(await third.send('default/old')).toBe(404)
    await third.send('default/main', { id: '4' })
    await sink.until(2)
    expect(sink.received.map(({ id }) => id)).toEqual(['1', '4'])
  })
})

describe('a sink that stalls', () => {
  test('costs no more than what is in flight and in line; the rest waits in the log, and comes when it moves again', async () => {
    const bench = await aBench()
    const held: (() => void)[] = []
    let isStalled = true
    const slow = await aSink((_, response) => {
      if (isStalled) held.push(() => response.writeHead(200).end())
      else response.writeHead(200).end()
    })
    const quick = await aSink()
    bench.informers.brokers.put(aBroker('main'))
    bench.informers.triggers.put(aTrigger('slow', slow.url))
    bench.informers.triggers.put(aTrigger('quick', quick.url))
    const total = 1500
    for (let sent = 0; sent < total; sent += 100)
      await Promise.all(Array.from({ length: 100 }, (_, index) => bench.send('default/main', { id: String(sent + index) })))
    await quick.until(total)
    expect(slow.received).toHaveLength(100)
    isStalled = false
    for (const release of held) release()
    await slow.until(total)
    expect(new Set(slow.received.map(({ id }) => id)).size).toBe(total)
    await eventually(() => bench.hops.filter(({ hop }) => hop === 'delivered').length === 2 * total)
  })
})

test('a Broker that is deleted and made again has nothing of the former one', async () => {
  const bench = await aBench()
  const sink = await aSink()
  bench.informers.brokers.put(aBroker('main'))
  bench.informers.triggers.put(aTrigger('t', sink.url))
  await bench.send('default/main', { id: '1' })
  await sink.until(1)
  bench.informers.brokers.remove(aBroker('main'))
  expect(await bench.send('default/main')).toBe(404)
  bench.informers.brokers.put(aBroker('main', {}, 'uid-2'))
  expect(await bench.send('default/main', { id: '2' })).toBe(202)
  await sink.until(2)
  const offsets = bench.hops.flatMap((hop) => (hop.hop === 'accepted' ? [hop.offset] : []))
  expect(new Set(offsets).size).toBe(2)
})

test('what is sent past the ingress to the channel of a Broker has no TTL, which its Triggers refuse', async () => {
  const bench = await aBench()
  const [sink, dead] = [await aSink(), await aSink()]
  bench.informers.brokers.put(aBroker('main'))
  bench.informers.triggers.put(aTrigger('t', sink.url, { status: { deadLetterSinkUri: dead.url } }))
  bench.informers.channels.put({
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'InMemoryChannel',
    metadata: {
      namespace: 'default',
      name: 'main-kne-trigger',
      uid: 'c',
      labels: { 'eventing.knative.dev/broker': 'main', 'eventing.knative.dev/brokerEverything': 'true' },
    },
    spec: {},
    status: { address: { url: 'http://main-kne-trigger-kn-channel.default.svc.cluster.local' } },
  })
  const { status } = await ask(bench.eventing, 'main-kne-trigger-kn-channel.default.svc.cluster.local', 'POST', '/', ceHeaders())
  expect(status).toBe(202)
  const [letter] = await dead.until(1)
  expect(letter!.headers['ce-knativeerrorcode']).toBeUndefined()
  expect(sink.received).toEqual([])
  expect((await ask(bench.eventing, BROKER_HOST, 'POST', '/default/main', ceHeaders())).status).toBe(202)
  await sink.until(1)
})
