import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createWorkQueue, type Processed, retryDelayMs } from '../../../src/controller/work-queue.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function harness(process: (key: string) => Promise<Processed>, concurrency = 8) {
  const clock = createVirtualClock()
  const startMs = clock.now()
  const processed: [string, number][] = []
  const failed: number[] = []
  const queue = createWorkQueue({
    clock,
    concurrency,
    onFailure: (_key, _error, failures) => void failed.push(failures),
    process: (key) => {
      processed.push([key, clock.now() - startMs])
      return process(key)
    },
  })
  return { clock, queue, processed, failed }
}

test('a key told many times at once is processed once', async () => {
  const { queue, processed } = harness(async () => ({}))
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  expect(queue.isIdle()).toBe(false)
  await queue.idle()

  expect(processed.map(([key]) => key)).toEqual(['a', 'b'])
})

test('a key told while it is processed is processed once more afterwards, never twice at the same time', async () => {
  let running = 0
  let most = 0
  let release: () => void = () => {}
  const { queue, processed } = harness(async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => {
      release = resolve
    })
    running--
    return {}
  })
  queue.add('a')
  await turn()
  queue.add('a')
  queue.add('a')
  await turn()
  expect(processed).toHaveLength(1)
  release()
  await turn()
  await turn()
  release()
  await queue.idle()

  expect(processed).toHaveLength(2)
  expect(most).toBe(1)
})

test('no more keys than the concurrency are processed at the same time', async () => {
  let running = 0
  let most = 0
  const { queue, processed } = harness(async () => {
    most = Math.max(most, ++running)
    await turn()
    running--
    return {}
  }, 2)
  for (const key of 'abcdef') queue.add(key)
  await queue.idle()

  expect(processed).toHaveLength(6)
  expect(most).toBe(2)
})

test('the first retries do not wait for the clock, later ones double up to 1000 s', async () => {
  const { clock, queue, processed, failed } = harness(async () => {
    throw new Error('no')
  })
  queue.add('a')
  await queue.idle()
  expect(processed).toHaveLength(4)
  await clock.advance(39)
  expect(processed).toHaveLength(4)
  await clock.advance(1)
  expect(processed).toHaveLength(5)
  await clock.advance(80)
  expect(processed).toHaveLength(6)
  expect(failed).toEqual([1, 2, 3, 4, 5, 6])
  expect(retryDelayMs(60)).toBe(1_000_000)
  await queue.stop()
})

test('a success forgets the failures before it', async () => {
  let failures = 3
  const { queue, failed } = harness(async () => {
    if (failures-- > 0) throw new Error('no')
    return {}
  })
  queue.add('a')
  await queue.idle()
  failures = 1
  queue.add('a')
  await queue.idle()

  expect(failed).toEqual([1, 2, 3, 1])
})

test('what is due later waits for the virtual clock, unless it is told before', async () => {
  const { clock, queue, processed } = harness(async () => ({ afterMs: 1000 }))
  queue.add('a')
  await queue.idle()
  await clock.advance(600)
  queue.add('a')
  await queue.idle()
  await clock.advance(999)
  expect(processed).toEqual([
    ['a', 0],
    ['a', 600],
  ])
  await clock.advance(1)
  expect(processed.at(-1)).toEqual(['a', 1600])
  await queue.stop()
})

test('a stopped queue ends what it is at and takes nothing more', async () => {
  const { clock, queue, processed } = harness(async () => ({ afterMs: 10 }))
  queue.add('a')
  await queue.idle()
  queue.add('b')
  await queue.stop()
  queue.add('c')
  await clock.advance(100)

  expect(processed).toEqual([['a', 0]])
  expect(clock.nextDue()).toBeUndefined()
})
