import { expect, test } from 'vitest'
import type { Kind } from '../../../../src/apimachinery/kind.js'
import { refusals } from '../../../../src/apimachinery/status-error.js'
import { destinationOf, type Sink, sinkCell, sinkFrom } from '../../../../src/cli/nouns/sink.js'
import type { Client } from '../../../../src/client/client.js'

const KSVC = { group: 'serving.knative.dev', version: 'v1', plural: 'services' }
const CORE_SERVICE = { group: '', version: 'v1', plural: 'services' }

test.each<[string, Sink | undefined]>([
  ['', undefined],
  ['hello', { resource: KSVC, name: 'hello', namespace: undefined }],
  ['ksvc:hello', { resource: KSVC, name: 'hello', namespace: undefined }],
  ['kservice:hello:other', { resource: KSVC, name: 'hello', namespace: 'other' }],
  ['svc:hello', { resource: CORE_SERVICE, name: 'hello', namespace: undefined }],
  ['service:hello:other', { resource: CORE_SERVICE, name: 'hello', namespace: 'other' }],
  ['broker:b', { resource: { group: 'eventing.knative.dev', version: 'v1', plural: 'brokers' }, name: 'b', namespace: undefined }],
  ['channel:c:', { resource: { group: 'messaging.knative.dev', version: 'v1', plural: 'channels' }, name: 'c', namespace: undefined }],
  [
    'special.dev/v1alpha1/Pipe:p:n',
    { resource: { group: 'special.dev', version: 'v1alpha1', plural: 'pipes' }, name: 'p', namespace: 'n' },
  ],
  ['v1/services:hello', { resource: CORE_SERVICE, name: 'hello', namespace: undefined }],
  ['foo:x', { resource: { group: '', version: '', plural: 'foos' }, name: 'x', namespace: undefined }],
  ['constructor:x', { resource: { group: '', version: '', plural: 'constructors' }, name: 'x', namespace: undefined }],
  ['http://example.org:8080/a?b=c', { uri: 'http://example.org:8080/a?b=c' }],
  ['https://example.org', { uri: 'https://example.org' }],
])('a sink %j is understood as kn does', (text, sink) => {
  expect(sinkFrom(text)).toEqual(sink)
})

test('prefixes of the configuration come before the built-in ones, the one that stands for a bare name too', () => {
  const mine = { group: 'example.com', version: 'v2', plural: 'things' }
  const mappings = new Map([
    ['ksvc', mine],
    ['thing', mine],
  ])
  for (const text of ['x', 'ksvc:x', 'thing:x']) expect(sinkFrom(text, mappings)).toMatchObject({ resource: mine, name: 'x' })
  expect(sinkFrom('broker:x', mappings)).toMatchObject({ resource: { plural: 'brokers' } })
})

test.each([
  ['a/b/c/things:x', 'unexpected GroupVersion string: a/b/c'],
  ['http://a:b', 'sink has invalid format: parse "http://a:b": invalid port ":b" after host'],
  ['http://[::1', 'sink has invalid format: parse "http://[::1": missing \']\' in host'],
  ['http://a b/', 'sink has invalid format: parse "http://a b/": invalid character " " in host name'],
  ['http://a/%zz', 'sink has invalid format: parse "http://a/%zz": invalid URL escape "%zz"'],
])('a sink %j is refused with the words of kn', (text, message) => {
  expect(() => sinkFrom(text)).toThrow(message)
})

/** A server with one object, whatever its kind is called in URLs. */
function clientWith(object: { kind: string; apiVersion: string; name: string }) {
  const asked: string[] = []
  const get = async ({ group, version, plural }: Kind, { namespace, name }: { namespace: string; name: string }) => {
    asked.push(`${group}/${version}/${plural} ${namespace}/${name}`)
    if (name !== object.name) throw refusals.notFound({ group, plural }, name)
    return { kind: object.kind, apiVersion: object.apiVersion, metadata: { name } }
  }
  return { asked, client: { get } as unknown as Client }
}

test('a destination refers to the object by the kind that the server gives it, and always by namespace', async () => {
  const { client, asked } = clientWith({ kind: 'Broker', apiVersion: 'eventing.knative.dev/v1', name: 'b' })
  const ref = { kind: 'Broker', apiVersion: 'eventing.knative.dev/v1', name: 'b' }
  expect(await destinationOf(client, sinkFrom('broker:b')!, 'here')).toEqual({ ref: { ...ref, namespace: 'here' } })
  expect(await destinationOf(client, sinkFrom('broker:b:there')!, 'here')).toEqual({ ref: { ...ref, namespace: 'there' } })
  expect(asked).toEqual(['eventing.knative.dev/v1/brokers here/b', 'eventing.knative.dev/v1/brokers there/b'])
  await expect(destinationOf(client, sinkFrom('ghost')!, 'here')).rejects.toThrow('services.serving.knative.dev "ghost" not found')
})

test('a URI is a destination as it is, without asking the server', async () => {
  const { client, asked } = clientWith({ kind: 'X', apiVersion: 'v1', name: 'x' })
  expect(await destinationOf(client, { uri: 'http://example.org/in' }, 'here')).toEqual({ uri: 'http://example.org/in' })
  expect(asked).toEqual([])
})

test.each([
  ['ksvc:', 'name is required'],
  ['ksvc:a/b', `invalid resource name "a/b": [may not contain '/']`],
  ['ksvc:..', `invalid resource name "..": [may not be '..']`],
  ['ksvc:a:b%2f', `invalid namespace "b%2f": [may not contain '%']`],
  ['foo:x', 'the server could not find the requested resource'],
])('what can be no object, like %j, is never asked for', async (text, message) => {
  const { client, asked } = clientWith({ kind: 'X', apiVersion: 'v1', name: 'x' })
  await expect(destinationOf(client, sinkFrom(text)!, 'here')).rejects.toThrow(message)
  expect(asked).toEqual([])
})

test.each([
  [undefined, ''],
  [{}, ''],
  [{ uri: 'http://example.org' }, 'http://example.org'],
  [{ ref: { kind: 'Service', apiVersion: 'serving.knative.dev/v1', name: 'a', namespace: 'elsewhere' } }, 'ksvc:a'],
  [{ ref: { kind: 'Service', apiVersion: 'v1', name: 'a' } }, 'svc:a'],
  [{ ref: { kind: 'Broker', apiVersion: 'eventing.knative.dev/v1', name: 'a' } }, 'broker:a'],
  [{ ref: { kind: 'Channel', apiVersion: 'messaging.knative.dev/v1', name: 'a' } }, 'channel:a'],
  [{ ref: { kind: 'Service', apiVersion: 'serving.knative.dev/v1beta1', name: 'a' } }, 'services.serving.knative.dev/v1beta1:a'],
  [{ ref: { kind: 'Policy', apiVersion: 'x.dev/v1', name: 'a' } }, 'policies.x.dev/v1:a'],
  [{ ref: { kind: 'Bus', apiVersion: 'x.dev/v1', name: 'a' } }, 'buses.x.dev/v1:a'],
  [{ ref: { kind: 'Pod', apiVersion: 'v1', name: 'a' } }, 'pods./v1:a'],
])('the sink %j is listed as %j', (destination, cell) => {
  expect(sinkCell(destination)).toBe(cell)
})
