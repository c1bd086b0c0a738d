import { describe, expect, test } from 'vitest'
import { deepCopy } from '../../../src/apimachinery/json.js'
import { prune } from '../../../src/apimachinery/prune.js'
import type { Schema } from '../../../src/apimachinery/schema.js'
import { applySchemaDefaults, checkSchema } from '../../../src/apimachinery/schema-check.js'

const container: Schema = {
  type: 'object',
  required: ['image'],
  properties: {
    name: { type: 'string', default: 'user-container' },
    image: { type: 'string' },
    env: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, value: { type: 'string' } } },
    },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      items: {
        type: 'object',
        properties: { containerPort: { type: 'integer', format: 'int32' }, protocol: { type: 'string', default: 'TCP' } },
      },
    },
    resources: {
      type: 'object',
      properties: { limits: { type: 'object', additionalProperties: { 'x-kubernetes-int-or-string': true } } },
    },
    securityContext: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}
const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object', properties: { containers: { type: 'array', items: container } } } },
        },
        containers: { type: 'array', items: container, minItems: 1, maxItems: 2 },
        replicas: { type: 'integer', minimum: 0, maximum: 10 },
        ratio: { type: 'number', minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 },
        mode: { type: 'string', enum: ['a', 'b'] },
        text: { type: 'string', minLength: 2, maxLength: 4, pattern: '^[a-z]*$' },
        when: { type: 'string', format: 'date-time' },
        maybe: { type: 'string', nullable: true },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        either: {
          type: 'object',
          properties: { x: { type: 'string' }, y: { type: 'string' } },
          oneOf: [{ required: ['x'] }, { required: ['y'] }],
        },
        config: {
          type: 'object',
          default: { size: 1 },
          properties: { size: { type: 'integer' }, colour: { type: 'string', default: 'red' } },
        },
        labels: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 2 },
      },
    },
  },
}

const findings = (spec: object): string[] => checkSchema(schema, { spec }).map(({ field, message }) => `${field}: ${message}`)

describe('pruning', () => {
  test('what the schema does not know is left out and named, the input stays as it was', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'X',
      metadata: { name: 'a', labels: { any: 'thing' }, colour: 'red', ownerReferences: [{ uid: '1', extra: 1 }] },
      spec: { containers: [{ image: 'i' }, { image: 'j', bar: 1 }], foo: { deep: 1 } },
      extra: true,
    }
    const before = deepCopy(object)

    const { object: pruned, unknown } = prune(schema, object)

    expect(unknown).toEqual(['extra', 'metadata.colour', 'metadata.ownerReferences[0].extra', 'spec.containers[1].bar', 'spec.foo'])
    expect(pruned).toEqual({
      apiVersion: 'v1',
      kind: 'X',
      metadata: { name: 'a', labels: { any: 'thing' }, ownerReferences: [{ uid: '1' }] },
      spec: { containers: [{ image: 'i' }, { image: 'j' }] },
    })
    expect(object).toEqual(before)
    expect(pruned.spec.containers[0]).toBe(object.spec.containers[0])
  })

  test('an object that fits comes back itself', () => {
    const object = { spec: { labels: { anything: 'x' }, containers: [{ image: 'i', securityContext: { runAsUser: { odd: 1 } } }] } }
    const { object: pruned, unknown } = prune(schema, object)
    expect(pruned).toBe(object)
    expect(unknown).toEqual([])
  })

  test('an embedded resource keeps apiVersion, kind and metadata, and its metadata is looked at too', () => {
    const { object, unknown } = prune(schema, { spec: { template: { kind: 'Pod', metadata: { labels: {}, odd: 1 }, spec: {}, other: 1 } } })
    expect(object).toEqual({ spec: { template: { kind: 'Pod', metadata: { labels: {} }, spec: {} } } })
    expect(unknown).toEqual(['spec.template.metadata.odd', 'spec.template.other'])
  })

  test('keys that every object inherits are unknown fields like any other', () => {
    const { object, unknown } = prune(schema, JSON.parse('{"spec":{"__proto__":{"x":1},"constructor":1}}') as object)
    expect(object).toEqual({ spec: {} })
    expect(unknown).toEqual(['spec.__proto__', 'spec.constructor'])
  })
})

describe('defaults', () => {
  test('missing fields get theirs, also inside lists and inside defaults', () => {
    expect(applySchemaDefaults(schema, { spec: { containers: [{ image: 'i', ports: [{ containerPort: 80 }] }] } })).toEqual({
      spec: {
        containers: [{ image: 'i', name: 'user-container', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
        config: { size: 1, colour: 'red' },
      },
    })
  })

  test('null counts as absent unless the field is nullable', () => {
    expect(applySchemaDefaults(schema, { spec: { replicas: null, maybe: null, config: null } })).toEqual({
      spec: { maybe: null, config: { size: 1, colour: 'red' } },
    })
  })

  test('the result shares nothing with the object or the schema', () => {
    const object = { spec: { containers: [{ image: 'i', securityContext: { a: [1] } }] } }
    const first = applySchemaDefaults(schema, object) as unknown as {
      spec: { config: { size: number }; containers: { securityContext: { a: number[] } }[] }
    }
    first.spec.config.size = 9
    first.spec.containers[0]!.securityContext.a.push(2)
    expect(object.spec.containers[0]!.securityContext.a).toEqual([1])
    expect(applySchemaDefaults(schema, { spec: {} })).toEqual({ spec: { config: { size: 1, colour: 'red' } } })
  })
})

describe('checking', () => {
  test.each<[string, object, string[]]>([
    ['nothing wrong', { replicas: 3, mode: 'a', text: 'abc', when: '2026-01-02T03:04:05Z', maybe: null, ratio: 1.5 }, []],
    [
      'a text instead of a number',
      { replicas: 'x' },
      ['spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"'],
    ],
    [
      'a fraction instead of an integer',
      { replicas: 1.5 },
      ['spec.replicas: Invalid value: "number": spec.replicas in body must be of type integer: "number"'],
    ],
    [
      'null where it is not allowed',
      { mode: null },
      ['spec.mode: Invalid value: "null": spec.mode in body must be of type string: "null"'],
    ],
    ['a missing field', { containers: [{}] }, ['spec.containers[0].image: Required value']],
    ['a value outside the list', { mode: 'z' }, ['spec.mode: Unsupported value: "z": supported values: "a", "b"']],
    ['a text that does not match', { text: 'AB' }, ['spec.text: Invalid value: "AB": spec.text in body should match \'^[a-z]*$\'']],
    ['a short text', { text: 'a' }, ['spec.text: Invalid value: "a": spec.text in body should be at least 2 chars long']],
    ['a long text', { text: 'abcde' }, ['spec.text: Too long: may not be more than 4 bytes']],
    ['a small number', { replicas: -1 }, ['spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0']],
    ['a large number', { replicas: 11 }, ['spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10']],
    [
      'a number on the excluded bound, no multiple',
      { ratio: -0.2 },
      [
        'spec.ratio: Invalid value: -0.2: spec.ratio in body should be greater than 0',
        'spec.ratio: Invalid value: -0.2: spec.ratio in body should be a multiple of 0.5',
      ],
    ],
    ['too few items', { containers: [] }, ['spec.containers: Invalid value: 0: spec.containers in body should have at least 1 items']],
    [
      'too many items',
      { containers: [{ image: 'a' }, { image: 'b' }, { image: 'c' }] },
      ['spec.containers: Too many: 3: must have at most 2 items'],
    ],
    ['too many entries', { labels: { a: '', b: '', c: '' } }, ['spec.labels: Too many: 3: must have at most 2 items']],
    [
      'a wrong entry',
      { labels: { a: 1 } },
      ['spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'],
    ],
    ['a wrong format', { when: 'now' }, ['spec.when: Invalid value: "now": spec.when in body must be of type date-time: "now"']],
    ['a repeated item of a set', { tags: ['a', 'b', 'a'] }, ['spec.tags[2]: Duplicate value: "a"']],
    [
      'a repeated key of a map list',
      { containers: [{ image: 'i', env: [{ name: 'A' }, { name: 'A', value: 'x' }] }] },
      ['spec.containers[0].env[1]: Duplicate value: {"name":"A"}'],
    ],
    [
      'a key that repeats through its default',
      { containers: [{ image: 'i', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] }] },
      ['spec.containers[0].ports[1]: Duplicate value: {"containerPort":80,"protocol":"TCP"}'],
    ],
    ['numbers and texts where both are allowed', { containers: [{ image: 'i', resources: { limits: { cpu: 1, memory: '1Gi' } } }] }, []],
    [
      'something else there',
      { containers: [{ image: 'i', resources: { limits: { cpu: true } } }] },
      [
        'spec.containers[0].resources.limits.cpu: Invalid value: "boolean": spec.containers[0].resources.limits.cpu in body must be of type integer,string: "boolean"',
      ],
    ],
    [
      'neither of two',
      { either: {} },
      [
        '<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid',
        'spec.either.x: Required value',
      ],
    ],
    [
      'both of two',
      { either: { x: '', y: '' } },
      ['<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(findings(spec)).toEqual(expected)
  })

  test('findings carry the reasons that clients switch on', () => {
    const reasons = checkSchema(schema, { spec: { replicas: 'x', mode: 'z', text: 'abcde', containers: [{}], tags: ['a', 'a'] } }).map(
      ({ reason }) => reason,
    )
    expect(reasons).toEqual([
      'FieldValueTypeInvalid',
      'FieldValueNotSupported',
      'FieldValueTooLong',
      'FieldValueRequired',
      'FieldValueDuplicate',
    ])
  })
})
