import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { parallelKind } from '../../../../src/kinds/parallel/kind.js'
import { sequenceKind } from '../../../../src/kinds/sequence/kind.js'
import { subscriptionKind } from '../../../../src/kinds/subscription/kind.js'
import { conditionText, type Messaging, quietChannelKind, startMessaging } from '../../../support/messaging.js'

let messaging: Messaging
beforeEach(async () => {
  messaging = await startMessaging()
})
afterEach(() => messaging.stop())

const step = (name: string) => ({ uri: `http://${name}.example.com` })
const imc = (name: string) => ({ apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', name })
const imcInDefault = (name: string) => ({ ...imc(name), namespace: 'default' })
const specOf = async (subscription: string) => (await messaging.get(subscriptionKind, subscription)).spec
const uidOf = async (subscription: string) => (await messaging.get(subscriptionKind, subscription)).metadata.uid
const quietTemplate = { apiVersion: 'example.com/v1', kind: 'QuietChannel' }

describe('Sequence', () => {
  test('of three steps has a channel before each and a Subscription that replies into the next', async () => {
    const sequence = await messaging.create(sequenceKind, 'line', {
      steps: [step('a'), { ...step('b'), delivery: { retry: 2 } }, step('c')],
      reply: step('end'),
    })

    const names = ['line-kn-sequence-0', 'line-kn-sequence-1', 'line-kn-sequence-2']
    expect(await messaging.names(inMemoryChannelKind)).toEqual(names)
    expect(await messaging.names(subscriptionKind)).toEqual(names)
    expect(await specOf(names[0]!)).toEqual({
      channel: imc(names[0]!),
      subscriber: step('a'),
      reply: { ref: imcInDefault(names[1]!) },
    })
    expect(await specOf(names[1]!)).toEqual({
      channel: imc(names[1]!),
      subscriber: step('b'),
      reply: { ref: imcInDefault(names[2]!) },
      delivery: { retry: 2 },
    })
    expect(await specOf(names[2]!)).toEqual({ channel: imc(names[2]!), subscriber: step('c'), reply: step('end') })
    expect((await messaging.get(subscriptionKind, names[0]!)).metadata.ownerReferences).toMatchObject([
      { apiVersion: 'flows.knative.dev/v1', kind: 'Sequence', name: 'line', controller: true },
    ])

    expect(sequence.status!.conditions!.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'Addressable True',
      'ChannelsReady True',
      'EventPoliciesReady True',
      'Ready True',
      'SubscriptionsReady True',
    ])
    expect(sequence.status!.address).toEqual({ url: 'http://line-kn-sequence-0-kn-channel.default.svc.cluster.local' })
    expect(sequence.status!.channelStatuses).toEqual(
      names.map((name) => ({ channel: imcInDefault(name), ready: { type: 'Ready', status: 'True' } })),
    )
    expect(sequence.status!.subscriptionStatuses).toMatchObject(
      names.map((name) => ({
        subscription: { apiVersion: 'messaging.knative.dev/v1', kind: 'Subscription', namespace: 'default', name },
        ready: { type: 'Ready', status: 'True' },
      })),
    )
  })

  test('sends the answer of its last step nowhere when it has no reply', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [step('a')] })
    expect(await specOf('line-kn-sequence-0')).not.toHaveProperty('reply')
  })

  test('hands the template’s spec on to its channels', async () => {
    await messaging.create(sequenceKind, 'line', {
      steps: [step('a')],
      channelTemplate: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel', spec: { delivery: { retry: 7 } } },
    })
    expect((await messaging.get(inMemoryChannelKind, 'line-kn-sequence-0')).spec.delivery).toEqual({ retry: 7 })
  })

  test('waits for its channels and Subscriptions', async () => {
    const sequence = await messaging.create(sequenceKind, 'line', { steps: [step('a')], channelTemplate: quietTemplate })
    expect(conditionText(sequence, 'ChannelsReady')).toBe('Unknown ChannelsNotReady: Channels are not ready yet, or there are none')
    expect(conditionText(sequence, 'SubscriptionsReady')).toBe(
      'Unknown SubscriptionsNotReady: Subscriptions are not ready yet, or there are none',
    )
    expect(conditionText(sequence, 'Addressable')).toBe('Unknown emptyAddress: addressable is nil')
    expect(sequence.status!.channelStatuses).toMatchObject([
      { ready: { type: 'Ready', status: 'False', reason: 'NotAddressable', message: 'Channel is not addressable' } },
    ])

    const uid = (await uidOf('line-kn-sequence-0'))!
    await messaging.setStatus(quietChannelKind, 'line-kn-sequence-0', {
      address: { name: 'http', url: 'http://quiet.example.com' },
      subscribers: [{ uid, observedGeneration: 1, ready: 'True' }],
    })
    const ready = await messaging.get(sequenceKind, 'line')
    expect(conditionText(ready, 'Ready')).toBe('True')
    expect(ready.status!.address).toEqual({ url: 'http://quiet.example.com' })
  })

  test('changes a Subscription in place when a step changes, and adds and takes away what steps need', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [step('a'), step('b')], reply: step('end') })
    const uids = [await uidOf('line-kn-sequence-0'), await uidOf('line-kn-sequence-1')]

    const longer = await messaging.change(sequenceKind, 'line', (sequence) => ({
      ...sequence,
      spec: { ...sequence.spec, steps: [step('a'), step('new'), step('c')] },
    }))
    expect(conditionText(longer, 'Ready')).toBe('True')
    expect([await uidOf('line-kn-sequence-0'), await uidOf('line-kn-sequence-1')]).toEqual(uids)
    expect(await specOf('line-kn-sequence-1')).toMatchObject({ subscriber: step('new'), reply: { ref: imc('line-kn-sequence-2') } })
    expect((await specOf('line-kn-sequence-2')).reply).toEqual(step('end'))

    const shorter = await messaging.change(sequenceKind, 'line', (sequence) => ({
      ...sequence,
      spec: { ...sequence.spec, steps: [step('c')] },
    }))
    expect(await messaging.names(inMemoryChannelKind)).toEqual(['line-kn-sequence-0'])
    expect(await messaging.names(subscriptionKind)).toEqual(['line-kn-sequence-0'])
    expect(await specOf('line-kn-sequence-0')).toMatchObject({ subscriber: step('c'), reply: step('end') })
    expect(await uidOf('line-kn-sequence-0')).toBe(uids[0])
    expect(shorter.status!.channelStatuses).toHaveLength(1)
    expect(conditionText(shorter, 'Ready')).toBe('True')
  })

  test('moves its Subscriptions to channels of another kind by making them anew; the old channels stay', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [step('a')] })
    const before = await uidOf('line-kn-sequence-0')
    await messaging.change(sequenceKind, 'line', (sequence) => ({
      ...sequence,
      spec: { ...sequence.spec, channelTemplate: quietTemplate },
    }))

    expect(await messaging.names(quietChannelKind)).toEqual(['line-kn-sequence-0'])
    expect(await messaging.names(inMemoryChannelKind)).toEqual(['line-kn-sequence-0'])
    expect((await specOf('line-kn-sequence-0')).channel).toEqual({ ...quietTemplate, name: 'line-kn-sequence-0' })
    expect(await uidOf('line-kn-sequence-0')).not.toBe(before)
    expect((await messaging.get(inMemoryChannelKind, 'line-kn-sequence-0')).spec).not.toHaveProperty('subscribers')
  })

  test('leaves its channels as they are when the template’s spec changes', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [step('a')] })
    await messaging.change(sequenceKind, 'line', (sequence) => ({
      ...sequence,
      spec: { ...sequence.spec, channelTemplate: { ...sequence.spec.channelTemplate!, spec: { delivery: { retry: 7 } } } },
    }))
    expect((await messaging.get(inMemoryChannelKind, 'line-kn-sequence-0')).spec).not.toHaveProperty('delivery')
  })

  test('makes children again that are deleted behind its back', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [step('a')] })
    await messaging.remove(subscriptionKind, 'line-kn-sequence-0')
    await messaging.remove(inMemoryChannelKind, 'line-kn-sequence-0')
    expect(await messaging.names(subscriptionKind)).toEqual(['line-kn-sequence-0'])
    expect(conditionText(await messaging.get(sequenceKind, 'line'), 'Ready')).toBe('True')
  })

  test('says which channel cannot be made', async () => {
    const sequence = await messaging.create(sequenceKind, 'line', {
      steps: [step('a')],
      channelTemplate: { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel' },
    })
    expect(conditionText(sequence, 'ChannelsReady')).toBe(
      'Unknown ChannelsNotReady: failed to reconcile channel line-kn-sequence-0 at step 0: the server could not find the requested resource',
    )
  })

  test('takes everything with it', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [step('a'), step('b')] })
    await messaging.remove(sequenceKind, 'line')
    expect(await messaging.names(subscriptionKind)).toEqual([])
    expect(await messaging.names(inMemoryChannelKind)).toEqual([])
  })
})

describe('Parallel', () => {
  test('has one channel in front and, for each branch, a filter, a channel behind it, and a subscriber', async () => {
    const parallel = await messaging.create(parallelKind, 'fork', {
      branches: [{ filter: step('is-a'), subscriber: step('a'), reply: step('a-end'), delivery: { retry: 2 } }, { subscriber: step('b') }],
      reply: step('end'),
    })

    expect(await messaging.names(inMemoryChannelKind)).toEqual(['fork-kn-parallel', 'fork-kn-parallel-0', 'fork-kn-parallel-1'])
    expect(await messaging.names(subscriptionKind)).toEqual([
      'fork-kn-parallel-0',
      'fork-kn-parallel-1',
      'fork-kn-parallel-filter-0',
      'fork-kn-parallel-filter-1',
    ])
    expect(await specOf('fork-kn-parallel-filter-0')).toEqual({
      channel: imc('fork-kn-parallel'),
      subscriber: step('is-a'),
      reply: { ref: imcInDefault('fork-kn-parallel-0') },
    })
    expect(await specOf('fork-kn-parallel-filter-1')).toEqual({
      channel: imc('fork-kn-parallel'),
      subscriber: { ref: imcInDefault('fork-kn-parallel-1') },
    })
    expect(await specOf('fork-kn-parallel-0')).toEqual({
      channel: imc('fork-kn-parallel-0'),
      subscriber: step('a'),
      reply: step('a-end'),
      delivery: { retry: 2 },
    })
    expect(await specOf('fork-kn-parallel-1')).toEqual({ channel: imc('fork-kn-parallel-1'), subscriber: step('b'), reply: step('end') })

    expect(conditionText(parallel, 'Ready')).toBe('True')
    expect(parallel.status!.address).toEqual({ name: 'http', url: 'http://fork-kn-parallel-kn-channel.default.svc.cluster.local' })
    expect(parallel.status!.ingressChannelStatus).toEqual({
      channel: imcInDefault('fork-kn-parallel'),
      ready: { type: 'Ready', status: 'True' },
    })
    expect(parallel.status!.branchStatuses).toMatchObject([
      {
        filterSubscriptionStatus: { subscription: { name: 'fork-kn-parallel-filter-0' }, ready: { status: 'True' } },
        filterChannelStatus: { channel: imcInDefault('fork-kn-parallel-0'), ready: { status: 'True' } },
        subscriberSubscriptionStatus: { subscription: { name: 'fork-kn-parallel-0' }, ready: { status: 'True' } },
      },
      { filterSubscriptionStatus: {}, filterChannelStatus: {}, subscriberSubscriptionStatus: {} },
    ])
  })

  test('is not ready before its channels and Subscriptions are', async () => {
    const parallel = await messaging.create(parallelKind, 'fork', { branches: [{ subscriber: step('a') }], channelTemplate: quietTemplate })
    expect(conditionText(parallel, 'ChannelsReady')).toBe('False ChannelsNotReady: Channels are not ready yet, or there are none')
    expect(conditionText(parallel, 'SubscriptionsReady')).toBe(
      'False SubscriptionsNotReady: Subscriptions are not ready yet, or there are none',
    )
    expect(conditionText(parallel, 'Addressable')).toBe('False emptyAddress: addressable is nil')
    expect(parallel.status!.ingressChannelStatus!.ready).toEqual({
      type: 'Ready',
      status: 'False',
      reason: 'NotAddressable',
      message: 'Channel is not addressable',
    })
  })

  test('follows changes of its branches, and takes away what fewer branches need', async () => {
    await messaging.create(parallelKind, 'fork', { branches: [{ filter: step('f'), subscriber: step('a') }, { subscriber: step('b') }] })
    const uid = await uidOf('fork-kn-parallel-0')
    const changed = await messaging.change(parallelKind, 'fork', (parallel) => ({
      ...parallel,
      spec: { ...parallel.spec, branches: [{ subscriber: step('other') }] },
    }))

    expect(await messaging.names(inMemoryChannelKind)).toEqual(['fork-kn-parallel', 'fork-kn-parallel-0'])
    expect(await messaging.names(subscriptionKind)).toEqual(['fork-kn-parallel-0', 'fork-kn-parallel-filter-0'])
    expect(await specOf('fork-kn-parallel-filter-0')).toEqual({
      channel: imc('fork-kn-parallel'),
      subscriber: { ref: imcInDefault('fork-kn-parallel-0') },
    })
    expect((await specOf('fork-kn-parallel-0')).subscriber).toEqual(step('other'))
    expect(await uidOf('fork-kn-parallel-0')).toBe(uid)
    expect(changed.status!.branchStatuses).toHaveLength(1)
    expect(conditionText(changed, 'Ready')).toBe('True')
  })

  test('takes everything with it', async () => {
    await messaging.create(parallelKind, 'fork', { branches: [{ filter: step('f'), subscriber: step('a') }] })
    await messaging.remove(parallelKind, 'fork')
    expect(await messaging.names(subscriptionKind)).toEqual([])
    expect(await messaging.names(inMemoryChannelKind)).toEqual([])
  })
})
