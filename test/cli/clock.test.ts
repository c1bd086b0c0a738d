import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSystemClock } from '../../src/base/clock.js'
import type { ClockView } from '../../src/cli/nouns/clock.js'
import { type Home, makeHome, until } from '../support/daemon.js'
import { BIN, HELLO_IMAGE, type Ran, run } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

let home: Home
beforeEach(() => {
  home = makeHome({ KN_EMULATOR: '1' })
})
afterEach(async () => home.remove())

const HOUR = 3_600_000
const newest = findKubectls().at(-1)!.path

const ok = async (...words: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await home.kn(words)
  expect({ words, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ words, exitCode: 0, stderr: '' })
  return stdout
}
const kubectl = async (args: readonly string[], input?: string): Promise<Ran> =>
  run(newest, args, home.env, input === undefined ? {} : { input })
const seen = async (...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await kubectl(args)
  expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
  return stdout
}
const start = async (...flags: string[]): Promise<void> => {
  await ok('emulator', 'start', ...(await home.portFlags()), ...flags)
}
const advance = (step: string): Promise<string> => ok('emulator', 'clock', 'advance', step)
const show = async (): Promise<ClockView> => JSON.parse(await ok('emulator', 'clock', 'show', '-o', 'json')) as ClockView
const nowMs = async (): Promise<number> => Date.parse((await show()).now)
const killed = async (): Promise<void> => {
  process.kill((await home.status()).pid, 'SIGKILL')
  await until(async () => ((await home.kn(['emulator', 'status'])).exitCode === 1 ? true : undefined))
}

describe('a virtual clock', () => {
  test('an advance returns when its consequences have happened: ages, and Events that have expired', async () => {
    await start('--clock', 'virtual')
    const before = await show()
    expect(before).toMatchObject({ emulator: 'default', mode: 'Frozen' })
    await ok('service', 'create', 'hello', '--image', HELLO_IMAGE)
    expect(await seen('get', 'events', '-o', 'name')).not.toBe('')

    const goal = new Date(Date.parse(before.now) + 10 * 60_000).toISOString().replace('.000Z', 'Z')
    expect(await advance('10m')).toBe(`The clock of emulator 'default' stands at ${goal}.\n`)
    expect(await show()).toMatchObject({ mode: 'Frozen', now: goal })
    expect(await seen('get', 'deployments')).toMatch(/^hello-00001-deployment .* 10m\s*$/m)
    expect(await ok('service', 'list')).toMatch(/^hello .* 10m /m)
    expect(await ok('service', 'describe', 'hello')).toMatch(/^Age: +10m$/m)

    await advance('1h55m')
    expect(await seen('get', 'events', '-o', 'name')).toBe('')
  })

  test('a container in a crash loop is started again when its back-off is over, and not before', async () => {
    await start('--clock', 'virtual')
    const container = { name: 'c', image: HELLO_IMAGE, command: ['sh', '-c', 'exit 3'] }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'crashing' }, spec: { containers: [container] } }
    expect(await kubectl(['apply', '-f', '-'], JSON.stringify(pod))).toMatchObject({ exitCode: 0 })
    const state = () => seen('get', 'pod', 'crashing', '--no-headers')
    const isBackingOff = async (restarts: number): Promise<string | undefined> => {
      const text = await state()
      return new RegExp(`CrashLoopBackOff +${restarts} `).test(text) ? text : undefined
    }
    await until(() => isBackingOff(1), 20_000, 'the first back-off')

    await advance('9.999s')
    expect(await state()).toMatch(/CrashLoopBackOff +1 /)
    await advance('1ms')
    expect(await state()).toMatch(/^crashing +0\/1 +\S+ +2 /)
    await until(() => isBackingOff(2), 20_000, 'the second back-off')
    await advance('19s')
    expect(await state()).toMatch(/CrashLoopBackOff +2 /)
    await advance('1s')
    expect(await state()).toMatch(/^crashing +0\/1 +\S+ +3 /)
  })

  test('it never goes back: not by kill -9, not by stop and start, neither frozen nor running', async () => {
    await start('--clock', 'virtual')
    await advance('3h')
    const frozenMs = await nowMs()
    await killed()
    await ok('emulator', 'start')
    expect(await show()).toMatchObject({ mode: 'Frozen', now: new Date(frozenMs).toISOString().replace('.000Z', 'Z') })

    await ok('emulator', 'clock', 'resume')
    const runningMs = await nowMs()
    expect(runningMs).toBeGreaterThanOrEqual(frozenMs)
    await killed()
    await ok('emulator', 'start')
    const laterMs = await nowMs()
    expect(laterMs).toBeGreaterThanOrEqual(runningMs)
    expect(laterMs - createSystemClock().now()).toBeGreaterThan(2.9 * HOUR)

    await ok('emulator', 'clock', 'freeze')
    const stoppedMs = await nowMs()
    await ok('emulator', 'stop')
    await ok('emulator', 'start')
    expect([(await show()).mode, await nowMs()]).toEqual(['Frozen', stoppedMs])

    await ok('emulator', 'reset')
    const anew = await show()
    expect(anew.mode).toBe('Frozen')
    expect(Math.abs(Date.parse(anew.now) - createSystemClock().now())).toBeLessThan(60_000)
  })
})

describe('kn emulator clock', () => {
  test('an emulator’s clock runs until it is frozen, and goes on from there', async () => {
    await start()
    expect(await show()).toMatchObject({ emulator: 'default', mode: 'Real', offset: '0s' })
    const text = await ok('emulator', 'clock', 'show')
    expect(text).toMatch(/^Name: +default\nMode: +Real\nNow: +\d{4}-\d\d-\d\dT[\d:.]+Z\nOffset: +0s\nNext timer: +(none|.+ \(in .+\))\n$/)

    const refused = await home.kn(['emulator', 'clock', 'advance', '1s'])
    expect(refused).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: "Error: cannot advance the clock of emulator 'default': it runs, and must be frozen first\nRun 'kn --help' for usage\n",
    })
    expect(await ok('emulator', 'clock', 'freeze')).toMatch(/^The clock of emulator 'default' stands at \S+Z\.\n$/)
    const frozenMs = await nowMs()
    expect(await nowMs()).toBe(frozenMs)
    await advance('1h30m')
    expect(await ok('emulator', 'clock', 'resume')).toMatch(/^The clock of emulator 'default' goes on from \S+Z\.\n$/)
    expect(await nowMs()).toBeGreaterThanOrEqual(frozenMs + 1.5 * HOUR)

    expect(await ok('emulator', 'start', '--clock', 'virtual')).toContain('is running already')
    expect((await show()).mode).toBe('Frozen')
    await ok('emulator', 'stop')
    await ok('emulator', 'start', '--clock', 'real')
    expect(await show()).toMatchObject({ mode: 'Real', offset: expect.stringMatching(/^1h[23]\dm/) })
  })

  test.each([
    [['-5s'], "Error: unknown shorthand flag: '5' in -5s for 'kn emulator clock advance'"],
    [['--', '-5s'], 'Error: \'kn emulator clock advance\': invalid DURATION "-5s": must be at least 1ms'],
    [['0'], 'Error: \'kn emulator clock advance\': invalid DURATION "0": must be at least 1ms'],
    [['soon'], 'Error: \'kn emulator clock advance\': invalid DURATION "soon": time: invalid duration "soon"'],
    [[], "Error: 'kn emulator clock advance' requires DURATION"],
  ])('advance %j is refused in one line', async (words, message) => {
    expect(await home.kn(['emulator', 'clock', 'advance', ...words])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: `${message}\nRun 'kn emulator clock advance --help' for usage\n`,
    })
  })

  test('an emulator that is not there or does not run is an error, and none is started', async () => {
    expect(await home.kn(['emulator', 'clock', 'show'])).toMatchObject({
      exitCode: 1,
      stderr: "Error: there is no emulator 'default'\nRun 'kn --help' for usage\n",
    })
    await start()
    await ok('emulator', 'stop')
    expect(await home.kn(['emulator', 'clock', 'freeze'])).toMatchObject({
      exitCode: 1,
      stderr: "Error: emulator 'default' is not running\nRun 'kn --help' for usage\n",
    })
  })

  test('--name chooses the emulator; inside of exec it is the one that exec gave', async () => {
    await start()
    await ok('emulator', 'start', '--name', 'second', '--clock', 'virtual')
    expect((await show()).mode).toBe('Real')
    expect(await ok('emulator', 'clock', 'show', '--name', 'second', '-o', 'json')).toContain('"mode": "Frozen"')
    const nested = await ok('emulator', 'exec', '--ephemeral', '--', process.execPath, BIN, 'emulator', 'clock', 'freeze')
    expect(nested).toMatch(/^The clock of emulator 'ephemeral' stands at /)
  })

  test('kubectl can do the same, and is answered when it is done', async () => {
    await start()
    const patch = (spec: object) => kubectl(['patch', 'clock', 'emulator', '--type=merge', '-p', JSON.stringify({ spec })])
    expect((await patch({ advanceBy: '91s' })).stderr).toContain(
      'spec.advanceBy: Forbidden: only a frozen clock can be advanced: set spec.mode to Frozen',
    )
    expect(await patch({ mode: 'Frozen' })).toMatchObject({ exitCode: 0 })
    const frozenMs = await nowMs()
    expect(await patch({ advanceBy: '91s' })).toMatchObject({ exitCode: 0 })
    const now = new Date(frozenMs + 91_000).toISOString().replace('.000Z', 'Z')
    expect(await seen('get', 'clocks')).toMatch(new RegExp(`^NAME +MODE +NOW +OFFSET *\\nemulator +Frozen +${now} +\\S+ *\\n$`))
    expect((await kubectl(['delete', 'clock', 'emulator'])).stderr).toContain('MethodNotAllowed')
  })
})
