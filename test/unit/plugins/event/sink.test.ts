import { expect, test } from 'vitest'
import { joined, targetFrom } from '../../../../src/plugins/event/sink.js'

test.each([
  ['hello', { resource: { group: 'serving.knative.dev', version: 'v1', plural: 'services' }, name: 'hello', namespace: undefined }],
  ['ksvc:hello:shop', { resource: { group: 'serving.knative.dev', version: 'v1', plural: 'services' }, name: 'hello', namespace: 'shop' }],
  ['svc:web', { resource: { group: '', version: 'v1', plural: 'services' }, name: 'web', namespace: undefined }],
  [
    'broker:default',
    { resource: { group: 'eventing.knative.dev', version: 'v1', plural: 'brokers' }, name: 'default', namespace: undefined },
  ],
  ['channel:c', { resource: { group: 'messaging.knative.dev', version: 'v1', plural: 'channels' }, name: 'c', namespace: undefined }],
  [
    'flows.knative.dev/v1/Sequence:s:shop',
    { resource: { group: 'flows.knative.dev', version: 'v1', plural: 'sequences' }, name: 's', namespace: 'shop' },
  ],
  ['v1/services:web', { resource: { group: '', version: 'v1', plural: 'services' }, name: 'web', namespace: undefined }],
  ['http://localhost:8080/x', { uri: 'http://localhost:8080/x' }],
])('--to %s', (text, sink) => {
  expect(targetFrom(text)).toEqual(sink)
})

test.each([
  ['', 'use --to flag is required'],
  ['broker:', '--to flag has invalid format: broker:'],
  ['nonsense:x', '--to flag has invalid format: nonsense:x'],
  ['a/b/c/d:x', '--to flag has invalid format: a/b/c/d:x'],
  ['constructor:x', '--to flag has invalid format: constructor:x'],
  ['http:', 'invalid URL format: http:'],
  ['http://', 'invalid URL format: http://'],
  ['http:nohost', 'invalid URL format: http:nohost'],
])('--to "%s" is refused', (text, message) => {
  expect(() => targetFrom(text)).toThrow(message)
})

test('prefixes of the configuration come before the built-in ones', () => {
  const thing = { group: 'x.dev', version: 'v1', plural: 'things' }
  const mappings = new Map([
    ['thing', thing],
    ['broker', { ...thing, plural: 'brokers' }],
    ['versionless', { ...thing, version: '' }],
  ])
  expect(targetFrom('thing:a:shop', mappings)).toEqual({ resource: thing, name: 'a', namespace: 'shop' })
  expect(targetFrom('broker:a', mappings)).toMatchObject({ resource: { group: 'x.dev', plural: 'brokers' } })
  expect(() => targetFrom('versionless:a', mappings)).toThrow('--to flag has invalid format: versionless:a')
})

test.each([
  [undefined, 'http://a.b/base'],
  ['x/y', 'http://a.b/base/x/y'],
  ['/x/', 'http://a.b/base/x'],
  ['../..', 'http://a.b/'],
])('the path %s behind an address is joined and cleaned', (path, url) => {
  expect(joined('http://a.b/base', path)).toBe(url)
})
