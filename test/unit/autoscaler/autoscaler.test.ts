import { expect, test } from 'vitest'
import { createAutoscaler, type RevisionRef } from '../../../src/autoscaler/autoscaler.js'
import type { ScaleTarget } from '../../../src/autoscaler/decider.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'

const HELLO: RevisionRef = { namespace: 'default', name: 'hello-00001' }

/** An autoscaler between a clock and a gateway that the test plays. */
function anEngine(options: { config?: () => Record<string, string> | undefined } = {}) {
  const clock = createVirtualClock({ startMs: 1_767_225_600_000, settle: async () => {} })
  const realTimes: number[] = []
  let realMs = 0
  let inFlight = 0
  let arrived = 0
  let pods = 0
  const woken: number[] = []
  let poke: (revision: RevisionRef) => void = () => {}
  const autoscaler = createAutoscaler({
    clock,
    realClock: { now: () => realMs },
    readConfig: options.config ?? (() => undefined),
    log: createSilentLogger(),
  })
  autoscaler.onDecision(() => woken.push(clock.now()))
  const target: ScaleTarget = {
    ...HELLO,
    annotations: {},
    containerConcurrency: 0,
    isReachable: true,
    initialScale: 1,
    readyPods: () => pods,
  }
  const start = (): void =>
    autoscaler.start({
      snapshot(nowMs) {
        realTimes.push(nowMs)
        const load = { ...HELLO, averageConcurrency: inFlight, requestCount: arrived }
        arrived = 0
        return load.averageConcurrency > 0 || load.requestCount > 0 ? [load] : []
      },
      onFirstRequest(listener) {
        poke = listener
        return () => {
          poke = () => {}
        }
      },
    })
  return {
    autoscaler,
    clock,
    woken,
    realTimes,
    start,
    follow: (changes: Partial<ScaleTarget> = {}) => autoscaler.follow({ ...target, ...changes }),
    request(count = 1) {
      inFlight += count
      arrived += count
      if (pods === 0) poke(HELLO)
    },
    finish() {
      inFlight = 0
    },
    setPods(count: number) {
      pods = count
    },
    passReal(ms: number) {
      realMs += ms
    },
  }
}

test('a Revision at zero without traffic has no timer, and none of a thousand is looked at', async () => {
  const engine = anEngine()
  engine.start()
  for (let index = 0; index < 1000; index++) engine.follow({ name: `idle-${index}` })
  expect(engine.clock.nextDue()).toBeUndefined()
  await engine.clock.advance(3_600_000)
  expect(engine.realTimes).toEqual([])
})

test('the first request for a Revision at zero wants a Pod at once, before any time has passed', () => {
  const engine = anEngine()
  engine.start()
  expect(engine.follow().desiredScale).toBe(-1)
  engine.request()
  expect(engine.woken).toEqual([engine.clock.now()])
  expect(engine.follow()).toMatchObject({ desiredScale: 1, excessBurstCapacity: -212 })
})

test('after its requests and its Pods are gone a Revision is decided to zero and sleeps again', async () => {
  const engine = anEngine()
  engine.start()
  engine.follow()
  engine.request()
  await engine.clock.advance(1000)
  engine.setPods(1)
  engine.follow()
  await engine.clock.advance(4000)
  engine.finish()
  await engine.clock.advance(59_000)
  expect(engine.follow().desiredScale).toBe(1)
  await engine.clock.advance(3000)
  expect(engine.follow().desiredScale).toBe(0)
  expect(engine.clock.nextDue()).toBeDefined()
  engine.setPods(0)
  await engine.clock.advance(70_000)
  expect(engine.clock.nextDue()).toBeUndefined()

  engine.request()
  expect(engine.follow().desiredScale).toBe(1)
})

test('a request that was given up before a Pod came is forgotten after a window', async () => {
  const engine = anEngine()
  engine.start()
  engine.follow()
  engine.request()
  await engine.clock.advance(5000)
  engine.finish()
  await engine.clock.advance(62_000)
  expect(engine.follow().desiredScale).toBe(0)
  await engine.clock.advance(4000)
  expect(engine.clock.nextDue()).toBeUndefined()
})

test('a request that is held before the autoscaler knows the Revision counts once it does', () => {
  const engine = anEngine()
  engine.start()
  engine.request()
  expect(engine.woken).toEqual([])
  expect(engine.follow().desiredScale).toBe(1)
})

test('what is in flight counts for each virtual second, requests only for the one they arrived in', async () => {
  const engine = anEngine()
  engine.start()
  engine.setPods(1)
  const annotations = { 'autoscaling.knative.dev/metric': 'rps', 'autoscaling.knative.dev/target': '10' }
  engine.follow({ annotations })
  engine.request(20)
  await engine.clock.advance(4000)
  // No real time has passed: 20 requests in the first of two seconds want 2 Pods, in the first of four 1.
  expect(engine.follow({ annotations }).desiredScale).toBe(2)
  expect(engine.follow({ annotations }).isPanicking).toBe(true)
  await engine.clock.advance(70_000)
  expect(engine.follow({ annotations }).desiredScale).toBe(0)

  const held = anEngine()
  held.start()
  held.setPods(1)
  held.follow()
  held.request(200)
  await held.clock.advance(60_000)
  expect(held.follow().desiredScale).toBe(3)
})

test('a request too short for the clock to measure still keeps a Pod for a window', async () => {
  const engine = anEngine()
  engine.start()
  engine.setPods(1)
  engine.follow()
  await engine.clock.advance(10_000)
  engine.request()
  engine.finish()
  await engine.clock.advance(2000)
  expect(engine.follow().desiredScale).toBe(1)
  await engine.clock.advance(58_000)
  expect(engine.follow().desiredScale).toBe(1)
  await engine.clock.advance(2000)
  expect(engine.follow().desiredScale).toBe(0)
})

test('a timer that comes late, as after a suspended machine, plays the seconds it missed', async () => {
  let nowMs = 1_767_225_600_000
  const timers: { dueMs: number; callback: () => void }[] = []
  const clock = {
    now: () => nowMs,
    after(ms: number, callback: () => void) {
      const timer = { dueMs: nowMs + ms, callback }
      timers.push(timer)
      return () => {}
    },
    sleep: async () => {},
  }
  let snapshots = 0
  const autoscaler = createAutoscaler({ clock, realClock: clock, readConfig: () => undefined, log: createSilentLogger() })
  autoscaler.start({
    snapshot() {
      snapshots++
      return [{ ...HELLO, averageConcurrency: 100, requestCount: 1 }]
    },
    onFirstRequest: () => () => {},
  })
  const follow = () =>
    autoscaler.follow({ ...HELLO, annotations: {}, containerConcurrency: 0, isReachable: true, initialScale: 1, readyPods: () => 1 })
  follow()
  expect(timers).toHaveLength(1)
  nowMs += 30_250
  timers[0]!.callback()
  expect(snapshots).toBe(31)
  expect(follow().desiredScale).toBe(2)
  expect(timers[1]!.dueMs).toBe(1_767_225_631_000)
  nowMs += 24 * 3_600_000
  timers[1]!.callback()
  expect(snapshots).toBeLessThan(31 + 3605)
})

test('the PodAutoscaler is woken when the number changes and when the excess changes its sign, and not otherwise', async () => {
  const config = { 'target-burst-capacity': '40' }
  const engine = anEngine({ config: () => config })
  engine.start()
  engine.setPods(1)
  engine.follow()
  await engine.clock.advance(10_000)
  expect(engine.woken).toHaveLength(1)
  engine.request(40)
  await engine.clock.advance(2000)
  expect(engine.follow()).toMatchObject({ desiredScale: 1, excessBurstCapacity: 46 })
  expect(engine.woken).toHaveLength(2)
  engine.request(25)
  await engine.clock.advance(4000)
  expect(engine.follow()).toMatchObject({ desiredScale: 1, excessBurstCapacity: 3 })
  expect(engine.woken).toHaveLength(2)
  await engine.clock.advance(2000)
  expect(engine.follow()).toMatchObject({ desiredScale: 1, excessBurstCapacity: -5 })
  expect(engine.woken).toHaveLength(3)
})

test('a shorter stable window takes effect on a decider that runs already', async () => {
  let config: Record<string, string> = {}
  const engine = anEngine({ config: () => config })
  engine.start()
  engine.setPods(1)
  engine.follow()
  engine.request(10)
  await engine.clock.advance(10_000)
  engine.finish()
  await engine.clock.advance(8000)
  expect(engine.follow().desiredScale).toBe(1)
  config = { 'stable-window': '6s' }
  expect(engine.follow().settings.stableWindowMs).toBe(6000)
  await engine.clock.advance(2000)
  expect(engine.follow().desiredScale).toBe(0)
})

test('a Revision that was forgotten starts as if it had never been seen', async () => {
  const engine = anEngine()
  engine.start()
  engine.setPods(1)
  engine.follow()
  await engine.clock.advance(2000)
  expect(engine.follow().desiredScale).toBe(0)
  engine.autoscaler.forget(HELLO)
  await engine.clock.advance(2000)
  expect(engine.clock.nextDue()).toBeUndefined()
  expect(engine.follow().desiredScale).toBe(-1)
})

test('nothing is left of it when it stops', async () => {
  const engine = anEngine()
  engine.start()
  engine.setPods(1)
  engine.follow()
  engine.autoscaler.stop()
  expect(engine.clock.nextDue()).toBeUndefined()
  engine.request()
  await engine.clock.advance(10_000)
  expect(engine.woken).toEqual([])
})

test('what was counted while every Revision slept belongs to no second of a window', async () => {
  const engine = anEngine()
  engine.start()
  engine.follow()
  engine.passReal(3_600_000)
  await engine.clock.advance(3_600_000)
  engine.request()
  expect(engine.realTimes).toEqual([3_600_000])
})
