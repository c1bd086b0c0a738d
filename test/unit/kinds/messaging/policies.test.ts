import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { channelKind } from '../../../../src/kinds/channel/kind.js'
import { eventPolicyKind } from '../../../../src/kinds/eventpolicy/kind.js'
import { parallelKind } from '../../../../src/kinds/parallel/kind.js'
import { sequenceKind } from '../../../../src/kinds/sequence/kind.js'
import { type Messaging, startMessaging } from '../../../support/messaging.js'

let messaging: Messaging
beforeEach(async () => {
  messaging = await startMessaging()
  await switchOidc('enabled')
})
afterEach(() => messaging.stop())

const switchOidc = (flag: string) => messaging.setConfig('config-features', { 'authentication-oidc': flag })
const uri = (name: string) => ({ uri: `http://${name}.example.com` })
const to = (apiVersion: string, kind: string, name: string) => [{ ref: { apiVersion, kind, name } }]
const toImc = (name: string) => to('messaging.knative.dev/v1', 'InMemoryChannel', name)
const fromSubscription = (name: string) => [
  { ref: { apiVersion: 'messaging.knative.dev/v1', kind: 'Subscription', namespace: 'default', name } },
]
const policy = async (name: string) => messaging.get(eventPolicyKind, name)
const shop = { sub: 'system:serviceaccount:shops:shop' }

describe('EventPolicies, while authentication-oidc is on,', () => {
  test('of a Channel are copied to the channel that it makes, follow changes, and go with what they were copied from', async () => {
    await messaging.create(channelKind, 'orders', {})
    expect(await messaging.names(eventPolicyKind)).toEqual([])
    await messaging.create(eventPolicyKind, 'shops', {
      to: to('messaging.knative.dev/v1', 'Channel', 'orders'),
      from: [shop],
      filters: [{ exact: { type: 'paid' } }],
    })
    expect(await messaging.names(eventPolicyKind)).toEqual(['shops', 'shops-orders'])
    const copy = await policy('shops-orders')
    expect(copy.spec).toEqual({ to: toImc('orders'), from: [shop] })
    expect(copy.metadata.labels).toEqual({
      'messaging.knative.dev/channel-group': 'messaging.knative.dev',
      'messaging.knative.dev/channel-version': 'v1',
      'messaging.knative.dev/channel-kind': 'InMemoryChannel',
      'messaging.knative.dev/channel-name': 'orders',
    })

    await messaging.change(eventPolicyKind, 'shops', (object) => ({ ...object, spec: { ...object.spec, from: [{ sub: 'all*' }] } }))
    expect((await policy('shops-orders')).spec?.from).toEqual([{ sub: 'all*' }])
    await messaging.remove(eventPolicyKind, 'shops-orders')
    expect(await messaging.names(eventPolicyKind)).toEqual(['shops', 'shops-orders'])
    await messaging.remove(eventPolicyKind, 'shops')
    expect(await messaging.names(eventPolicyKind)).toEqual([])
  })

  test('keep the inner channels of a Sequence to its own Subscriptions, and let into the first whom the Sequence lets in', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [uri('a'), uri('b'), uri('c')] })
    const inner = ['line-ep-line-kn-sequence-1', 'line-ep-line-kn-sequence-2']
    expect(await messaging.names(eventPolicyKind)).toEqual(inner)
    expect((await policy(inner[0]!)).spec).toEqual({ to: toImc('line-kn-sequence-1'), from: fromSubscription('line-kn-sequence-0') })
    expect((await policy(inner[1]!)).spec).toEqual({ to: toImc('line-kn-sequence-2'), from: fromSubscription('line-kn-sequence-1') })

    await messaging.create(eventPolicyKind, 'shops', { to: to('flows.knative.dev/v1', 'Sequence', 'line'), from: [shop] })
    await messaging.create(eventPolicyKind, 'tills', { to: to('flows.knative.dev/v1', 'Sequence', 'line'), from: [{ sub: 'till*' }] })
    const first = await policy('line-ep-line-kn-sequence-0')
    expect(first.spec).toEqual({ to: toImc('line-kn-sequence-0'), from: [shop, { sub: 'till*' }] })
    expect(first.metadata.labels).toEqual({
      'flows.knative.dev/sequence-group': 'flows.knative.dev',
      'flows.knative.dev/sequence-version': 'v1',
      'flows.knative.dev/sequence-kind': 'Sequence',
      'flows.knative.dev/sequence-name': 'line',
    })

    await messaging.change(sequenceKind, 'line', (object) => ({ ...object, spec: { ...object.spec, steps: [uri('a')] } }))
    expect(await messaging.names(eventPolicyKind)).toEqual(['line-ep-line-kn-sequence-0', 'shops', 'tills'])
  })

  test('keep the branches of a Parallel to what its filters answer, and let in front whom the Parallel lets in', async () => {
    await messaging.create(parallelKind, 'fork', {
      branches: [{ filter: uri('f'), subscriber: uri('a') }, { subscriber: uri('b') }],
    })
    await messaging.create(eventPolicyKind, 'shops', { to: to('flows.knative.dev/v1', 'Parallel', 'fork'), from: [shop] })
    expect(await messaging.names(eventPolicyKind)).toEqual([
      'fork-ep-fork-kn-parallel-0',
      'fork-ep-fork-kn-parallel-1',
      'fork-ep-shops',
      'shops',
    ])
    expect((await policy('fork-ep-shops')).spec).toEqual({ to: toImc('fork-kn-parallel'), from: [shop] })
    expect((await policy('fork-ep-fork-kn-parallel-1')).spec).toEqual({
      to: toImc('fork-kn-parallel-1'),
      from: fromSubscription('fork-kn-parallel-filter-1'),
    })
    expect((await policy('fork-ep-shops')).metadata.labels).toEqual({ 'flows.knative.dev/parallel-name': 'fork' })
  })

  test('that were made for channels go when it is switched off', async () => {
    await messaging.create(sequenceKind, 'line', { steps: [uri('a'), uri('b')] })
    expect(await messaging.names(eventPolicyKind)).toHaveLength(1)
    await switchOidc('disabled')
    expect(await messaging.names(eventPolicyKind)).toEqual([])
  })
})
