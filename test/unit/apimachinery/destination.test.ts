import { describe, expect, test } from 'vitest'
import { type DeliveryRules, type DeliverySpec, defaultDelivery, validateDelivery } from '../../../src/apimachinery/delivery-spec.js'
import {
  type Destination,
  defaultDestination,
  type KReference,
  validateDestination,
  validateReference,
} from '../../../src/apimachinery/destination.js'
import { type FieldError, fieldErrorText, viaField } from '../../../src/apimachinery/field-error.js'

const textOf = (error: FieldError | undefined): string => (error ? fieldErrorText(error) : '')
const service: KReference = { apiVersion: 'v1', kind: 'Service', name: 'sink' }
/** The head of a certificate in DER: a sequence of five bytes. */
const certificate = `-----BEGIN CERTIFICATE-----\n${Buffer.from([0x30, 3, 2, 1, 1]).toString('base64')}\n-----END CERTIFICATE-----\n`

describe('references', () => {
  test('an empty one lacks kind, name and apiVersion', () => {
    expect(textOf(validateReference({}))).toBe('missing field(s): apiVersion, kind, name')
    expect(textOf(validateReference(undefined, { allowsGroup: true }))).toBe('missing field(s): apiVersion, kind, name')
    expect(textOf(validateReference(service))).toBe('')
  })

  test('a group is allowed only with its flag, and then instead of an apiVersion', () => {
    const byGroup = { kind: 'Service', name: 'sink', group: 'serving.knative.dev' }
    expect(textOf(validateReference({ ...service, group: 'x' }))).toBe('must not set the field(s): group')
    expect(textOf(validateReference(byGroup, { allowsGroup: true }))).toBe('')
    expect(textOf(validateReference({ kind: 'Service', name: 'sink' }, { allowsGroup: true }))).toBe('missing field(s): apiVersion, group')
    expect(textOf(validateReference({ ...service, group: 'x' }, { allowsGroup: true }))).toBe(
      'both apiVersion and group are specified: apiVersion, group\nOnly one of them must be specified',
    )
  })

  test('another namespace than the parent is refused where it has to be the same', () => {
    expect(textOf(validateReference({ ...service, namespace: 'b' }, { parentNamespace: 'a' }))).toBe(
      'mismatched namespaces: namespace\nparent namespace: "a" does not match ref: "b"',
    )
    expect(textOf(validateReference({ ...service, namespace: 'b' }))).toBe('')
    expect(textOf(validateReference({ ...service, namespace: 'a' }, { parentNamespace: 'a' }))).toBe('')
  })
})

describe('destinations', () => {
  test.each<[why: string, destination: Destination | undefined, text: string]>([
    ['nothing', {}, 'expected at least one, got none: ref, uri'],
    ['no destination', undefined, 'expected at least one, got none: ref, uri'],
    [
      'an absolute uri beside a reference',
      { ref: service, uri: 'http://x' },
      'Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present: [apiVersion, kind, name], ref, uri',
    ],
    [
      'a relative uri alone',
      { uri: '/path' },
      'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: uri',
    ],
    [
      'a uri with a scheme and no host',
      { uri: 'mailto:jane' },
      'invalid value: Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent: uri',
    ],
    ['a reference without a name', { ref: { ...service, name: '' } }, 'missing field(s): ref.name'],
    ['a reference beside a relative uri', { ref: { ...service, name: '' }, uri: '/path' }, ''],
    ['any scheme', { uri: 'bad://uri' }, ''],
    ['CACerts that are no PEM', { uri: 'https://x', CACerts: 'nonsense' }, 'invalid value: CA Cert provided is invalid: caCert'],
    [
      'CACerts with a key in it',
      { uri: 'https://x', CACerts: certificate.replaceAll('CERTIFICATE', 'PRIVATE KEY') },
      'invalid value: CA Cert provided is not a certificate: caCert',
    ],
    [
      'CACerts that are cut short',
      { uri: 'https://x', CACerts: certificate.replace('MAMCAQE=', 'MAMC') },
      'invalid value: CA Cert provided is invalid: caCert',
    ],
    ['CACerts that are a certificate', { uri: 'https://x', CACerts: certificate }, ''],
  ])('a destination with %s', (_, destination, text) => {
    expect(textOf(validateDestination(destination))).toBe(text)
  })

  test('the pseudo path of the old fields joins without a dot', () => {
    const found = viaField('spec.subscriber', validateDestination({ ref: service, uri: 'http://x' }))
    expect(textOf(found)).toContain(': spec.subscriber.ref, spec.subscriber.uri, spec.subscriber[apiVersion, kind, name]')
  })

  test('an empty namespace of a reference becomes that of the parent; another one stays', () => {
    const empty: Destination = { ref: { ...service } }
    const other: Destination = { ref: { ...service, namespace: 'b' } }
    const delivery: DeliverySpec = { deadLetterSink: { ref: { ...service } } }
    defaultDestination(empty, 'a')
    defaultDestination(other, 'a')
    defaultDelivery(delivery, 'a')
    expect([empty.ref?.namespace, other.ref?.namespace, delivery.deadLetterSink?.ref?.namespace]).toEqual(['a', 'b', 'a'])
  })
})

describe('delivery specs', () => {
  const rules: DeliveryRules = { allowsTimeout: true, allowsRetryAfter: false }
  const found = (delivery: object, more: Partial<DeliveryRules> = {}): string =>
    textOf(viaField('spec.delivery', validateDelivery(delivery as DeliverySpec, { ...rules, ...more })))

  test.each([
    [{ retry: -1 }, 'invalid value: -1: spec.delivery.retry'],
    [{ retry: 0, backoffPolicy: 'linear', backoffDelay: 'PT0.2S', timeout: 'PT5S', format: 'json' }, ''],
    [{ backoffPolicy: 'Linear' }, 'invalid value: Linear: spec.delivery.backoffPolicy'],
    [{ backoffDelay: '200ms' }, 'invalid value: 200ms: spec.delivery.backoffDelay'],
    [{ timeout: 'PT0S' }, 'invalid value: PT0S: spec.delivery.timeout'],
    [{ format: 'xml' }, 'invalid value: xml: spec.delivery.format'],
    [{ retryAfterMax: 'PT1S' }, 'must not set the field(s): spec.delivery.retryAfterMax'],
    [{ deadLetterSink: {} }, 'expected at least one, got none: spec.delivery.deadLetterSink.ref, spec.delivery.deadLetterSink.uri'],
  ])('a delivery spec %j is told what is wrong with it', (delivery, text) => {
    expect(found(delivery)).toBe(text)
  })

  test('timeout and retryAfterMax depend on their flags', () => {
    expect(found({ timeout: 'PT1S' }, { allowsTimeout: false })).toBe('must not set the field(s): spec.delivery.timeout')
    expect(found({ retryAfterMax: 'PT0S' }, { allowsRetryAfter: true })).toBe('')
    expect(found({ retryAfterMax: '-PT1S' }, { allowsRetryAfter: true })).toBe('invalid value: -PT1S: spec.delivery.retryAfterMax')
  })
})
