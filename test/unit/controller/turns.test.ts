import { expect, test } from 'vitest'
import { createVirtualClock, onNextTurn } from '../../../src/base/clock.js'
import { createTurns } from '../../../src/controller/turns.js'

const turn = (): Promise<void> => new Promise((resolve) => onNextTurn(resolve))
const turnsUntil = async (isDone: () => boolean): Promise<number> => {
  for (let count = 0; ; count++) {
    if (isDone()) return count
    await turn()
  }
}

test('one task runs per turn, the lowest rank first, equal ones in the order in which they asked', async () => {
  const turns = createTurns()
  const done: string[] = []
  for (const [rank, name] of [
    [2, 'late'],
    [1, 'first'],
    [1, 'second'],
    [0, 'urgent'],
  ] as const)
    turns.take(rank, () => done.push(name))
  expect(done).toEqual([])
  await turn()
  expect(done).toEqual(['urgent'])
  await turnsUntil(() => done.length === 4)
  expect(done).toEqual(['urgent', 'first', 'second', 'late'])
})

test('a task may ask for another turn, and one of a high rank is not put off for ever', async () => {
  const turns = createTurns()
  let rounds = 0
  let isDone = false
  const again = (): void => {
    rounds++
    if (!isDone) turns.take(0, again)
  }
  turns.take(0, again)
  turns.take(9, () => {
    isDone = true
  })
  await turnsUntil(() => isDone)
  expect(rounds).toBe(7)
})

/** Turns in a hurry that the test begins and ends; tasks of rank 5 and more can wait. */
function hurried() {
  const clock = createVirtualClock()
  const hurry = { isOn: true }
  const done: string[] = []
  const turns = createTurns({ clock, isOn: () => hurry.isOn, patientFrom: 5 })
  const take = (rank: number, name: string) => turns.take(rank, () => done.push(name))
  return { clock, hurry, done, take }
}

test('in a hurry what can wait does so until it is over', async () => {
  const { clock, hurry, done, take } = hurried()
  for (let count = 0; count < 10; count++) take(5, `patient ${count}`)
  take(4, 'urgent')
  await turnsUntil(() => done.length > 0)
  for (let count = 0; count < 20; count++) await turn()
  take(0, 'urgent too')
  for (let count = 0; count < 20; count++) await turn()
  expect(done).toEqual(['urgent', 'urgent too'])
  hurry.isOn = false
  await clock.advance(5)
  await turnsUntil(() => done.length === 12)
  expect(done.slice(2)).toEqual(Array.from({ length: 10 }, (_, count) => `patient ${count}`))
})

test('a hurry without end is waited for once, and for a moment only', async () => {
  const { clock, hurry, done, take } = hurried()
  take(5, 'first')
  await turn()
  await clock.advance(59)
  expect(done).toEqual([])
  await clock.advance(10)
  expect(done).toEqual(['first'])
  take(5, 'second')
  await turn()
  expect(done).toEqual(['first', 'second'])
  // The next hurry is another one.
  hurry.isOn = false
  take(5, 'third')
  await turn()
  hurry.isOn = true
  take(5, 'fourth')
  for (let count = 0; count < 20; count++) await turn()
  expect(done).toEqual(['first', 'second', 'third'])
})
