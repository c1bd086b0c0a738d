import { describe, expect, test } from 'vitest'
import type { Identity } from '../../../src/apimachinery/kind.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import { createApiServer } from '../../../src/apiserver/server.js'
import { type ClockMode, createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { createClient } from '../../../src/client/client.js'
import { createClockKeeper, restoreClock } from '../../../src/emulator/clock.js'
import { emulatorClockKind } from '../../../src/kinds/emulator/clock/kind.js'
import { clockTime, type EmulatorClock } from '../../../src/kinds/emulator/clock/schema.js'
import { createClockServed } from '../../../src/kinds/emulator/clock/served.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import type { Store } from '../../../src/store/store.js'
import { noteKind } from '../apiserver/support.js'

const START = Date.parse('2026-01-02T03:04:05.000Z')
const MINUTE = 60_000
const user: Identity = { name: 'admin', groups: ['system:masters'] }
const ref = { name: 'emulator' }

/** What an emulator is as far as its clock goes: a store that outlives it, and the machine's clock. */
async function startedOn(
  store: Store,
  options: { baseMs?: number; mode?: ClockMode; firstMode?: ClockMode; settled?: () => Promise<void> } = {},
) {
  const base = createVirtualClock({ startMs: options.baseMs ?? START })
  const clock = restoreClock({ store, base, mode: options.mode, firstMode: options.firstMode ?? 'Real' })
  const log = createSilentLogger()
  const keeper = createClockKeeper({ clock, realClock: base, client: () => client, settled: options.settled ?? (async () => {}), log })
  const kinds = [createClockServed(keeper)] as never
  const server = createApiServer({ store, kinds, clock, realClock: base, random: createSeededRandom(1), log })
  const client = createClient({ transport: server, user, fieldManager: 'test' })
  await keeper.publish()
  const patch = (spec: Partial<EmulatorClock['spec']>, write: { dryRun?: boolean; onWarning?: (text: string) => void } = {}) =>
    client.patch(emulatorClockKind, ref, { type: 'application/merge-patch+json', body: { spec } }, write)
  return { base, clock, keeper, client, patch, show: () => client.get(emulatorClockKind, ref) }
}

const frozen = (settled?: () => Promise<void>) => startedOn(createMemoryStore(), { firstMode: 'Frozen', ...(settled && { settled }) })

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StatusError)) throw new Error(`not refused: ${String(error)}`)
  return `${error.status.code} ${error.message}`
}

describe('the Clock', () => {
  test('shows what time it is when it is asked, how far ahead that is, and what is waited for', async () => {
    const { base, clock, show } = await startedOn(createMemoryStore())
    await base.advance(1500)
    clock.after(2000, () => {})
    expect((await show()).status).toEqual({
      observedGeneration: 1,
      mode: 'Real',
      now: '2026-01-02T03:04:06.500Z',
      offset: '0s',
      nextTimer: '2026-01-02T03:04:08.500Z',
    })
  })

  test('freezes, advances and resumes as its spec says', async () => {
    const { base, patch } = await startedOn(createMemoryStore())
    expect((await patch({ mode: 'Frozen' })).status).toMatchObject({ mode: 'Frozen', now: '2026-01-02T03:04:05Z' })
    await base.advance(MINUTE)
    const advanced = await patch({ advanceBy: '1h30m' })
    expect(advanced.spec).toEqual({ mode: 'Frozen', advanceTo: '2026-01-02T04:34:05Z' })
    expect(advanced.status).toMatchObject({ mode: 'Frozen', now: '2026-01-02T04:34:05Z', offset: '1h29m0s', observedGeneration: 3 })
    await patch({ mode: 'Real' })
    await base.advance(MINUTE)
    expect((await patch({ mode: 'Frozen', advanceBy: '1s' })).status).toMatchObject({ now: '2026-01-02T04:35:06Z', offset: '1h29m1s' })
  })

  test('an advance is answered when everything on the way has fired and settled', async () => {
    const story: string[] = []
    const { clock, patch } = await frozen(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      story.push('settled')
    })
    clock.after(10_000, () => story.push('ten'))
    clock.after(20_000, () => story.push('twenty'))
    await patch({ advanceBy: '15s' })
    expect(story).toEqual(['settled', 'ten', 'settled', 'settled'])
  })

  test('advances that are asked for while one is on its way add up', async () => {
    const { clock, patch } = await frozen()
    const answers = await Promise.all([patch({ advanceBy: '1m' }), patch({ advanceBy: '1m' }), patch({ advanceBy: '1m' })])
    expect(answers.map(({ status }) => status!.now)).toEqual([1, 2, 3].map((minutes) => clockTime(START + minutes * MINUTE)))
    expect(clock.now()).toBe(START + 3 * MINUTE)
  })

  test('advanceTo names the time itself; the same one again changes nothing', async () => {
    const { patch, show } = await frozen()
    await patch({ advanceTo: '2026-01-02T04:00:00Z' })
    await patch({ advanceTo: '2026-01-02T04:00:00Z' })
    expect((await show()).status).toMatchObject({ now: '2026-01-02T04:00:00Z', observedGeneration: 2 })
  })

  test('a dry run moves nothing and says where it would lead', async () => {
    const { clock, patch } = await frozen()
    expect((await patch({ advanceBy: '1m' }, { dryRun: true })).spec.advanceTo).toBe('2026-01-02T03:05:05Z')
    expect(clock.now()).toBe(START)
  })

  test('watchers see it stop and move', async () => {
    const { client, patch } = await startedOn(createMemoryStore())
    const { resourceVersion } = await client.listWithVersion(emulatorClockKind).then((list) => list)
    const stopping = new AbortController()
    await patch({ mode: 'Frozen' })
    await patch({ advanceBy: '1m' })
    const seen: (string | undefined)[] = []
    for await (const { object } of client.watch(emulatorClockKind, { resourceVersion, signal: stopping.signal })) {
      const { status } = object as EmulatorClock
      seen.push(`${status?.mode} ${status?.now}`)
      if (status?.now === '2026-01-02T03:05:05Z') stopping.abort()
    }
    expect([...new Set(seen)]).toEqual(['Real 2026-01-02T03:04:05Z', 'Frozen 2026-01-02T03:04:05Z', 'Frozen 2026-01-02T03:05:05Z'])
  })

  test('what does not settle is not waited for without end, and the answer says so', async () => {
    let isStuck = false
    const { base, clock, patch } = await frozen(() => (isStuck ? new Promise(() => {}) : Promise.resolve()))
    clock.after(1000, () => {
      isStuck = true
    })
    clock.after(2000, () => {})
    const warnings: string[] = []
    const answer = patch({ advanceBy: '1m' }, { onWarning: (text) => warnings.push(text) })
    let isAnswered = false
    void answer.then(() => {
      isAnswered = true
    })
    for (let waitedMs = 0; !isAnswered && waitedMs < MINUTE; waitedMs += 1000) await base.advance(1000)
    expect((await answer).status!.now).toBe('2026-01-02T03:05:05Z')
    expect(warnings).toEqual(['not everything that was due had come to an end after 30 seconds'])
  })
})

describe('is refused, and nothing moves', () => {
  const prefix = '422 Clock.emulator.kn-local.dev "emulator" is invalid: '

  test.each<[string, Partial<EmulatorClock['spec']>, string]>([
    [
      'a negative step',
      { advanceBy: '-5s' },
      'spec.advanceBy: Invalid value: "-5s": must be a duration of at least 1ms, such as 91s, 2m or 1h30m',
    ],
    ['no step', { advanceBy: '0' }, 'spec.advanceBy: Invalid value: "0": must be a duration of at least 1ms, such as 91s, 2m or 1h30m'],
    [
      'garbage',
      { advanceBy: 'soon' },
      'spec.advanceBy: Invalid value: "soon": must be a duration of at least 1ms, such as 91s, 2m or 1h30m',
    ],
    [
      'a step out of all calendars',
      { advanceBy: '99999999h' },
      'spec.advanceBy: Invalid value: "99999999h": must not lead beyond the year 9999',
    ],
    [
      'going back',
      { advanceTo: '2026-01-02T03:04:04Z' },
      'spec.advanceTo: Invalid value: "2026-01-02T03:04:04Z": must not be before the clock, which stands at 2026-01-02T03:04:05Z',
    ],
    [
      'two goals at once',
      { advanceBy: '1s', advanceTo: '2026-02-02T00:00:00Z' },
      'spec.advanceBy: Forbidden: may not be given together with another spec.advanceTo',
    ],
    [
      'an advance of a clock that is to run',
      { mode: 'Real', advanceBy: '1s' },
      'spec.advanceBy: Forbidden: only a frozen clock can be advanced: set spec.mode to Frozen',
    ],
    ['a mode there is not', { mode: 'Fast' as ClockMode }, 'spec.mode: Unsupported value: "Fast": supported values: "Real", "Frozen"'],
  ])('%s', async (_, spec, message) => {
    const { clock, patch } = await frozen()
    expect(await refusal(patch(spec))).toBe(prefix + message)
    expect(clock.now()).toBe(START)
  })

  test('an advance of a clock that runs', async () => {
    const { patch } = await startedOn(createMemoryStore())
    expect(await refusal(patch({ advanceBy: '1s' }))).toContain('only a frozen clock can be advanced')
  })

  test('deleting it, making it, and a second one', async () => {
    const { client } = await frozen()
    expect(await refusal(client.delete(emulatorClockKind, ref))).toMatch(/^405 /)
    expect(await refusal(client.create(emulatorClockKind, { metadata: ref, spec: { mode: 'Real' } }))).toMatch(/^405 /)
    const second = {
      apiVersion: 'emulator.kn-local.dev/v1alpha1',
      kind: 'Clock',
      metadata: { name: 'mine' },
      spec: { mode: 'Real' as const },
    }
    expect(await refusal(client.update(emulatorClockKind, second))).toContain('there is one clock, and its name is emulator')
  })
})

describe('started again on what it left', () => {
  /** One that was frozen, advanced by an hour and ended in some way an hour of real time later. */
  const left = async (end: 'stopped' | 'killed', last: Partial<EmulatorClock['spec']> = {}) => {
    const store = createMemoryStore()
    const first = await startedOn(store, { firstMode: 'Frozen' })
    await first.patch({ advanceBy: '1h' })
    if (last.mode) await first.patch(last)
    await first.base.advance(60 * MINUTE)
    if (end === 'stopped') await first.keeper.stop()
    return { store, endedMs: first.clock.now() }
  }

  test.each(['stopped', 'killed'] as const)('a frozen one that was %s stands where it stood', async (end) => {
    const { store, endedMs } = await left(end)
    const { clock, show } = await startedOn(store, { baseMs: START + 300 * MINUTE })
    expect([clock.mode(), clock.now()]).toEqual(['Frozen', endedMs])
    expect((await show()).status).toMatchObject({ mode: 'Frozen', now: clockTime(endedMs) })
  })

  test.each(['stopped', 'killed'] as const)('a running one that was %s is as far ahead as it was', async (end) => {
    const { store } = await left(end, { mode: 'Real' })
    const { clock } = await startedOn(store, { baseMs: START + 300 * MINUTE })
    expect([clock.mode(), clock.offsetMs()]).toEqual(['Real', 60 * MINUTE])
  })

  test('a running one whose machine was set back meanwhile does not go back with it', async () => {
    const { store, endedMs } = await left('stopped', { mode: 'Real' })
    const { clock } = await startedOn(store, { baseMs: START - 300 * MINUTE })
    expect([clock.mode(), clock.now()]).toEqual(['Real', endedMs])
  })

  test('one that was killed in the middle of an advance is not before any time that was reached on the way', async () => {
    const store = createMemoryStore()
    let release = (): void => {}
    const { clock, patch } = await startedOn(store, {
      firstMode: 'Frozen',
      settled: () => (clock.now() === START ? Promise.resolve() : new Promise((resolve) => (release = resolve))),
    })
    clock.after(30 * MINUTE, () => {})
    void patch({ advanceBy: '1h' })
    while (clock.now() === START) await new Promise((resolve) => setImmediate(resolve))
    const next = restoreClock({ store, base: createVirtualClock({ startMs: START }), mode: undefined, firstMode: 'Real' })
    expect([next.mode(), next.now()]).toEqual(['Frozen', START + 60 * MINUTE])
    release()
  })

  test('one that was killed before it could resume goes on from where it stood', async () => {
    const store = createMemoryStore()
    const { clock, patch } = await startedOn(store, { firstMode: 'Frozen' })
    await patch({ advanceBy: '1h' })
    const key = { resource: 'clocks.emulator.kn-local.dev', name: 'emulator' }
    await store.write(key, (current) => ({ put: { ...current!, spec: { mode: 'Real' } } as EmulatorClock }))
    const next = restoreClock({ store, base: createVirtualClock({ startMs: START }), mode: undefined, firstMode: 'Real' })
    expect([next.mode(), next.now()]).toEqual(['Real', clock.now()])
  })

  test('no object in it is from the future, even where its Clock was lost', async () => {
    const store = createMemoryStore()
    const metadata = { name: 'young', namespace: 'default', creationTimestamp: '2026-01-02T09:00:00Z' }
    await store.write({ resource: noteKind.plural, namespace: 'default', name: 'young' }, () => ({
      put: { apiVersion: 'v1', kind: 'Note', metadata },
    }))
    const { clock } = await startedOn(store)
    expect([clock.mode(), clock.now()]).toEqual(['Real', Date.parse('2026-01-02T09:00:00Z')])
  })

  test('a mode chosen at the start overrules the one it was left in', async () => {
    const running = await left('killed', { mode: 'Real' })
    const stopped = await startedOn(running.store, { baseMs: START + 300 * MINUTE, mode: 'Frozen' })
    expect([stopped.clock.now(), (await stopped.show()).spec.mode]).toEqual([START + 360 * MINUTE, 'Frozen'])
    const standing = await left('killed')
    const resumed = await startedOn(standing.store, { baseMs: START + 300 * MINUTE, mode: 'Real' })
    expect([resumed.clock.now(), (await resumed.show()).spec.mode]).toEqual([standing.endedMs, 'Real'])
  })
})

test('stopping ends an advance where it is and keeps the time it was to reach', async () => {
  const store = createMemoryStore()
  const { clock, keeper, patch } = await startedOn(store, { firstMode: 'Frozen' })
  clock.after(MINUTE, () => void keeper.stop())
  clock.after(2 * MINUTE, () => expect.unreachable('it was stopped before'))
  await patch({ advanceBy: '1h' })
  expect(clock.now()).toBe(START + MINUTE)
  const next = restoreClock({ store, base: createVirtualClock({ startMs: START }), mode: undefined, firstMode: 'Real' })
  expect(next.now()).toBe(START + 60 * MINUTE)
})

test('stopping does not wait for what does not settle', async () => {
  const { clock, keeper, patch } = await frozen(() => (clock.now() === START ? Promise.resolve() : new Promise(() => {})))
  let isStuck = false
  clock.after(MINUTE, () => {
    isStuck = true
  })
  const answer = patch({ advanceBy: '1h' })
  while (!isStuck) await new Promise((resolve) => setImmediate(resolve))
  await keeper.stop()
  expect((await answer).status!.now).toBe(clockTime(START + MINUTE))
})
