import { expect, test } from 'vitest'
import { createWindow } from '../../../src/autoscaler/window.js'

const T = 1_767_225_600_000
const at = (second: number): number => T + second * 1000

test('values of one second are summed', () => {
  const window = createWindow('linear', 6000)
  window.record(at(0), 1)
  window.record(at(0) + 999, 2)
  expect(window.average(at(0))).toBe(3)
})

test('a fresh window averages over the seconds since its first write, a full one over all of them', () => {
  const window = createWindow('linear', 60_000)
  for (let second = 0; second < 4; second++) window.record(at(second), 60)
  expect(window.average(at(3))).toBe(60)
  for (let second = 4; second < 56; second++) window.record(at(second), 0)
  for (let second = 56; second < 60; second++) window.record(at(second), 90)
  expect(window.average(at(59))).toBe(10)
  window.record(at(60), 0)
  expect(window.average(at(60))).toBe(9)
})

test('seconds after the last write count neither in the sum nor in the number, gaps before it count as zeros', () => {
  const window = createWindow('linear', 6000)
  for (let second = 0; second < 6; second++) window.record(at(second), 12)
  expect(window.average(at(9))).toBe(12)
  window.record(at(9), 12)
  expect(window.average(at(9))).toBe(6)
})

test('after a silent window the average is 0, then there is no data, and the next write begins anew', () => {
  const window = createWindow('linear', 6000)
  expect([window.isEmpty(at(0)), window.average(at(0))]).toEqual([true, 0])
  window.record(at(0), 12)
  window.record(at(1), 0)
  expect([window.average(at(6)), window.isEmpty(at(6))]).toEqual([0, false])
  expect([window.average(at(7)), window.isEmpty(at(7))]).toEqual([0, false])
  expect([window.average(at(8)), window.isEmpty(at(8))]).toEqual([0, true])
  window.record(at(20), 7)
  expect(window.average(at(20))).toBe(7)
})

test('averages are rounded to six decimals', () => {
  const window = createWindow('linear', 6000)
  window.record(at(0), 1)
  window.record(at(1), 0)
  window.record(at(2), 0)
  expect(window.average(at(2))).toBe(0.333333)
})

test('a value older than the window is ignored, one within it is added to its own second', () => {
  const window = createWindow('linear', 6000)
  window.record(at(10), 6)
  window.record(at(4), 100)
  window.record(at(9), 6)
  expect(window.average(at(10))).toBe(6)
})

test('a weighted window counts newer seconds more, with 0.784557 for the newest of six', () => {
  const window = createWindow('weighted-exponential', 6000)
  window.record(at(0), 1)
  expect(window.average(at(0))).toBeCloseTo(0.784557, 6)
  window.record(at(1), 0)
  expect(window.average(at(1))).toBeCloseTo(0.784557 * (1 - 0.784557), 6)
  expect(window.average(at(2))).toBeCloseTo(0.784557 * (1 - 0.784557) ** 2, 6)
  const long = createWindow('weighted-exponential', 60_000)
  long.record(at(0), 10)
  expect(long.average(at(0))).toBeCloseTo(2, 10)
})

test('a window that is made shorter keeps its newest seconds, one that is made longer counts what was there before as written', () => {
  const window = createWindow('linear', 60_000)
  for (let second = 0; second < 10; second++) window.record(at(second), second)
  window.resize(6000, at(9))
  expect(window.average(at(9))).toBe((4 + 5 + 6 + 7 + 8 + 9) / 6)
  window.resize(12_000, at(9))
  expect(window.average(at(9))).toBe((4 + 5 + 6 + 7 + 8 + 9) / 6)
  window.record(at(10), 9)
  expect(window.average(at(10))).toBeCloseTo(48 / 7, 6)
})

test('a window that was silent for its whole length forgets when it is resized', () => {
  const window = createWindow('linear', 6000)
  window.record(at(0), 5)
  window.resize(60_000, at(20))
  expect(window.isEmpty(at(20))).toBe(true)
})
