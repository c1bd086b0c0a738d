import { expect, test } from 'vitest'
import { autoscalerConfigFrom } from '../../../src/autoscaler/config.js'
import { decide, newDecider, type Observation } from '../../../src/autoscaler/decide.js'
import { type ScaleSettings, settingsFrom } from '../../../src/autoscaler/settings.js'

const T = 1_767_225_600_000

function settingsWith(annotations: Record<string, string> = {}, config: Record<string, string> = {}, isReachable = true): ScaleSettings {
  const full = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value]))
  return settingsFrom(autoscalerConfigFrom(config), { annotations: full, containerConcurrency: 0, isReachable, initialScale: 1 })
}

/** One tick of a decider that was calm until now: `desired panic? ebc`. */
function tick(settings: ScaleSettings, seen: Partial<Observation>): string {
  const { state, verdict } = decide(settings, newDecider(settings, 0, T).state, {
    nowMs: T,
    readyPods: 1,
    stableValue: 0,
    panicValue: 0,
    ...seen,
  })
  return `${verdict.desiredScale} ${state.panicMs === undefined ? 'calm' : 'panic'} ${verdict.excessBurstCapacity}`
}

// The numbers that Knative's formulas give in its documented examples.
test.each<[string, Record<string, string>, Partial<Observation>, string]>([
  ['two Pods, 250 and 260 at a time', {}, { readyPods: 2, stableValue: 250, panicValue: 260 }, '4 panic -271'],
  ['the same with four Pods', {}, { readyPods: 4, stableValue: 250, panicValue: 260 }, '4 calm -71'],
  ['the same with five Pods', {}, { readyPods: 5, stableValue: 250, panicValue: 260 }, '4 calm 29'],
  ['target 10, 7 at a time', { target: '10', 'target-burst-capacity': '7' }, { stableValue: 7, panicValue: 7 }, '1 calm -4'],
  ['target 10, 12 at a time', { target: '10', 'target-burst-capacity': '7' }, { stableValue: 12, panicValue: 12 }, '2 panic -9'],
  [
    'target 10, 12 at a time, two Pods',
    { target: '10', 'target-burst-capacity': '7' },
    { readyPods: 2, stableValue: 12, panicValue: 12 },
    '2 calm 1',
  ],
  [
    'ten Pods that are too many',
    { target: '10', 'target-burst-capacity': '7' },
    { readyPods: 10, stableValue: 40, panicValue: 20 },
    '6 calm 73',
  ],
  ['900 requests a second, three Pods', { metric: 'rps' }, { readyPods: 3, stableValue: 900, panicValue: 1300 }, '10 panic -911'],
])('%s', (_, annotations, seen, expected) => {
  expect(tick(settingsWith(annotations), seen)).toBe(expected)
})

test('without load ten Pods go by halves, and at once where traffic cannot reach them', () => {
  const steps: string[] = []
  for (const readyPods of [10, 5, 2, 1]) steps.push(tick(settingsWith(), { readyPods }).split(' ')[0]!)
  expect(steps).toEqual(['5', '2', '1', '0'])
  expect(tick(settingsWith({}, {}, false), { readyPods: 10 })).toMatch(/^0 /)
})

test('panic ends only once more than a stable window has passed since it was last due', () => {
  const settings = settingsWith()
  const burst = { readyPods: 1, stableValue: 100, panicValue: 500 }
  let { state } = decide(settings, newDecider(settings, 0, T).state, { ...burst, nowMs: T })
  const quiet = { readyPods: 8, stableValue: 10, panicValue: 0 }
  const at = (nowMs: number): number => {
    const next = decide(settings, state, { ...quiet, nowMs })
    state = next.state
    return next.verdict.desiredScale
  }
  expect([at(T + 2000), at(T + 60_000)]).toEqual([8, 8])
  expect(at(T + 60_001)).toBe(4)
})

test('an unlimited burst has no excess to compute, and none at all starts at 0', () => {
  expect(tick(settingsWith({ 'target-burst-capacity': '-1' }), { readyPods: 9, panicValue: 100 })).toMatch(/ -1$/)
  expect(tick(settingsWith({ 'target-burst-capacity': '0' }), { readyPods: 0, panicValue: 100 })).toMatch(/ 0$/)
})

test.each<[string, Record<string, string>, number]>([
  ['211', {}, -111],
  ['-1', { 'target-burst-capacity': '-1' }, -1],
  ['0', { 'target-burst-capacity': '0' }, 0],
  ['30', { 'target-burst-capacity': '30' }, 70],
])('a new decider knows no scale, and its excess follows from a burst capacity of %s', (_, annotations, excess) => {
  expect(newDecider(settingsWith(annotations), 1, T).verdict).toEqual({ desiredScale: -1, excessBurstCapacity: excess })
})

test('the delay of scaling down is kept from the start or not at all, and ends when it is set to 0', () => {
  const delayed = settingsWith({}, { 'scale-down-delay': '10s' })
  const seen = { readyPods: 4, panicValue: 0, stableValue: 200 }
  const first = decide(delayed, newDecider(delayed, 0, T).state, { ...seen, nowMs: T })
  expect(first.verdict.desiredScale).toBe(3)
  expect(decide(delayed, first.state, { ...seen, stableValue: 0, nowMs: T + 8000 }).verdict.desiredScale).toBe(3)
  expect(decide(delayed, first.state, { ...seen, stableValue: 0, nowMs: T + 10_000 }).verdict.desiredScale).toBe(2)
  expect(decide(settingsWith(), first.state, { ...seen, stableValue: 0, nowMs: T + 2000 }).verdict.desiredScale).toBe(2)

  const late = decide(settingsWith(), newDecider(settingsWith(), 0, T).state, { ...seen, nowMs: T })
  expect(decide(delayed, late.state, { ...seen, stableValue: 0, nowMs: T + 2000 }).verdict.desiredScale).toBe(2)
})
