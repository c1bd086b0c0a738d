import { expect, test } from 'vitest'
import { createSeededRandom } from '../../../src/base/random.js'
import { createTimers } from '../../../src/base/timers.js'

test('timers come in the order in which they are due, equal ones in the order in which they were added', () => {
  const timers = createTimers()
  const fired: string[] = []
  for (const [name, dueMs] of Object.entries({ c: 30, a: 10, b1: 20, b2: 20, d: 40 })) timers.add(dueMs, () => fired.push(name))
  for (let fire = timers.take(30); fire; fire = timers.take(30)) fire()
  expect(fired).toEqual(['a', 'b1', 'b2', 'c'])
  expect([timers.nextDue(), timers.size()]).toEqual([40, 1])
})

test('a timer that was taken out never comes, and taking it out again or after it came changes nothing', () => {
  const timers = createTimers()
  const fired: string[] = []
  const cancelA = timers.add(1, () => fired.push('a'))
  timers.add(2, () => fired.push('b'))
  const cancelC = timers.add(3, () => fired.push('c'))
  cancelA()
  cancelA()
  timers.take(5)!()
  timers.take(5)!()
  cancelC()
  expect(fired).toEqual(['b', 'c'])
  expect([timers.take(5), timers.nextDue(), timers.size()]).toEqual([undefined, undefined, 0])
})

test('thousands of timers, half of them taken out in any order, still come sorted', () => {
  const random = createSeededRandom(7)
  const timers = createTimers()
  const expected: number[] = []
  const fired: number[] = []
  const cancels: (() => void)[] = []
  for (let count = 0; count < 4000; count++) {
    const dueMs = Math.floor(random.float() * 1000)
    const cancel = timers.add(dueMs, () => fired.push(dueMs))
    if (random.float() < 0.5) cancels.push(cancel)
    else expected.push(dueMs)
    // Now and then right away, so that the heap shrinks and grows.
    if (random.float() < 0.3) cancels.splice(Math.floor(random.float() * cancels.length), 1)[0]?.()
  }
  for (const cancel of cancels) cancel()
  for (let fire = timers.take(1000); fire; fire = timers.take(1000)) fire()
  expect(fired).toEqual(expected.sort((a, b) => a - b))
})
