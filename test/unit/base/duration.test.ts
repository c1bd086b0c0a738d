import { expect, test } from 'vitest'
import { goDurationMs, goDurationText } from '../../../src/base/duration.js'

test.each([
  [0, '0s'],
  [20, '20ms'],
  [-20, '-20ms'],
  [1000, '1s'],
  [1500, '1.5s'],
  [59_999, '59.999s'],
  [60_000, '1m0s'],
  [91_000, '1m31s'],
  [3_600_000, '1h0m0s'],
  [-5_400_250, '-1h30m0.25s'],
  [90_061_000, '25h1m1s'],
])('%d ms is printed as %s, as Go prints it, and read again', (ms, text) => {
  expect(goDurationText(ms)).toBe(text)
  expect(goDurationMs(text)).toBe(ms)
})
