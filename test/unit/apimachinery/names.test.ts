import { describe, expect, test } from 'vitest'
import {
  checkMetadata,
  dns1035Label,
  dns1123Label,
  labelValue,
  pathSegment,
  qualifiedName,
  subdomain,
} from '../../../src/apimachinery/names.js'

const texts = (meta: object, options: Parameters<typeof checkMetadata>[1] = { namespaced: true }): string[] =>
  checkMetadata(meta, options).map(({ field, message }) => `${field}: ${message}`)

describe('name rules', () => {
  test('good names have no problems', () => {
    expect([
      subdomain('a.b-1'),
      dns1123Label('1a'),
      dns1035Label('a1'),
      pathSegment('a:b'),
      qualifiedName('x.io/A_b.c'),
      labelValue(''),
    ]).toEqual([[], [], [], [], [], []])
  })

  test('bad ones get the text that Kubernetes gives', () => {
    expect(subdomain('A')).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ])
    expect(dns1123Label('a.b')).toEqual([
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ])
    expect(dns1035Label('1a')).toEqual([
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ])
    expect(pathSegment('..')).toEqual(["may not be '..'"])
    expect(pathSegment('a/b%')).toEqual(["may not contain '/'", "may not contain '%'"])
    expect(dns1123Label('a'.repeat(64))).toEqual(['must be no more than 63 bytes'])
    expect(qualifiedName('/a')).toEqual(['prefix part must be non-empty'])
    expect(qualifiedName('a/')[0]).toBe('name part must be non-empty')
    expect(qualifiedName('a/b/c')[0]).toMatch(
      /^a qualified name must consist .* with an optional DNS subdomain prefix and '\/' \(e.g. 'example.com\/MyName'\)$/,
    )
    expect(labelValue('a b')[0]).toMatch(/^a valid label must be an empty string or consist of/)
  })
})

describe('metadata', () => {
  test('a complete one passes', () => {
    const meta = {
      name: 'a',
      namespace: 'b',
      labels: { 'x.io/y': 'z' },
      annotations: { 'X.io/Y': 'any text: {}' },
      finalizers: ['routes.serving.knative.dev'],
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '1', controller: true }],
    }
    expect(texts(meta)).toEqual([])
  })

  test('a name is required, and a generateName may end in a dash', () => {
    expect(texts({ generateName: 'a-', namespace: 'b' })).toEqual(['metadata.name: Required value: name or generateName is required'])
  })

  test('the kind decides how names look', () => {
    expect(texts({ name: 'A:b' }, { namespaced: false, nameRule: 'pathSegment' })).toEqual([])
    expect(texts({ name: 'a.b' }, { namespaced: false, nameRule: 'dns1035Label' })[0]).toMatch(
      /^metadata.name: Invalid value: "a.b": a DNS-1035 label must/,
    )
  })

  test('a namespace is required, or forbidden where there are none', () => {
    expect(texts({ name: 'a' })).toEqual(['metadata.namespace: Required value'])
    expect(texts({ name: 'a', namespace: 'b' }, { namespaced: false })).toEqual(['metadata.namespace: Forbidden: not allowed on this type'])
  })

  test('labels are held to their form, annotations to their total size', () => {
    expect(texts({ name: 'a', namespace: 'b', labels: { 'a b': 'c d' } }).map((text) => text.slice(0, 44))).toEqual([
      'metadata.labels: Invalid value: "a b": name ',
      'metadata.labels: Invalid value: "c d": a val',
    ])
    expect(texts({ name: 'a', namespace: 'b', labels: { n: 1 } })).toEqual([
      'metadata.labels.n: Invalid value: "number": metadata.labels.n in body must be of type string: "number"',
    ])
    expect(texts({ name: 'a', namespace: 'b', annotations: { big: 'x'.repeat(256 * 1024) } })).toEqual([
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ])
  })

  test('built-in kinds refuse a finalizer without a domain, custom resources do not', () => {
    const meta = { name: 'a', namespace: 'b', finalizers: ['orphan', 'mine'] }
    expect(texts(meta)).toEqual([])
    expect(texts(meta, { namespaced: true, builtIn: true })).toEqual([
      'metadata.finalizers[1]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ])
  })

  test('owner references must be complete, and only one may be the controller', () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '1', controller: true }
    expect(texts({ name: 'a', namespace: 'b', ownerReferences: [{ ...owner, uid: '' }] })).toEqual([
      'metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
    ])
    expect(texts({ name: 'a', namespace: 'b', ownerReferences: [owner, { ...owner, name: 'q' }] })[0]).toMatch(
      /Only one reference can have Controller set to true. Found "true" in references for p and q$/,
    )
  })
})
