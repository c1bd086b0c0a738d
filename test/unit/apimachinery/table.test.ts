import { describe, expect, test } from 'vitest'
import type { Kind } from '../../../src/apimachinery/kind.js'
import { tableFor } from '../../../src/apimachinery/table.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'

const nowMs = Date.parse('2026-01-01T01:00:00Z')
const options = { nowMs, includeObject: 'Metadata' as const, resourceVersion: '7' }
const base: Kind = { group: '', version: 'v1', kind: 'Thing', plural: 'things', singular: 'thing', namespaced: true }

interface Table {
  kind: string
  apiVersion: string
  metadata: object
  columnDefinitions: { name: string; type: string; format: string; priority: number }[] | null
  rows: { cells: unknown[]; object: unknown }[]
}
const table = (...args: Parameters<typeof tableFor>): Table => tableFor(...args) as Table
const names = (result: Table): string[] => result.columnDefinitions!.map(({ name }) => name)

const service = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
  status: { url: 'http://hello', conditions: [{ type: 'Ready', status: 'False', reason: 'Why' }] },
}

test('a custom resource has Name and its columns, with null where a path leads nowhere', () => {
  const result = table(serviceKind, [service], options)
  expect(names(result)).toEqual(['Name', 'URL', 'LatestCreated', 'LatestReady', 'Ready', 'Reason'])
  expect(result.columnDefinitions![0]).toMatchObject({ name: 'Name', type: 'string', format: 'name', priority: 0 })
  expect(result.rows).toEqual([
    {
      cells: ['hello', 'http://hello', null, null, 'False', 'Why'],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: service.metadata },
    },
  ])
})

test('a custom resource without columns shows its age', () => {
  const result = table({ ...base, group: 'example.com' }, [service], options)
  expect(names(result)).toEqual(['Name', 'Age'])
  expect(result.rows[0]!.cells).toEqual(['hello', '60m'])
})

describe('built-in kinds', () => {
  const column = (name: string, priority = 0): NonNullable<Kind['columns']>[number] => ({
    name,
    type: 'string',
    priority,
    cell: () => name,
  })

  test('show Age before their wide columns', () => {
    expect(names(table({ ...base, columns: [column('Ready'), column('Images', 1)] }, [], options))).toEqual([
      'Name',
      'Ready',
      'Age',
      'Images',
    ])
  })

  test('show it once, or not at all where another column tells when', () => {
    expect(names(table({ ...base, columns: [column('Age'), column('IP', 1)] }, [], options))).toEqual(['Name', 'Age', 'IP'])
    expect(names(table({ ...base, columns: [column('Last Seen')] }, [], options))).toEqual(['Name', 'Last Seen'])
  })
})

test('cells have the type of their column, dates become ages', () => {
  const kind: Kind = {
    ...base,
    group: 'example.com',
    columns: [
      { name: 'i', type: 'integer', jsonPath: '.spec.i' },
      { name: 'n', type: 'number', jsonPath: '.spec.n' },
      { name: 'b', type: 'boolean', jsonPath: '.spec.b' },
      { name: 'd', type: 'date', jsonPath: '.spec.d' },
      { name: 'bad', type: 'date', jsonPath: '.spec.s' },
      { name: 'o', type: 'string', jsonPath: '.spec.o' },
      { name: 'x', type: 'integer', jsonPath: '.spec.s' },
      { name: 'none', type: 'string', jsonPath: '.spec.i[0]' },
    ],
  }
  const thing = { ...service, spec: { i: 3.7, n: 1.5, b: false, d: '2026-01-01T00:59:15Z', s: 'text', o: { a: [1] } } }
  expect(table(kind, [thing], options).rows[0]!.cells).toEqual(['hello', 3, 1.5, false, '45s', '<invalid>', '{"a":[1]}', null, null])
})

test('the table carries paging, the asked version, and as much of the objects as asked', () => {
  const whole = table(base, [service], { ...options, includeObject: 'Object', version: 'v1beta1', continue: 'abc', remainingItemCount: 2 })
  expect([whole.kind, whole.apiVersion, whole.metadata]).toEqual([
    'Table',
    'meta.k8s.io/v1beta1',
    { resourceVersion: '7', continue: 'abc', remainingItemCount: 2 },
  ])
  expect(whole.rows[0]!.object).toBe(service)
  const bare = table(base, [service], { ...options, includeObject: 'None', withDefinitions: false })
  expect([bare.columnDefinitions, bare.rows[0]!.object]).toEqual([null, null])
})
