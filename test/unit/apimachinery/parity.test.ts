import { expect, test } from 'vitest'
import { below, enforced, fieldsOf, parityRowFor, refused, stored } from '../../../src/apimachinery/parity.js'

test('the fields of a schema are what holds values: through lists and maps of objects, not into lists and maps of scalars', () => {
  const schema = {
    properties: {
      spec: {
        properties: {
          name: { type: 'string' as const },
          args: { items: { type: 'string' as const } },
          labels: { additionalProperties: { type: 'string' as const } },
          anything: { 'x-kubernetes-preserve-unknown-fields': true },
          containers: { items: { properties: { image: { type: 'string' as const } } } },
          headers: { additionalProperties: { properties: { exact: { type: 'string' as const } } } },
          matrix: { items: { items: { type: 'integer' as const } } },
        },
      },
    },
  }
  expect(fieldsOf(schema)).toEqual([
    'spec.name',
    'spec.args',
    'spec.labels',
    'spec.anything',
    'spec.containers[].image',
    'spec.headers{}.exact',
    'spec.matrix[]',
  ])
})

test('of several rows that match a field, the most specific one counts', () => {
  const table = [...stored('as a whole', 'spec.*'), ...below('spec.delivery', enforced('retry')), ...refused('never', 'spec.delivery.*')]
  expect(parityRowFor(table, 'spec.delivery.retry')).toEqual({ field: 'spec.delivery.retry', state: 'enforced' })
  expect(parityRowFor(table, 'spec.delivery.timeout')?.state).toBe('refused')
  expect(parityRowFor(table, 'spec.broker')?.note).toBe('as a whole')
  expect(parityRowFor(table, 'specs')).toBeUndefined()
})
