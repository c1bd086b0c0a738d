import { describe, expect, test } from 'vitest'
import { type FieldError, fieldErrorText } from '../../../../src/apimachinery/field-error.js'
import type { Identity } from '../../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../../src/apimachinery/object.js'
import { defaultChannel } from '../../../../src/kinds/channel/defaults.js'
import type { Channel } from '../../../../src/kinds/channel/schema.js'
import { validateChannel } from '../../../../src/kinds/channel/validate.js'
import { defaultInMemoryChannel } from '../../../../src/kinds/inmemorychannel/defaults.js'
import type { InMemoryChannel } from '../../../../src/kinds/inmemorychannel/schema.js'
import { validateInMemoryChannel } from '../../../../src/kinds/inmemorychannel/validate.js'
import { defaultParallel } from '../../../../src/kinds/parallel/defaults.js'
import type { Parallel } from '../../../../src/kinds/parallel/schema.js'
import { validateParallel } from '../../../../src/kinds/parallel/validate.js'
import { defaultSequence } from '../../../../src/kinds/sequence/defaults.js'
import type { Sequence } from '../../../../src/kinds/sequence/schema.js'
import { validateSequence } from '../../../../src/kinds/sequence/validate.js'
import { defaultSubscription } from '../../../../src/kinds/subscription/defaults.js'
import type { Subscription } from '../../../../src/kinds/subscription/schema.js'
import { validateSubscription } from '../../../../src/kinds/subscription/validate.js'
import { anAdmission } from '../../../support/serving.js'

const text = (error: FieldError | undefined): string => (error ? fieldErrorText(error) : '')
const anObject = <T extends KubeObject & { spec: unknown }>(kind: string, spec: object, annotations?: Record<string, string>): T =>
  ({
    apiVersion: 'messaging.knative.dev/v1',
    kind,
    metadata: { name: 'it', namespace: 'default', ...(annotations && { annotations }) },
    spec,
  }) as unknown as T

const template = { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' }
const ref = { apiVersion: 'v1', kind: 'Service', name: 'there' }
const CHANNEL_DEFAULTS = {
  'default-ch-webhook': {
    'default-ch-config': [
      'clusterDefault: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel, spec: {delivery: {retry: 4}}}',
      'namespaceDefaults:',
      '  special: {apiVersion: messaging.knative.dev/v1beta1, kind: KafkaChannel}',
    ].join('\n'),
  },
}

describe('defaults', () => {
  test('a Channel gets the template of its namespace, or of the cluster; what it names itself stays', () => {
    const context = anAdmission<Channel>({ config: CHANNEL_DEFAULTS })
    const plain = anObject<Channel>('Channel', {})
    defaultChannel(plain, context)
    expect(plain.spec.channelTemplate).toEqual({ ...template, spec: { delivery: { retry: 4 } } })

    const special = anObject<Channel>('Channel', {})
    special.metadata.namespace = 'special'
    defaultChannel(special, context)
    expect(special.spec.channelTemplate).toEqual({ apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel' })

    const own = anObject<Channel>('Channel', { channelTemplate: { apiVersion: 'x/v1', kind: 'X' } })
    defaultChannel(own, context)
    expect(own.spec.channelTemplate).toEqual({ apiVersion: 'x/v1', kind: 'X' })
  })

  test('channels say by which version of the contract they are subscribed to, unless they say another', () => {
    const channel = anObject<Channel>('Channel', {})
    defaultChannel(channel, anAdmission())
    expect(channel.metadata.annotations).toEqual({ 'messaging.knative.dev/subscribable': 'v1' })

    const older = anObject<InMemoryChannel>('InMemoryChannel', {}, { 'messaging.knative.dev/subscribable': 'v1beta1', mine: 'x' })
    defaultInMemoryChannel(older)
    expect(older.metadata.annotations).toEqual({ 'messaging.knative.dev/subscribable': 'v1beta1', mine: 'x' })
  })

  test('references without a namespace get that of the object', () => {
    const inDefault = { ref: { ...ref, namespace: 'default' } }
    const delivery = () => ({ deadLetterSink: { ref: { ...ref } } })
    const subscription = anObject<Subscription>('Subscription', {
      subscriber: { ref: { ...ref } },
      reply: { ref: { ...ref } },
      delivery: delivery(),
    })
    defaultSubscription(subscription)
    expect(subscription.spec).toEqual({ subscriber: inDefault, reply: inDefault, delivery: { deadLetterSink: inDefault } })

    const sequence = anObject<Sequence>('Sequence', { steps: [{ ref: { ...ref }, delivery: delivery() }], reply: { ref: { ...ref } } })
    defaultSequence(sequence, anAdmission())
    expect(sequence.spec).toEqual({ steps: [{ ...inDefault, delivery: { deadLetterSink: inDefault } }], reply: inDefault })

    const branch = { filter: { ref: { ...ref } }, subscriber: { ref: { ...ref } }, reply: { ref: { ...ref } }, delivery: delivery() }
    const parallel = anObject<Parallel>('Parallel', { branches: [branch] })
    defaultParallel(parallel, anAdmission())
    expect(parallel.spec.branches).toEqual([
      { filter: inDefault, subscriber: inDefault, reply: inDefault, delivery: { deadLetterSink: inDefault } },
    ])
  })

  test('Sequence and Parallel get the template of the cluster, even where their namespace has one of its own', () => {
    const context = { config: CHANNEL_DEFAULTS }
    const sequence = anObject<Sequence>('Sequence', { steps: [] })
    sequence.metadata.namespace = 'special'
    defaultSequence(sequence, anAdmission(context))
    expect(sequence.spec.channelTemplate!.kind).toBe('InMemoryChannel')

    const parallel = anObject<Parallel>('Parallel', { branches: [] })
    parallel.metadata.namespace = 'special'
    defaultParallel(parallel, anAdmission(context))
    expect(parallel.spec.channelTemplate!.kind).toBe('InMemoryChannel')
  })
})

describe('a Channel', () => {
  test.each<[what: string, spec: object, refusal: string]>([
    ['is accepted', { channelTemplate: template }, ''],
    ['needs a template', {}, 'missing field(s): spec.channelTemplate'],
    ['needs a kind in it', { channelTemplate: { apiVersion: 'x/v1' } }, 'missing field(s): spec.channelTemplate.kind'],
    ['needs an apiVersion in it', { channelTemplate: { kind: 'X' } }, 'missing field(s): spec.channelTemplate.apiVersion'],
    [
      'has no subscribers',
      { channelTemplate: template, subscribers: [{ uid: 'x' }] },
      'must not set the field(s): spec.subscribable.subscribers',
    ],
    ['has a sound delivery', { channelTemplate: template, delivery: { retry: -1 } }, 'invalid value: -1: spec.delivery.retry'],
  ])('%s', (_, spec, refusal) => {
    expect(text(validateChannel(anObject('Channel', spec), anAdmission()))).toBe(refusal)
  })

  test('never changes its spec', () => {
    const old = anObject<Channel>('Channel', { channelTemplate: template })
    const change = (spec: object) => text(validateChannel(anObject('Channel', spec), anAdmission({ old })))
    expect(change({ channelTemplate: template })).toBe('')
    expect(change({ channelTemplate: template, delivery: { retry: 1 } })).toMatch(/^Immutable fields changed \(-old \+new\): spec\n/)
    expect(change({ channelTemplate: { ...template, kind: 'Other' } })).toBe(
      'Immutable fields changed (-old +new): spec\n{v1.ChannelSpec}.channelTemplate.kind:\n\t-: "InMemoryChannel"\n\t+: "Other"\n',
    )
  })
})

describe('an InMemoryChannel', () => {
  const subscribers = [{ uid: 'x', subscriberUri: 'http://a.example.com' }]
  const validate = (spec: object, options: { user?: Identity; old?: InMemoryChannel; annotations?: Record<string, string> } = {}) => {
    const { annotations, ...context } = options
    return text(validateInMemoryChannel(anObject('InMemoryChannel', spec, annotations), anAdmission(context)))
  }

  test('knows two scopes', () => {
    expect(validate({}, { annotations: { 'eventing.knative.dev/scope': 'namespace' } })).toBe('')
    expect(validate({}, { annotations: { 'eventing.knative.dev/scope': 'galaxy' } })).toBe(
      "invalid value: galaxy: metadata.annotations[eventing.knative.dev/scope]\nexpected either 'cluster' or 'namespace'",
    )
  })

  test('takes any delivery', () => {
    expect(validate({ delivery: { retry: -1, backoffPolicy: 'sometimes' } })).toBe('')
  })

  test('has no subscriber that leads nowhere', () => {
    expect(validate({ subscribers: [...subscribers, { uid: 'y' }] })).toBe(
      'missing field(s): spec.subscribable.subscriber[1].replyURI, spec.subscribable.subscriber[1].subscriberURI\nexpected at least one of, got none',
    )
  })

  test('has its subscribers changed by the controller of Subscriptions alone', () => {
    const old = anObject<InMemoryChannel>('InMemoryChannel', {})
    expect(validate({ subscribers }, { old })).toMatch(
      /^Channel\.Spec\.Subscribers changed by user jane which was not the system:serviceaccount:knative-eventing:eventing-controller service account: spec\.subscribers\n/,
    )
    const controller = { name: 'system:serviceaccount:knative-eventing:eventing-controller', groups: [] }
    expect(validate({ subscribers }, { old, user: controller })).toBe('')
    expect(validate({ delivery: { retry: 1 } }, { old })).toBe('')
  })
})

describe('a Subscription', () => {
  const channel = { ...template, name: 'orders' }
  const subscriber = { uri: 'http://a.example.com' }
  test.each<[what: string, spec: object, refusal: string]>([
    ['is accepted', { channel, subscriber }, ''],
    ['takes an empty reply for none', { channel, subscriber, reply: {} }, ''],
    ['needs a channel, and says nothing else then', {}, 'missing field(s): spec.channel\nthe Subscription must reference a channel'],
    ['needs the name of the channel', { channel: template, subscriber }, 'missing field(s): spec.channel.name'],
    [
      'stays in its namespace',
      { channel: { ...channel, namespace: 'default' }, subscriber },
      'must not set the field(s): spec.channel.namespace\nonly name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled',
    ],
    [
      'needs a subscriber, even with a reply',
      { channel, reply: subscriber },
      'missing field(s): spec.subscriber\nthe Subscription must reference a subscriber',
    ],
    [
      'needs a subscriber that is not empty',
      { channel: template, subscriber: {} },
      'missing field(s): spec.channel.name\nmissing field(s): spec.subscriber\nthe Subscription must reference a subscriber',
    ],
    [
      'needs a whole reference',
      { channel, subscriber: { ref: { kind: 'X', apiVersion: 'v1' } } },
      'missing field(s): spec.subscriber.ref.name',
    ],
    [
      'needs an absolute URI',
      { channel, subscriber, reply: { uri: '/x' } },
      'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.reply.uri',
    ],
    [
      'needs a sound delivery',
      { channel, subscriber, delivery: { backoffDelay: '200ms' } },
      'invalid value: 200ms: spec.delivery.backoffDelay',
    ],
  ])('%s', (_, spec, refusal) => {
    expect(text(validateSubscription(anObject('Subscription', spec), anAdmission()))).toBe(refusal)
  })

  test('may change all but its channel', () => {
    const old = anObject<Subscription>('Subscription', { channel, subscriber })
    const change = (spec: object) => text(validateSubscription(anObject('Subscription', spec), anAdmission({ old })))
    expect(change({ channel, subscriber: { uri: 'http://b.example.com' }, reply: subscriber, delivery: { retry: 1 } })).toBe('')
    expect(change({ channel: { ...channel, name: 'bills' }, subscriber })).toBe(
      'Immutable fields changed (-old +new): spec\n{v1.SubscriptionSpec}.Channel.Name:\n\t-: "orders"\n\t+: "bills"\n',
    )
  })
})

describe('a Sequence', () => {
  const steps = [{ uri: 'http://a.example.com' }]
  test.each<[what: string, spec: object, refusal: string]>([
    ['is accepted', { steps, channelTemplate: template }, ''],
    ['needs steps', { channelTemplate: template }, 'missing field(s): spec.steps'],
    ['needs a template', { steps }, 'missing field(s): spec.channelTemplate'],
    [
      'needs all of the template',
      { steps, channelTemplate: {} },
      'missing field(s): spec.channelTemplate.apiVersion, spec.channelTemplate.kind',
    ],
    [
      'needs sound steps',
      { steps: [...steps, {}, { uri: 'http://a.example.com', delivery: { retry: -1 } }], channelTemplate: template },
      'invalid value: {{<nil>  <nil> <nil>} <nil>}: spec.steps[1]\ninvalid value: {{<nil> http://a.example.com <nil> <nil>} 0xc000000000}: spec.steps[2]',
    ],
    [
      'needs a sound reply',
      { steps, channelTemplate: template, reply: {} },
      'expected at least one, got none: spec.reply.ref, spec.reply.uri',
    ],
  ])('%s', (_, spec, refusal) => {
    expect(text(validateSequence(anObject('Sequence', spec), anAdmission()))).toBe(refusal)
  })
})

describe('a Parallel', () => {
  const branches = [{ subscriber: { uri: 'http://a.example.com' } }]
  const bad = '{<nil> {<nil>  <nil> <nil>} <nil> <nil>}'
  test.each<[what: string, spec: object, refusal: string]>([
    ['is accepted', { branches, channelTemplate: template }, ''],
    ['needs branches', { channelTemplate: template }, 'missing field(s): spec.branches'],
    ['needs a template, and looks at nothing behind it then', { branches, reply: {} }, 'missing field(s): spec.channelTemplate'],
    [
      'needs all of the template',
      { branches, channelTemplate: {} },
      'missing field(s): spec.channelTemplate.apiVersion, spec.channelTemplate.kind',
    ],
    [
      'needs a subscriber in every branch',
      { branches: [{}], channelTemplate: template },
      `invalid value: ${bad}: spec.branches.subscriber[0]`,
    ],
    [
      'needs sound filters and replies',
      { branches: [...branches, { ...branches[0], filter: {}, reply: {} }], channelTemplate: template },
      'invalid value: {0xc000000000 {<nil> http://a.example.com <nil> <nil>} 0xc000000000 <nil>}: spec.branches.filter[1], spec.branches.reply[1]',
    ],
    ['takes any delivery', { branches: [{ ...branches[0], delivery: { retry: -1 } }], channelTemplate: template }, ''],
    [
      'needs a sound reply',
      { branches, channelTemplate: template, reply: { uri: '/x' } },
      'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: spec.reply.uri',
    ],
  ])('%s', (_, spec, refusal) => {
    expect(text(validateParallel(anObject('Parallel', spec), anAdmission()))).toBe(refusal)
  })
})
