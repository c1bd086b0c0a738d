import { describe, expect, test } from 'vitest'
import {
  formatLabelSelector,
  labelSelectorMatches,
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
} from '../../../src/apimachinery/selectors.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'

function refusalOf(act: () => unknown): { code: number; message: string } {
  try {
    act()
  } catch (error) {
    if (error instanceof StatusError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('was not refused')
}

describe('label selectors', () => {
  test.each([
    ['', {}, true],
    ['', undefined, true],
    ['a', { a: '' }, true],
    ['a', { b: 'x' }, false],
    ['!a', { b: 'x' }, true],
    ['!a', { a: 'x' }, false],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'b' }, true],
    ['a = b , c != d', { a: 'b' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a=', { a: '' }, true],
    ['a=', {}, false],
    ['a in (x, y)', { a: 'y' }, true],
    ['a in (x,y)', {}, false],
    ['a notin (x,y)', {}, true],
    ['a notin (x,y)', { a: 'x' }, false],
    ['a in ()', { a: '' }, true],
    ['a in (in,notin)', { a: 'in' }, true],
    ['in in (a)', { in: 'a' }, true],
    ['n>3', { n: '4' }, true],
    ['n>3', { n: 'four' }, false],
    ['n<3', { n: '2' }, true],
    ['serving.knative.dev/service=hello,app', { 'serving.knative.dev/service': 'hello', app: '1' }, true],
    ['constructor', {}, false],
  ])('%j on %j is %s', (text, labels, expected) => {
    expect(parseLabelSelector(text)(labels as Record<string, string> | undefined)).toBe(expected)
  })

  test.each([
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['a in x', "unable to parse requirement: found 'x' expected: '('"],
    ['a in (x', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a==(', "unable to parse requirement: found '(', expected: identifier"],
    ['n>x', "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"],
  ])("%j is refused with 400 and upstream's words", (text, message) => {
    expect(refusalOf(() => parseLabelSelector(text))).toEqual({ code: 400, message })
  })

  test('a bad key or value is refused with the rule it breaks', () => {
    expect(refusalOf(() => parseLabelSelector('-a=b')).message).toMatch(
      /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters/,
    )
    expect(refusalOf(() => parseLabelSelector('a=-')).message).toMatch(
      /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-": a valid label must be an empty string/,
    )
  })

  test('a LabelSelector matches by labels and expressions together', () => {
    const selector = {
      matchLabels: { app: 'a' },
      matchExpressions: [
        { key: 'tier', operator: 'In' as const, values: ['web', 'db'] },
        { key: 'old', operator: 'DoesNotExist' as const },
      ],
    }
    expect(labelSelectorMatches(selector, { app: 'a', tier: 'db' })).toBe(true)
    expect(labelSelectorMatches(selector, { app: 'a', tier: 'db', old: '' })).toBe(false)
    expect(labelSelectorMatches(selector, { app: 'a' })).toBe(false)
    expect(labelSelectorMatches({}, undefined)).toBe(true)
  })

  test('a LabelSelector is written as the parameter that selects the same', () => {
    const text = formatLabelSelector({
      matchLabels: { b: '1' },
      matchExpressions: [
        { key: 'c', operator: 'NotIn', values: ['y', 'x'] },
        { key: 'a', operator: 'Exists' },
        { key: 'd', operator: 'DoesNotExist' },
      ],
    })
    expect(text).toBe('a,b=1,c notin (x,y),!d')
    expect(parseLabelSelector(text)({ a: '', b: '1', c: 'z' })).toBe(true)
  })
})

describe('field selectors', () => {
  const supported = new Set(['metadata.name', 'status.phase', 'spec.nodeName'])
  const matches = (text: string, fields: Record<string, string>): boolean =>
    matchesFields(parseFieldSelector(text, supported), (label) => fields[label] ?? '')

  test('all terms must hold, and what is missing compares as empty', () => {
    expect(matches('metadata.name=a', { 'metadata.name': 'a' })).toBe(true)
    expect(matches('metadata.name==a,status.phase!=Failed', { 'metadata.name': 'a' })).toBe(true)
    expect(matches('status.phase!=Failed', { 'status.phase': 'Failed' })).toBe(false)
    expect(matches('spec.nodeName=', {})).toBe(true)
    expect(matches('', {})).toBe(true)
  })

  test('a backslash escapes comma, equals sign and itself in values', () => {
    expect(parseFieldSelector('metadata.name=a\\,b\\=c\\\\', supported)).toEqual([
      { field: 'metadata.name', operator: '=', value: 'a,b=c\\' },
    ])
  })

  test.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['metadata.nope=x', 'field label not supported: metadata.nope'],
    ['metadata.name=a=b', 'invalid field selector: unescaped character in value: ='],
    ['metadata.name=a\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['metadata.name=a\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('%j is refused with 400', (text, message) => {
    expect(refusalOf(() => parseFieldSelector(text, supported))).toEqual({ code: 400, message })
  })
})
