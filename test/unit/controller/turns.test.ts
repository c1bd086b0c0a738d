import { expect, test } from 'vitest'
import { onNextTurn } from '../../../src/base/clock.js'
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
