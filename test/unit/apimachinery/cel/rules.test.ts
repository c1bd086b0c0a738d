import { expect, test } from 'vitest'
import { compileRules } from '../../../../src/apimachinery/cel/rules.js'
import type { Schema, ValidationRule } from '../../../../src/apimachinery/schema.js'

const specWith = (spec: Schema): Schema => ({ type: 'object', properties: { spec } })
const texts = (schema: Schema, object: object, old?: object): string[] =>
  compileRules(schema)!
    .check(object, old)
    .map(({ field, message }) => `${field}: ${message}`)

const scalar = (...rules: ValidationRule[]): Schema =>
  specWith({ type: 'object', properties: { n: { type: 'integer', 'x-kubernetes-validations': rules } } })

test('a broken rule is told with its message, its expression or itself', () => {
  expect(texts(scalar({ rule: 'self > 3', message: 'too small' }), { spec: { n: 1 } })).toEqual([
    'spec.n: Invalid value: "integer": too small',
  ])
  expect(texts(scalar({ rule: 'self > 3' }), { spec: { n: 1 } })).toEqual(['spec.n: Invalid value: "integer": failed rule: self > 3'])
  expect(texts(scalar({ rule: 'self > 3', messageExpression: '"got " + string(self)' }), { spec: { n: 1 } })).toEqual([
    'spec.n: Invalid value: "integer": got 1',
  ])
  expect(texts(scalar({ rule: 'self > 3', message: 'plain', messageExpression: '"x" + string(1 / 0)' }), { spec: { n: 1 } })).toEqual([
    'spec.n: Invalid value: "integer": plain',
  ])
  expect(texts(scalar({ rule: 'self > 3' }), { spec: { n: 4 } })).toEqual([])
  expect(texts(scalar({ rule: 'self > 3' }), { spec: {} })).toEqual([])
})

test('a rule at the root has no path; a fieldPath and a reason change where and as what it is filed', () => {
  const rule = { rule: 'self.spec.a == self.spec.b', message: 'differ' }
  const schema = (more: Partial<ValidationRule>): Schema => ({
    ...specWith({ type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } }),
    'x-kubernetes-validations': [{ ...rule, ...more }],
  })
  const object = { spec: { a: 1, b: 2 } }
  expect(texts(schema({}), object)).toEqual(['<nil>: Invalid value: "object": differ'])
  expect(texts(schema({ fieldPath: '.spec.b' }), object)).toEqual(['spec.b: Invalid value: "object": differ'])
  expect(texts(schema({ fieldPath: '.spec.b', reason: 'FieldValueForbidden' }), object)).toEqual(['spec.b: Forbidden: differ'])
  expect(texts(schema({ reason: 'FieldValueRequired' }), object)).toEqual(['<nil>: Required value: differ'])
  expect(texts(schema({ reason: 'FieldValueDuplicate' }), object)).toEqual(['<nil>: Duplicate value: "object"'])
})

test('a rule that goes wrong says how', () => {
  expect(
    texts(specWith({ type: 'object', properties: { a: { type: 'integer' } }, 'x-kubernetes-validations': [{ rule: 'self.a > 1' }] }), {
      spec: {},
    }),
  ).toEqual(['spec: Invalid value: "object": no such key: a evaluating rule: self.a > 1'])
})

test('rules that look at the state before hold for updates only', () => {
  const schema = scalar({ rule: 'self >= oldSelf', message: 'may not shrink' })
  expect(texts(schema, { spec: { n: 1 } })).toEqual([])
  expect(texts(schema, { spec: { n: 1 } }, { spec: { n: 2 } })).toEqual(['spec.n: Invalid value: "integer": may not shrink'])
  expect(texts(schema, { spec: { n: 1 } }, { spec: {} })).toEqual([])
})

test('with optionalOldSelf they are evaluated on create as well', () => {
  const schema = scalar({ rule: 'oldSelf.hasValue() ? self == oldSelf.value() : self == 1', optionalOldSelf: true })
  expect(texts(schema, { spec: { n: 1 } })).toEqual([])
  expect(texts(schema, { spec: { n: 2 } })).toHaveLength(1)
  expect(texts(schema, { spec: { n: 1 } }, { spec: { n: 2 } })).toHaveLength(1)
})

test('items of a list with keys are compared with the item of the same key', () => {
  const schema = specWith({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      properties: { name: { type: 'string' }, n: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.n == oldSelf.n', message: 'fixed' }],
    },
  })
  const old = {
    spec: [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ],
  }
  expect(
    texts(
      schema,
      {
        spec: [
          { name: 'b', n: 3 },
          { name: 'new', n: 9 },
          { name: 'a', n: 1 },
        ],
      },
      old,
    ),
  ).toEqual(['spec[0]: Invalid value: "object": fixed'])
})

test('what was wrong before and is not touched is let be', () => {
  const schema = specWith({
    type: 'object',
    additionalProperties: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 3', message: 'small' }] },
  })
  expect(texts(schema, { spec: { a: 1, b: 1 } }, { spec: { a: 1, b: 2 } })).toEqual(['spec.b: Invalid value: "integer": small'])
})

test('a schema without rules, or with none that can be evaluated, costs nothing', () => {
  expect(compileRules(specWith({ type: 'object' }))).toBeUndefined()
  expect(compileRules(scalar({ rule: 'url(self) == ""' }))).toBeUndefined()
})
