import { afterEach, beforeEach, expect, test } from 'vitest'
import { brokerKind } from '../../../../src/kinds/broker/kind.js'
import { secretKind } from '../../../../src/kinds/core/secret/kind.js'
import { inMemoryChannelKind } from '../../../../src/kinds/inmemorychannel/kind.js'
import { subscriptionKind } from '../../../../src/kinds/subscription/kind.js'
import { triggerKind } from '../../../../src/kinds/trigger/kind.js'
import { aTriggerSpec, conditionText, type Eventing, onlyOne, startEventing } from '../../../support/eventing.js'

const SYSTEM = 'knative-eventing'
const INGRESS = 'broker-ingress.knative-eventing.svc.cluster.local/default'
const CHANNEL = 'imc-dispatcher.knative-eventing.svc.cluster.local/default/orders'
const ORDERS = { name: 'http', url: 'http://orders-kn-channel.default.svc.cluster.local' }
const MODE = (mode: string) => ({ 'transport-encryption': mode })

let eventing: Eventing
beforeEach(async () => {
  eventing = await startEventing()
})
afterEach(() => eventing.stop())

/** What admission takes for a certificate, with a line before it that says whose. */
const authorityFor = (name: string) => `${name}\n-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n`

/** Certificates as they are on a cluster. */
async function putSecret(name: string, authority = authorityFor(name)): Promise<void> {
  const data = { 'tls.crt': '', 'tls.key': '', ...(authority && { 'ca.crt': Buffer.from(authority).toString('base64') }) }
  await eventing.client.create(secretKind, { metadata: { namespace: SYSTEM, name }, data })
  await eventing.settled()
}

async function putAllSecrets(): Promise<void> {
  for (const name of ['mt-broker-ingress-server-tls', 'mt-broker-filter-server-tls', 'imc-dispatcher-server-tls']) await putSecret(name)
}

const addressesOf = async (kind: typeof brokerKind | typeof inMemoryChannelKind, name: string) => {
  const { address, addresses } = (await eventing.get(kind, name)).status ?? {}
  return { address, addresses }
}

test('a Broker is reached over https beside http, or over https alone, as the flag says at this moment', async () => {
  await putAllSecrets()
  await eventing.create(brokerKind, 'main', {})
  const http = { name: 'http', url: `http://${INGRESS}/main` }
  const https = { name: 'https', url: `https://${INGRESS}/main`, CACerts: authorityFor('mt-broker-ingress-server-tls') }
  expect(await addressesOf(brokerKind, 'main')).toEqual({ address: http, addresses: undefined })
  await eventing.setConfig('config-features', MODE('Permissive'))
  expect(await addressesOf(brokerKind, 'main')).toEqual({ address: http, addresses: [https, http] })
  await eventing.setConfig('config-features', MODE('strict'))
  expect(await addressesOf(brokerKind, 'main')).toEqual({ address: https, addresses: [https] })
  const { annotations } = (await eventing.broker('main')).status!
  expect(annotations).toMatchObject({
    'knative.dev/channelAddress': 'https://imc-dispatcher.knative-eventing.svc.cluster.local/default/main-kne-trigger',
    'knative.dev/channelCACerts': authorityFor('imc-dispatcher-server-tls'),
  })
  await eventing.setConfig('config-features', MODE('disabled'))
  expect(await addressesOf(brokerKind, 'main')).toEqual({ address: http, addresses: undefined })
  expect((await eventing.broker('main')).status!.annotations).not.toHaveProperty(['knative.dev/channelCACerts'])
})

test('a channel is known by its path over https, and by its host over http', async () => {
  await putAllSecrets()
  await eventing.create(inMemoryChannelKind, 'orders', {})
  const https = { name: 'https', url: `https://${CHANNEL}`, CACerts: authorityFor('imc-dispatcher-server-tls') }
  await eventing.setConfig('config-features', MODE('permissive'))
  expect(await addressesOf(inMemoryChannelKind, 'orders')).toEqual({ address: ORDERS, addresses: [https, ORDERS] })
  await eventing.setConfig('config-features', MODE('strict'))
  expect(await addressesOf(inMemoryChannelKind, 'orders')).toEqual({ address: https, addresses: [https] })
})

test('each address has the audience of its object', async () => {
  await putAllSecrets()
  await eventing.setConfig('config-features', { ...MODE('permissive'), 'authentication-oidc': 'enabled' })
  const { status } = await eventing.create(brokerKind, 'main', {})
  const audience = 'eventing.knative.dev/broker/default/main'
  expect([status!.address, ...status!.addresses!].map((address) => address!.audience)).toEqual([audience, audience, audience])
})

test('without the certificate there is no address yet, and an Event says which Secret is missing', async () => {
  await eventing.setConfig('config-features', MODE('strict'))
  const channel = await eventing.create(inMemoryChannelKind, 'orders', {})
  expect(channel.status!.address).toBeUndefined()
  expect(conditionText(channel, 'Addressable')).toBe('Unknown')
  expect(await eventing.eventsAbout('orders')).toEqual([
    'Warning InternalError: failed to get CA certs from knative-eventing/imc-dispatcher-server-tls: secret "imc-dispatcher-server-tls" not found',
  ])
  await putSecret('imc-dispatcher-server-tls')
  expect(conditionText(await eventing.get(inMemoryChannelKind, 'orders'), 'Ready')).toBe('True')
})

test('a certificate that names no authority leaves trust to bundles, and a new authority is shown at once', async () => {
  await putSecret('imc-dispatcher-server-tls', '')
  await eventing.setConfig('config-features', MODE('strict'))
  const channel = await eventing.create(inMemoryChannelKind, 'orders', {})
  expect(channel.status!.address).toEqual({ name: 'https', url: `https://${CHANNEL}` })
  const ref = { namespace: SYSTEM, name: 'imc-dispatcher-server-tls' }
  const secret = await eventing.client.get(secretKind, ref)
  await eventing.client.update(secretKind, { ...secret, data: { ...secret.data, 'ca.crt': Buffer.from('new').toString('base64') } })
  await eventing.settled()
  expect((await eventing.get(inMemoryChannelKind, 'orders')).status!.address!.CACerts).toBe('new')
})

test('a Trigger resolves a Broker to its https address, and is subscribed through the filter’s', async () => {
  await putAllSecrets()
  await eventing.setConfig('config-features', MODE('permissive'))
  for (const name of ['default', 'next']) await eventing.create(brokerKind, name, {})
  const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'next' }
  const trigger = await eventing.create(triggerKind, 't', aTriggerSpec({ subscriber: { ref }, delivery: { deadLetterSink: { ref } } }))
  const CACerts = authorityFor('mt-broker-ingress-server-tls')
  expect(trigger.status).toMatchObject({
    subscriberUri: `https://${INGRESS}/next`,
    subscriberCACerts: CACerts,
    deadLetterSinkUri: `https://${INGRESS}/next`,
    deadLetterSinkCACerts: CACerts,
  })
  const uri = `https://broker-filter.knative-eventing.svc.cluster.local/triggers/default/t/${trigger.metadata.uid}`
  const ofFilter = authorityFor('mt-broker-filter-server-tls')
  const subscription = await onlyOne(eventing.client, subscriptionKind)
  expect(subscription.spec).toMatchObject({ subscriber: { uri, CACerts: ofFilter }, reply: { ref: { kind: 'Broker', name: 'default' } } })
  expect(subscription.status!.physicalSubscription).toMatchObject({
    subscriberCACerts: ofFilter,
    replyUri: `https://${INGRESS}/default`,
    replyCACerts: CACerts,
    deadLetterSinkCACerts: CACerts,
  })
  expect(conditionText(await eventing.trigger('t'), 'Ready')).toBe('True')

  await eventing.setConfig('config-features', { ...MODE('strict'), 'authentication-oidc': 'enabled' })
  const audience = 'mt-broker-filter'
  expect((await onlyOne(eventing.client, subscriptionKind)).spec).toMatchObject({
    subscriber: { uri, CACerts: ofFilter, audience },
    reply: { uri: `${uri}/reply`, CACerts: ofFilter, audience },
    delivery: { deadLetterSink: { uri: `${uri}/dls`, CACerts: ofFilter, audience } },
  })
  await eventing.setConfig('config-features', {})
  expect((await onlyOne(eventing.client, subscriptionKind)).spec.subscriber).toEqual({ uri: uri.replace('https', 'http') })
  expect((await eventing.trigger('t')).status).not.toHaveProperty('subscriberCACerts')
})

test('a Trigger says when the certificate of the filter is missing', async () => {
  await putSecret('mt-broker-ingress-server-tls')
  await putSecret('imc-dispatcher-server-tls')
  await eventing.setConfig('config-features', MODE('permissive'))
  await eventing.create(brokerKind, 'default', {})
  const why =
    'failed to get CA certs: failed to get CA certs from knative-eventing/mt-broker-filter-server-tls: secret "mt-broker-filter-server-tls" not found'
  expect(conditionText(await eventing.create(triggerKind, 't', aTriggerSpec()), 'SubscriptionReady')).toBe(`False NotSubscribed: ${why}`)
  await putSecret('mt-broker-filter-server-tls')
  expect(conditionText(await eventing.trigger('t'), 'Ready')).toBe('True')
})
