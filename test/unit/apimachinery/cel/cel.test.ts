import { describe, expect, test } from 'vitest'
import { checkCel, unsupportedIn } from '../../../../src/apimachinery/cel/check.js'
import { evaluateCel } from '../../../../src/apimachinery/cel/evaluate.js'
import { celFromJson } from '../../../../src/apimachinery/cel/from-json.js'
import { parseCel } from '../../../../src/apimachinery/cel/parser.js'
import type { CelValue } from '../../../../src/apimachinery/cel/values.js'
import type { Schema } from '../../../../src/apimachinery/schema.js'

const text: Schema = { type: 'string' }
const schema: Schema = {
  type: 'object',
  properties: {
    name: text,
    n: { type: 'integer' },
    ratio: { type: 'number' },
    on: { type: 'boolean' },
    list: { type: 'array', items: text },
    items: { type: 'array', items: { type: 'object', properties: { key: text, weight: { type: 'integer' } } } },
    labels: { type: 'object', additionalProperties: text },
    port: { 'x-kubernetes-int-or-string': true },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    since: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    'with-dash': text,
    namespace: text,
    absent: text,
  },
}
const self = {
  name: 'héllo',
  n: 7,
  ratio: 2,
  on: true,
  list: ['a', 'b', 'c'],
  items: [
    { key: 'x', weight: 1 },
    { key: 'y', weight: 2 },
  ],
  labels: { 'a.b/c': 'v' },
  port: 8080,
  open: { deep: { n: 1, f: 1.5 } },
  since: '2026-02-03T04:05:06Z',
  wait: '1h30m',
  'with-dash': 'd',
  namespace: 'ns',
}

function evaluate(source: string, more: Record<string, CelValue> = {}): CelValue {
  return evaluateCel(parseCel(source), new Map([['self', celFromJson(self, schema)], ...Object.entries(more)]))
}

function problem(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing was thrown'
}

test.each([
  'self.n == 7 && self.n != 8 && self.n < 8 && self.n <= 7 && self.n > 6 && self.n >= 7',
  '1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && -self.n == -7',
  'self.ratio == 2.0 && self.ratio * 1.5 == 3.0 && self.ratio > 1',
  '0x1F == 31 && 5u + 3u == 8u && 1e3 == 1000.0 && .5 == 0.5',
  'self.on ? true : 1 / 0 == 1',
  'true || 1 / 0 == 1',
  '1 / 0 == 1 || true',
  '!(false && 1 / 0 == 1)',
  'has(self.name) && !has(self.absent) && !has(self.open.missing)',
  '"b" in self.list && !("z" in self.list) && "a.b/c" in self.labels',
  'self.labels["a.b/c"] == "v" && self.list[1] == "b"',
  'size(self.name) == 5 && self.name.size() == 5 && size(self.list) == 3 && self.labels.size() == 1',
  'self.name.startsWith("h") && self.name.endsWith("o") && self.name.contains("éll") && self.name.matches("^h.l+o$")',
  'self.list.all(x, x < "d") && self.list.exists(x, x == "b") && self.list.exists_one(x, x == "c") && !self.list.exists_one(x, x > "a")',
  'self.items.map(i, i.weight) == [1, 2] && self.items.filter(i, i.weight > 1).size() == 1',
  'self.items.map(i, i.weight > 1, i.key) == ["y"]',
  'self.labels.all(k, self.labels[k].size() == 1)',
  '[1, 2].all(x, [3, 4].all(y, x < y))',
  'self.port == 8080 && type(self.port) == int && type(self.name) == string && type(1.0) == double',
  'int("12") == 12 && int(3.9) == 3 && string(12) == "12" && double("1.5") == 1.5 && bool("true") && string(true) == "true"',
  'self.since == timestamp("2026-02-03T04:05:06Z") && self.since.getFullYear() == 2026 && self.since.getMonth() == 1 && self.since.getHours() == 4',
  'self.since + duration("1h") > self.since && self.since - self.since == duration("0s")',
  'self.wait == duration("90m") && self.wait.getHours() == 1 && self.wait.getMinutes() == 90 && self.wait < duration("2h")',
  'quantity("1Gi") == quantity("1024Mi") && quantity("500m").isLessThan(quantity("1")) && quantity("1").add(quantity("1")).compareTo(quantity("2")) == 0',
  'isQuantity("5Gi") && !isQuantity("x")',
  'self.with__dash__dash == "d" && self.__namespace__ == "ns"',
  'self.open.deep.n == 1 && self.open.deep.f == 1.5',
  '"a,b".split(",") == ["a", "b"] && ["a", "b"].join("-") == "a-b" && "abc".substring(1) == "bc" && "abc".substring(0, 2) == "ab"',
  '"aXb".lowerAscii() == "axb" && "ab".upperAscii() == "AB" && " a ".trim() == "a" && "aa".replace("a", "b") == "bb" && "abc".indexOf("c") == 2',
  '"abc123".find("[0-9]+") == "123" && "a1b2".findAll("[0-9]") == ["1", "2"]',
  '[1, 2, 3].sum() == 6 && [3, 1].min() == 1 && [3, 1].max() == 3 && [1, 2].isSorted() && [1, 2, 1].lastIndexOf(1) == 2',
  'r"\\d" == "\\\\d" && "\\u0041\\x42" == "AB" && """a\nb""" == "a\\nb" && b"ab".size() == 2',
  '{"a": 1}.a == 1 && {1: "x"}[1] == "x" && {"a": 1} == {"a": 1} && {} != {"a": 1}',
  'self.?absent.orValue("none") == "none" && self.?name.hasValue() && self.list[?9].orValue("none") == "none"',
  'optional.of(3).optMap(x, x + 1).value() == 4 && !optional.none().hasValue()',
  'sets.contains([1, 2], [1]) && sets.intersects([1, 2], [2, 3]) && sets.equivalent([1, 2], [2, 1])',
  '[1, 2] + [3] == [1, 2, 3] && "a" + "b" == "ab" && 1 == 1.0',
  'true // a comment',
])('%s is true', (source) => {
  expect(evaluate(source)).toBe(true)
})

test.each([
  ['self.absent == "x"', 'no such key: absent'],
  ['self.list[9] == "x"', 'index out of bounds: 9'],
  ['1 / 0 == 1', 'division by zero'],
  ['9223372036854775807 + 1 > 0', 'integer overflow'],
  ['"a" + 1 == "a1"', 'no such overload'],
  ['self.open.deep > 1', 'no such overload'],
  [
    `${Array.from({ length: 14 }, (_, depth) => `self.list.all(x${depth}, `).join('')}true${')'.repeat(14)}`,
    'operation cancelled: actual cost limit exceeded',
  ],
])('%s fails with %s', (source, message) => {
  expect(problem(() => evaluate(source))).toBe(message)
})

test.each([
  ['self.', "ERROR: <input>:1:6: Syntax error: no viable alternative at input '<EOF>'\n | self.\n | .....^"],
  ['self.n ==', "ERROR: <input>:1:10: Syntax error: mismatched input '<EOF>'\n | self.n ==\n | .........^"],
  ['self.n = 1', "ERROR: <input>:1:8: Syntax error: token recognition error at: '='\n | self.n = 1\n | .......^"],
  ['(1', "ERROR: <input>:1:3: Syntax error: mismatched input '<EOF>' expecting ')'\n | (1\n | ..^"],
  ['has(self)', 'ERROR: <input>:1:1: invalid argument to has() macro\n | has(self)\n | ^'],
  ['"open', 'ERROR: <input>:1:1: Syntax error: unterminated string literal\n | "open\n | ^'],
])('%s cannot be read', (source, message) => {
  expect(problem(() => parseCel(source))).toBe(message)
})

describe('before it is ever evaluated, a rule is refused', () => {
  const check = (source: string, oldSelf: 'absent' | 'plain' = 'absent') =>
    problem(() => checkCel(source, parseCel(source), { schema, isWholeObject: true, oldSelf, wanted: 'bool' })).split('\n')[0]

  test.each([
    ['self.ghost == 1', "ERROR: <input>:1:5: undefined field 'ghost'"],
    ['self.items.all(i, i.ghost == 1)', "ERROR: <input>:1:20: undefined field 'ghost'"],
    ['ghost == 1', "ERROR: <input>:1:1: undeclared reference to 'ghost' (in container '')"],
    ['oldSelf.n == 1', "ERROR: <input>:1:1: undeclared reference to 'oldSelf' (in container '')"],
    ['self.n == "x"', "ERROR: <input>:1:8: found no matching overload for '_==_' applied to '(int, string)'"],
    ['self.name.first == 1', "ERROR: <input>:1:10: type 'string' does not support field selection"],
    ['self.n && true', "ERROR: <input>:1:8: found no matching overload for '_&&_' applied to '(int)'"],
    ['self.n + 1', 'cel expression must evaluate to a bool'],
  ])('%s', (source, message) => {
    expect(check(source)).toBe(message)
  })

  test.each(['self.metadata.name != ""', 'self.open.what.ever == 1', 'self.port == "http" || self.port == 80', 'self.labels.x == "y"'])(
    '%s fits the schema',
    (source) => {
      expect(check(source)).toBe('nothing was thrown')
    },
  )
})

test('what is not evaluated is named', () => {
  expect(unsupportedIn(parseCel('url(self.name).getHost() == "x" && ip("::1").family() == 6'))).toEqual(['getHost', 'url', 'family', 'ip'])
  expect(unsupportedIn(parseCel('self.name.matches("x")'))).toEqual([])
})
