import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { channelKind } from '../../../../src/kinds/channel/kind.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { subscriptionKind } from '../../../../src/kinds/subscription/kind.js'
import { aSubscription, conditionText, type Messaging, quietChannelKind, startMessaging } from '../../../support/messaging.js'

let messaging: Messaging
beforeEach(async () => {
  messaging = await startMessaging()
})
afterEach(() => messaging.stop())

const inDefault = (name: string) => ({ namespace: 'default', name })
const aServiceRef = (name: string) => ({ ref: { apiVersion: 'v1', kind: 'Service', name } })
const createService = async (name: string): Promise<void> => {
  await messaging.client.create(coreServiceKind, { metadata: inDefault(name), spec: { ports: [{ port: 80 }] } })
  await messaging.settled()
}
const subscribersOf = async (channel: string) => (await messaging.get(inMemoryChannelKind, channel)).spec.subscribers

describe('a Subscription to a channel', () => {
  beforeEach(() => messaging.create(inMemoryChannelKind, 'orders', {}))

  test('resolves its three destinations and becomes ready', async () => {
    for (const name of ['printer', 'replies', 'letters']) await createService(name)
    const subscription = await messaging.create(subscriptionKind, 'printing', {
      channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'orders' },
      subscriber: { ...aServiceRef('printer'), uri: '/print' },
      reply: aServiceRef('replies'),
      delivery: { deadLetterSink: aServiceRef('letters') },
    })

    expect(subscription.status!.physicalSubscription).toEqual({
      subscriberUri: 'http://printer.default.svc.cluster.local/print',
      replyUri: 'http://replies.default.svc.cluster.local',
      deadLetterSinkUri: 'http://letters.default.svc.cluster.local',
    })
    expect(subscription.status!.conditions!.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'AddedToChannel True',
      'ChannelReady True',
      'OIDCIdentityCreated True',
      'Ready True',
      'ReferencesResolved True',
    ])
    expect(conditionText(subscription, 'OIDCIdentityCreated')).toBe('True authentication-oidc feature disabled')
    expect(subscription.metadata.finalizers).toEqual(['subscriptions.messaging.knative.dev'])
    expect(await messaging.eventsAbout('printing')).toEqual([
      'Normal FinalizerUpdate: Updated "printing" finalizers',
      'Normal SubscriberSync: Subscription was synchronized to channel "orders"',
    ])
  })

  test('is written into the spec of the channel, which answers in its status', async () => {
    const { metadata } = await messaging.create(
      subscriptionKind,
      'printing',
      aSubscription('orders', { uri: 'http://printer.example.com/x' }),
    )

    const channel = await messaging.get(inMemoryChannelKind, 'orders')
    expect(channel.spec.subscribers).toEqual([
      { uid: metadata.uid, generation: 1, name: 'printing', subscriberUri: 'http://printer.example.com/x' },
    ])
    expect(channel.status!.subscribers).toEqual([{ uid: metadata.uid, observedGeneration: 1, ready: 'True' }])
  })

  test('shares the channel with others that come at the same time; none is lost', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `printer-${index}`)
    await Promise.all(
      names.map((name) => messaging.client.create(subscriptionKind, { metadata: inDefault(name), spec: aSubscription('orders') as never })),
    )
    await messaging.settled()
    expect((await subscribersOf('orders'))!.map(({ name }) => name!).sort()).toEqual([...names].sort())
    for (const subscription of await messaging.client.list(subscriptionKind, 'default')) {
      expect(conditionText(subscription, 'Ready')).toBe('True')
    }

    await Promise.all(names.slice(1).map((name) => messaging.client.delete(subscriptionKind, inDefault(name))))
    await messaging.settled()
    expect((await subscribersOf('orders'))!.map(({ name }) => name)).toEqual(['printer-0'])
  })

  test('changes its entry when its subscriber changes, and keeps its place', async () => {
    await messaging.create(subscriptionKind, 'first', aSubscription('orders'))
    await messaging.create(subscriptionKind, 'second', aSubscription('orders'))
    const changed = await messaging.change(subscriptionKind, 'first', (subscription) => ({
      ...subscription,
      spec: { ...subscription.spec, subscriber: { uri: 'http://other.example.com' } },
    }))

    expect(await subscribersOf('orders')).toMatchObject([
      { name: 'first', generation: 2, subscriberUri: 'http://other.example.com' },
      { name: 'second', generation: 1 },
    ])
    expect(conditionText(changed, 'Ready')).toBe('True')
  })

  test('is taken out of the channel before it goes', async () => {
    const { metadata } = await messaging.create(subscriptionKind, 'printing', aSubscription('orders'))
    await messaging.remove(subscriptionKind, 'printing')

    expect(await messaging.names(subscriptionKind)).toEqual([])
    expect((await messaging.get(inMemoryChannelKind, 'orders')).spec).not.toHaveProperty('subscribers')
    expect((await messaging.get(inMemoryChannelKind, 'orders')).status).not.toHaveProperty('subscribers')
    expect(metadata.uid).toBeDefined()
    expect(await messaging.eventsAbout('printing')).toContain('Normal SubscriberRemoved: Subscription was removed from channel "orders"')
  })

  test('outlives its channel, and can be deleted then', async () => {
    await messaging.create(subscriptionKind, 'printing', aSubscription('orders'))
    await messaging.remove(inMemoryChannelKind, 'orders')
    expect(conditionText(await messaging.get(subscriptionKind, 'printing'), 'ReferencesResolved')).toBe(
      'Unknown ChannelReferenceFailed: Failed to get Spec.Channel or backing channel: inmemorychannels.messaging.knative.dev "orders" not found',
    )
    await messaging.remove(subscriptionKind, 'printing')
    expect(await messaging.names(subscriptionKind)).toEqual([])
  })

  test.each([
    ['subscriber', 'SubscriberResolveFailed', 'spec.subscriber', { subscriber: aServiceRef('ghost') }],
    ['reply', 'ReplyResolveFailed', 'spec.reply', { reply: aServiceRef('ghost') }],
    [
      'dead letter sink',
      'DeadLetterSinkResolveFailed',
      'spec.delivery.deadLetterSink',
      { delivery: { deadLetterSink: aServiceRef('ghost') } },
    ],
  ])('says that its %s cannot be resolved, and is not in the channel until it can be', async (_, reason, field, spec) => {
    const subscription = await messaging.create(subscriptionKind, 'printing', aSubscription('orders', spec))
    const message = `Failed to resolve ${field}: failed to get object default/ghost: services "ghost" not found`
    expect(conditionText(subscription, 'ReferencesResolved')).toBe(`False ${reason}: ${message}`)
    expect(conditionText(subscription, 'Ready')).toBe(`False ${reason}: ${message}`)
    expect(await messaging.eventsAbout('printing')).toContain(`Warning ${reason}: ${message}`)
    expect(await subscribersOf('orders')).toBeUndefined()

    await createService('ghost')
    expect(conditionText(await messaging.get(subscriptionKind, 'printing'), 'Ready')).toBe('True')
    expect(await subscribersOf('orders')).toHaveLength(1)
  })

  test('looks for its subscriber in its own namespace, whatever the reference says', async () => {
    await createService('printer')
    const { ref } = aServiceRef('printer')
    const subscription = await messaging.create(
      subscriptionKind,
      'printing',
      aSubscription('orders', { subscriber: { ref: { ...ref, namespace: 'elsewhere' } } }),
    )
    expect(subscription.status!.physicalSubscription!.subscriberUri).toBe('http://printer.default.svc.cluster.local')
  })
})

describe('a Subscription to a channel that someone else looks after', () => {
  const toQuiet = { apiVersion: 'example.com/v1', kind: 'QuietChannel' }
  const present = () => messaging.get(subscriptionKind, 'printing')

  test('is ready when the channel says so, for this generation', async () => {
    await messaging.create(quietChannelKind, 'orders', {})
    const { metadata } = await messaging.create(subscriptionKind, 'printing', aSubscription('orders', toQuiet))
    const uid = metadata.uid!
    expect((await messaging.get(quietChannelKind, 'orders')).spec.subscribers).toMatchObject([{ uid, generation: 1 }])
    expect(conditionText(await present(), 'AddedToChannel')).toBe('True')
    expect(conditionText(await present(), 'ChannelReady')).toBe(
      'Unknown SubscriptionNotMarkedReadyByChannel: Failed to get subscription status: subscription "printing" not present in channel "orders" subscriber\'s list',
    )

    await messaging.setStatus(quietChannelKind, 'orders', { subscribers: [{ uid, observedGeneration: 1, ready: 'Unknown' }] })
    expect(conditionText(await present(), 'Ready')).toBe(
      'Unknown SubscriptionNotMarkedReadyByChannel: Subscription marked by Channel as Unknown',
    )
    await messaging.setStatus(quietChannelKind, 'orders', { subscribers: [{ uid, observedGeneration: 1, ready: 'False' }] })
    expect(conditionText(await present(), 'Ready')).toBe(
      'False SubscriptionNotMarkedReadyByChannel: Subscription marked by Channel as False',
    )
    await messaging.setStatus(quietChannelKind, 'orders', { subscribers: [{ uid, observedGeneration: 1, ready: 'True' }] })
    expect(conditionText(await present(), 'Ready')).toBe('True')

    await messaging.change(subscriptionKind, 'printing', (subscription) => ({
      ...subscription,
      spec: { ...subscription.spec, subscriber: { uri: 'http://other.example.com' } },
    }))
    expect(conditionText(await present(), 'ChannelReady')).toMatch(/^Unknown SubscriptionNotMarkedReadyByChannel: Failed to get/)
  })

  test('takes the dead letter sink that the channel’s status names', async () => {
    await messaging.create(quietChannelKind, 'orders', {})
    await messaging.setStatus(quietChannelKind, 'orders', { deadLetterSinkUri: 'http://letters.example.com' })
    await messaging.create(subscriptionKind, 'printing', aSubscription('orders', { ...toQuiet, delivery: { retry: 1 } }))
    expect((await messaging.get(quietChannelKind, 'orders')).spec.subscribers![0]!.delivery).toEqual({
      retry: 1,
      deadLetterSink: { uri: 'http://letters.example.com' },
    })
  })
})

describe('delivery', () => {
  const entryFor = async (ofChannel: object, ofSubscription: object | undefined) => {
    await messaging.create(inMemoryChannelKind, 'orders', { delivery: ofChannel })
    await messaging.create(subscriptionKind, 'printing', aSubscription('orders', ofSubscription ? { delivery: ofSubscription } : {}))
    return (await subscribersOf('orders'))![0]!.delivery
  }

  test('comes from the channel as a whole where the Subscription says nothing; the format is left out', async () => {
    expect(await entryFor({ retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT3S', format: 'json' }, undefined)).toEqual(
      { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT3S' },
    )
  })

  test('of the Subscription replaces the channel’s as a whole, but for the dead letter sink', async () => {
    const letters = { deadLetterSink: { uri: 'http://letters.example.com' } }
    expect(await entryFor({ retry: 5, backoffDelay: 'PT1S', ...letters }, { retry: 2 })).toEqual({ retry: 2, ...letters })
    expect((await messaging.get(subscriptionKind, 'printing')).status!.physicalSubscription!.deadLetterSinkUri).toBe(
      'http://letters.example.com',
    )
  })

  test('goes to the Subscription’s own dead letter sink before the channel’s', async () => {
    expect(
      await entryFor({ deadLetterSink: { uri: 'http://of-channel.example.com' } }, { deadLetterSink: { uri: 'http://own.example.com' } }),
    ).toEqual({ deadLetterSink: { uri: 'http://own.example.com' } })
  })

  test('is absent where nobody says anything', async () => {
    expect(await entryFor({}, undefined)).toBeUndefined()
  })

  test('follows a change of the channel', async () => {
    await entryFor({ retry: 5 }, undefined)
    await messaging.change(inMemoryChannelKind, 'orders', (channel) => ({ ...channel, spec: { ...channel.spec, delivery: { retry: 1 } } }))
    expect((await subscribersOf('orders'))![0]!.delivery).toEqual({ retry: 1 })
  })
})

describe('a Subscription to a Channel', () => {
  test('is written into the channel that the Channel has made', async () => {
    await messaging.create(channelKind, 'orders', {})
    const subscription = await messaging.create(subscriptionKind, 'printing', aSubscription('orders', { kind: 'Channel' }))
    expect(await subscribersOf('orders')).toMatchObject([{ uid: subscription.metadata.uid }])
    expect(conditionText(subscription, 'Ready')).toBe('True')
  })

  test('waits until the Channel is ready', async () => {
    await messaging.setDispatcher('empty')
    await messaging.create(channelKind, 'orders', {})
    const early = await messaging.create(subscriptionKind, 'printing', aSubscription('orders', { kind: 'Channel' }))
    expect(conditionText(early, 'Ready')).toBe(
      'Unknown ChannelReferenceFailed: Failed to get Spec.Channel or backing channel: channel is not ready.',
    )
    await messaging.setDispatcher('ready')
    expect(conditionText(await messaging.get(subscriptionKind, 'printing'), 'Ready')).toBe('True')
  })

  test('made before the Channel becomes ready with it', async () => {
    const early = await messaging.create(subscriptionKind, 'printing', aSubscription('orders', { kind: 'Channel' }))
    expect(conditionText(early, 'ReferencesResolved')).toBe(
      'Unknown ChannelReferenceFailed: Failed to get Spec.Channel or backing channel: channels.messaging.knative.dev "orders" not found',
    )
    await messaging.create(channelKind, 'orders', {})
    expect(conditionText(await messaging.get(subscriptionKind, 'printing'), 'Ready')).toBe('True')
  })

  test('to a kind that is not served says so, and can be deleted', async () => {
    const subscription = await messaging.create(subscriptionKind, 'printing', aSubscription('orders', { kind: 'KafkaChannel' }))
    expect(conditionText(subscription, 'ReferencesResolved')).toBe(
      'Unknown ChannelReferenceFailed: Failed to get Spec.Channel or backing channel: the server could not find the requested resource',
    )
    await messaging.remove(subscriptionKind, 'printing')
    expect(await messaging.names(subscriptionKind)).toEqual([])
  })
})
