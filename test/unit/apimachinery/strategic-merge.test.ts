import { describe, expect, test } from 'vitest'
import { deepCopy } from '../../../src/apimachinery/json.js'
import { applyPatch } from '../../../src/apimachinery/patch.js'
import type { Schema } from '../../../src/apimachinery/schema.js'

const patched = (current: object, body: object, options: { schema?: Schema; resource?: string } = { resource: 'pods' }): object => {
  const before = deepCopy([current, body])
  const result = applyPatch(current, { type: 'application/strategic-merge-patch+json', body }, options)
  expect([current, body]).toEqual(before)
  return result
}
const pod = (...containers: object[]): object => ({ spec: { containers } })

describe('lists', () => {
  test('items are merged by their key, new ones come first, as kubectl patch shows it', () => {
    const result = patched(pod({ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }, { name: 'b', image: '1' }), {
      spec: {
        containers: [
          { name: 'c', image: '3' },
          { name: 'a', image: '2', env: [{ name: 'Y', value: '2' }] },
        ],
      },
    })
    expect(result).toEqual(
      pod(
        { name: 'c', image: '3' },
        {
          name: 'a',
          image: '2',
          env: [
            { name: 'Y', value: '2' },
            { name: 'X', value: '1' },
          ],
        },
        { name: 'b', image: '1' },
      ),
    )
  })

  test('$setElementOrder puts the listed items in order, the others keep their place', () => {
    const result = patched(pod({ name: 'a' }, { name: 'server' }, { name: 'b' }), {
      spec: {
        '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }, { name: 'new' }],
        containers: [
          { name: 'b', image: '2' },
          { name: 'new', image: '1' },
        ],
      },
    })
    expect(result).toEqual(pod({ name: 'server' }, { name: 'b', image: '2' }, { name: 'a' }, { name: 'new', image: '1' }))
  })

  test('$setElementOrder works without a list to merge', () => {
    expect(patched(pod({ name: 'a' }, { name: 'b' }), { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } })).toEqual(
      pod({ name: 'b' }, { name: 'a' }),
    )
  })

  test('$patch: delete removes an item, $patch: replace the whole list', () => {
    expect(patched(pod({ name: 'a' }, { name: 'b' }), { spec: { containers: [{ name: 'a', $patch: 'delete' }] } })).toEqual(
      pod({ name: 'b' }),
    )
    expect(patched(pod({ name: 'a' }), { spec: { containers: [{ $patch: 'replace' }, { name: 'c' }] } })).toEqual(pod({ name: 'c' }))
  })

  test('a list without a merge key in Kubernetes is replaced', () => {
    expect(patched({ spec: { tolerations: [{ key: 'a' }] } }, { spec: { tolerations: [{ key: 'b' }] } })).toEqual({
      spec: { tolerations: [{ key: 'b' }] },
    })
  })

  test('ports are merged by containerPort in containers, by port in Services, not at all in Endpoints', () => {
    expect(
      patched(pod({ name: 'a', ports: [{ containerPort: 80 }] }), {
        spec: { containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }] },
      }),
    ).toEqual(pod({ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }))
    const service = { spec: { ports: [{ port: 80, targetPort: 8080 }] } }
    expect(patched(service, { spec: { ports: [{ port: 80, name: 'http' }] } }, { resource: 'services' })).toEqual({
      spec: { ports: [{ port: 80, targetPort: 8080, name: 'http' }] },
    })
    expect(patched({ ports: [{ port: 80 }] }, { ports: [{ port: 81 }] }, { resource: 'endpointslices.discovery.k8s.io' })).toEqual({
      ports: [{ port: 81 }],
    })
  })

  test('conditions are merged by type, finalizers as a set', () => {
    expect(
      patched(
        {
          status: {
            conditions: [
              { type: 'Ready', status: 'False' },
              { type: 'Other', status: 'True' },
            ],
          },
        },
        {
          status: { conditions: [{ type: 'Ready', status: 'True' }] },
        },
      ),
    ).toEqual({
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'Other', status: 'True' },
        ],
      },
    })
    expect(patched({ metadata: { finalizers: ['a', 'b'] } }, { metadata: { finalizers: ['c', 'b'] } })).toEqual({
      metadata: { finalizers: ['c', 'a', 'b'] },
    })
    expect(patched({ metadata: { finalizers: ['a', 'b'] } }, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } })).toEqual({
      metadata: { finalizers: ['b'] },
    })
  })

  test('the schema decides before the built-in table does', () => {
    const list = (extension: Partial<Schema>): Schema => ({
      type: 'object',
      properties: { containers: { type: 'array', items: { type: 'object' }, ...extension } },
    })
    const current = { containers: [{ name: 'a', id: 1 }] }
    const patch = { containers: [{ name: 'b', id: 1 }] }
    expect(
      patched(current, patch, { schema: list({ 'x-kubernetes-patch-merge-key': 'id', 'x-kubernetes-patch-strategy': 'merge' }) }),
    ).toEqual({
      containers: [{ name: 'b', id: 1 }],
    })
    expect(patched(current, patch, { schema: list({ 'x-kubernetes-list-type': 'atomic' }) })).toEqual(patch)
    expect(patched(current, patch, { schema: list({}) })).toEqual({
      containers: [
        { name: 'b', id: 1 },
        { name: 'a', id: 1 },
      ],
    })
  })

  test('an item without its merge key is refused, and so is a list of lists', () => {
    expect(() => patched(pod({ name: 'a' }), { spec: { containers: [{ image: 'x' }] } })).toThrow(
      'map: {"image":"x"} does not contain declared merge key: name',
    )
    expect(() => patched(pod({ name: 'a' }), { spec: { containers: [['x']] } })).toThrow(
      'the server rejected our request due to an error in our request',
    )
  })
})

describe('maps', () => {
  test('they are merged, null deletes, an empty patch changes nothing', () => {
    expect(patched({ metadata: { labels: { a: '1', b: '2' } } }, { metadata: { labels: { a: null, c: '3' } } })).toEqual({
      metadata: { labels: { b: '2', c: '3' } },
    })
    expect(patched({ a: 1 }, {})).toEqual({ a: 1 })
  })

  test('$patch: replace and delete act on a whole map', () => {
    expect(patched({ data: { a: '1' } }, { data: { $patch: 'replace', b: '2' } })).toEqual({ data: { b: '2' } })
    expect(patched({ data: { a: '1' } }, { data: { $patch: 'delete' } })).toEqual({ data: {} })
    expect(() => patched({ data: {} }, { data: { $patch: 'explode' } })).toThrow('the server rejected our request')
  })

  test('$retainKeys drops every other key', () => {
    const current = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
    expect(patched(current, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } })).toEqual({
      spec: { strategy: { type: 'Recreate' } },
    })
    expect(() => patched(current, { spec: { strategy: { $retainKeys: ['x'], type: 'Recreate' } } })).toThrow(
      "patch content doesn't match retainKeys list",
    )
  })

  test('a volume that changes its source keeps only the new one', () => {
    expect(
      patched(
        { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
        {
          spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'secret'], secret: { secretName: 's' } }] },
        },
      ),
    ).toEqual({ spec: { volumes: [{ name: 'v', secret: { secretName: 's' } }] } })
  })

  test('what is inserted where nothing was carries no directives and no nulls', () => {
    expect(
      patched(
        {},
        {
          spec: {
            $retainKeys: ['a'],
            a: null,
            b: 1,
            '$setElementOrder/c': [{ name: 'x' }],
            c: [{ name: 'x' }, { name: 'y', $patch: 'delete' }],
          },
        },
      ),
    ).toEqual({ spec: { b: 1, c: [{ name: 'x' }] } })
  })

  test('a key named __proto__ stays data', () => {
    const result = patched({ data: {} }, JSON.parse('{"data":{"__proto__":{"x":1}}}') as object) as { data: object }
    expect(Object.getPrototypeOf(result.data)).toBe(Object.prototype)
  })
})
