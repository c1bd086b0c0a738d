import { describe, expect, test } from 'vitest'
import { age, humanDuration } from '../../../src/apimachinery/age.js'
import { canonicalQuantity, compareQuantities, parseQuantity } from '../../../src/apimachinery/quantity.js'

describe('quantities', () => {
  test.each([
    ['0', 0n],
    ['1', 1_000_000_000n],
    ['250m', 250_000_000n],
    ['-1.5', -1_500_000_000n],
    ['64Mi', 67_108_864_000_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['.5', 500_000_000n],
    ['1n', 1n],
    ['0.0000000001', 1n],
    ['1Ei', 1_152_921_504_606_846_976_000_000_000n],
    ['9000E', 9_223_372_036_854_775_807_000_000_000n],
    ['1e999999', 9_223_372_036_854_775_807_000_000_000n],
  ])('%s is %s nanos', (text, nanos) => {
    expect(parseQuantity(text)).toBe(nanos)
  })

  test.each(['', 'x', '1x', '1 Gi', 'Mi', '1.2.3', '1KiB', '--1'])('%j is no quantity', (text) => {
    expect([parseQuantity(text), canonicalQuantity(text)]).toEqual([undefined, undefined])
  })

  test.each([
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['0.1', '100m'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['100Mi', '100Mi'],
    ['1e3', '1e3'],
    ['1500e0', '1500'],
    ['-2000m', '-2'],
    ['0Gi', '0'],
    ['1.0', '1'],
    ['0.5m', '500u'],
  ])('%s is stored as %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical)
  })

  test('they compare by value', () => {
    expect([compareQuantities('1', '1000m'), compareQuantities('1Gi', '1G'), compareQuantities('100m', '1')]).toEqual([0, 1, -1])
    expect(compareQuantities('x', '1')).toBeNaN()
  })
})

describe('ages', () => {
  const s = 1000
  const m = 60 * s
  const h = 60 * m
  const d = 24 * h
  test.each([
    [0, '0s'],
    [-1 * s, '0s'],
    [-2 * s, '<invalid>'],
    [119 * s, '119s'],
    [120 * s, '2m'],
    [9 * m + 59 * s, '9m59s'],
    [10 * m + 30 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [3 * h + 5 * m, '3h5m'],
    [8 * h + 5 * m, '8h'],
    [47 * h, '47h'],
    [48 * h, '2d'],
    [2 * d + 4 * h, '2d4h'],
    [8 * d + 4 * h, '8d'],
    [729 * d, '729d'],
    [730 * d, '2y'],
    [735 * d, '2y5d'],
    [8 * 365 * d + 3 * d, '8y'],
  ])('%d ms is %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text)
  })

  test('a missing time is unknown, a bad one invalid', () => {
    expect([age(undefined, 0), age('nonsense', 0), age('1970-01-01T00:00:00Z', 45_000)]).toEqual(['<unknown>', '<invalid>', '45s'])
  })
})
