import { describe, expect, test } from 'vitest'
import { createControllableClock, createVirtualClock, type VirtualClock } from '../../../src/base/clock.js'

const START = 1_000_000

/** A clock over one that the test moves itself, and a record of what fired when. */
function bench(options: { offsetMs?: number; frozenAtMs?: number; settle?: () => Promise<void> } = {}) {
  const base = createVirtualClock({ startMs: START })
  const clock = createControllableClock({ base, ...options })
  const fired: [name: string, atMs: number][] = []
  const timer = (name: string, ms: number) => clock.after(ms, () => fired.push([name, clock.now()]))
  return { base, clock, fired, timer }
}

describe('following', () => {
  test('it goes with its base at a distance, and its timers with it', async () => {
    const { base, clock, fired, timer } = bench({ offsetMs: 5000 })
    expect([clock.now(), clock.mode(), clock.offsetMs()]).toEqual([START + 5000, 'Real', 5000])
    timer('b', 200)
    timer('a', 100)
    timer('never', 150)()
    expect(clock.nextDue()).toBe(START + 5100)
    await base.advance(1000)
    expect(fired).toEqual([
      ['a', START + 5100],
      ['b', START + 5200],
    ])
    expect(clock.nextDue()).toBeUndefined()
  })

  test('a timer added later and due earlier is not late', async () => {
    const { base, fired, timer } = bench()
    timer('late', 500)
    timer('early', 10)
    await base.advance(10)
    expect(fired).toEqual([['early', START + 10]])
  })

  test('a timer that sets itself anew without a wait lets others run', async () => {
    const { base, clock } = bench()
    let count = 0
    const again = (): void => {
      count++
      if (count < 1000) clock.after(0, again)
    }
    clock.after(0, again)
    let counted = 0
    base.after(0, () => {
      counted = count
    })
    await base.advance(0)
    expect(counted).toBeLessThan(3)
  })

  test('a timer that throws does not keep the others from firing', async () => {
    const { base, clock, fired, timer } = bench()
    clock.after(10, () => {
      throw new Error('of no concern to others')
    })
    timer('next', 10)
    await expect(base.advance(10)).rejects.toThrow('of no concern')
    await base.advance(1)
    expect(fired).toEqual([['next', START + 10]])
  })

  test('where its base is set back, it goes on from where it was', () => {
    let baseMs = START
    const clock = createControllableClock({ base: { ...createVirtualClock(), now: () => baseMs } })
    expect(clock.now()).toBe(START)
    baseMs -= 3_600_000
    expect(clock.now()).toBe(START)
    baseMs += 1000
    expect([clock.now(), clock.offsetMs()]).toEqual([START + 1000, 3_600_000])
  })
})

describe('freezing and resuming', () => {
  test('a frozen clock stands still, and its timers wait however long its base goes on', async () => {
    const { base, clock, fired, timer } = bench()
    timer('a', 100)
    await base.advance(60)
    clock.freeze()
    clock.freeze()
    await base.advance(10_000)
    expect([clock.now(), clock.mode(), fired]).toEqual([START + 60, 'Frozen', []])
  })

  test('a resumed clock goes on from where it stood; what is left of a wait is waited for', async () => {
    const { base, clock, fired, timer } = bench()
    timer('a', 100)
    await base.advance(60)
    clock.freeze()
    await base.advance(10_000)
    clock.resume()
    clock.resume()
    expect([clock.now(), clock.offsetMs(), clock.mode()]).toEqual([START + 60, -10_000, 'Real'])
    await base.advance(39)
    expect(fired).toEqual([])
    await base.advance(1)
    expect(fired).toEqual([['a', START + 100]])
  })

  test('after an advance it goes on from the new time, ahead of its base', async () => {
    const { base, clock, fired, timer } = bench({ frozenAtMs: START })
    await clock.advance(3_600_000)
    clock.resume()
    timer('a', 100)
    await base.advance(100)
    expect([clock.offsetMs(), fired]).toEqual([3_600_000, [['a', START + 3_600_100]]])
  })

  test('a timer without a wait needs no time to pass: it fires while frozen', async () => {
    const { base, clock, fired, timer } = bench({ frozenAtMs: START })
    timer('now', 0)
    timer('later', 1)
    expect(fired).toEqual([])
    await base.advance(0)
    expect(fired).toEqual([['now', START]])
    expect(clock.now()).toBe(START)
  })
})

describe('advancing', () => {
  test('timers fire in order, each at its own time, those that they set included', async () => {
    const { clock, fired, timer } = bench({ frozenAtMs: START })
    timer('c', 300)
    timer('a', 100)
    clock.after(200, () => {
      fired.push(['b', clock.now()])
      timer('b+50', 50)
      timer('b+500', 500)
    })
    await clock.advance(400)
    expect(fired).toEqual([
      ['a', START + 100],
      ['b', START + 200],
      ['b+50', START + 250],
      ['c', START + 300],
    ])
    expect([clock.now(), clock.nextDue()]).toEqual([START + 400, START + 700])
  })

  test('what a timer sets going has settled before the next one fires, and before the advance ends', async () => {
    const story: string[] = []
    const { clock } = bench({ frozenAtMs: START })
    const settle = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      story.push(`settled at ${clock.now() - START}`)
    }
    clock.after(10, () => story.push('one'))
    clock.after(20, () => story.push('two'))
    await clock.advance(30, { settle })
    expect(story).toEqual(['settled at 0', 'one', 'settled at 10', 'two', 'settled at 20', 'settled at 30'])
  })

  test('a wait that begins while it is frozen ends when it has been advanced that far', async () => {
    const { clock } = bench({ frozenAtMs: START })
    let isOver = false
    const slept = clock.sleep(1000).then(() => {
      isOver = true
    })
    await clock.advance(999)
    expect(isOver).toBe(false)
    await clock.advance(1)
    await slept
    expect(isOver).toBe(true)
  })

  test('two advances at once are made one after the other', async () => {
    const { clock, fired, timer } = bench({ frozenAtMs: START })
    timer('a', 1500)
    await Promise.all([clock.advance(1000), clock.advance(1000)])
    expect([clock.now(), fired]).toEqual([START + 2000, [['a', START + 1500]]])
  })

  test('an aborted advance ends where it is', async () => {
    const { clock, fired, timer } = bench({ frozenAtMs: START })
    const stopping = new AbortController()
    clock.after(100, () => stopping.abort())
    timer('never', 200)
    await clock.advance(1000, { signal: stopping.signal })
    expect([clock.now(), fired]).toEqual([START + 100, []])
  })

  test('a clock that runs cannot be advanced, and one that is being advanced cannot be resumed', async () => {
    const { clock } = bench()
    await expect(clock.advance(1)).rejects.toThrow('only a frozen clock can be advanced')
    clock.freeze()
    clock.after(10, () => expect(() => clock.resume()).toThrow('cannot be resumed'))
    await clock.advance(20)
    expect(clock.mode()).toBe('Frozen')
  })

  test('its base may go on meanwhile: time passes by the advance alone', async () => {
    const { base, clock, fired, timer } = bench({ frozenAtMs: START })
    timer('a', 50)
    timer('b', 5000)
    await clock.advance(100, { settle: () => base.advance(60_000) })
    expect([clock.now(), fired]).toEqual([START + 100, [['a', START + 50]]])
  })
})

test('an aborted sleep rejects with its reason and leaves no timer', async () => {
  const clock: VirtualClock = createVirtualClock()
  const stopping = new AbortController()
  const slept = clock.sleep(1000, stopping.signal)
  stopping.abort(new Error('enough'))
  await expect(slept).rejects.toThrow('enough')
  await expect(clock.sleep(1, stopping.signal)).rejects.toThrow('enough')
  expect(clock.nextDue()).toBeUndefined()
})
