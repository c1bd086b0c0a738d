import { expect, test } from 'vitest'
import { brokerFrom, brokerText, configReferenceFrom } from '../../../../src/cli/nouns/broker.js'
import { deliveryFrom } from '../../../../src/cli/nouns/delivery.js'
import type { Broker } from '../../../../src/kinds/broker/schema.js'

const ref = { namespace: 'default', name: 'b' }
const sink = { uri: 'http://dead.example.org' }

test('a broker without flags is left to the defaults of the server', () => {
  expect(brokerFrom(ref, {}, undefined)).toEqual({ metadata: { name: 'b', namespace: 'default' }, spec: {} })
})

test('class, configuration and delivery are what the flags say', () => {
  const flags = {
    class: 'MTChannelBasedBroker',
    'broker-config': 'cm:mine:there',
    retry: 3,
    timeout: 'PT10S',
    'backoff-policy': 'linear',
    'backoff-delay': 'PT1S',
    'retry-after-max': 'PT30S',
  }
  expect(brokerFrom(ref, flags, sink)).toEqual({
    metadata: { name: 'b', namespace: 'default', annotations: { 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' } },
    spec: {
      config: { kind: 'ConfigMap', apiVersion: 'v1', name: 'mine', namespace: 'there' },
      delivery: {
        deadLetterSink: sink,
        retry: 3,
        timeout: 'PT10S',
        backoffPolicy: 'linear',
        backoffDelay: 'PT1S',
        retryAfterMax: 'PT30S',
      },
    },
  })
})

test('a configuration needs the class to be given; an empty class is given, and sets none', () => {
  expect(() => brokerFrom(ref, { 'broker-config': 'x' }, undefined)).toThrow('cannot set broker-config without setting class')
  const { metadata, spec } = brokerFrom(ref, { 'broker-config': 'x', class: '' }, undefined)
  expect({ metadata, spec }).toEqual({ metadata: ref, spec: { config: { kind: 'ConfigMap', apiVersion: 'v1', name: 'x' } } })
})

test.each([
  ['mine', { kind: 'ConfigMap', apiVersion: 'v1', name: 'mine' }],
  ['cm:mine', { kind: 'ConfigMap', apiVersion: 'v1', name: 'mine' }],
  ['Secret:mine:ns', { kind: 'Secret', apiVersion: 'v1', name: 'mine', namespace: 'ns' }],
  ['rmq:mine', { kind: 'RabbitmqCluster', apiVersion: 'rabbitmq.com/v1beta1', name: 'mine' }],
  ['x.dev/v1:Thing:mine', { kind: 'Thing', apiVersion: 'x.dev/v1', name: 'mine' }],
  ['x.dev/v1:Thing:mine:ns', { kind: 'Thing', apiVersion: 'x.dev/v1', name: 'mine', namespace: 'ns' }],
])('--broker-config %s is read by the number of its parts', (text, reference) => {
  expect(configReferenceFrom(text)).toEqual(reference)
})

test('an unknown kind with a name alone is refused, and so is one that objects inherit', () => {
  for (const kind of ['Thing', 'constructor']) {
    expect(() => configReferenceFrom(`${kind}:mine`)).toThrow(
      `APIVersion could not be determined for kind "${kind}". Provide config in format: "<apiVersion>:<kind>:<name>:<namespace>"`,
    )
  }
})

test('an update changes what is given and keeps the rest; zero and empty values change nothing', () => {
  const before = { retry: 3, timeout: 'PT10S', deadLetterSink: sink }
  expect(deliveryFrom(before, { retry: 5, 'backoff-delay': 'PT2S' }, undefined)).toEqual({ ...before, retry: 5, backoffDelay: 'PT2S' })
  expect(deliveryFrom(before, { retry: 0, timeout: '', 'backoff-policy': '' }, undefined)).toEqual(before)
  expect(deliveryFrom(undefined, { retry: 0 }, undefined)).toBeUndefined()
})

test('a broker is described with its address and its conditions, without messages', () => {
  const broker: Broker = {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: {
      name: 'b',
      namespace: 'default',
      creationTimestamp: '2026-05-04T11:55:00Z',
      annotations: { 'eventing.knative.dev/broker.class': 'Mine' },
    },
    status: {
      address: { url: 'http://ingress/default/b' },
      conditions: [
        { type: 'Addressable', status: 'True', lastTransitionTime: '2026-05-04T11:59:00Z' },
        { type: 'Ready', status: 'False', reason: 'Broken', message: 'it is', lastTransitionTime: '2026-05-04T11:59:00Z' },
      ],
    },
  }
  const options = { verbose: false, nowMs: Date.parse('2026-05-04T12:00:00Z') }
  expect(brokerText(broker, options)).toBe(
    [
      'Name:         b',
      'Namespace:    default',
      'Annotations:  eventing.knative.dev/broker.class=Mine',
      'Age:          5m',
      '',
      'Address:  ',
      '  URL:    http://ingress/default/b',
      '',
      'Conditions:  ',
      '  OK TYPE           AGE REASON',
      '  !! Ready           1m Broken',
      '  ++ Addressable     1m ',
      '',
    ].join('\n'),
  )
  expect(brokerText({ ...broker, status: {} }, options)).toContain('\n  URL:    \n')
})
