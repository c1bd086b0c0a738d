import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerKind } from '../../../../src/kinds/broker/kind.js'
import { roleKind } from '../../../../src/kinds/core/role/kind.js'
import { roleBindingKind } from '../../../../src/kinds/core/rolebinding/kind.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import { serviceAccountKind } from '../../../../src/kinds/core/serviceaccount/kind.js'
import { eventTypeKind } from '../../../../src/kinds/eventtype/kind.js'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { serviceKind } from '../../../../src/kinds/service/kind.js'
import { subscriptionKind } from '../../../../src/kinds/subscription/kind.js'
import type { Subscription } from '../../../../src/kinds/subscription/schema.js'
import { triggerKind } from '../../../../src/kinds/trigger/kind.js'
import type { Trigger } from '../../../../src/kinds/trigger/schema.js'
import { aTriggerSpec, conditionText, type Eventing, onlyOne, startEventing } from '../../../support/eventing.js'

let eventing: Eventing
beforeEach(async () => {
  eventing = await startEventing()
})
afterEach(() => eventing.stop())

const create = (name: string, spec: object = {}, metadata: object = {}): Promise<Trigger> =>
  eventing.create(triggerKind, name, aTriggerSpec(spec), metadata)
const subscription = (): Promise<Subscription> => onlyOne(eventing.client, subscriptionKind)

describe('a Trigger of a ready Broker', () => {
  beforeEach(async () => void (await eventing.create(brokerKind, 'default', {})))

  test('is subscribed to the channel by a Subscription that goes through the filter, and mirrors its state', async () => {
    const trigger = await create('t')
    const types = [
      'BrokerReady',
      'SubscriberResolved',
      'DeadLetterSinkResolved',
      'OIDCIdentityCreated',
      'SubscriptionReady',
      'DependencyReady',
      'Ready',
    ]
    expect(types.map((type) => conditionText(trigger, type))).toEqual([
      'True',
      'True',
      'True DeadLetterSinkNotConfigured: No dead letter sink is configured.',
      'True authentication-oidc feature disabled',
      'True',
      'True',
      'True',
    ])
    expect(trigger.status?.subscriberUri).toBe('http://subscriber.example.com')
    const child = await subscription()
    const { uid } = trigger.metadata
    expect(child.metadata).toMatchObject({
      name: `default-t-${uid}`,
      labels: { 'eventing.knative.dev/broker': 'default', 'eventing.knative.dev/trigger': 't' },
      ownerReferences: [{ kind: 'Trigger', name: 't', uid, controller: true }],
    })
    expect(child.spec).toEqual({
      channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'default-kne-trigger' },
      subscriber: { uri: `http://broker-filter.knative-eventing.svc.cluster.local/triggers/default/t/${uid}` },
      reply: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', namespace: 'default', name: 'default' } },
      delivery: { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' },
    })

    await eventing.setDataPlane('broker-filter', 'unavailable')
    expect(conditionText(await eventing.trigger('t'), 'BrokerReady')).toBe(
      'False EndpointSlicesUnavailable: EndpointSlices are unavailable.',
    )
  })

  test('gets its Subscription back when someone deletes it, and takes it out of the channel when it goes', async () => {
    await create('t')
    const { uid } = (await subscription()).metadata
    await eventing.remove(subscriptionKind, (await subscription()).metadata.name)
    expect((await subscription()).metadata.uid).not.toBe(uid)
    expect(conditionText(await eventing.trigger('t'), 'Ready')).toBe('True')
    await eventing.remove(triggerKind, 't')
    expect(await eventing.client.list(subscriptionKind)).toEqual([])
    expect((await eventing.get(inMemoryChannelKind, 'default-kne-trigger')).spec.subscribers ?? []).toEqual([])
  })

  test('made anew under its name has another Subscription: what was meant for the old one stays away from it', async () => {
    const first = await create('t')
    await eventing.remove(triggerKind, 't')
    const second = await create('t')
    expect(second.metadata.uid).not.toBe(first.metadata.uid)
    expect((await subscription()).spec.subscriber?.uri).toMatch(new RegExp(`/${second.metadata.uid}$`))
  })

  test('whose subscriber is not there says why, and is ready as soon as it has an address, ready or not', async () => {
    const ref = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'sink' }
    const trigger = await create('t', { subscriber: { ref, uri: '/path' } })
    const why = 'failed to get object default/sink: services.serving.knative.dev "sink" not found'
    expect(conditionText(trigger, 'SubscriberResolved')).toBe(`False Unable to get the Subscriber's URI: ${why}`)
    expect(conditionText(trigger, 'SubscriptionReady')).toBe('Unknown')
    expect(await eventing.eventsAbout('t')).toContain(`Warning InternalError: ${why}`)
    expect(await eventing.client.list(subscriptionKind)).toEqual([])

    const containers = [{ image: 'example.com/hello' }]
    await eventing.create(serviceKind, 'sink', { template: { spec: { containers } } })
    expect(conditionText(await eventing.trigger('t'), 'SubscriberResolved')).toContain(
      'address not set for Kind = Service, Namespace = default',
    )
    await eventing.setStatus(serviceKind, 'sink', { address: { url: 'http://sink.default.svc.cluster.local' } })
    const later = await eventing.trigger('t')
    expect(later.status?.subscriberUri).toBe('http://sink.default.svc.cluster.local/path')
    expect(conditionText(later, 'Ready')).toBe('True')
    await eventing.remove(serviceKind, 'sink')
    expect((await eventing.trigger('t')).status).not.toHaveProperty('subscriberUri')
  })

  test('has its own delivery in place of all of the Broker’s', async () => {
    await create('t', { delivery: { retry: 3 } })
    expect((await subscription()).spec.delivery).toEqual({ retry: 3 })
    await eventing.change(triggerKind, 't', (trigger) => ({
      ...trigger,
      spec: { ...trigger.spec, delivery: { retry: 4, timeout: 'PT1S' } },
    }))
    expect((await subscription()).spec.delivery).toEqual({ retry: 4, timeout: 'PT1S' })
    expect(conditionText(await eventing.trigger('t'), 'Ready')).toBe('True')
  })

  test('keeps the delivery it had when that is taken out and nothing else differs', async () => {
    await eventing.create(brokerKind, 'bare', { delivery: { retry: 2 } })
    await create('t', { broker: 'bare', delivery: { retry: 2, backoffDelay: 'PT1S' } })
    await eventing.change(triggerKind, 't', ({ spec: { delivery: _, ...spec }, ...trigger }) => ({ ...trigger, spec }))
    expect((await subscription()).spec.delivery).toEqual({ retry: 2, backoffDelay: 'PT1S' })
  })

  test('whose Subscription belongs to someone else says so', async () => {
    const trigger = await create('t')
    const child = await subscription()
    await eventing.client.update(subscriptionKind, { ...child, metadata: { ...child.metadata, ownerReferences: [] } })
    await eventing.change(triggerKind, 't', (before) => ({ ...before, spec: { ...before.spec, delivery: { retry: 1 } } }))
    const name = `default-t-${trigger.metadata.uid}`
    expect(conditionText(await eventing.trigger('t'), 'SubscriptionReady')).toBe(
      `False SubscriptionNotOwnedByTrigger: trigger "t" does not own subscription "${name}"`,
    )
  })
})

describe('dead letter sinks', () => {
  const uri = (text: string) => ({ deadLetterSink: { uri: text } })

  test('the Trigger’s own comes before the Broker’s, which is copied where it has none', async () => {
    await eventing.create(brokerKind, 'default', { delivery: uri('http://of-broker') })
    const without = await create('without', { delivery: { retry: 3 } })
    const own = await create('own', { delivery: uri('http://of-trigger') })
    expect([without, own].map(({ status }) => status?.deadLetterSinkUri)).toEqual(['http://of-broker', 'http://of-trigger'])
    expect(conditionText(without, 'DeadLetterSinkResolved')).toBe('True')
  })

  test('one that cannot be resolved ends the reconcile', async () => {
    await eventing.create(brokerKind, 'default', {})
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'dead' }
    const trigger = await create('t', { delivery: { deadLetterSink: { ref } } })
    const why = 'failed to get object default/dead: services "dead" not found'
    expect(conditionText(trigger, 'DeadLetterSinkResolved')).toBe(`False Unable to get the dead letter sink's URI: ${why}`)
    expect(trigger.spec.delivery?.deadLetterSink?.ref?.namespace).toBe('default')
    await eventing.create(coreServiceKind, 'dead', { ports: [{ port: 80 }] })
    expect((await eventing.trigger('t')).status?.deadLetterSinkUri).toBe('http://dead.default.svc.cluster.local')
  })
})

describe('a Trigger whose Broker is not there', () => {
  test('says so and nothing else, and becomes ready with the Broker', async () => {
    const trigger = await create('early', { broker: 'late' })
    expect(conditionText(trigger, 'Ready')).toBe('False BrokerDoesNotExist: Broker "late" does not exist')
    expect(conditionText(trigger, 'SubscriberResolved')).toBe('Unknown')
    await eventing.create(brokerKind, 'late', {})
    expect(conditionText(await eventing.trigger('early'), 'Ready')).toBe('True')
    await eventing.remove(brokerKind, 'late')
    expect(conditionText(await eventing.trigger('early'), 'BrokerReady')).toBe('False BrokerDoesNotExist: Broker "late" does not exist')
  })

  test('or of another class, is left alone', async () => {
    await eventing.create(brokerKind, 'kafka', {}, { annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } })
    expect((await create('t', { broker: 'kafka' })).status).toBeUndefined()
  })
})

describe('knative.dev/dependency', () => {
  const dependency = (reference: object) => ({ annotations: { 'knative.dev/dependency': JSON.stringify(reference) } })
  const onType = { apiVersion: 'eventing.knative.dev/v1beta2', kind: 'EventType', name: 'needed' }
  beforeEach(async () => void (await eventing.create(brokerKind, 'default', {})))

  test('holds a Trigger back until what it names is ready', async () => {
    const trigger = await create('t', {}, dependency(onType))
    expect(conditionText(trigger, 'DependencyReady')).toBe(
      'False DependencyDoesNotExist: Dependency does not exist: eventtypes.eventing.knative.dev "needed" not found',
    )
    const reference = { apiVersion: 'v1', kind: 'Service', name: 'none' }
    await eventing.create(eventTypeKind, 'needed', { type: 'x', reference })
    expect(conditionText(await eventing.trigger('t'), 'DependencyReady')).toBe(
      'False ResourceDoesNotExist: Resource in spec.reference does not exist',
    )
    await eventing.create(coreServiceKind, 'none', { ports: [{ port: 80 }] })
    expect(conditionText(await eventing.trigger('t'), 'Ready')).toBe('True')
  })

  test('waits for a status of the present generation, and prints generations as Go does', async () => {
    await eventing.create(serviceKind, 'sink', { template: { spec: { containers: [{ image: 'example.com/hello' }] } } })
    const trigger = await create('t', {}, dependency({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'sink' }))
    expect(conditionText(trigger, 'DependencyReady')).toBe(
      "Unknown GenerationNotEqual: The dependency's metadata.generation, '\\x01', is not equal to its status.observedGeneration, '\\x00'.",
    )
    await eventing.setStatus(serviceKind, 'sink', { observedGeneration: 1 })
    expect(conditionText(await eventing.trigger('t'), 'DependencyReady')).toContain('Unknown DependencyNotConfigured')
  })

  test('of a kind that is not served is unknown', async () => {
    const trigger = await create('t', {}, dependency({ apiVersion: 'example.com/v1', kind: 'Thing', name: 'x' }))
    expect(conditionText(trigger, 'DependencyReady')).toBe(
      'Unknown ListerDoesNotExist: Failed to retrieve lister: the server could not find the requested resource',
    )
  })
})

describe('authentication-oidc', () => {
  test('gives a Trigger an account of its own, through which replies and dead letters go too; switched off, it is gone', async () => {
    await eventing.setConfig('config-features', { 'authentication-oidc': 'enabled' })
    await eventing.create(brokerKind, 'default', {})
    const trigger = await create('t', { delivery: { retry: 1, deadLetterSink: { uri: 'http://dead' } } })
    const name = 't-oidc-eventing.knative.dev-trigger'
    expect(trigger.status?.auth).toEqual({ serviceAccountName: name })
    expect(conditionText(trigger, 'OIDCIdentityCreated')).toBe('True')
    const account = await eventing.get(serviceAccountKind, name)
    expect(account.metadata).toMatchObject({
      labels: { 'eventing.knative.dev/oidc': 'enabled' },
      annotations: { description: 'Service Account for OIDC Authentication for Trigger "t"' },
      ownerReferences: [{ kind: 'Trigger', name: 't', blockOwnerDeletion: false }],
    })
    const url = `http://broker-filter.knative-eventing.svc.cluster.local/triggers/default/t/${trigger.metadata.uid}`
    expect((await subscription()).spec).toMatchObject({
      subscriber: { uri: url, audience: 'mt-broker-filter' },
      reply: { uri: `${url}/reply`, audience: 'mt-broker-filter' },
      delivery: { retry: 1, deadLetterSink: { uri: `${url}/dls`, audience: 'mt-broker-filter' } },
    })
    await eventing.setConfig('config-features', {})
    expect((await eventing.trigger('t')).status).not.toHaveProperty('auth')
    expect(await eventing.client.find(serviceAccountKind, { namespace: 'default', name })).toBeUndefined()
    expect((await subscription()).spec.reply?.ref?.kind).toBe('Broker')
  })
})

describe('cross-namespace-event-links', () => {
  const far = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', namespace: 'other', name: 'far' }
  const spec = { broker: undefined, brokerRef: far }

  test('lets a Trigger take the events of a Broker in another namespace, if its maker may subscribe there', async () => {
    await eventing.setConfig('config-features', { 'cross-namespace-event-links': 'enabled' })
    await eventing.create(brokerKind, 'far', {}, { namespace: 'other' })
    await expect(create('t', spec)).rejects.toThrow(
      'denied the request: validation failed: user jane is not authorized to get target resource in namespace: other: spec.BrokerNamespace',
    )
    const rules = [{ apiGroups: ['eventing.knative.dev'], resources: ['brokers'], verbs: ['knsubscribe'] }]
    const metadata = { namespace: 'other', name: 'subscribers' }
    await eventing.admin.create(roleKind, { metadata, rules })
    await eventing.admin.create(roleBindingKind, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'subscribers' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    })
    const trigger = await create('t', spec)
    expect(trigger.metadata.labels).toMatchObject({ 'eventing.knative.dev/broker': 'far' })
    expect(conditionText(trigger, 'BrokerReady')).toBe('True')
    expect((await subscription()).spec.channel).toMatchObject({ namespace: 'other', name: 'far-kne-trigger' })
  })
})
