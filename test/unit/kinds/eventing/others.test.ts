import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerKind } from '../../../../src/kinds/broker/kind.js'
import { namespaceKind } from '../../../../src/kinds/core/namespace/kind.js'
import { secretKind } from '../../../../src/kinds/core/secret/kind.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import { eventPolicyKind } from '../../../../src/kinds/eventpolicy/kind.js'
import { eventTypeKind, eventTypeV1beta1Kind, eventTypeV1beta3Kind } from '../../../../src/kinds/eventtype/kind.js'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { requestReplyKind } from '../../../../src/kinds/requestreply/kind.js'
import { triggerKind } from '../../../../src/kinds/trigger/kind.js'
import { aTriggerSpec, conditionText, type Eventing, startEventing } from '../../../support/eventing.js'

let eventing: Eventing
beforeEach(async () => {
  eventing = await startEventing()
})
afterEach(() => eventing.stop())

const inDefault = (name: string) => ({ namespace: 'default', name })

describe('an EventType', () => {
  const reference = { apiVersion: 'v1', kind: 'Service', name: 'sink' }

  test('says whether what it refers to is there, and follows it', async () => {
    const without = await eventing.create(eventTypeKind, 'without', { type: 'a' })
    expect(conditionText(without, 'ReferenceExists')).toBe('True ReferenceNotSet: spec.reference is not set')
    const made = await eventing.create(eventTypeKind, 'with', { type: 'a', reference })
    expect(made.spec.reference?.namespace).toBe('default')
    expect(conditionText(made, 'Ready')).toBe('False ResourceDoesNotExist: Resource in spec.reference does not exist')
    await eventing.create(coreServiceKind, 'sink', { ports: [{ port: 80 }] })
    expect(conditionText(await eventing.get(eventTypeKind, 'with'), 'Ready')).toBe('True')
  })

  test('written as v1beta2 shows its attributes in v1beta3', async () => {
    await eventing.create(eventTypeKind, 'et', { type: 'a', source: '/s', schemaData: '{}', schema: 'http://schema', reference })
    const { apiVersion, spec, metadata } = await eventing.get(eventTypeV1beta3Kind, 'et')
    expect({ apiVersion, generation: metadata.generation, spec }).toEqual({
      apiVersion: 'eventing.knative.dev/v1beta3',
      generation: 1,
      spec: {
        attributes: [
          { name: 'specversion', required: true },
          { name: 'id', required: true },
          { name: 'type', required: true, value: 'a' },
          { name: 'source', required: true, value: '/s' },
          { name: 'schemadata', required: false, value: '{}' },
        ],
        reference: { ...reference, namespace: 'default' },
      },
    })
    expect((await eventing.get(eventTypeV1beta1Kind, 'et')).spec.schema).toBe('http://schema')
  })

  test('written as v1beta3 is neither defaulted nor refused; attributes other than three are not stored', async () => {
    const attributes = [
      { name: 'type', required: true, value: 'a' },
      { name: 'colour', required: false, value: 'red' },
    ]
    await eventing.create(eventTypeV1beta3Kind, 'et', { attributes, reference, description: 'd' })
    const stored = await eventing.get(eventTypeKind, 'et')
    expect(stored.spec).toEqual({ type: 'a', reference, description: 'd' })
    expect(stored.metadata.annotations).toBeUndefined()
    expect(await eventing.create(eventTypeV1beta3Kind, 'empty', {})).toMatchObject({ spec: {} })
    await expect(eventing.create(eventTypeKind, 'bad', {})).rejects.toThrow('validation failed: missing field(s): spec.type')
  })

  test('in v1beta1 comes with a warning', async () => {
    const warnings: string[] = []
    const onWarning = (text: string) => void warnings.push(text)
    await eventing.client.create(eventTypeV1beta1Kind, { metadata: inDefault('old'), spec: { type: 'a' } }, { onWarning })
    expect(warnings.join()).toContain('eventing.knative.dev/v1beta1 EventType is deprecated; see https://knative.dev/docs/')
    expect((await eventing.get(eventTypeKind, 'old')).spec.type).toBe('a')
  })

  test('is patched in one version and seen in the other', async () => {
    await eventing.create(eventTypeKind, 'et', { type: 'a' })
    await eventing.client.patch(eventTypeV1beta3Kind, inDefault('et'), {
      type: 'application/merge-patch+json',
      body: { spec: { description: 'new' } },
    })
    expect((await eventing.get(eventTypeKind, 'et')).spec).toEqual({ type: 'a', description: 'new' })
    expect((await eventing.client.list(eventTypeV1beta3Kind, 'default')).map(({ kind, apiVersion }) => `${apiVersion} ${kind}`)).toEqual([
      'eventing.knative.dev/v1beta3 EventType',
    ])
  })
})

describe('an EventPolicy', () => {
  beforeEach(() => eventing.setConfig('config-features', { 'authentication-oidc': 'enabled' }))
  const reason = async (name: string) => conditionText(await eventing.broker(name), 'EventPoliciesReady')
  const to = (name: string) => [{ ref: { apiVersion: 'eventing.knative.dev/v9', kind: 'broker', name } }]

  test('admits the accounts of what it names, and follows them', async () => {
    await eventing.create(brokerKind, 'default', {})
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 't' }
    const policy = await eventing.create(eventPolicyKind, 'p', { to: to('another'), from: [{ ref }, { sub: 'system:serviceaccount:*' }] })
    expect(policy.spec?.from?.[0]?.ref?.namespace).toBe('default')
    expect(conditionText(policy, 'Ready')).toContain('False SubjectsNotResolved: could not resolve subjects from reference: ')
    expect(conditionText(policy, 'Ready')).toContain('triggers.eventing.knative.dev "t" not found')
    await eventing.create(triggerKind, 't', aTriggerSpec())
    const later = await eventing.get(eventPolicyKind, 'p')
    expect(later.status?.from).toEqual(['system:serviceaccount:default:t-oidc-eventing.knative.dev-trigger', 'system:serviceaccount:*'])
    expect(conditionText(later, 'Ready')).toBe('True')
  })

  test('is listed by what it applies to, by name; one that is not ready keeps those from being ready', async () => {
    await eventing.create(brokerKind, 'a', {})
    await eventing.create(brokerKind, 'b', {})
    expect(await reason('a')).toBe('True DefaultAuthorizationMode: Default authz mode is "Allow-Same-Namespace"')
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', name: 'missing' }
    await eventing.create(eventPolicyKind, 'z', { to: to('a'), from: [{ sub: 'x' }] })
    await eventing.create(eventPolicyKind, 'm', { to: to('a'), from: [{ sub: 'x' }] })
    expect(await reason('a')).toBe('True')
    expect((await eventing.broker('a')).status?.policies?.map(({ name }) => name)).toEqual(['m', 'z'])
    await eventing.create(eventPolicyKind, 'n', { to: to('a'), from: [{ ref }] })
    await eventing.create(eventPolicyKind, 'o', { to: to('a'), from: [{ ref }] })
    expect(await reason('a')).toBe('False EventPoliciesNotReady: event policies n, o are not ready')
    expect((await eventing.broker('a')).status?.policies?.map(({ name }) => name)).toEqual(['m', 'z'])
    expect(await reason('b')).toContain('True DefaultAuthorizationMode')
  })

  test('without targets applies to all of its namespace, with a selector to those with the labels', async () => {
    await eventing.create(brokerKind, 'a', {}, { labels: { team: 'x' } })
    await eventing.create(brokerKind, 'b', {})
    const selector = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', matchLabels: { team: 'x' } }
    await eventing.create(eventPolicyKind, 'labelled', { to: [{ selector }] })
    expect([await reason('a'), await reason('b')]).toEqual(['True', expect.stringContaining('DefaultAuthorizationMode')])
    await eventing.create(eventPolicyKind, 'all', {})
    expect(await reason('b')).toBe('True')
    await eventing.create(eventPolicyKind, 'elsewhere', {}, { namespace: 'other' })
    expect((await eventing.broker('b')).status?.policies?.map(({ name }) => name)).toEqual(['all'])
  })

  test('is not ready once authentication-oidc is switched off', async () => {
    await eventing.create(eventPolicyKind, 'p', { from: [{ sub: 'x' }] })
    await eventing.setConfig('config-features', {})
    const policy = await eventing.get(eventPolicyKind, 'p')
    expect(conditionText(policy, 'Ready')).toBe('False OIDCAuthenticationDisabled')
    expect(policy.status).not.toHaveProperty('from')
  })

  test('default-authorization-mode is named as it is set', async () => {
    await eventing.setConfig('config-features', { 'authentication-oidc': 'enabled', 'default-authorization-mode': 'deny-all' })
    await eventing.create(brokerKind, 'a', {})
    // The policy of its channel is about the channel alone.
    expect(await reason('a')).toBe('True DefaultAuthorizationMode: Default authz mode is "Deny-All"')
  })
})

describe('a RequestReply', () => {
  const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' }
  const system = (name: string) => ({ namespace: 'knative-eventing', name })

  test('has a key, a Trigger by which replies come back, and an address', async () => {
    await eventing.create(brokerKind, 'default', {})
    await eventing.create(requestReplyKind, 'rr', { brokerRef })
    const key = (await eventing.client.get(secretKind, system('request-reply-keys'))).data?.['default.rr.key-0']
    expect(Buffer.from(key ?? '', 'base64')).toHaveLength(32)

    const ready = await eventing.get(requestReplyKind, 'rr')
    expect(conditionText(ready, 'Ready')).toBe('True')
    expect(conditionText(ready, 'EventPoliciesReady')).toBe('True NotImplemented: Event policies not implemented for RequestReply yet')
    const url = 'http://request-reply.knative-eventing.svc.cluster.local/default/rr'
    expect(ready.status).toMatchObject({ desiredReplicas: 1, readyReplicas: 1, address: { name: 'http', url } })
    const trigger = await eventing.trigger('rr0-1')
    expect(trigger.metadata.labels).toMatchObject({
      'eventing.knative.dev/RequestReply.name': 'rr',
      'eventing.knative.dev/RequestReply.namespace': 'default',
      'eventing.knative.dev/RequestReply.dataPlaneReplicas': '1',
    })
    expect(trigger.spec).toMatchObject({
      broker: 'default',
      filters: [{ cesql: 'KN_VERIFY_CORRELATION_ID(replyid, "rr", "default", "request-reply-keys", 0, 1)' }],
      subscriber: { uri: `${url}/reply` },
    })
  })

  test('waits for its Broker, and then for its Trigger', async () => {
    const waiting = await eventing.create(requestReplyKind, 'rr', { brokerRef })
    expect(conditionText(waiting, 'Ready')).toBe('Unknown NotFound: could not get broker: broker.eventing.knative.dev "default" not found')
    expect(conditionText(waiting, 'TriggersReady')).toBe('Unknown TriggersNotReady: not all triggers are ready yet')
    await eventing.setDataPlane('broker-ingress', 'unavailable')
    await eventing.create(brokerKind, 'default', {})
    expect(conditionText(await eventing.get(requestReplyKind, 'rr'), 'BrokerReady')).toBe('False NotReady: broker is not ready')
    await eventing.setDataPlane('broker-ingress', 'ready')
    expect(conditionText(await eventing.get(requestReplyKind, 'rr'), 'Ready')).toBe('True')
  })

  test('keeps the keys that are there, adds none for one of a longer name, and asks for replies by the attribute it names', async () => {
    await eventing.create(brokerKind, 'default', {})
    await eventing.create(requestReplyKind, 'rr.x', { brokerRef })
    await eventing.create(requestReplyKind, 'rr', { brokerRef })
    const keys = await eventing.client.get(secretKind, system('request-reply-keys'))
    expect(Object.keys(keys.data ?? {})).toEqual(['default.rr.x.key-0', 'default.rr.key-0'])
    await eventing.change(requestReplyKind, 'rr', (object) => ({ ...object, spec: { ...object.spec, replyAttribute: 'answerto' } }))
    expect((await eventing.client.get(secretKind, system('request-reply-keys'))).data).toEqual(keys.data)
    expect((await eventing.trigger('rr0-1')).spec.filters?.[0]?.cesql).toMatch(/^KN_VERIFY_CORRELATION_ID\(answerto, /)
  })
})

describe('Brokers that make themselves', () => {
  const label = async (name: string, labels: Record<string, string>) => {
    await eventing.client.patch(namespaceKind, { name }, { type: 'application/merge-patch+json', body: { metadata: { labels } } })
    await eventing.settled()
  }

  test('a namespace with the label has a Broker default, again after its deletion, and keeps it without the label', async () => {
    await label('other', { 'eventing.knative.dev/injection': 'enabled' })
    const place = { namespace: 'other', name: 'default' }
    const broker = await eventing.client.get(brokerKind, place)
    expect(broker.metadata.labels).toEqual({ 'eventing.knative.dev/injected': 'true' })
    expect(broker.metadata.ownerReferences).toBeUndefined()
    expect(await eventing.eventsAbout('other')).toEqual(['Normal BrokerCreated: Default eventing.knative.dev Broker created.'])
    await eventing.client.delete(brokerKind, place)
    await eventing.settled()
    expect((await eventing.client.get(brokerKind, place)).metadata.uid).not.toBe(broker.metadata.uid)
    await label('other', { 'eventing.knative.dev/injection': 'disabled' })
    expect(await eventing.client.find(brokerKind, place)).toBeDefined()
    await eventing.client.delete(brokerKind, place)
    await eventing.settled()
    expect(await eventing.client.find(brokerKind, place)).toBeUndefined()
  })

  test('a Trigger with the label has the Broker it names', async () => {
    const labels = { 'eventing.knative.dev/injection': 'enabled' }
    const trigger = await eventing.create(triggerKind, 't', aTriggerSpec({ broker: 'wanted' }), { labels })
    expect(conditionText(trigger, 'Ready')).toBe('True')
    expect((await eventing.broker('wanted')).metadata.labels).toEqual({ 'eventing.knative.dev/injected': 'true' })
    expect(await eventing.eventsAbout('t')).toContain('Normal BrokerCreated: Default eventing.knative.dev Broker "wanted" created.')
    await eventing.create(triggerKind, 'u', aTriggerSpec({ broker: 'unwanted' }))
    expect(await eventing.client.find(brokerKind, inDefault('unwanted'))).toBeUndefined()
  })

  test('so has one with the annotation of old, with a warning', async () => {
    const warnings: string[] = []
    const metadata = { ...inDefault('t'), annotations: { 'knative-eventing-injection': 'enabled' } }
    await eventing.client.create(triggerKind, { metadata, spec: aTriggerSpec() }, { onWarning: (text) => void warnings.push(text) })
    await eventing.settled()
    expect(warnings).toEqual([
      'annotation knative-eventing-injection is no longer a part of Knative: use the label eventing.knative.dev/injection instead',
    ])
    expect(conditionText(await eventing.trigger('t'), 'Ready')).toBe('True')
  })

  test('config-sugar is live: without selectors nothing is made, with an empty one everything', async () => {
    await eventing.setConfig('config-sugar', {})
    await label('other', { 'eventing.knative.dev/injection': 'enabled' })
    expect(await eventing.client.list(brokerKind)).toEqual([])
    await eventing.setConfig('config-sugar', { 'namespace-selector': '{}' })
    const namespaces = (await eventing.client.list(brokerKind)).map(({ metadata }) => metadata.namespace)
    expect(namespaces.sort()).toEqual(['default', 'knative-eventing', 'other'])
    expect(await eventing.client.list(inMemoryChannelKind)).toHaveLength(3)
  })
})
