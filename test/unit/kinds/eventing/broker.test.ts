import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerKind } from '../../../../src/kinds/broker/kind.js'
import type { Broker } from '../../../../src/kinds/broker/schema.js'
import { configMapKind } from '../../../../src/kinds/core/configmap/kind.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import { eventPolicyKind } from '../../../../src/kinds/eventpolicy/kind.js'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { conditionText, type Eventing, startEventing } from '../../../support/eventing.js'

let eventing: Eventing
beforeEach(async () => {
  eventing = await startEventing()
})
afterEach(() => eventing.stop())

const channelOf = (broker: string) => eventing.get(inMemoryChannelKind, `${broker}-kne-trigger`)
const texts = (broker: Broker): Record<string, string> =>
  Object.fromEntries((broker.status?.conditions ?? []).map(({ type }) => [type, conditionText(broker, type)]))

describe('a Broker of the built-in class', () => {
  test('becomes ready with an address, a channel of its own, and the address of that in its status', async () => {
    const broker = await eventing.create(brokerKind, 'default', {})
    expect(texts(broker)).toEqual({
      Addressable: 'True',
      DeadLetterSinkResolved: 'True DeadLetterSinkNotConfigured: No dead letter sink is configured.',
      EventPoliciesReady: 'True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization',
      FilterReady: 'True',
      IngressReady: 'True',
      Ready: 'True',
      TriggerChannelReady: 'True',
    })
    expect(broker.status).toMatchObject({
      observedGeneration: 1,
      address: { name: 'http', url: 'http://broker-ingress.knative-eventing.svc.cluster.local/default/default' },
      annotations: {
        'knative.dev/channelAddress': 'http://default-kne-trigger-kn-channel.default.svc.cluster.local',
        'knative.dev/channelAPIVersion': 'messaging.knative.dev/v1',
        'knative.dev/channelKind': 'InMemoryChannel',
        'knative.dev/channelName': 'default-kne-trigger',
      },
    })
    const channel = await channelOf('default')
    expect(channel.metadata).toMatchObject({
      labels: { 'eventing.knative.dev/broker': 'default', 'eventing.knative.dev/brokerEverything': 'true' },
      annotations: { 'eventing.knative.dev/scope': 'cluster' },
      ownerReferences: [{ kind: 'Broker', name: 'default', controller: true, blockOwnerDeletion: true }],
    })
    expect(channel.spec.delivery).toEqual({ retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' })
  })

  test('of another class is left alone: no status at all', async () => {
    const broker = await eventing.create(brokerKind, 'kafka', {}, { annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } })
    expect(broker.status).toBeUndefined()
    expect(await eventing.client.list(inMemoryChannelKind)).toEqual([])
  })

  test('hands annotations of messaging on to its channel, and later changes of them and of its delivery', async () => {
    const annotations = { 'messaging.knative.dev/async-handler': 'true', other: 'x' }
    await eventing.create(brokerKind, 'default', { delivery: { retry: 1 } }, { annotations })
    expect((await channelOf('default')).metadata.annotations).toMatchObject({ 'messaging.knative.dev/async-handler': 'true' })
    expect((await channelOf('default')).metadata.annotations).not.toHaveProperty('other')
    await eventing.change(brokerKind, 'default', (broker) => ({
      ...broker,
      metadata: { ...broker.metadata, annotations: { ...broker.metadata.annotations, 'messaging.knative.dev/async-handler': 'false' } },
      spec: { ...broker.spec, delivery: { retry: 2, backoffDelay: 'PT1S' } },
    }))
    const channel = await channelOf('default')
    expect(channel.metadata.annotations).toMatchObject({ 'messaging.knative.dev/async-handler': 'false' })
    expect(channel.spec.delivery).toEqual({ retry: 2, backoffDelay: 'PT1S' })
  })

  test('does not take a field of its delivery out of the channel until something else differs', async () => {
    await eventing.create(brokerKind, 'default', { delivery: { retry: 1, backoffDelay: 'PT1S' } })
    await eventing.change(brokerKind, 'default', (broker) => ({ ...broker, spec: { ...broker.spec, delivery: { retry: 1 } } }))
    expect((await channelOf('default')).spec.delivery).toEqual({ retry: 1, backoffDelay: 'PT1S' })
    await eventing.change(brokerKind, 'default', (broker) => ({ ...broker, spec: { ...broker.spec, delivery: { retry: 3 } } }))
    expect((await channelOf('default')).spec.delivery).toEqual({ retry: 3 })
  })

  test('gets its channel back when someone deletes it, and takes it along when it goes itself', async () => {
    await eventing.create(brokerKind, 'default', {})
    const { uid } = (await channelOf('default')).metadata
    await eventing.remove(inMemoryChannelKind, 'default-kne-trigger')
    expect((await channelOf('default')).metadata.uid).not.toBe(uid)
    await eventing.remove(brokerKind, 'default')
    expect(await eventing.client.list(inMemoryChannelKind)).toEqual([])
  })

  test('with a name of 63 characters has a channel whose name is cut to that length, with a hash', async () => {
    const name = 'b'.repeat(63)
    expect(conditionText(await eventing.create(brokerKind, name, {}), 'TriggerChannelReady')).not.toBe('none')
    const [channel] = await eventing.client.list(inMemoryChannelKind)
    expect(channel!.metadata.name).toMatch(/^b{19}[0-9a-f]{32}-kne-trigger$/)
  })
})

describe('a Broker whose channel cannot be made', () => {
  const template = async (config: object | undefined, data?: Record<string, string>): Promise<Broker> => {
    if (data) await eventing.client.create(configMapKind, { metadata: { namespace: 'default', name: 'own' }, data })
    return eventing.create(brokerKind, 'default', { config })
  }
  const inDefault = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'own' }

  test.each([
    ['a ConfigMap that is not there', inDefault, undefined, 'configmap "own" not found'],
    ['a ConfigMap without a template', inDefault, {}, 'failed to find channelTemplate'],
    ['an empty template', inDefault, { 'channel-template-spec': '' }, 'empty or missing value for config'],
    [
      'another kind of configuration',
      { ...inDefault, kind: 'Secret' },
      undefined,
      'Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion: v1]',
    ],
  ])('for %s says so, and looks no further', async (_, config, data, why) => {
    const broker = await template(config, data)
    expect(texts(broker)).toMatchObject({
      TriggerChannelReady: `False ChannelTemplateFailed: Error on setting up the ChannelTemplate: ${why}`,
      Ready: `False ChannelTemplateFailed: Error on setting up the ChannelTemplate: ${why}`,
      FilterReady: 'Unknown',
      IngressReady: 'Unknown',
      Addressable: 'Unknown',
    })
    expect(await eventing.eventsAbout('default')).toContain(`Warning InternalError: ${why}`)
  })

  test('becomes ready once its ConfigMap has a template, in the new spelling or the old', async () => {
    await template(inDefault)
    const text = 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\nspec: {delivery: {retry: 7}}\n'
    await eventing.client.create(configMapKind, { metadata: { namespace: 'default', name: 'own' }, data: { channelTemplateSpec: text } })
    await eventing.settled()
    expect(conditionText(await eventing.broker('default'), 'Ready')).toBe('True')
  })

  test('for a kind that is not served is not ready', async () => {
    const broker = await template(inDefault, { 'channel-template-spec': 'apiVersion: example.com/v1\nkind: MyChannel' })
    expect(conditionText(broker, 'TriggerChannelReady')).toBe('False ChannelFailure: the server could not find the requested resource')
  })

  test('whose channel has no address waits for it', async () => {
    await eventing.setDataPlane('imc-dispatcher', 'absent')
    expect(conditionText(await eventing.create(brokerKind, 'default', {}), 'TriggerChannelReady')).toBe(
      'False NoAddress: Channel does not have an address.',
    )
    await eventing.setDataPlane('imc-dispatcher', 'ready')
    expect(conditionText(await eventing.broker('default'), 'Ready')).toBe('True')
  })
})

describe('what a Broker depends on', () => {
  test.each([
    ['broker-ingress', 'IngressReady'],
    ['broker-filter', 'FilterReady'],
  ])('%s has to be there, with endpoints: %s', async (service, condition) => {
    await eventing.create(brokerKind, 'default', {})
    await eventing.setDataPlane(service, 'unavailable')
    const broker = await eventing.broker('default')
    expect(conditionText(broker, condition)).toBe('False EndpointSlicesUnavailable: EndpointSlices are unavailable.')
    // That does not end the reconcile: the address stays.
    expect(conditionText(broker, 'Addressable')).toBe('True')
    await eventing.setDataPlane(service, 'absent')
    expect(conditionText(await eventing.broker('default'), condition)).toBe(`False ServiceFailure: service "${service}" not found`)
    await eventing.setDataPlane(service, 'ready')
    expect(conditionText(await eventing.broker('default'), 'Ready')).toBe('True')
  })

  test('its dead letter sink is resolved into its status, and followed', async () => {
    await eventing.create(coreServiceKind, 'dead', { ports: [{ port: 80 }] })
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'dead' }
    const broker = await eventing.create(brokerKind, 'default', { delivery: { deadLetterSink: { ref } } })
    expect(broker.spec?.delivery?.deadLetterSink?.ref?.namespace).toBe('default')
    expect(texts(broker)).toMatchObject({ DeadLetterSinkResolved: 'True', Ready: 'True' })
    expect(broker.status?.deadLetterSinkUri).toBe('http://dead.default.svc.cluster.local')
    expect((await channelOf('default')).status?.deadLetterSinkUri).toBe('http://dead.default.svc.cluster.local')

    await eventing.remove(coreServiceKind, 'dead')
    const without = await eventing.broker('default')
    const why = 'failed to get object default/dead: services "dead" not found'
    expect(conditionText(without, 'DeadLetterSinkResolved')).toBe(`False Unable to get the dead letter sink's URI: ${why}`)
    expect(conditionText(without, 'Ready')).toBe(`False Unable to get the dead letter sink's URI: ${why}`)
    expect(without.status).not.toHaveProperty('deadLetterSinkUri')
    await eventing.create(coreServiceKind, 'dead', { ports: [{ port: 80 }] })
    expect(conditionText(await eventing.broker('default'), 'Ready')).toBe('True')
  })

  test('a change of the spec is unverified until it is reconciled, and then observed', async () => {
    await eventing.create(brokerKind, 'default', {})
    const broker = await eventing.change(brokerKind, 'default', (before) => ({
      ...before,
      spec: { ...before.spec, delivery: { retry: 0 } },
    }))
    expect(broker.metadata.generation).toBe(2)
    expect(broker.status?.observedGeneration).toBe(2)
    expect(conditionText(broker, 'Ready')).toBe('True')
  })
})

describe('with authentication-oidc', () => {
  test('an address has an audience, and the channel takes events from the ingress alone', async () => {
    await eventing.setConfig('config-features', { 'authentication-oidc': 'enabled' })
    const broker = await eventing.create(brokerKind, 'default', {})
    expect(broker.status?.address?.audience).toBe('eventing.knative.dev/broker/default/default')
    expect(conditionText(broker, 'EventPoliciesReady')).toBe('True DefaultAuthorizationMode: Default authz mode is "Allow-Same-Namespace"')
    const policy = await eventing.get(eventPolicyKind, 'default-ep-default-kne-trigger')
    expect(policy.metadata.labels).toMatchObject({
      'eventing.knative.dev/broker-name': 'default',
      'eventing.knative.dev/broker-kind': 'Broker',
    })
    expect(policy.spec).toMatchObject({
      to: [{ ref: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name: 'default-kne-trigger' } }],
      from: [{ sub: 'system:serviceaccount:knative-eventing:mt-broker-ingress-oidc' }],
    })
    expect((await channelOf('default')).status?.policies).toEqual([
      { apiVersion: 'eventing.knative.dev/v1alpha1', name: 'default-ep-default-kne-trigger' },
    ])
    await eventing.setConfig('config-features', {})
    expect((await eventing.broker('default')).status?.address).not.toHaveProperty('audience')
    expect(await eventing.client.list(eventPolicyKind)).toEqual([])
  })
})
