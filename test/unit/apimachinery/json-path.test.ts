import { describe, expect, test } from 'vitest'
import { compileJsonPathResults, compileJsonPathTemplate, jsonPathValues } from '../../../src/apimachinery/json-path.js'

const object = {
  kind: 'List',
  metadata: { name: 'x', labels: { 'serving.knative.dev/service': 'hello' } },
  items: [
    { name: 'a', size: 1, on: true, tags: ['x', 'y'] },
    { name: 'b', size: 20, on: false, tags: [] },
    { name: 'c', size: 3, extra: { deep: 'z' } },
  ],
  status: {
    conditions: [
      { type: 'Ready', status: 'True', reason: 'A) "quoted"' },
      { type: 'Other', status: 'False' },
    ],
    empty: null,
  },
}
const printedBy = (template: string, options?: { allowMissingKeys?: boolean }): string => compileJsonPathTemplate(template, options)(object)

describe('paths of columns', () => {
  test.each<[string, unknown[]]>([
    ['.metadata.name', ['x']],
    [".status.conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.type=="Other")].status', ['False']],
    [".status.conditions[?(@.type=='Nope')].status", []],
    [".metadata.labels['serving\\.knative\\.dev/service']", ['hello']],
    ['.metadata.labels.serving\\.knative\\.dev/service', ['hello']],
    ['.items[*].name', ['a', 'b', 'c']],
    ['.items[0].name', ['a']],
    ['.items[-1].name', ['c']],
    ['.nope.deeper', []],
    ['.status.empty', [null]],
    ['.metadata.constructor', []],
  ])('%s', (path, values) => {
    expect(jsonPathValues(path, object)).toEqual(values)
  })
})

describe('templates', () => {
  test.each([
    ['plain', 'plain'],
    ['{.kind}', 'List'],
    ['{$.kind}', 'List'],
    ['{@.kind}', 'List'],
    ['kind is {.kind}, name {.metadata.name}{"\\n"}', 'kind is List, name x\n'],
    ["{'\\t'}{.kind}", '\tList'],
    ['{.items[*].name}', 'a b c'],
    ['{.items[0:2].name}', 'a b'],
    ['{.items[:2].name}', 'a b'],
    ['{.items[1:].name}', 'b c'],
    ['{.items[::2].name}', 'a c'],
    ['{.items[-2:].name}', 'b c'],
    ['{.items[-2].name}', 'b'],
    ["{.items[0]['name','size']}", 'a 1'],
    ['{.items[0,2].name}', 'a c'],
    ['{.items[*].extra.deep}', 'z'],
    ['{..name}', 'x a b c'],
    ['{..deep}', 'z'],
    ['{.items[0].*}', 'a 1 true ["x","y"]'],
    ['{.metadata}', '{"labels":{"serving.knative.dev/service":"hello"},"name":"x"}'],
    ['{.items[0].tags}', '["x","y"]'],
    ['{.items[?(@.size>2)].name}', 'b c'],
    ['{.items[?(@.size>=3)].name}', 'b c'],
    ['{.items[?(@.size<3)].name}', 'a'],
    ['{.items[?(@.size<=3)].name}', 'a c'],
    ['{.items[?(@.name!="b")].name}', 'a c'],
    ['{.items[?(@.on==true)].name}', 'a'],
    ['{.items[?(@.extra)].name}', 'c'],
    ['{.status.conditions[?(@.reason=="A) \\"quoted\\"")].type}', 'Ready'],
    ['{range .items[*]}{.name}={.size}{"\\n"}{end}', 'a=1\nb=20\nc=3\n'],
    ['{range .items[*]}[{range .tags[*]}{@},{end}]{end}!', '[x,y,][][]!'],
    ['{range .nope[*]}{.name}{end}after', 'after'],
    ['{.nope}', ''],
    ['{.nope.deeper}-', '-'],
    ['{.status.empty}', '<nil>'],
    ['{.items[0].on}', 'true'],
  ])('%s prints %j', (template, expected) => {
    expect(printedBy(template)).toBe(expected)
  })

  test.each([
    ['{.items[5]}', 'array index out of bounds: index 5, length 3'],
    ['{.kind[0]}', 'string is not array or slice'],
    ['{.items[0:1:0]}', 'step must be > 0'],
    ['{end}', 'not in range, nothing to end'],
    ['{foo}', 'unrecognized identifier foo'],
  ])('%s fails with %j', (template, message) => {
    expect(() => printedBy(template)).toThrow(message)
  })

  test.each([
    ['{.kind', 'unclosed action'],
    ['{.items[0}', 'unterminated array'],
    ['{.items[x]}', 'invalid array index x'],
    ['{"abc}', 'unterminated quoted string'],
    ['{.items[?(@.a}', 'unterminated filter'],
    ['{.items[?(@.a)}', 'unclosed array expect ]'],
    ['{#}', "unrecognized character in action: U+0023 '#'"],
    ['{....a}', 'invalid multiple recursive descent'],
  ])('%s cannot be read: %s', (template, message) => {
    expect(() => compileJsonPathTemplate(template)).toThrow(message)
  })

  test('missing keys are an error when asked for, except in the test of a filter', () => {
    expect(() => printedBy('{.nope}', { allowMissingKeys: false })).toThrow('nope is not found')
    expect(printedBy('{.items[?(@.extra)].name}', { allowMissingKeys: false })).toBe('c')
  })

  test('the values of each piece can be had as they are', () => {
    expect(compileJsonPathResults('{.items[*].name}')(object)).toEqual([['a', 'b', 'c']])
  })

  test('characters that Go escapes in JSON are escaped here', () => {
    expect(compileJsonPathTemplate('{.a}')({ a: { b: '<&>' } })).toBe('{"b":"\\u003c\\u0026\\u003e"}')
  })
})
