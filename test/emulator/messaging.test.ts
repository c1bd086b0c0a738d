import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.js'
import { fetchFrom, HELLO_IMAGE, run, startTestEmulator } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

const kubectls = findKubectls()
const messaging = 'messaging.knative.dev/v1'
const flows = 'flows.knative.dev/v1'

const anObject = (apiVersion: string, kind: string, name: string, spec: object): object => ({ apiVersion, kind, metadata: { name }, spec })
const subscriber = (name: string) => ({ uri: `http://${name}.example.com` })
const toChannel = (name: string) => ({ apiVersion: messaging, kind: 'Channel', name })

// The newest alone: nothing here depends on which one asks.
describe.each(kubectls.slice(-1))('kubectl $version', ({ path }) => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  const kubectl = (args: readonly string[], ...objects: object[]) =>
    run(path, args, emulator.env, { input: objects.map((object) => JSON.stringify(object)).join('\n') })
  const ok = async (args: readonly string[], ...objects: object[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(args, ...objects)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const apply = (...objects: object[]) => ok(['apply', '-f', '-'], ...objects)
  const refused = async (...objects: object[]): Promise<string> => {
    const { exitCode, stderr } = await kubectl(['apply', '-f', '-'], ...objects)
    expect(exitCode).toBe(1)
    return stderr
  }
  const table = async (...args: string[]): Promise<string[]> =>
    (await ok(['get', ...args]))
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .trimEnd()
          .replace(/ {2,}/g, ' | ')
          .replace(/\b\d+[sm]\b/, 'AGE'),
      )

  beforeAll(async () => {
    emulator = await startTestEmulator()
  })
  afterAll(() => emulator.close())

  test('a Channel and two Subscriptions become ready, and show what a cluster shows', async () => {
    await apply(
      anObject(messaging, 'Channel', 'orders', {}),
      anObject(messaging, 'Subscription', 'printing', { channel: toChannel('orders'), subscriber: subscriber('printer') }),
      anObject(messaging, 'Subscription', 'counting', {
        channel: toChannel('orders'),
        subscriber: subscriber('counter'),
        reply: { ref: { apiVersion: messaging, kind: 'Channel', name: 'orders' } },
      }),
    )
    await ok(['wait', '--for=condition=Ready', 'channel/orders', 'sub/printing', 'sub/counting', '--timeout=20s'])

    const url = 'http://orders-kn-channel.default.svc.cluster.local'
    expect(await table('channels')).toEqual(['NAME | URL | AGE | READY | REASON', `orders | ${url} | AGE | True`])
    expect(await table('imc')).toEqual(['NAME | URL | AGE | READY | REASON', `orders | ${url} | AGE | True`])
    expect(await table('sub')).toEqual(['NAME | AGE | READY | REASON', 'counting | AGE | True', 'printing | AGE | True'])
    expect(await ok(['get', 'ch', 'orders', '-o', 'jsonpath={.status.subscribers[*].ready}'])).toBe('True True')
    expect(await ok(['get', 'sub', 'counting', '-o', 'jsonpath={.status.physicalSubscription.replyUri}'])).toBe(url)
    expect(await ok(['get', 'service', 'orders-kn-channel', '-o', 'jsonpath={.spec.type} {.spec.externalName}'])).toBe(
      'ExternalName imc-dispatcher.knative-eventing.svc.cluster.local',
    )

    await ok(['delete', 'sub', 'printing', '--timeout=20s'])
    expect(await ok(['get', 'imc', 'orders', '-o', 'jsonpath={.spec.subscribers[*].name}'])).toBe('counting')
    await ok(['delete', 'ch', 'orders', '--timeout=20s'])
    await ok(['wait', '--for=delete', 'imc/orders', 'service/orders-kn-channel', '--timeout=20s'])
    await ok(['delete', 'sub', 'counting', '--timeout=20s'])
  })

  test('a Sequence of three becomes ready with its channels and Subscriptions', async () => {
    await apply(anObject(flows, 'Sequence', 'line', { steps: ['a', 'b', 'c'].map(subscriber), reply: subscriber('end') }))
    await ok(['wait', '--for=condition=Ready', 'sequence/line', '--timeout=20s'])

    expect(await table('sequences')).toEqual([
      'NAME | URL | AGE | READY | REASON',
      'line | http://line-kn-sequence-0-kn-channel.default.svc.cluster.local | AGE | True',
    ])
    const children = ['line-kn-sequence-0', 'line-kn-sequence-1', 'line-kn-sequence-2'].join(' ')
    expect(await ok(['get', 'imc', '-o', 'jsonpath={.items[*].metadata.name}'])).toBe(children)
    expect(await ok(['get', 'sub', '-o', 'jsonpath={.items[*].metadata.name}'])).toBe(children)

    await apply(anObject(flows, 'Sequence', 'line', { steps: [subscriber('a')] }))
    await ok(['wait', '--for=delete', 'imc/line-kn-sequence-2', 'sub/line-kn-sequence-2', 'imc/line-kn-sequence-1', '--timeout=20s'])
    await ok(['wait', '--for=condition=Ready', 'sequence/line', '--timeout=20s'])
    await ok(['delete', 'sequence', 'line', '--timeout=20s'])
    await ok(['wait', '--for=delete', 'imc/line-kn-sequence-0', 'sub/line-kn-sequence-0', '--timeout=20s'])
  })

  test('a Parallel with filters becomes ready with its channels and Subscriptions', async () => {
    await apply(
      anObject(flows, 'Parallel', 'fork', {
        branches: [
          { filter: subscriber('is-a'), subscriber: subscriber('a') },
          { filter: subscriber('is-b'), subscriber: subscriber('b') },
        ],
      }),
    )
    await ok(['wait', '--for=condition=Ready', 'parallel/fork', '--timeout=20s'])

    expect(await table('parallels')).toEqual([
      'NAME | URL | AGE | READY | REASON',
      'fork | http://fork-kn-parallel-kn-channel.default.svc.cluster.local | AGE | True',
    ])
    expect(await ok(['get', 'imc', '-o', 'jsonpath={.items[*].metadata.name}'])).toBe(
      'fork-kn-parallel fork-kn-parallel-0 fork-kn-parallel-1',
    )
    expect(await ok(['get', 'sub', '-o', 'jsonpath={.items[*].metadata.name}'])).toBe(
      'fork-kn-parallel-0 fork-kn-parallel-1 fork-kn-parallel-filter-0 fork-kn-parallel-filter-1',
    )
    await ok(['delete', 'parallel', 'fork', '--timeout=20s'])
    await ok(['wait', '--for=delete', 'imc/fork-kn-parallel', 'sub/fork-kn-parallel-filter-1', '--timeout=20s'])
  })

  test('a Subscription tells why it is not ready', async () => {
    await apply(
      anObject(messaging, 'Channel', 'bills', {}),
      anObject(messaging, 'Subscription', 'lost', {
        channel: toChannel('bills'),
        subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'ghost' } },
      }),
    )
    await ok(['wait', '--for=condition=Ready=False', 'sub/lost', '--timeout=20s'])
    expect(await table('sub', 'lost')).toEqual(['NAME | AGE | READY | REASON', 'lost | AGE | False | SubscriberResolveFailed'])
    expect(await ok(['get', 'sub', 'lost', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}'])).toBe(
      'Failed to resolve spec.subscriber: failed to get object default/ghost: services.serving.knative.dev "ghost" not found',
    )
  })

  test('refusals read as those of Knative’s webhooks', async () => {
    expect(await refused(anObject(messaging, 'Subscription', 'x', { channel: toChannel('orders') }))).toContain(
      'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: missing field(s): spec.subscriber\nthe Subscription must reference a subscriber',
    )
    await apply(anObject(messaging, 'InMemoryChannel', 'plain', {}))
    expect(
      await refused(anObject(messaging, 'InMemoryChannel', 'plain', { subscribers: [{ uid: 'x', subscriberUri: 'http://x' }] })),
    ).toContain(
      'admission webhook "validation.inmemorychannel.eventing.knative.dev" denied the request: validation failed: Channel.Spec.Subscribers changed by user kubernetes-admin which was not the system:serviceaccount:knative-eventing:eventing-controller service account: spec.subscribers',
    )
    expect(await refused(anObject(messaging, 'Channel', 'x', { delivery: { bogus: 1 } }))).toContain(
      'admission webhook "webhook.eventing.knative.dev" denied the request: mutation failed: cannot decode incoming new object: json: unknown field "bogus"',
    )
    expect(await refused(anObject(flows, 'Sequence', 'x', {}))).toContain('validation failed: missing field(s): spec.steps')
    expect(await refused(anObject(flows, 'Parallel', 'x', { branches: [{}] }))).toContain(
      'validation failed: invalid value: {<nil> {<nil>  <nil> <nil>} <nil> <nil>}: spec.branches.subscriber[0]',
    )
  })

  test('the definitions carry the labels by which tools find channels and addressables', async () => {
    expect(await ok(['get', 'crd', '-l', 'messaging.knative.dev/subscribable=true', '-o', 'name'])).toBe(
      'customresourcedefinition.apiextensions.k8s.io/channels.messaging.knative.dev\ncustomresourcedefinition.apiextensions.k8s.io/inmemorychannels.messaging.knative.dev\n',
    )
    const addressables = await ok(['get', 'crd', '-l', 'duck.knative.dev/addressable=true', '-o', 'name'])
    for (const name of ['channels.messaging', 'inmemorychannels.messaging', 'sequences.flows', 'parallels.flows']) {
      expect(addressables).toContain(`/${name}.knative.dev\n`)
    }
    await apply(anObject(messaging, 'Channel', 'listed', {}))
    await ok(['wait', '--for=condition=Ready', 'channel/listed', '--timeout=20s'])
    expect(await ok(['get', 'messaging', '-o', 'name'])).toContain('channel.messaging.knative.dev/listed\n')
    expect(await ok(['get', 'ch', 'listed', '-o', 'jsonpath={.metadata.annotations}'])).toContain(
      '"messaging.knative.dev/creator":"kubernetes-admin"',
    )
  })

  describe('events', () => {
    const sinks: Sink[] = []
    const aSink = async (answer: Answer = () => ({ statusCode: 202 })): Promise<Sink> => {
      const sink = await startSink(answer)
      sinks.push(sink)
      return sink
    }
    const send = (host: string, event: Record<string, string>, body: string, init: { path?: string; method?: string } = {}) =>
      fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}${init.path ?? '/'}`, {
        method: init.method ?? 'POST',
        headers: { host, 'content-type': 'application/json', 'ce-specversion': '1.0', 'ce-source': '/test', ...event },
        body,
      })
    const hostOf = async (resource: string): Promise<string> => {
      await ok(['wait', '--for=condition=Ready', resource, '--timeout=20s'])
      return new URL(await ok(['get', resource, '-o', 'jsonpath={.status.address.url}'])).host
    }
    afterEach(async () => {
      await Promise.all(sinks.splice(0).map((sink) => sink.close()))
      await ok(['delete', 'sequences,parallels,channels.messaging.knative.dev,inmemorychannels,subscriptions', '--all', '--timeout=30s'])
    })

    test('that a channel takes go to both of its Subscriptions, and what one answers goes to its reply', async () => {
      const replies = await aSink()
      const printer = await aSink()
      const doubler = await aSink(({ body }) => ({ statusCode: 200, type: 'doubled', body: `${body}${body}` }))
      await apply(
        anObject(messaging, 'Channel', 'orders', {}),
        anObject(messaging, 'Subscription', 'printing', { channel: toChannel('orders'), subscriber: { uri: printer.url } }),
        anObject(messaging, 'Subscription', 'doubling', {
          channel: toChannel('orders'),
          subscriber: { uri: `${doubler.url}/path` },
          reply: { uri: replies.url },
        }),
      )
      await ok(['wait', '--for=condition=Ready', 'sub/printing', 'sub/doubling', '--timeout=20s'])
      const host = await hostOf('ch/orders')

      expect((await send(host, { 'ce-id': '1', 'ce-type': 'order' }, '7')).status).toBe(202)
      await until(() => printer.got.length === 1 && replies.got.length === 1)
      expect(printer.got[0]).toMatchObject({ path: '/', body: '7' })
      expect(printer.got[0]!.headers).toMatchObject({ 'ce-id': '1', 'ce-type': 'order', prefer: 'reply', 'kn-namespace': 'default' })
      expect(doubler.got).toMatchObject([{ path: '/path', body: '7' }])
      expect(replies.got[0]).toMatchObject({ body: '77' })
      expect(replies.got[0]!.headers).toMatchObject({ 'ce-type': 'doubled', 'kn-namespace': 'default' })
      expect(replies.got[0]!.headers).not.toHaveProperty('prefer')
    })

    test('of a channel without Subscriptions are taken, and bad requests refused as a channel does', async () => {
      await apply(anObject(messaging, 'InMemoryChannel', 'quiet', {}))
      const host = await hostOf('imc/quiet')
      const event = { 'ce-id': '1', 'ce-type': 'order' }

      expect((await send(host, event, '7')).status).toBe(202)
      const options = await send(host, {}, '', { method: 'OPTIONS' })
      expect(options).toMatchObject({ status: 200, headers: { allow: 'POST, OPTIONS', 'webhook-allowed-origin': '*' } })
      expect((await send(host, event, '', { method: 'GET' })).status).toBe(405)
      expect((await send(host, { 'ce-id': '1' }, '7')).status).toBe(400)
      const dispatcher = 'imc-dispatcher.knative-eventing.svc.cluster.local'
      expect((await send(dispatcher, event, '7', { path: '/default/quiet' })).status).toBe(202)
      expect((await send(dispatcher, event, '7', { path: '/default/ghost' })).status).toBe(500)
      expect((await send(dispatcher, event, '7', { path: '/default' })).status).toBe(400)
    })

    test('of a channel go on to a channel that subscribes to it; an answer that is no event goes nowhere', async () => {
      const chatty = await aSink(() => ({ statusCode: 200, body: 'thanks' }))
      const replies = await aSink()
      const imc = (name: string) => ({ apiVersion: messaging, kind: 'InMemoryChannel', name })
      await apply(
        anObject(messaging, 'InMemoryChannel', 'first', {}),
        anObject(messaging, 'InMemoryChannel', 'second', {}),
        anObject(messaging, 'Subscription', 'on', { channel: imc('first'), subscriber: { ref: imc('second') } }),
        anObject(messaging, 'Subscription', 'chatting', {
          channel: imc('second'),
          subscriber: { uri: chatty.url },
          reply: { uri: replies.url },
        }),
      )
      await ok(['wait', '--for=condition=Ready', 'sub/on', 'sub/chatting', '--timeout=20s'])

      const host = await hostOf('imc/first')
      await send(host, { 'ce-id': '1', 'ce-type': 'order' }, 'one')
      await send(host, { 'ce-id': '2', 'ce-type': 'order' }, 'two')
      await until(() => chatty.got.length === 2)
      expect(chatty.got.map(({ body }) => body).sort()).toEqual(['one', 'two'])
      const deliveries = '{range .items[?(@.spec.origin.name=="second")]}{.status.hops[*].outcome} {end}'
      await until(async () => (await ok(['get', 'eventrecords', '-o', `jsonpath=${deliveries}`])).trim() === 'Delivered Delivered')
      expect(replies.got).toEqual([])
    })

    test('go to a URL of another scheme by HTTP, at the root of its host', async () => {
      const sink = await aSink()
      await apply(
        anObject(messaging, 'InMemoryChannel', 'orders', {}),
        anObject(messaging, 'Subscription', 'odd', {
          channel: { apiVersion: messaging, kind: 'InMemoryChannel', name: 'orders' },
          subscriber: { uri: `${sink.url.replace('http:', 'bad:')}/path` },
        }),
      )
      await ok(['wait', '--for=condition=Ready', 'sub/odd', '--timeout=20s'])
      await send(await hostOf('imc/orders'), { 'ce-id': '1', 'ce-type': 'order' }, '7')
      await until(() => sink.got.length === 1)
      expect(sink.got).toMatchObject([{ path: '/', body: '7' }])
    })

    test('that a subscriber refuses go to the dead letter sink of the channel, with why', async () => {
      const letters = await aSink()
      const broken = await aSink(() => ({ statusCode: 422, body: 'no' }))
      await apply(
        anObject(messaging, 'InMemoryChannel', 'orders', { delivery: { deadLetterSink: { uri: letters.url } } }),
        anObject(messaging, 'Subscription', 'failing', {
          channel: { apiVersion: messaging, kind: 'InMemoryChannel', name: 'orders' },
          subscriber: { uri: broken.url },
        }),
      )
      await ok(['wait', '--for=condition=Ready', 'sub/failing', '--timeout=20s'])

      await send(await hostOf('imc/orders'), { 'ce-id': '1', 'ce-type': 'order' }, '7')
      await until(() => letters.got.length === 1)
      expect(letters.got[0]).toMatchObject({ body: '7' })
      expect(letters.got[0]!.headers).toMatchObject({
        'ce-knativeerrorcode': '422',
        'ce-knativeerrordata': Buffer.from('no').toString('base64'),
      })
      expect(broken.got).toHaveLength(1)
    })

    test('go through the steps of a Sequence one after the other, and what the last answers goes to the reply', async () => {
      const end = await aSink()
      const append = (letter: string) => aSink(({ body }) => ({ statusCode: 200, type: `after-${letter}`, body: `${body}${letter}` }))
      const steps = [await append('a'), await append('b'), await append('c')]
      await apply(anObject(flows, 'Sequence', 'line', { steps: steps.map(({ url }) => ({ uri: url })), reply: { uri: end.url } }))

      await send(await hostOf('sequence/line'), { 'ce-id': '1', 'ce-type': 'start' }, 'x')
      await until(() => end.got.length === 1)
      expect(steps.map(({ got }) => got.map(({ body }) => body))).toEqual([['x'], ['xa'], ['xab']])
      expect(end.got[0]).toMatchObject({ body: 'xabc', headers: { 'ce-type': 'after-c' } })
    })

    test('end in a step of a Sequence that answers nothing', async () => {
      const seen = await aSink(({ body }) => (body === 'stop' ? { statusCode: 202 } : { statusCode: 200, type: 'on', body }))
      const last = await aSink()
      await apply(anObject(flows, 'Sequence', 'line', { steps: [{ uri: seen.url }, { uri: last.url }] }))

      const host = await hostOf('sequence/line')
      await send(host, { 'ce-id': '1', 'ce-type': 'start' }, 'stop')
      await until(() => seen.got.length === 1)
      await send(host, { 'ce-id': '2', 'ce-type': 'start' }, 'go')
      await until(() => last.got.length === 1)
      expect(last.got.map(({ body }) => body)).toEqual(['go'])
    })

    test('take the branches of a Parallel whose filters answer them, as these answer them', async () => {
      const end = await aSink()
      const own = await aSink()
      const filterFor = (letter: string) =>
        aSink(({ body }) => (body.startsWith(letter) ? { statusCode: 200, type: 'passed', body: `${body}!` } : { statusCode: 200 }))
      const shout = (name: string) => aSink(({ body }) => ({ statusCode: 200, type: 'shouted', body: `${name}:${body}` }))
      const [isA, isB] = [await filterFor('a'), await filterFor('b')]
      const [a, b, all] = [await shout('a'), await shout('b'), await shout('all')]
      await apply(
        anObject(flows, 'Parallel', 'fork', {
          branches: [
            { filter: { uri: isA.url }, subscriber: { uri: a.url }, reply: { uri: own.url } },
            { filter: { uri: isB.url }, subscriber: { uri: b.url } },
            { subscriber: { uri: all.url } },
          ],
          reply: { uri: end.url },
        }),
      )

      const host = await hostOf('parallel/fork')
      await send(host, { 'ce-id': '1', 'ce-type': 'start' }, 'apple')
      await until(() => own.got.length === 1 && end.got.length === 1)
      await send(host, { 'ce-id': '2', 'ce-type': 'start' }, 'berry')
      await until(() => end.got.length === 3)
      expect(a.got.map(({ body }) => body)).toEqual(['apple!'])
      expect(b.got.map(({ body }) => body)).toEqual(['berry!'])
      expect(all.got.map(({ body }) => body)).toEqual(['apple', 'berry'])
      expect(own.got.map(({ body }) => body)).toEqual(['a:apple!'])
      expect(end.got.map(({ body }) => body).sort()).toEqual(['all:apple', 'all:berry', 'b:berry!'])
    })

    test('of a channel reach a Knative Service, as the journal tells', async () => {
      const template = { spec: { containers: [{ image: HELLO_IMAGE }] } }
      await apply(
        anObject('serving.knative.dev/v1', 'Service', 'worker', { template }),
        anObject(messaging, 'InMemoryChannel', 'jobs', {}),
        anObject(messaging, 'Subscription', 'working', {
          channel: { apiVersion: messaging, kind: 'InMemoryChannel', name: 'jobs' },
          subscriber: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'worker' } },
        }),
      )
      await ok(['wait', '--for=condition=Ready', 'ksvc/worker', 'sub/working', '--timeout=30s'])
      await send(await hostOf('imc/jobs'), { 'ce-id': 'job-1', 'ce-type': 'job' }, '7')
      const delivered = '{.items[?(@.spec.id=="job-1")].status.hops[*].delivered}'
      const text = await until(async () => (await ok(['get', 'eventrecords', '-o', `jsonpath=${delivered}`])) || undefined)
      expect(JSON.parse(text)).toMatchObject({
        destination: expect.stringMatching(/^http:\/\/worker\.default\.svc\.cluster\.local\/?$/),
        statusCode: 200,
      })
    })
  })
})

type Answer = (event: { path: string; headers: IncomingHttpHeaders; body: string }) => { statusCode: number; type?: string; body?: string }

interface Sink {
  url: string
  got: { path: string; headers: IncomingHttpHeaders; body: string }[]
  close(): Promise<void>
}

/** A subscriber in this process; what it answers with a type is an event. */
async function startSink(answer: Answer): Promise<Sink> {
  const got: Sink['got'] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const event = { path: request.url!, headers: request.headers, body }
      got.push(event)
      const { statusCode, type, body: answered = '' } = answer(event)
      const asEvent = {
        'ce-specversion': '1.0',
        'ce-id': `re-${event.headers['ce-id']}`,
        'ce-source': '/sink',
        'content-type': 'application/json',
      }
      response.writeHead(statusCode, type === undefined ? {} : { ...asEvent, 'ce-type': type })
      response.end(answered)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
