import { expect, test } from 'vitest'
import {
  difference,
  EMPTY,
  type FieldSet,
  fieldSetFrom,
  fieldsText,
  has,
  intersection,
  pathsOf,
  recursiveDifference,
  union,
} from '../../../../src/apimachinery/managed-fields/field-set.js'
import { compareElements, elementText, keyElement } from '../../../../src/apimachinery/managed-fields/path-element.js'

const spec: FieldSet = { 'f:spec': { '.': {}, 'f:a': {}, 'f:list': { 'k:{"name":"x"}': { '.': {}, 'f:value': {} } } } }

test.each<[string, FieldSet, FieldSet, FieldSet]>([
  ['siblings', { 'f:a': {} }, { 'f:b': {} }, { 'f:a': {}, 'f:b': {} }],
  ['a parent and its child', { 'f:a': {} }, { 'f:a': { 'f:b': {} } }, { 'f:a': { '.': {}, 'f:b': {} } }],
  ['a child and its parent', { 'f:a': { 'f:b': {} } }, { 'f:a': {} }, { 'f:a': { '.': {}, 'f:b': {} } }],
  ['nothing', { 'f:a': {} }, {}, { 'f:a': {} }],
])('a union holds what is in either: %s', (_, a, b, both) => {
  expect(union(a, b)).toEqual(both)
})

test('a union that adds nothing is the very same set', () => {
  expect(union(spec, { 'f:spec': { 'f:list': { 'k:{"name":"x"}': { 'f:value': {} } } } })).toBe(spec)
})

test.each<[string, FieldSet, FieldSet, FieldSet]>([
  ['a leaf', { 'f:a': {}, 'f:b': {} }, { 'f:a': {} }, { 'f:a': {} }],
  ['a parent is not its child', { 'f:a': {} }, { 'f:a': { 'f:b': {} } }, {}],
  [
    'an item with one of its fields',
    spec,
    { 'f:spec': { 'f:list': { 'k:{"name":"x"}': { 'f:value': {} } } } },
    { 'f:spec': { 'f:list': { 'k:{"name":"x"}': { 'f:value': {} } } } },
  ],
  ['an item itself', spec, { 'f:spec': { 'f:list': { 'k:{"name":"x"}': {} } } }, { 'f:spec': { 'f:list': { 'k:{"name":"x"}': {} } } }],
])('an intersection holds what is in both: %s', (_, a, b, shared) => {
  expect(intersection(a, b)).toEqual(shared)
})

test.each<[string, FieldSet, FieldSet, FieldSet]>([
  ['a leaf', { 'f:a': {}, 'f:b': {} }, { 'f:a': {} }, { 'f:b': {} }],
  [
    'a parent leaves its children',
    spec,
    { 'f:spec': {} },
    { 'f:spec': { 'f:a': {}, 'f:list': { 'k:{"name":"x"}': { '.': {}, 'f:value': {} } } } },
  ],
  ['the last child leaves no empty parent', { 'f:a': { 'f:b': {} } }, { 'f:a': { 'f:b': {} } }, {}],
  ['the last child leaves a parent that is a member', { 'f:a': { '.': {}, 'f:b': {} } }, { 'f:a': { 'f:b': {} } }, { 'f:a': {} }],
])('a difference takes away path by path: %s', (_, a, b, left) => {
  expect(difference(a, b)).toEqual(left)
})

test('a difference with what is not there is the very same set', () => {
  expect(difference(spec, { 'f:status': {}, 'f:spec': { 'f:z': {} } })).toBe(spec)
})

test('a recursive difference takes what lies below along', () => {
  expect(recursiveDifference({ ...spec, 'f:data': {} }, { 'f:spec': { 'f:list': {} } })).toEqual({
    'f:spec': { '.': {}, 'f:a': {} },
    'f:data': {},
  })
})

test('paths read as in messages, the members of a level before what lies below them, in order of their keys', () => {
  const set: FieldSet = {
    'f:z': {},
    'f:ports': { 'k:{"containerPort":443,"protocol":"TCP"}': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } },
    'f:finalizers': { 'v:"b"': {}, 'v:"a"': {} },
    'f:places': { 'i:10': {}, 'i:2': {} },
  }
  expect(pathsOf(set)).toEqual([
    '.z',
    '.finalizers[="a"]',
    '.finalizers[="b"]',
    '.places[2]',
    '.places[10]',
    '.ports[containerPort=80,protocol="TCP"]',
    '.ports[containerPort=443,protocol="TCP"]',
    '.ports[containerPort=80,protocol="TCP"].name',
  ])
})

test('elements sort by kind, then by what they hold', () => {
  expect(['v:true', 'v:"a"', 'v:3', 'i:0', 'k:{"a":1,"b":2}', 'k:{"a":1}', 'f:x'].sort(compareElements)).toEqual([
    'f:x',
    'k:{"a":1}',
    'k:{"a":1,"b":2}',
    'v:3',
    'v:"a"',
    'v:true',
    'i:0',
  ])
  expect(elementText(keyElement({ name: 'x', a: true }))).toBe('[a=true,name="x"]')
})

test('equal sets have equal texts, whatever order they were written in', () => {
  const a = fieldSetFrom({ 'f:b': {}, 'f:list': { 'k:{"b":1,"a":"x"}': { '.': {} } }, 'f:set': { 'v: "x"': {} } })
  const b = fieldSetFrom({ 'f:set': { 'v:"x"': {} }, 'f:list': { 'k:{"a":"x", "b":1}': {} }, 'f:b': {} })
  expect(fieldsText(a)).toBe('{"f:b":{},"f:list":{"k:{\\"a\\":\\"x\\",\\"b\\":1}":{}},"f:set":{"v:\\"x\\"":{}}}')
  expect(fieldsText(b)).toBe(fieldsText(a))
  expect(fieldSetFrom(JSON.parse(fieldsText(a)))).toEqual(a)
})

test('kinds of elements from the future are dropped, malformed ones are an error', () => {
  expect(fieldSetFrom({ 'x:new': {}, 'f:a': {} })).toEqual({ 'f:a': {} })
  for (const bad of [{ a: {} }, { 'k:[1]': {} }, { 'k:{': {} }, { 'i:x': {} }, { 'f:a': 1 }, 'text'])
    expect(() => fieldSetFrom(bad), JSON.stringify(bad)).toThrow(SyntaxError)
})

test('a key of the prototype is a key like any other', () => {
  const set = fieldSetFrom(JSON.parse('{"f:__proto__":{},"f:constructor":{"f:x":{}}}'))
  expect(pathsOf(set)).toEqual(['.__proto__', '.constructor.x'])
  expect(has(set, ['f:constructor'])).toBe(false)
  expect(has(set, ['f:constructor', 'f:x'])).toBe(true)
  expect(has(EMPTY, [])).toBe(false)
})
