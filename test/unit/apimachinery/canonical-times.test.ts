import { expect, test } from 'vitest'
import { canonicalTime, canonicalTimes } from '../../../src/apimachinery/canonical-times.js'
import type { Schema } from '../../../src/apimachinery/schema.js'

const time: Schema = { type: 'string', format: 'date-time' }

test.each([
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000Z'],
  ['2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000Z'],
  ['2026-01-02T03:04:05.9999999z', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.999999Z'],
  ['2026-01-01t23:04:05.5-04:00', '2026-01-02T03:04:05Z', '2026-01-02T03:04:05.500000Z'],
])('%s is the Time %s and the MicroTime %s', (sent, seconds, micro) => {
  expect(canonicalTime(sent, false)).toBe(seconds)
  expect(canonicalTime(sent, true)).toBe(micro)
})

test.each(['', 'yesterday', '2026-01-02', '2026-13-02T03:04:05Z', '2026-01-02T03:04:05'])('%j is no time', (text) => {
  expect(canonicalTime(text, false)).toBeUndefined()
})

test('times are rewritten wherever the schema has them, and nothing else is', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: { renewTime: time, note: { type: 'string' }, at: { type: 'object', additionalProperties: time } },
      },
      status: { type: 'object', properties: { conditions: { type: 'array', items: { type: 'object', properties: { since: time } } } } },
    },
  }
  const sent = '2026-01-02T03:04:05.678Z'
  const object = {
    spec: { renewTime: sent, note: sent, at: { __proto__: null, one: sent } },
    status: { conditions: [{ since: sent }, { since: 'never' }, 7] },
  }
  canonicalTimes(schema, object)
  expect(object).toEqual({
    spec: { renewTime: '2026-01-02T03:04:05.678000Z', note: sent, at: { one: '2026-01-02T03:04:05Z' } },
    status: { conditions: [{ since: '2026-01-02T03:04:05Z' }, { since: 'never' }, 7] },
  })
  canonicalTimes(schema, { spec: 'odd', status: null })
})

test('a schema that refers to itself is no trap', () => {
  const schema: Schema & { properties: Record<string, Schema> } = { type: 'object', properties: { at: time } }
  schema.properties['inner'] = schema
  const object = { at: '2026-01-02T03:04:05.6Z', inner: {} }
  canonicalTimes(schema, object)
  expect(object.at).toBe('2026-01-02T03:04:05Z')
})
