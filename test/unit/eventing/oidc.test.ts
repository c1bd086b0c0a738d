import { describe, expect, test } from 'vitest'
import type { Oidc } from '../../../src/eventing/oidc.js'
import type { EventPolicy } from '../../../src/kinds/eventpolicy/schema.js'
import type { Subscription } from '../../../src/kinds/subscription/schema.js'
import { aBench, aBroker, aChannel, aSink, ask, aTrigger, type Bench, ceHeaders, eventually, reply } from './support.js'

const BROKER_AUDIENCE = 'eventing.knative.dev/broker/default/main'
const CHANNEL_AUDIENCE = 'messaging.knative.dev/inmemorychannel/default/orders'
const FILTER_HOST = 'broker-filter.knative-eventing.svc.cluster.local'
const CHANNEL_HOST = 'orders-kn-channel.default.svc.cluster.local'

/** Tokens that can be read: `subject for audience`. */
const token = (subject: string, audience: string): string => `${subject} for ${audience}`
const bearer = (subject: string, audience: string): Record<string, string> => ({ authorization: `Bearer ${token(subject, audience)}` })
const account = (name: string, namespace = 'default'): string => `system:serviceaccount:${namespace}:${name}`

function fakeOidc(mode: ReturnType<Oidc['defaultMode']> = 'Allow-Same-Namespace'): Oidc & { isOn: boolean } {
  const oidc = {
    isOn: true,
    isEnabled: () => oidc.isOn,
    defaultMode: () => mode,
    tokenFor: ({ namespace, name }: { namespace: string; name: string }, audience: string) =>
      name === 'gone' ? Promise.reject(new Error('there is no such account')) : Promise.resolve(token(account(name, namespace), audience)),
    subjectOf(shown: string, audience: string) {
      const [subject, forWhom] = shown.split(' for ')
      return forWhom === audience ? subject : undefined
    },
  }
  return oidc
}

/** A Broker with its audience, and the policies that its status names. */
function aGuardedBroker(policies: readonly string[] = [], uid?: string): ReturnType<typeof aBroker> {
  const broker = aBroker('main', {}, uid)
  return {
    ...broker,
    status: {
      ...broker.status,
      address: { url: 'http://broker-ingress.knative-eventing.svc.cluster.local/default/main', audience: BROKER_AUDIENCE },
      policies: policies.map((name) => ({ apiVersion: 'eventing.knative.dev/v1alpha1', name })),
    },
  }
}

function aPolicy(name: string, from: string[], filters?: NonNullable<EventPolicy['spec']>['filters']): EventPolicy {
  return {
    apiVersion: 'eventing.knative.dev/v1alpha1',
    kind: 'EventPolicy',
    metadata: { namespace: 'default', name },
    spec: { ...(filters && { filters }) },
    status: { from },
  }
}

const sendAs = (bench: Bench, headers: Record<string, string>, attributes: Record<string, string> = {}): Promise<number> =>
  bench.send('default/main', attributes, '{}', headers)

describe('a Broker, while authentication-oidc is on,', () => {
  test('takes no event without a good token for itself, and looks at the event and the name before', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    bench.informers.brokers.put(aGuardedBroker())
    expect(await sendAs(bench, {})).toBe(401)
    expect(await sendAs(bench, { authorization: 'Bearer ' })).toBe(401)
    expect(await sendAs(bench, bearer(account('shop'), 'somebody-else'))).toBe(401)
    expect(await sendAs(bench, { authorization: 'Bearer made-up' })).toBe(401)
    expect(await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE))).toBe(202)
    expect(await sendAs(bench, { authorization: token(account('shop'), BROKER_AUDIENCE) })).toBe(202)

    expect(await sendAs(bench, {}, { specversion: '7' })).toBe(400)
    expect(await bench.send('default/none')).toBe(404)
    expect(await sendAs(bench, bearer(account('shop', 'far'), BROKER_AUDIENCE), { knativebrokerttl: '1' })).toBe(403)
  })

  test('that has no audience yet can judge no token', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    bench.informers.brokers.put({ ...aBroker('main'), status: {} })
    expect(await sendAs(bench, {})).toBe(401)
    expect(await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE))).toBe(500)
  })

  test.each([
    ['Allow-Same-Namespace', 202, 403],
    ['Allow-All', 202, 202],
    ['Deny-All', 403, 403],
  ] as const)('to which no policy applies: %s', async (mode, near, far) => {
    const bench = await aBench({ oidc: fakeOidc(mode) })
    bench.informers.brokers.put(aGuardedBroker())
    expect(await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE))).toBe(near)
    expect(await sendAs(bench, bearer(account('shop', 'default-2'), BROKER_AUDIENCE))).toBe(far)
  })

  test('takes from those whom one of its policies names, by name or beginning, the events that its filters let through', async () => {
    const bench = await aBench({ oidc: fakeOidc('Deny-All') })
    const { brokers, policies } = bench.informers
    policies.put(aPolicy('shops', [account('Shop', 'far'), 'system:serviceaccount:trusted:*']))
    policies.put(aPolicy('paid-only', [account('till')], [{ exact: { type: 'paid' } }, { not: { prefix: { source: '/test/old' } } }]))
    brokers.put(aGuardedBroker(['shops', 'paid-only']))

    const as = (name: string, namespace: string, attributes = {}): Promise<number> =>
      sendAs(bench, bearer(account(name, namespace), BROKER_AUDIENCE), attributes)
    expect(await as('shop', 'far')).toBe(202)
    expect(await as('anyone', 'trusted')).toBe(202)
    expect(await as('anyone', 'default')).toBe(403)
    expect(await as('till', 'default', { type: 'paid' })).toBe(202)
    expect(await as('till', 'default', { type: 'refunded' })).toBe(403)
    expect(await as('till', 'default', { type: 'paid', source: '/test/old/till' })).toBe(403)

    policies.put(aPolicy('paid-only', [account('anyone')]))
    expect(await as('anyone', 'default')).toBe(202)
    brokers.put(aGuardedBroker(['shops', 'vanished']))
    expect(await as('shop', 'far')).toBe(500)
  })

  test('asks nobody any more once it is switched off', async () => {
    const oidc = fakeOidc('Deny-All')
    const bench = await aBench({ oidc })
    bench.informers.brokers.put(aGuardedBroker())
    expect(await sendAs(bench, {})).toBe(401)
    oidc.isOn = false
    expect(await sendAs(bench, {})).toBe(202)
  })
})

describe('a Trigger with an account', () => {
  const auth = { auth: { serviceAccountName: 'main-trigger' } }

  test('shows a token of its own to subscribers and dead letter sinks that have an audience, and to no others', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    const failing = await aSink((_, response) => response.writeHead(400).end())
    const plain = await aSink()
    const letters = await aSink()
    bench.informers.brokers.put(aGuardedBroker())
    bench.informers.triggers.put(
      aTrigger('guarded', failing.url, {
        status: { ...auth, subscriberAudience: 'sink', deadLetterSinkUri: letters.url, deadLetterSinkAudience: 'letters' },
      }),
    )
    bench.informers.triggers.put(aTrigger('open', plain.url, { status: auth }))
    await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE))

    const [[guarded], [letter], [open]] = await Promise.all([failing.until(1), letters.until(1), plain.until(1)])
    expect(guarded?.headers.authorization).toBe(`Bearer ${token(account('main-trigger'), 'sink')}`)
    expect(letter?.headers.authorization).toBe(`Bearer ${token(account('main-trigger'), 'letters')}`)
    // Above all not that of who sent the event.
    expect(open?.headers.authorization).toBeUndefined()
  })

  test('replies in its own name: a policy that does not name it keeps the reply out', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    const { brokers, triggers, policies } = bench.informers
    const answering = await aSink((received, response) =>
      received.headers['ce-type'] === 'asked' ? reply(response, { id: 'answer', type: 'answered' }) : response.writeHead(202).end(),
    )
    const letters = await aSink()
    policies.put(aPolicy('shops', [account('shop')]))
    brokers.put(aGuardedBroker())
    triggers.put(aTrigger('answering', answering.url, { status: { ...auth, deadLetterSinkUri: letters.url } }))

    await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE), { type: 'asked' })
    expect((await answering.until(2)).map(({ headers }) => headers['ce-type'])).toEqual(['asked', 'answered'])

    brokers.put(aGuardedBroker(['shops']))
    await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE), { type: 'asked' })
    const [letter] = await letters.until(1)
    expect(letter?.headers).toMatchObject({ 'ce-type': 'asked', 'ce-knativeerrorcode': '403' })
  })

  test('whose account is gone delivers nothing, and says why', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    const sink = await aSink()
    bench.informers.brokers.put(aGuardedBroker())
    bench.informers.triggers.put(
      aTrigger('lost', sink.url, { status: { auth: { serviceAccountName: 'gone' }, subscriberAudience: 'sink' } }),
    )
    await sendAs(bench, bearer(account('shop'), BROKER_AUDIENCE))
    await eventually(() => bench.hops.some(({ hop }) => hop === 'dropped'))
    expect(bench.hops.find(({ hop }) => hop === 'attempted')).toMatchObject({ error: 'there is no such account' })
    expect(sink.received).toEqual([])
  })
})

describe('a channel, while authentication-oidc is on,', () => {
  const guarded = (channel: ReturnType<typeof aChannel>): ReturnType<typeof aChannel> => ({
    ...channel,
    status: { ...channel.status, address: { url: `http://${CHANNEL_HOST}`, audience: CHANNEL_AUDIENCE } },
  })

  test('checks who sends, and Subscriptions show who they are', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    const answering = await aSink((_, response) => reply(response, { id: 'answer', type: 'answered' }))
    const replies = await aSink()
    bench.informers.channels.put(
      guarded(
        aChannel('orders', [
          {
            uid: 'one',
            name: 'one',
            subscriberUri: answering.url,
            subscriberAudience: 'sink',
            replyUri: replies.url,
            replyAudience: 'replies',
            auth: { serviceAccountName: 'one-subscription' },
          },
        ]),
      ),
    )
    const post = (headers: Record<string, string>): Promise<number> =>
      ask(bench.eventing, CHANNEL_HOST, 'POST', '/', { ...ceHeaders(), ...headers }, '{}').then(({ status }) => status)
    expect(await post({})).toBe(401)
    expect(await post({ 'ce-specversion': '7' })).toBe(400)
    expect(await post(bearer(account('shop', 'far'), CHANNEL_AUDIENCE))).toBe(403)
    expect(await post(bearer(account('shop'), CHANNEL_AUDIENCE))).toBe(202)

    const [[event], [answered]] = await Promise.all([answering.until(1), replies.until(1)])
    expect(event?.headers.authorization).toBe(`Bearer ${token(account('one-subscription'), 'sink')}`)
    expect(answered?.headers.authorization).toBe(`Bearer ${token(account('one-subscription'), 'replies')}`)
  })

  test('takes a reply of a Subscription that is allowed to send, with a token or in its name', async () => {
    const bench = await aBench({ oidc: fakeOidc() })
    const answering = await aSink((_, response) => reply(response, { id: 'answer', type: 'answered' }))
    const seen = await aSink()
    const source = (audience?: string): ReturnType<typeof aChannel> => {
      const channel = aChannel('source', [
        {
          uid: 'one',
          name: 'one',
          subscriberUri: answering.url,
          replyUri: `http://${CHANNEL_HOST}/`,
          ...(audience && { replyAudience: audience }),
          auth: { serviceAccountName: 'one-subscription' },
        },
      ])
      return {
        ...channel,
        status: { ...channel.status, address: { url: 'http://source-kn-channel.default.svc.cluster.local', audience: 'source' } },
      }
    }
    bench.informers.channels.put(guarded(aChannel('orders', [{ uid: 'two', name: 'two', subscriberUri: seen.url }])))
    bench.informers.channels.put(source())
    const post = (): Promise<unknown> =>
      ask(bench.eventing, 'source-kn-channel.default.svc', 'POST', '/', { ...ceHeaders(), ...bearer(account('shop'), 'source') }, '{}')

    await post()
    await eventually(() => bench.hops.some(({ hop }) => hop === 'replied'))
    expect(bench.hops.find(({ hop }) => hop === 'replied')).toMatchObject({ statusCode: 401 })
    bench.informers.channels.put(source(CHANNEL_AUDIENCE))
    await post()
    expect((await seen.until(1))[0]?.headers['ce-type']).toBe('answered')
  })

  test('of a Broker goes by its own policies, not by the Broker’s', async () => {
    const bench = await aBench({ oidc: fakeOidc('Allow-All') })
    const { brokers, channels, policies } = bench.informers
    brokers.put(aGuardedBroker())
    policies.put(aPolicy('ingress-only', [account('mt-broker-ingress-oidc', 'knative-eventing')]))
    const channel = aChannel('orders', [])
    channels.put({
      ...channel,
      metadata: { ...channel.metadata, labels: { 'eventing.knative.dev/brokerEverything': 'true', 'eventing.knative.dev/broker': 'main' } },
      status: {
        address: { url: `http://${CHANNEL_HOST}`, audience: CHANNEL_AUDIENCE },
        policies: [{ apiVersion: 'eventing.knative.dev/v1alpha1', name: 'ingress-only' }],
      },
    })
    const post = (subject: string): Promise<number> =>
      ask(bench.eventing, CHANNEL_HOST, 'POST', '/', { ...ceHeaders(), ...bearer(subject, CHANNEL_AUDIENCE) }, '{}').then(
        ({ status }) => status,
      )
    expect(await post(account('shop'))).toBe(403)
    expect(await post(account('mt-broker-ingress-oidc', 'knative-eventing'))).toBe(202)
  })
})

describe('the filter, while authentication-oidc is on,', () => {
  const subscription: Subscription = {
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Subscription',
    metadata: { namespace: 'default', name: 'main-guarded' },
    spec: { channel: { kind: 'InMemoryChannel', name: 'main-kne-trigger' } },
    status: { auth: { serviceAccountName: 'main-subscription' } },
  }
  const own = bearer(account('main-subscription'), 'mt-broker-filter')

  async function aFilter(options: { subscription: Subscription | undefined }) {
    const sink = await aSink((_, response) => reply(response, { id: 'answer', type: 'answered' }))
    const letters = await aSink()
    const ingress = await aSink()
    const bench = await aBench({ oidc: fakeOidc(), subscriptionOf: () => options.subscription })
    const broker = aGuardedBroker()
    bench.informers.brokers.put({ ...broker, status: { ...broker.status, address: { url: ingress.url, audience: BROKER_AUDIENCE } } })
    bench.informers.triggers.put(
      aTrigger('guarded', sink.url, {
        status: { auth: { serviceAccountName: 'main-trigger' }, subscriberAudience: 'sink', deadLetterSinkUri: letters.url },
      }),
    )
    const post = (headers: Record<string, string>, suffix = '') =>
      ask(
        bench.eventing,
        FILTER_HOST,
        'POST',
        `/triggers/default/guarded/uid-guarded${suffix}`,
        { ...ceHeaders({ knativebrokerttl: '9' }), ...headers },
        '{}',
      )
    return { sink, letters, ingress, post, informers: bench.informers }
  }

  test('listens to the Subscription of the Trigger alone', async () => {
    const { post, sink } = await aFilter({ subscription })
    expect((await post({})).status).toBe(401)
    expect((await post(bearer(account('main-subscription'), 'sink'))).status).toBe(401)
    expect((await post(bearer(account('main-trigger'), 'mt-broker-filter'))).status).toBe(403)
    expect((await post({ ...own, 'ce-specversion': '7' })).status).toBe(400)
    const answered = await post(own)
    expect(answered).toMatchObject({ status: 200, headers: { 'ce-type': 'answered', 'ce-knativebrokerttl': '9' } })
    expect(sink.received.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${token(account('main-trigger'), 'sink')}`])
  })

  test('of a Trigger that has no Subscription, or one without an account, listens to nobody', async () => {
    expect((await (await aFilter({ subscription: undefined })).post(own)).status).toBe(404)
    const { status: _, ...without } = subscription
    expect((await (await aFilter({ subscription: without })).post(own)).status).toBe(500)
  })

  test('hands replies to the Broker and dead letters to their sink, in the name of the Trigger', async () => {
    const { post, ingress, letters, informers } = await aFilter({ subscription })
    expect((await post(own, '/reply')).status).toBe(202)
    expect(ingress.received[0]?.headers).toMatchObject({
      authorization: `Bearer ${token(account('main-trigger'), BROKER_AUDIENCE)}`,
      'ce-knativebrokerttl': '9',
      'kn-namespace': 'default',
    })
    expect((await post(own, '/dls')).status).toBe(202)
    expect(letters.received).toHaveLength(1)
    expect(letters.received[0]?.headers.authorization).toBeUndefined()

    informers.brokers.remove(aGuardedBroker())
    expect((await post(own, '/reply')).status).toBe(404)
    expect((await post(own, '/dls')).status).toBe(404)
  })
})
