import { describe, expect, test } from 'vitest'
import type { PatchType } from '../../../src/apimachinery/call.js'
import { deepCopy } from '../../../src/apimachinery/json.js'
import { applyPatch } from '../../../src/apimachinery/patch.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'

const JSON_PATCH: PatchType = 'application/json-patch+json'
const MERGE: PatchType = 'application/merge-patch+json'

const jsonPatched = (current: object, ...operations: object[]): object => applyPatch(current, { type: JSON_PATCH, body: operations })
const merged = (current: object, body: unknown): object => applyPatch(current, { type: MERGE, body })

function refusalOf(act: () => unknown): { code: number; reason: string; message: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, reason: error.reason, message: error.message }
    throw error
  }
  throw new Error('was not refused')
}

const DOES_NOT_FIT = { code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request' }

describe('JSON patch', () => {
  test.each<[string, object, object[], object]>([
    ['add sets a field', { a: 1 }, [{ op: 'add', path: '/b', value: { c: 2 } }], { a: 1, b: { c: 2 } }],
    ['add replaces a field', { a: 1 }, [{ op: 'add', path: '/a', value: 2 }], { a: 2 }],
    ['add inserts into a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['add appends with a dash', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['remove takes a field away', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['remove closes the gap in a list', { a: [1, 2, 3] }, [{ op: 'remove', path: '/a/1' }], { a: [1, 3] }],
    ['replace changes what is there', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: null }], { a: { b: null } }],
    ['replace takes the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
    ['move carries a value', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    ['move reorders a list', { a: [1, 2, 3] }, [{ op: 'move', from: '/a/0', path: '/a/2' }], { a: [2, 3, 1] }],
    ['copy doubles a value', { a: { b: [1] } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: [1] }, c: { b: [1] } }],
    [
      'test lets equal values pass, whatever the order of keys',
      { a: { x: 1, y: 2 } },
      [{ op: 'test', path: '/a', value: { y: 2, x: 1 } }],
      { a: { x: 1, y: 2 } },
    ],
    ['test for null passes where nothing is', { a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    [
      'escaped tokens name keys with slashes and tildes',
      { 'a/b': 1, 'c~d': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'replace', path: '/c~0d', value: 3 },
      ],
      { 'c~d': 3 },
    ],
  ])('%s', (_, current, operations, expected) => {
    const before = deepCopy(current)
    expect(jsonPatched(current, ...operations)).toEqual(expected)
    expect(current).toEqual(before)
  })

  test.each<[string, object[]]>([
    ['removing what is not there', [{ op: 'remove', path: '/nope' }]],
    ['replacing what is not there', [{ op: 'replace', path: '/nope', value: 1 }]],
    ['adding below what is not there', [{ op: 'add', path: '/nope/a', value: 1 }]],
    ['adding beyond the end of a list', [{ op: 'add', path: '/list/3', value: 1 }]],
    ['an index with a leading zero', [{ op: 'replace', path: '/list/01', value: 1 }]],
    ['the dash where nothing is appended', [{ op: 'replace', path: '/list/-', value: 1 }]],
    ['a test that fails', [{ op: 'test', path: '/a', value: 2 }]],
    ['moving a value into itself', [{ op: 'move', from: '/map', path: '/map/inner' }]],
    ['an unknown operation', [{ op: 'swap', path: '/a' }]],
    ['an operation without its value', [{ op: 'add', path: '/a' }]],
    ['a path without its slash', [{ op: 'remove', path: 'a' }]],
    ['a document that is no object', [{ op: 'replace', path: '', value: [] }]],
    ['what an object only inherits', [{ op: 'replace', path: '/constructor', value: 1 }]],
  ])('%s is refused, with nothing changed', (_, operations) => {
    const current = { a: 1, list: [1, 2], map: {} }
    expect(refusalOf(() => jsonPatched(current, { op: 'add', path: '/b', value: 1 }, ...operations))).toEqual(DOES_NOT_FIT)
    expect(current).toEqual({ a: 1, list: [1, 2], map: {} })
  })

  test('a patch that is no list, or is too long, is refused as upstream does', () => {
    expect(refusalOf(() => applyPatch({}, { type: JSON_PATCH, body: {} }))).toMatchObject({ code: 400, reason: 'BadRequest' })
    const operations = Array.from({ length: 10_001 }, () => ({ op: 'add', path: '/a', value: 1 }))
    expect(refusalOf(() => jsonPatched({}, ...operations))).toMatchObject({ code: 413, reason: 'RequestEntityTooLarge' })
  })

  test('copying a value into itself again and again ends before memory does', () => {
    const operations = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }))
    expect(refusalOf(() => jsonPatched({ a: ['x'.repeat(1000)] }, ...operations))).toEqual(DOES_NOT_FIT)
  })

  test('a key named __proto__ stays data', () => {
    const result = jsonPatched({ a: {} }, { op: 'add', path: '/a/__proto__', value: { polluted: true } }) as { a: object }
    expect(Object.getPrototypeOf(result.a)).toBe(Object.prototype)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(refusalOf(() => jsonPatched({ a: {} }, { op: 'add', path: '/__proto__/polluted', value: true }))).toEqual(DOES_NOT_FIT)
  })

  test('the result shares nothing with the patch', () => {
    const value = { b: 1 }
    const result = jsonPatched({}, { op: 'add', path: '/a', value }, { op: 'replace', path: '/a/b', value: 2 })
    expect([result, value]).toEqual([{ a: { b: 2 } }, { b: 1 }])
  })
})

describe('merge patch', () => {
  test.each<[object, object, object]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{ a: 1 }, {}, { a: 1 }],
  ])('%j with %j is %j', (current, patch, expected) => {
    const before = deepCopy(current)
    expect(merged(current, patch)).toEqual(expected)
    expect(current).toEqual(before)
  })

  test('a patch that is no object is refused', () => {
    expect(refusalOf(() => merged({}, [1]))).toEqual({ code: 400, reason: 'BadRequest', message: 'Invalid JSON Patch' })
  })

  test('a key named __proto__ stays data', () => {
    const result = merged({ a: {} }, JSON.parse('{"a":{"__proto__":{"polluted":true}}}')) as { a: object }
    expect(Object.getPrototypeOf(result.a)).toBe(Object.prototype)
    expect(Object.keys(result.a)).toEqual(['__proto__'])
  })
})

test('server-side apply is refused with the types that are accepted', () => {
  expect(refusalOf(() => applyPatch({}, { type: 'application/apply-patch+yaml', body: {} }))).toEqual({
    code: 415,
    reason: 'UnsupportedMediaType',
    message:
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json',
  })
})
