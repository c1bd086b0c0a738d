import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readyCondition } from '../../../../src/apimachinery/conditions.js'
import { channelKind } from '../../../../src/kinds/channel/kind.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { subscriptionKind } from '../../../../src/kinds/subscription/kind.js'
import { aSubscription, conditionText, type Messaging, startMessaging } from '../../../support/messaging.js'

let messaging: Messaging
beforeEach(async () => {
  messaging = await startMessaging()
})
afterEach(() => messaging.stop())

const types = (object: { status?: { conditions?: readonly { type: string }[] } }) => object.status!.conditions!.map(({ type }) => type)

describe('InMemoryChannel', () => {
  test('gets an address by a core Service of its own, which leads to the dispatcher', async () => {
    const channel = await messaging.create(inMemoryChannelKind, 'orders', {})

    expect(channel.status!.address).toEqual({ name: 'http', url: 'http://orders-kn-channel.default.svc.cluster.local' })
    expect(readyCondition(channel)).toMatchObject({ status: 'True' })
    expect(types(channel)).toEqual([
      'Addressable',
      'ChannelServiceReady',
      'DeadLetterSinkResolved',
      'DispatcherReady',
      'EndpointsReady',
      'EventPoliciesReady',
      'Ready',
      'ServiceReady',
    ])
    expect(conditionText(channel, 'DeadLetterSinkResolved')).toBe('True DeadLetterSinkNotConfigured: No dead letter sink is configured.')
    expect(conditionText(channel, 'EventPoliciesReady')).toBe(
      'True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization',
    )
    const service = await messaging.get(coreServiceKind, 'orders-kn-channel')
    expect(service.metadata.labels).toEqual({ 'messaging.knative.dev/role': 'in-memory-channel' })
    expect(service.spec).toMatchObject({ type: 'ExternalName', externalName: 'imc-dispatcher.knative-eventing.svc.cluster.local' })
    expect(service.metadata.ownerReferences).toMatchObject([{ kind: 'InMemoryChannel', name: 'orders', controller: true }])
  })

  test('has the name of its Service cut and hashed where it is too long', async () => {
    const name = 'a'.repeat(63)
    const channel = await messaging.create(inMemoryChannelKind, name, {})

    const [service] = (await messaging.names(coreServiceKind)).filter((each) => each.startsWith('a'))
    expect(service).toMatch(/^a{20}[0-9a-f]{32}-kn-channel$/)
    expect(channel.status!.address!.url).toBe(`http://${service}.default.svc.cluster.local`)
  })

  test('is not ready without endpoints of the dispatcher, and is once they are there', async () => {
    await messaging.setDispatcher('absent')
    const early = await messaging.create(inMemoryChannelKind, 'orders', {})
    expect(conditionText(early, 'EndpointsReady')).toBe('False DispatcherEndpointsDoesNotExist: Dispatcher Endpoints does not exist')
    expect(conditionText(early, 'Addressable')).toBe('Unknown')
    expect(early.status!.address).toBeUndefined()

    await messaging.setDispatcher('empty')
    expect(conditionText(await messaging.get(inMemoryChannelKind, 'orders'), 'Ready')).toBe(
      'False DispatcherEndpointsNotReady: There are no endpoints ready for Dispatcher service',
    )
    await messaging.setDispatcher('ready')
    expect(conditionText(await messaging.get(inMemoryChannelKind, 'orders'), 'Ready')).toBe('True')
  })

  test('does not take a Service that a stranger has, and goes on once it is gone', async () => {
    await messaging.client.create(coreServiceKind, {
      metadata: { namespace: 'default', name: 'orders-kn-channel' },
      spec: { ports: [{ port: 80 }] },
    })
    const channel = await messaging.create(inMemoryChannelKind, 'orders', {})
    expect(conditionText(channel, 'ChannelServiceReady')).toBe(
      'False ChannelServiceFailed: Channel Service failed: inmemorychannel: default/orders does not own Service: "orders-kn-channel"',
    )
    expect((await messaging.get(coreServiceKind, 'orders-kn-channel')).spec.type).toBe('ClusterIP')

    await messaging.remove(coreServiceKind, 'orders-kn-channel')
    expect(conditionText(await messaging.get(inMemoryChannelKind, 'orders'), 'Ready')).toBe('True')
  })

  test('says which dead letter sink cannot be found, and finds it later', async () => {
    const delivery = { deadLetterSink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'letters' } } }
    const channel = await messaging.create(inMemoryChannelKind, 'orders', { delivery })
    expect(conditionText(channel, 'DeadLetterSinkResolved')).toBe(
      'False Unable to get the DeadLetterSink\'s URI: failed to get object default/letters: services "letters" not found',
    )
    expect(await messaging.eventsAbout('orders')).toContain(
      'Warning InternalError: Failed to resolve Dead Letter Sink URI: failed to get object default/letters: services "letters" not found',
    )

    await messaging.client.create(coreServiceKind, { metadata: { namespace: 'default', name: 'letters' }, spec: { ports: [{ port: 80 }] } })
    await messaging.settled()
    const found = await messaging.get(inMemoryChannelKind, 'orders')
    expect(found.status!.deadLetterSinkUri).toBe('http://letters.default.svc.cluster.local')
    expect(conditionText(found, 'Ready')).toBe('True')

    await messaging.remove(coreServiceKind, 'letters')
    const lost = await messaging.get(inMemoryChannelKind, 'orders')
    expect(lost.status!.deadLetterSinkUri).toBeUndefined()
    expect(conditionText(lost, 'Ready')).toMatch(/^False Unable to get/)
  })

  test('shows its audience when OIDC is switched on, and no longer when it is off', async () => {
    await messaging.create(inMemoryChannelKind, 'orders', {})
    await messaging.setConfig('config-features', { 'authentication-oidc': 'enabled' })
    const on = await messaging.get(inMemoryChannelKind, 'orders')
    expect(on.status!.address!.audience).toBe('messaging.knative.dev/inmemorychannel/default/orders')
    expect(conditionText(on, 'EventPoliciesReady')).toBe('True DefaultAuthorizationMode: Default authz mode is "Allow-Same-Namespace"')

    await messaging.setConfig('config-features', {})
    expect((await messaging.get(inMemoryChannelKind, 'orders')).status!.address!.audience).toBeUndefined()
  })

  test('a Service deleted behind its back is made again', async () => {
    await messaging.create(inMemoryChannelKind, 'orders', {})
    await messaging.remove(coreServiceKind, 'orders-kn-channel')
    expect(await messaging.names(coreServiceKind)).toContain('orders-kn-channel')
  })
})

describe('Channel', () => {
  test('makes the channel of its template once, with its delivery, and shows what that says', async () => {
    const deadLetterSink = { uri: 'http://letters.example.com' }
    const channel = await messaging.create(
      channelKind,
      'orders',
      { delivery: { retry: 3, deadLetterSink } },
      { annotations: { 'messaging.knative.dev/async-handler': 'true' } },
    )

    const backing = await messaging.get(inMemoryChannelKind, 'orders')
    expect(backing.spec).toEqual({ delivery: { retry: 3, deadLetterSink } })
    expect(backing.metadata.annotations).not.toHaveProperty('messaging.knative.dev/async-handler')
    expect(backing.metadata.ownerReferences).toMatchObject([
      { kind: 'Channel', name: 'orders', controller: true, blockOwnerDeletion: true },
    ])
    expect(channel.spec.channelTemplate).toEqual({ apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' })
    expect(channel.status).toMatchObject({
      channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', namespace: 'default', name: 'orders' },
      address: { url: 'http://orders-kn-channel.default.svc.cluster.local' },
      deadLetterSinkUri: 'http://letters.example.com',
    })
    expect(types(channel)).toEqual(['Addressable', 'BackingChannelReady', 'DeadLetterSinkResolved', 'EventPoliciesReady', 'Ready'])
    expect(conditionText(channel, 'Ready')).toBe('True')
  })

  test('makes its channel again when that is deleted', async () => {
    await messaging.create(channelKind, 'orders', {})
    await messaging.remove(inMemoryChannelKind, 'orders')

    expect(await messaging.names(inMemoryChannelKind)).toEqual(['orders'])
    expect(conditionText(await messaging.get(channelKind, 'orders'), 'Ready')).toBe('True')
  })

  test('takes its channel with it', async () => {
    await messaging.create(channelKind, 'orders', {})
    await messaging.remove(channelKind, 'orders')
    expect(await messaging.names(inMemoryChannelKind)).toEqual([])
    expect(await messaging.names(coreServiceKind)).toEqual([])
  })

  test('copies why its channel is not ready', async () => {
    await messaging.setDispatcher('empty')
    const channel = await messaging.create(channelKind, 'orders', {})
    expect(conditionText(channel, 'BackingChannelReady')).toBe(
      'False DispatcherEndpointsNotReady: There are no endpoints ready for Dispatcher service',
    )
    expect(conditionText(channel, 'Addressable')).toBe('False EmptyHostname: hostname is the empty string')
  })

  test('says that its channel did not resolve the dead letter sink', async () => {
    const deadLetterSink = { ref: { apiVersion: 'v1', kind: 'Service', name: 'ghost' } }
    const channel = await messaging.create(channelKind, 'orders', { delivery: { deadLetterSink } })
    expect(conditionText(channel, 'DeadLetterSinkResolved')).toBe("False Backing Channel orders didn't set status.deadLetterSinkURI")
  })

  test('fails with the reason when no such channels are served', async () => {
    const channel = await messaging.create(channelKind, 'orders', {
      channelTemplate: { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel' },
    })
    expect(conditionText(channel, 'BackingChannelReady')).toBe('False ChannelFailure: the server could not find the requested resource')
    expect(await messaging.eventsAbout('orders')).toContain(
      'Warning InternalError: problem reconciling the backing channel: the server could not find the requested resource',
    )
  })

  test('mirrors its channel’s subscribers', async () => {
    await messaging.create(channelKind, 'orders', {})
    const subscription = await messaging.create(subscriptionKind, 'printer', aSubscription('orders', { kind: 'Channel' }))
    const channel = await messaging.get(channelKind, 'orders')
    expect(channel.status!.subscribers).toEqual([{ uid: subscription.metadata.uid, observedGeneration: 1, ready: 'True' }])
    expect(channel.spec.subscribers).toBeUndefined()
  })
})
