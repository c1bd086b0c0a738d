import { expect, test } from 'vitest'
import { regExpFrom } from '../../../src/apimachinery/re2.js'

test.each([
  ['^a+$', 'aa', true],
  ['(?i)^abc$', 'ABC', true],
  ['(?s)a.b', 'a\nb', true],
  ['^[[:alpha:]_]+$', 'ab_', true],
  ['^[[:digit:]]+$', '12a', false],
  ['\\Aab\\z', 'ab', true],
  ['(?P<year>\\d{4})', '2026', true],
  ['^\\Qa.b\\E$', 'a.b', true],
  ['^\\Qa.b\\E$', 'axb', false],
  ['^\\p{Lu}\\pL+$', 'Éa', true],
])('%s on %s', (pattern, text, fits) => {
  expect(regExpFrom(pattern).test(text)).toBe(fits)
})

test('what is no expression throws', () => {
  expect(() => regExpFrom('[')).toThrow(SyntaxError)
})
