import { expect, test } from 'vitest'
import { typeErrors, typeErrorsText } from '../../../../src/apimachinery/managed-fields/check.js'
import { compare } from '../../../../src/apimachinery/managed-fields/compare.js'
import { fieldSetOf, reconciledFields, withNamedFields, withoutFields } from '../../../../src/apimachinery/managed-fields/extract.js'
import { pathsOf } from '../../../../src/apimachinery/managed-fields/field-set.js'
import { merged } from '../../../../src/apimachinery/managed-fields/merge.js'
import { wholeSchema } from '../../../../src/apimachinery/managed-fields/typed.js'
import type { Schema } from '../../../../src/apimachinery/schema.js'

const text: Schema = { type: 'string' }
const port: Schema = {
  type: 'object',
  properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, name: text },
}
/** One of everything that a schema can say about merging. */
const schema = wholeSchema({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        on: { type: 'boolean' },
        limit: { 'x-kubernetes-int-or-string': true },
        labels: { type: 'object', additionalProperties: text },
        selector: { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' },
        ports: { type: 'array', items: port, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'] },
        env: {
          type: 'array',
          items: { type: 'object', properties: { name: text, value: text } },
          'x-kubernetes-patch-strategy': 'merge',
          'x-kubernetes-patch-merge-key': 'name',
        },
        tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
        args: { type: 'array', items: text },
        inner: { type: 'object', properties: { a: text, b: text } },
        any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
  },
})
const of = (spec: object): { spec: object } => ({ spec })
const pathsIn = (spec: object): string[] => pathsOf(fieldSetOf(schema, of(spec)))
const changes = (before: object, after: object): Record<string, string[]> => {
  const { added, modified, removed } = compare(schema, of(before), of(after))
  return { added: pathsOf(added), modified: pathsOf(modified), removed: pathsOf(removed) }
}
const mergedSpec = (live: object, config: object): unknown => (merged(schema, of(live), of(config)) as { spec: unknown }).spec

test.each<[string, object, string[]]>([
  ['a field', { size: 1 }, ['.spec.size']],
  ['an entry of a map', { labels: { a: '1' } }, ['.spec.labels.a']],
  ['a map that is one value', { selector: { a: '1' } }, ['.spec.selector']],
  [
    'an item and its fields, the default of a key with it',
    { ports: [{ port: 80, name: 'x' }] },
    ['.spec.ports[port=80,protocol="TCP"]', '.spec.ports[port=80,protocol="TCP"].name', '.spec.ports[port=80,protocol="TCP"].port'],
  ],
  ['an item by its merge key', { env: [{ name: 'A' }] }, ['.spec.env[name="A"]', '.spec.env[name="A"].name']],
  ['an item of a set', { tags: ['x'] }, ['.spec.tags[="x"]']],
  ['a list that is one value', { args: ['x', 'y'] }, ['.spec.args']],
  ['an empty map', { inner: {} }, ['.spec.inner']],
  ['a null', { size: null }, ['.spec.size']],
  ['a quantity', { limit: '1' }, ['.spec.limit']],
  [
    'what no schema describes, by its own shape',
    { any: { deep: { x: 1 }, list: [1] } },
    ['.spec.any.deep', '.spec.any.list', '.spec.any.deep.x'],
  ],
  [
    'items with the same key, as one',
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    ['.spec.env[name="A"]'],
  ],
])('an applied object speaks for %s', (_, spec, paths) => {
  expect(pathsIn(spec)).toEqual(paths)
})

test.each<[string, object, object, object]>([
  ['a value', { size: 1 }, { size: 2 }, { modified: ['.spec.size'] }],
  ['nothing', { size: 1, args: ['a'], inner: { a: 'x' } }, { inner: { a: 'x' }, args: ['a'], size: 1 }, {}],
  ['a whole struct that was not there', {}, { inner: { a: '1' } }, { added: ['.spec.inner', '.spec.inner.a'] }],
  ['a struct that is gone', { inner: { a: '1' } }, {}, { removed: ['.spec.inner', '.spec.inner.a'] }],
  [
    'an entry',
    { labels: { a: '1', b: '1' } },
    { labels: { b: '2', c: '1' } },
    { added: ['.spec.labels.c'], modified: ['.spec.labels.b'], removed: ['.spec.labels.a'] },
  ],
  ['an item moved', { tags: ['a', 'b'] }, { tags: ['b', 'a'] }, {}],
  ['an item of a set', { tags: ['a'] }, { tags: ['b'] }, { added: ['.spec.tags[="b"]'], removed: ['.spec.tags[="a"]'] }],
  [
    'a field of an item',
    { ports: [{ port: 80 }] },
    { ports: [{ port: 80, protocol: 'TCP' }] },
    { added: ['.spec.ports[port=80,protocol="TCP"].protocol'] },
  ],
  ['an atomic list', { args: ['a'] }, { args: ['a', 'b'] }, { modified: ['.spec.args'] }],
  ['an atomic map', { selector: { a: '1' } }, { selector: { b: '1' } }, { modified: ['.spec.selector'] }],
  ['an empty map that fills', { labels: {} }, { labels: { a: '1' } }, { added: ['.spec.labels.a'] }],
  ['empty to null', { labels: {} }, { labels: null }, { modified: ['.spec.labels'] }],
  ['items that share a key', { env: [{ name: 'A' }, { name: 'A' }] }, { env: [{ name: 'A' }] }, { modified: ['.spec.env[name="A"]'] }],
  ['a value that changes its shape', { any: { x: 1 } }, { any: { x: { y: 1 } } }, { modified: ['.spec.any.x'] }],
])('a comparison tells of %s', (_, before, after, expected) => {
  expect(changes(before, after)).toEqual({ added: [], modified: [], removed: [], ...expected })
})

test.each<[string, object, object, object]>([
  ['maps are merged', { size: 1, inner: { a: '1' } }, { inner: { b: '2' } }, { size: 1, inner: { a: '1', b: '2' } }],
  ['an atomic map is replaced', { selector: { a: '1' } }, { selector: { b: '1' } }, { selector: { b: '1' } }],
  ['an atomic list is replaced', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
  ['a set grows', { tags: ['a'] }, { tags: ['b', 'a'] }, { tags: ['b', 'a'] }],
  [
    'items are matched by all of their keys',
    {
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 80, protocol: 'UDP' },
      ],
    },
    { ports: [{ port: 80, name: 'x' }] },
    {
      ports: [
        { port: 80, protocol: 'TCP', name: 'x' },
        { port: 80, protocol: 'UDP' },
      ],
    },
  ],
  [
    'shared items take the order applied, others keep their place',
    { tags: ['a', 'b', 'c', 'd'] },
    { tags: ['d', 'b', 'x'] },
    { tags: ['a', 'c', 'd', 'b', 'x'] },
  ],
  ['a null says nothing of a map that holds something', { labels: { a: '1' } }, { labels: null }, { labels: { a: '1' } }],
  ['a null sets a value to null', { size: 1 }, { size: null }, { size: null }],
  [
    'live items that share a key give way to the one applied',
    {
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    { env: [{ name: 'A', value: '3' }] },
    { env: [{ name: 'A', value: '3' }] },
  ],
])('applying: %s', (_, live, config, expected) => {
  expect(mergedSpec(live, config)).toEqual(expected)
})

test('taking fields out takes items and entries out, and containers that are left empty', () => {
  const live = of({ size: 1, labels: { a: '1' }, ports: [{ port: 80, name: 'x' }, { port: 81 }], args: ['a'] })
  const set = fieldSetOf(schema, of({ labels: { a: '1' }, ports: [{ port: 81 }], args: ['a'] }))
  expect(withoutFields(schema, live, set)).toEqual({ spec: { size: 1, ports: [{ port: 80, name: 'x' }] } })
  expect(withoutFields(schema, of({ size: 1 }), { 'f:spec': { '.': {} } })).toBeUndefined()
})

test('fields that the schema names count with what they hold, entries and items do not', () => {
  const set = { 'f:spec': { 'f:labels': { 'f:a': {} }, 'f:inner': { 'f:a': {} }, 'f:any': { 'f:deep': { 'f:x': {} } } } }
  expect(pathsOf(withNamedFields(schema, set))).toEqual([
    '.spec',
    '.spec.any',
    '.spec.inner',
    '.spec.labels',
    '.spec.any.deep.x',
    '.spec.inner.a',
    '.spec.labels.a',
  ])
})

test.each<[string, object, string[]]>([
  ['an unknown field', { sized: 1 }, ['.spec.sized: field not declared in schema']],
  ['text for a number', { size: '1' }, ['.spec.size: expected numeric (int or float), got &value.valueUnstructured{Value:"1"}']],
  [
    'a number for text',
    { env: [{ name: 'A', value: 8080 }] },
    ['.spec.env[name="A"].value: expected string, got &value.valueUnstructured{Value:8080}'],
  ],
  [
    'a map for a boolean',
    { on: { a: [1] } },
    ['.spec.on: expected boolean, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{1}}}'],
  ],
  ['a map for a list', { args: { a: 1 } }, ['.spec.args: expected list, got &{map[a:1]}']],
  ['a list for a map', { labels: ['a', 'b'] }, ['.spec.labels: expected map, got &{[a b]}']],
  [
    'an item twice',
    { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] },
    ['.spec.ports: duplicate entries for key [port=80,protocol="TCP"]'],
  ],
  [
    'an item without its key',
    { ports: [{ name: 'x' }] },
    [`.spec.ports: element 0: associative list with keys has an element that omits key field "port" (and doesn't have default value)`],
  ],
  [
    'an item that is no map',
    { ports: ['x', null] },
    [
      '.spec.ports: element 0: associative list with keys may not have non-map elements',
      '.spec.ports: element 1: associative list with keys may not have a null element',
    ],
  ],
  [
    'a set of maps, lists and nulls',
    { tags: [{}, [], null] },
    [
      `.spec.tags: element 0: associative list without keys has an element that's a map type`,
      '.spec.tags: element 1: not supported: associative list with lists as elements',
      `.spec.tags: element 2: associative list without keys has an element that's an explicit null`,
    ],
  ],
])('a configuration is not of its type: %s', (_, spec, found) => {
  expect(typeErrors(schema, of(spec))).toEqual(found)
})

test('what a schema leaves open is of its type, and so is metadata', () => {
  const config = {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'a', labels: { a: 'b' } },
    spec: { any: { x: [1] }, limit: 1, size: null },
  }
  expect(typeErrors(schema, config)).toEqual([])
  expect(typeErrors(schema, { metadata: { labels: { a: 1 } }, extra: 1 })).toEqual([
    '.metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}',
    '.extra: field not declared in schema',
  ])
})

test('what an object has of its own counts, whatever its kind says of metadata', () => {
  const own = wholeSchema({ type: 'object', properties: { apiVersion: text, kind: text, metadata: { type: 'object' } } })
  expect(typeErrors(own, { apiVersion: 'v1', kind: 'X', metadata: { name: 'a', labels: { a: 'b' } } })).toEqual([])
})

test('a set follows a schema that made one value of what was many', () => {
  const before = { 'f:spec': { 'f:args': { '.': {}, 'v:"a"': {} }, 'f:selector': { 'f:a': {} }, 'f:tags': { 'v:"x"': {} } } }
  expect(reconciledFields(schema, before)).toEqual({ 'f:spec': { 'f:args': {}, 'f:selector': {}, 'f:tags': { 'v:"x"': {} } } })
  const same = { 'f:spec': { 'f:inner': { '.': {}, 'f:a': {} } } }
  expect(reconciledFields(schema, same)).toBe(same)
})

test('several findings are told line by line', () => {
  expect(typeErrorsText(['.a: b'])).toBe('.a: b')
  expect(typeErrorsText(['.a: b', '.c: d'])).toBe('errors:\n  .a: b\n  .c: d')
})
