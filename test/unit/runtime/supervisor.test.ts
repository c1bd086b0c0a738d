import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { markedProcesses } from '../../../src/runtime/marked-processes.js'
import { startSupervisor, sweepLeftovers } from '../../../src/runtime/supervise.js'
import { isRunning } from './is-running.js'

const file = join(import.meta.dirname, '../../../dist/supervisor.cjs')
const clock = createSystemClock()
/** This run's own: two test runs at once must not end each other's processes. */
const markerOf = (name: string): string => `test-${name}-${process.pid}`
let directory: string
let emulator: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'supervisor-'))
  emulator = join(directory, 'emulator.cjs')
  buildSync({
    entryPoints: [join(import.meta.dirname, 'doomed-emulator.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: emulator,
  })
})
afterAll(() => rmSync(directory, { recursive: true }))

async function doomedEmulator(marker: string, { supervisorFile = file } = {}): Promise<{ child: ChildProcess; pids: number[] }> {
  const child = spawn(process.execPath, [emulator, supervisorFile, join(directory, marker), marker], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve) => child.stdout!.once('data', (text: Buffer) => resolve(text.toString())))
  return { child, pids: JSON.parse(line) as number[] }
}
const workload = (marker: string): ChildProcess =>
  spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 0.05; done'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], KN_LOCAL_INSTANCE: marker },
  })
/** A supervisor of this marker, seen by its command line. */
const supervisors = (marker: string): Promise<number[]> =>
  new Promise((resolve) => {
    const ps = spawn('ps', ['-xo', 'pid=,command='])
    let text = ''
    ps.stdout.on('data', (part: Buffer) => (text += part))
    ps.on('close', () =>
      resolve(
        text
          .split('\n')
          .filter((each) => each.includes('supervisor.cjs') && each.trim().endsWith(` ${marker}`))
          .filter((each) => !each.includes('emulator.cjs'))
          .map((each) => Number.parseInt(each, 10)),
      ),
    )
  })

test('nothing outlives an emulator that was killed: neither what ignores SIGTERM nor what left its session', async () => {
  const { child, pids } = await doomedEmulator(markerOf('killed'))
  expect(pids.length).toBe(5)
  expect(pids.every(isRunning)).toBe(true)
  child.kill('SIGKILL')
  await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), { timeout: 2000, interval: 20 })
  await vi.waitFor(async () => expect(await supervisors(markerOf('killed'))).toEqual([]), { timeout: 2000, interval: 50 })
})

test('a supervisor that was killed is replaced, and the next one knows everything', async () => {
  const { child, pids } = await doomedEmulator(markerOf('replaced'))
  const [first] = await supervisors(markerOf('replaced'))
  process.kill(first!, 'SIGKILL')
  await vi.waitFor(
    async () => {
      const now = await supervisors(markerOf('replaced'))
      expect(now.length).toBe(1)
      expect(now[0]).not.toBe(first)
    },
    { timeout: 5000, interval: 50 },
  )
  child.kill('SIGKILL')
  await vi.waitFor(() => expect(pids.filter(isRunning)).toEqual([]), { timeout: 2000, interval: 20 })
})

test('a group that carries no marker is ended because it was told of, one that has ended is left alone', async () => {
  const supervisor = await startSupervisor({ file, marker: markerOf('told'), log: createSilentLogger() })
  const [told, ended] = ['told', 'ended'].map(() =>
    spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { PATH: process.env['PATH'] } }),
  )
  for (const each of [told!, ended!]) supervisor.started(each.pid!)
  supervisor.ended(ended!.pid!)
  await supervisor.stop()
  expect([isRunning(told!.pid!), isRunning(ended!.pid!)]).toEqual([false, true])
  ended!.kill('SIGKILL')
})

test('starting a supervisor whose program is missing says which', async () => {
  await expect(startSupervisor({ file: '/no/supervisor.cjs', marker: 'm', log: createSilentLogger() })).rejects.toThrow(
    '/no/supervisor.cjs',
  )
})

test('what an earlier run left behind is ended, and nothing of another instance', async () => {
  const [mine, other] = [workload(markerOf('swept')), workload(`${markerOf('swept')}-not`)]
  await vi.waitFor(async () => expect(await markedProcesses(markerOf('swept'))).toContain(mine.pid))
  expect(await sweepLeftovers({ marker: markerOf('swept'), clock })).toBeGreaterThanOrEqual(1)
  expect([isRunning(mine.pid!), isRunning(other.pid!)]).toEqual([false, true])
  expect(await sweepLeftovers({ marker: markerOf('swept'), clock })).toBe(0)
  process.kill(-other.pid!, 'SIGKILL')
})
