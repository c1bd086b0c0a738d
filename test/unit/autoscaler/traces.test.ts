import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createAutoscaler, type LoadSource, type RevisionRef } from '../../../src/autoscaler/autoscaler.js'
import { autoscalerConfigFrom } from '../../../src/autoscaler/config.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { boundedScale } from '../../../src/kinds/podautoscaler/scale.js'
import type { PodAutoscaler } from '../../../src/kinds/podautoscaler/schema.js'

/** What reference.py says about these stories: see its head. */
interface Trace {
  config: Record<string, string>
  annotations: Record<string, string>
  containerConcurrency: number
  isReachable: boolean
  initialScale: number
  pods: { ready: number; startSeconds: number }
  load: { seconds: number; concurrency?: number; requests?: number; step?: number; perInstance?: boolean }[]
  expected: Decided[]
}

interface Decided {
  second: number
  desired: number
  isPanicking: boolean
  excessBurstCapacity: number
}

const DIRECTORY = join(import.meta.dirname, '..', '..', 'fixtures', 'autoscaler')
const REVISION: RevisionRef = { namespace: 'default', name: 'hello-00001' }
const names = readdirSync(DIRECTORY).filter((file) => file.endsWith('.json'))

/** Pods that become ready a while after they are wanted, and go at once. */
function createPods({ ready, startSeconds }: Trace['pods']) {
  let count = ready
  let due: number[] = []
  return {
    ready: () => count,
    passTo(second: number) {
      count += due.filter((at) => at <= second).length
      due = due.filter((at) => at > second)
    },
    want(wanted: number, second: number) {
      while (count + due.length < wanted) due.push(second + startSeconds)
      while (count + due.length > wanted) {
        if (due.length > 0) due.pop()
        else count--
      }
    },
  }
}

function* loadsOf({ load }: Trace): Generator<{ concurrency: number; requests: number; perInstance: boolean }> {
  for (const { seconds, concurrency, requests, step = 0, perInstance = false } of load) {
    for (let index = 0; index < seconds; index++) {
      yield {
        concurrency: concurrency === undefined ? 0 : concurrency + step * index,
        requests: requests === undefined ? 0 : requests + step * index,
        perInstance,
      }
    }
  }
}

/** Tells the story to the autoscaler and writes down what it decided. */
async function decisionsOn(trace: Trace): Promise<Decided[]> {
  const clock = createVirtualClock({ startMs: 1_767_225_600_000, settle: async () => {} })
  const config = autoscalerConfigFrom(trace.config)
  const pods = createPods(trace.pods)
  let now: { concurrency: number; requests: number } | undefined
  let poke: (revision: RevisionRef) => void = () => {}
  const loads: LoadSource = {
    snapshot: () => (now ? [{ ...REVISION, averageConcurrency: now.concurrency, requestCount: now.requests }] : []),
    onFirstRequest(listener) {
      poke = listener
      return () => {}
    },
  }
  const autoscaler = createAutoscaler({ clock, realClock: clock, readConfig: () => trace.config, log: createSilentLogger() })
  autoscaler.start(loads)
  const { annotations, containerConcurrency, isReachable, initialScale } = trace
  const follow = () =>
    autoscaler.follow({ ...REVISION, annotations, containerConcurrency, isReachable, initialScale, readyPods: pods.ready })
  const autoscaled = {
    metadata: { ...REVISION, annotations },
    spec: { reachability: isReachable ? 'Reachable' : 'Unreachable' },
  } as unknown as PodAutoscaler

  const decided: Decided[] = []
  const note = (second: number): void => {
    const { desiredScale, isPanicking, excessBurstCapacity } = follow()
    if (desiredScale >= 0) pods.want(boundedScale(autoscaled, config, desiredScale, true), second)
    decided.push({ second, desired: desiredScale, isPanicking, excessBurstCapacity })
  }

  follow()
  let second = 0
  let wasLoaded = false
  for (const { concurrency, requests, perInstance } of loadsOf(trace)) {
    second++
    pods.passTo(second - 1)
    follow()
    const factor = perInstance ? pods.ready() : 1
    const isLoaded = concurrency * factor > 0 || requests * factor > 0
    now = isLoaded ? { concurrency: concurrency * factor, requests: requests * factor } : undefined
    await clock.advance(500)
    if (isLoaded && !wasLoaded && pods.ready() === 0) {
      const wantsNothing = follow().desiredScale <= 0
      poke(REVISION)
      if (wantsNothing) note(second - 0.5)
    }
    wasLoaded = isLoaded
    await clock.advance(500)
    if (second % 2 === 0) note(second)
  }
  autoscaler.stop()
  return decided
}

test.each(names)('the autoscaler decides as the reference does, tick by tick: %s', async (name) => {
  const trace = JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8')) as Trace
  expect(trace.expected.length).toBeGreaterThan(30)
  expect(await decisionsOn(trace)).toEqual(trace.expected)
})

const hasPython = spawnSync('python3', ['--version']).status === 0

test.runIf(hasPython)('the expectations are those the reference computes', () => {
  expect(execFileSync('python3', ['-B', join(DIRECTORY, 'reference.py'), '--check'], { encoding: 'utf8' })).toBe('')
})
