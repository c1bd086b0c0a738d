import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerKind } from '../../../../src/kinds/broker/kind.js'
import { eventPolicyKind } from '../../../../src/kinds/eventpolicy/kind.js'
import { requestReplyKind } from '../../../../src/kinds/requestreply/kind.js'
import { triggerKind } from '../../../../src/kinds/trigger/kind.js'
import { aTriggerSpec, type Eventing, startEventing } from '../../../support/eventing.js'

const DENIED = 'admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: '

let eventing: Eventing
beforeEach(async () => {
  eventing = await startEventing()
})
afterEach(() => eventing.stop())

/** What the API says against it, without the part that is always the same; `accepted` when it says nothing. */
async function refusal(made: Promise<unknown>): Promise<string> {
  try {
    await made
    return 'accepted'
  } catch (error) {
    const { message, code } = error as { message: string; code: number }
    expect(code).toBe(400)
    return message.startsWith(DENIED) ? message.slice(DENIED.length) : message
  }
}
const broker = (spec: object, annotations?: Record<string, string>) =>
  refusal(eventing.create(brokerKind, 'b', spec, annotations ? { annotations } : {}))
const trigger = (spec: object, annotations?: Record<string, string>) =>
  refusal(eventing.create(triggerKind, 't', aTriggerSpec(spec), annotations ? { annotations } : {}))
const delivery = (entry: object): string => JSON.stringify({ retry: 1, ...entry })

describe('who made an object and who changed its spec', () => {
  test('is written down, and a change of metadata alone changes nothing', async () => {
    const made = await eventing.create(brokerKind, 'b', {})
    expect(made.metadata.annotations).toMatchObject({ 'eventing.knative.dev/creator': 'jane', 'eventing.knative.dev/lastModifier': 'jane' })
    const labelled = await eventing.admin.update(brokerKind, { ...made, metadata: { ...made.metadata, labels: { a: 'b' } } })
    expect(labelled.metadata.annotations).toMatchObject({ 'eventing.knative.dev/lastModifier': 'jane' })
    const { resourceVersion: _, ...metadata } = (await eventing.broker('b')).metadata
    const changed = await eventing.admin.patch(brokerKind, metadata, {
      type: 'application/merge-patch+json',
      body: { spec: { delivery: { retry: 2 } } },
    })
    expect(changed.metadata.annotations).toMatchObject({
      'eventing.knative.dev/creator': 'jane',
      'eventing.knative.dev/lastModifier': 'root',
    })
  })

  test('a field that the type does not know is refused by name where the definition would keep it', async () => {
    const mutation =
      'admission webhook "webhook.eventing.knative.dev" denied the request: mutation failed: cannot decode incoming new object: json: unknown field '
    expect(await trigger({ colour: 'blue' })).toBe(`${mutation}"colour"`)
    expect(await broker({ delivery: { retries: 3 } })).toBe(`${mutation}"retries"`)
  })
})

describe('defaults of a Broker', () => {
  const setDefaults = (text: string) => eventing.setConfig('config-br-defaults', { 'default-br-config': text })
  const spec = async (metadata: object = {}, given: object = {}) => {
    const made = await eventing.create(brokerKind, 'b', given, metadata)
    return { class: made.metadata.annotations?.['eventing.knative.dev/broker.class'], ...made.spec }
  }

  test('come from the cluster’s entry', async () => {
    expect(await spec()).toEqual({
      class: 'MTChannelBasedBroker',
      config: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'knative-eventing', name: 'config-br-default-channel' },
      delivery: { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' },
    })
  })

  const BOTH = `
clusterDefault: {brokerClass: Cluster, apiVersion: v1, kind: ConfigMap, name: of-cluster, namespace: x, delivery: ${delivery({})},
  brokerClasses: {Special: {apiVersion: v1, kind: ConfigMap, name: of-cluster-class, delivery: ${delivery({ retry: 2 })}}}}
namespaceDefaults:
  default: {brokerClass: Ours, apiVersion: v1, kind: ConfigMap, name: of-namespace, delivery: ${delivery({ retry: 3, timeout: 'PT1S', format: 'json' })},
    brokerClasses: {Special: {apiVersion: v1, kind: ConfigMap, name: of-namespace-class}}}
`
  const ofClass = (name: string) => ({ annotations: { 'eventing.knative.dev/broker.class': name } })

  test.each([
    ['no class', {}, 'Ours', 'of-namespace', 3],
    ['the class of the namespace’s entry', ofClass('Ours'), 'Ours', 'of-namespace', 3],
    ['a class with an entry of its own', ofClass('Special'), 'Special', 'of-namespace-class', undefined],
    ['any other class', ofClass('Unheard'), 'Unheard', 'of-cluster', 1],
    ['no class, in a namespace without an entry', { namespace: 'other' }, 'Cluster', 'of-cluster', 1],
    ['a class with a cluster-wide entry', { ...ofClass('Special'), namespace: 'other' }, 'Special', 'of-cluster-class', 2],
  ])('for a Broker with %s', async (_, metadata, brokerClass, config, retry) => {
    await setDefaults(BOTH)
    const made = await spec(metadata)
    expect([made.class, made.config?.name, made.delivery?.retry]).toEqual([brokerClass, config, retry])
  })

  test('take four fields of the delivery only, and the namespace for a reference that has none', async () => {
    await setDefaults(BOTH)
    const made = await spec()
    expect(made.delivery).toEqual({ retry: 3 })
    expect(made.config?.namespace).toBe('default')
  })

  test('of a Broker with a configuration of its own are the cluster’s, even where its namespace has an entry', async () => {
    await setDefaults(BOTH)
    expect((await spec({}, { config: { apiVersion: 'v1', kind: 'ConfigMap', name: 'own' } })).delivery).toEqual({ retry: 1 })
  })

  test('leave alone what is there, an empty delivery included', async () => {
    expect((await spec({}, { delivery: {} })).delivery).toEqual({})
  })

  test('that are not set up, or are no YAML, leave a Broker without a class, which is refused', async () => {
    await setDefaults('')
    expect(await broker({})).toBe('missing field(s): eventing.knative.dev/broker.class')
    await setDefaults('{ broken')
    expect(await broker({})).toBe('missing field(s): eventing.knative.dev/broker.class')
  })
})

describe('rules for a Broker', () => {
  test.each([
    [{ config: {} }, 'missing field(s): spec.config.apiVersion, spec.config.kind, spec.config.name'],
    [{ delivery: { backoffPolicy: 'often' } }, 'invalid value: often: spec.delivery.backoffPolicy'],
    [{ delivery: { retryAfterMax: 'PT1S' } }, 'must not set the field(s): spec.delivery.retryAfterMax'],
    [{ delivery: { timeout: 'PT1S' } }, 'accepted'],
  ])('a Broker with %j is told: %s', async (spec, text) => {
    expect(await broker(spec)).toBe(text)
  })

  test('the flags of delivery are live', async () => {
    await eventing.setConfig('config-features', { 'delivery-timeout': 'Disabled', 'delivery-retryafter': 'enabled' })
    expect(await broker({ delivery: { retryAfterMax: 'PT1S' } })).toBe('accepted')
    expect(await trigger({ delivery: { timeout: 'PT1S' } })).toBe('must not set the field(s): spec.delivery.timeout')
  })

  test('a configuration in another namespace is refused where an entry disallows it', async () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'other', name: 'c' }
    await eventing.setConfig('config-br-defaults', {
      'default-br-config': 'clusterDefault: {brokerClass: MTChannelBasedBroker, disallowDifferentNamespaceConfig: true}',
    })
    expect(await broker({ config })).toBe(
      'mismatched namespaces: spec.config.namespace\nparent namespace: "default" does not match ref: "other"',
    )
    await eventing.setConfig('config-br-defaults', { 'default-br-config': 'clusterDefault: {brokerClass: MTChannelBasedBroker}' })
    expect(await broker({ config })).toBe('accepted')
  })

  test('only the delivery may change', async () => {
    await eventing.create(brokerKind, 'b', {})
    const change = (body: object) =>
      refusal(eventing.client.patch(brokerKind, { namespace: 'default', name: 'b' }, { type: 'application/merge-patch+json', body }))
    expect(await change({ spec: { delivery: null } })).toBe('accepted')
    expect(await change({ spec: { config: { name: 'other' } } })).toBe(
      'Immutable fields changed (-old +new): spec\n{v1.BrokerSpec}.Config.Name:\n\t-: "config-br-default-channel"\n\t+: "other"\n',
    )
    expect(await change({ metadata: { annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } } })).toBe(
      'Immutable annotations changed (-old +new): annotations\n{string}:\n\t-: "MTChannelBasedBroker"\n\t+: "Kafka"\n',
    )
  })
})

describe('defaults of a Trigger', () => {
  test('an empty filter, namespaces of references, and the label of its Broker, which is put back on every write', async () => {
    const ref = { apiVersion: 'v1', kind: 'Service', name: 's' }
    const made = await eventing.create(triggerKind, 't', aTriggerSpec({ subscriber: { ref } }), {
      labels: { 'eventing.knative.dev/broker': 'forged' },
    })
    expect(made.spec).toEqual({ broker: 'default', filter: {}, subscriber: { ref: { ...ref, namespace: 'default' } } })
    expect(made.metadata.labels).toEqual({ 'eventing.knative.dev/broker': 'default' })
  })
})

describe('rules for a Trigger', () => {
  const attributeName = 'Attribute name must start with a letter and can only contain lowercase alphanumeric'
  const exact = (name: string) => ({ exact: { [name]: 'x' } })

  test.each<[why: string, spec: object, text: string]>([
    ['no Broker', { broker: '' }, 'missing field(s): spec.broker'],
    [
      'both spellings of the Broker',
      { brokerRef: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'b' } },
      'expected exactly one, got both: spec.broker, spec.brokerRef',
    ],
    [
      'a Broker of another namespace, without the flag',
      { broker: '', brokerRef: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'b', namespace: 'other' } },
      'must not set the field(s): spec.namespace\nonly name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled',
    ],
    ['no subscriber', { subscriber: {} }, 'expected at least one, got none: spec.subscriber.ref, spec.subscriber.uri'],
    [
      'a name of an attribute in capitals',
      { filter: { attributes: { Foo: 'x', ok: 'y' } } },
      `invalid key name "Foo": spec.filter.attributes[Foo]\n${attributeName}`,
    ],
    [
      'a bad name in the last filter',
      { filters: [exact('a'), exact('1b')] },
      `invalid key name "1b": spec.filters[1].exact[1b]\n${attributeName}`,
    ],
    [
      'a bad name in the first of three filters, filed under all later ones',
      { filters: [exact('A'), exact('b'), exact('c')] },
      `invalid key name "A": spec.filters[2][1][0].exact[A]\n${attributeName}`,
    ],
    [
      'nested filters',
      { filters: [{ any: [{ not: { suffix: { 'a-b': 'x' } } }] }] },
      `invalid key name "a-b": spec.filters[0].any[0].not.suffix[a-b]\n${attributeName}`,
    ],
    [
      'two dialects in one filter',
      { filters: [{ exact: { a: 'b' }, cesql: 'true' }] },
      'multiple dialects found, filters can have only one dialect set: ',
    ],
    ['an empty map beside a dialect', { filters: [{ exact: {}, cesql: 'true' }] }, 'accepted'],
  ])('a Trigger with %s', async (_, spec, text) => {
    expect(await trigger(spec)).toBe(text)
  })

  test('a CESQL expression that cannot be read is refused with the reason', async () => {
    expect(await trigger({ filters: [{ cesql: 'type = (' }] })).toMatch(/^invalid value: type = \(: spec\.filters\[0\]\.cesql\n./)
  })

  test('the Broker never changes; everything else may', async () => {
    await eventing.create(triggerKind, 't', aTriggerSpec())
    const change = (spec: object) =>
      refusal(
        eventing.client.patch(triggerKind, { namespace: 'default', name: 't' }, { type: 'application/merge-patch+json', body: { spec } }),
      )
    expect(await change({ broker: 'other' })).toBe(
      'Immutable fields changed (-old +new): broker, spec\n{string}:\n\t-: "default"\n\t+: "other"\n',
    )
    expect(await change({ filters: [exact('a')], subscriber: { uri: 'http://y' }, delivery: { retry: 1 } })).toBe('accepted')
  })

  const dependencyPath = 'metadata.annotations[knative.dev/dependency]'
  test.each([
    [
      'knative.dev/dependency',
      'zzz',
      `The provided annotation was not a corev1.ObjectReference: "zzz": ${dependencyPath}\ninvalid character 'z' looking for beginning of value`,
    ],
    ['knative.dev/dependency', '{}', `missing field(s): ${dependencyPath}.apiVersion, ${dependencyPath}.kind, ${dependencyPath}.name`],
    [
      'knative.dev/dependency',
      '{"apiVersion":"v1","kind":"Service","name":"x","namespace":"other"}',
      `Namespace must be empty or equal to the trigger namespace "default": ${dependencyPath}.namespace`,
    ],
    ['knative.dev/dependency', '{"apiVersion":"v1","kind":"Service","name":"x","namespace":"default"}', 'accepted'],
    [
      'eventing.knative.dev/injection',
      'yes',
      'The provided injection annotation value can only be "enabled" or "disabled", not "yes": metadata.annotations[eventing.knative.dev/injection]',
    ],
    ['eventing.knative.dev/injection', 'enabled', 'accepted'],
  ])('annotation %s: %s', async (key, value, text) => {
    expect(await trigger({}, { [key]: value })).toBe(text)
  })

  test('annotation eventing.knative.dev/injection is for Broker default only', async () => {
    expect(await trigger({ broker: 'other' }, { 'eventing.knative.dev/injection': 'enabled' })).toBe(
      'The provided injection annotation is only used for default broker, but non-default broker specified here: "other": metadata.annotations[eventing.knative.dev/injection]',
    )
  })
})

describe('rules for an EventPolicy', () => {
  const policy = (spec: object) => refusal(eventing.create(eventPolicyKind, 'p', spec))

  test('none is taken while authentication-oidc is off; what is there can still be relabelled and deleted', async () => {
    expect(await policy({})).toBe('oidc-authentication feature not enabled: ')
    await eventing.setConfig('config-features', { 'authentication-oidc': 'enabled' })
    expect(await policy({ from: [{ sub: 'me' }] })).toBe('accepted')
    await eventing.setConfig('config-features', {})
    const change = (body: object) =>
      refusal(eventing.client.patch(eventPolicyKind, { namespace: 'default', name: 'p' }, { type: 'application/merge-patch+json', body }))
    expect(await change({ metadata: { labels: { a: 'b' } } })).toBe('accepted')
    expect(await change({ spec: { from: [] } })).toBe('oidc-authentication feature not enabled: ')
    await eventing.remove(eventPolicyKind, 'p')
  })

  test.each<[spec: object, text: string]>([
    [{ from: [{}] }, 'expected exactly one, got neither: spec.from[0].ref, spec.from[0].sub'],
    [{ to: [{}] }, 'expected exactly one, got neither: spec.to[0].ref, spec.to[0].selector'],
    [
      { from: [{ sub: 'x', ref: { apiVersion: 'v1', kind: 'A', name: 'a' } }] },
      'expected exactly one, got both: spec.from[0].ref, spec.from[0].sub',
    ],
    [{ from: [{ sub: 'a*b' }] }, "invalid value: a*b: spec.from[0].sub\n'*' is only allowed as suffix"],
    [{ from: [{ sub: 'a*' }, { sub: '*' }] }, 'accepted'],
    [{ to: [{ ref: { kind: 'Broker' } }] }, 'missing field(s): spec.to[0].ref.apiVersion, spec.to[0].ref.name'],
    [
      { filters: [{ prefix: { A: 'x' } }, {}] },
      'invalid key name "A": spec.filters[1][0].prefix[A]\nAttribute name must start with a letter and can only contain lowercase alphanumeric',
    ],
  ])('an EventPolicy with %j is told: %s', async (spec, text) => {
    await eventing.setConfig('config-features', { 'authentication-oidc': 'enabled' })
    expect(await policy(spec)).toBe(text)
  })
})

describe('a RequestReply', () => {
  const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' }
  const requestReply = (spec: object) => refusal(eventing.create(requestReplyKind, 'rr', { brokerRef, ...spec }))
  const core = 'must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)'

  test('has defaults for its attributes and its timeout', async () => {
    await eventing.setConfig('config-features', { 'requestreply-default-timeout': 'PT5S' })
    const made = await eventing.create(requestReplyKind, 'rr', { brokerRef })
    expect(made.spec).toEqual({ brokerRef, correlationAttribute: 'correlationid', replyAttribute: 'replyid', timeout: 'PT5S' })
    expect(made.metadata.labels).toEqual({ 'eventing.knative.dev/broker': 'default' })
  })

  test.each<[spec: object, text: string]>([
    [{ brokerRef: { ...brokerRef, kind: 'broker' } }, 'accepted'],
    [{ brokerRef: { ...brokerRef, kind: 'Channel' } }, 'invalid value: Channel: spec.brokerRef.kind\nbrokerRef kind must be Broker'],
    [{ brokerRef: { ...brokerRef, namespace: 'default' } }, 'must not set the field(s): spec.brokerRef.namespace'],
    [{ timeout: 'PT0S' }, 'invalid value: PT0S: spec.timeout'],
    [{ timeout: '-PT1S' }, 'invalid value: -PT1S: spec.timeout'],
    [{ correlationAttribute: 'type' }, `invalid value: type: spec.correlationattribute\ncorrelationattribute ${core}`],
    [{ replyAttribute: 'source' }, 'accepted'],
    [{ replyAttribute: 'course' }, `invalid value: course: spec.replyattribute\nreplyattribute ${core}`],
  ])('a RequestReply with %j is told: %s', async (spec, text) => {
    expect(await requestReply(spec)).toBe(text)
  })
})
