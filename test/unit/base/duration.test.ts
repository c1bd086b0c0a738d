import { expect, test } from 'vitest'
import { goDurationMs, goDurationText, isoDurationMs } from '../../../src/base/duration.js'

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

const DAY = 86_400_000
test.each([
  ['PT1S', 1000],
  ['PT0.2S', 200],
  ['PT1,5S', 1500],
  ['-PT2M', -120_000],
  ['+PT1H', 3_600_000],
  ['P1DT2H', DAY + 7_200_000],
  ['P2W', 14 * DAY],
  ['P1Y', 365.2425 * DAY],
  ['P12M', 365.2425 * DAY],
  ['P0', 0],
  ['PT0S', 0],
])('the period %s is %d ms', (text, ms) => {
  expect(isoDurationMs(text)).toBeCloseTo(ms, 3)
})

test.each(['', 'P', 'PT', 'pt1s', 'PT1s', '1S', '200ms', 'PT1.5H2M', 'P1DT', 'PT1M1H', ' PT1S', 'PT-', 'PT.5S'])(
  '%j is no period',
  (text) => {
    expect(isoDurationMs(text)).toBeUndefined()
  },
)
