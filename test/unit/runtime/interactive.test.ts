import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { openInGroup } from '../../../src/runtime/interactive.js'
import type { InteractiveProcess } from '../../../src/runtime/runtime.js'
import { isRunning } from './is-running.js'

let directory: string
let groups: string[]
let opened: InteractiveProcess[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interactive-'))
  groups = []
  opened = []
})
afterEach(() => {
  for (const process of opened) process.kill()
  rmSync(directory, { recursive: true, force: true })
})

async function open(command: readonly string[], more: Partial<Parameters<typeof openInGroup>[0]> = {}): Promise<InteractiveProcess> {
  const process = await openInGroup({
    command,
    tty: false,
    stdin: false,
    workingDir: directory,
    env: { PATH: '/usr/bin:/bin', GREETING: 'hi' },
    clock: createSystemClock(),
    supervisor: { started: (pgid) => groups.push(`+${pgid}`), ended: (pgid) => groups.push(`-${pgid}`) },
    ...more,
  })
  opened.push(process)
  return process
}

test('a command has its streams, its environment and its exit code, and is the supervisor’s while it runs', async () => {
  const process = await open(['sh', '-c', 'read line; echo "$GREETING $line in $(basename "$PWD")"; echo no >&2; exit 7'], { stdin: true })
  const said = Promise.all([text(process.stdout), text(process.stderr)])
  process.stdin!.end('there\n')
  expect(await said).toEqual([`hi there in ${directory.split('/').at(-1)}\n`, 'no\n'])
  expect(await process.exited).toMatchObject({ exitCode: 7 })
  const [, pid] = /^\+(\d+)$/.exec(groups[0]!)!
  expect(groups).toEqual([`+${pid}`, `-${pid}`])
})

test('without stdin a command is at its end at once, and whoever writes to one that has ended is told nothing worse', async () => {
  const silent = await open(['cat'])
  expect(silent.stdin).toBeUndefined()
  expect(await silent.exited).toMatchObject({ exitCode: 0 })
  const deaf = await open(['true'], { stdin: true })
  await deaf.exited
  deaf.stdin!.write('x'.repeat(1_000_000))
  await new Promise((resolve) => setImmediate(resolve))
})

test('kill ends what the command has started as well, and so does the end of the command', async () => {
  const killed = await open(['sh', '-c', 'sleep 300 & echo $!; wait'])
  const pid = Number(await new Promise<Buffer>((resolve) => void killed.stdout.once('data', resolve)))
  expect(isRunning(pid)).toBe(true)
  killed.kill()
  expect(await killed.exited).toMatchObject({ exitCode: 137, signal: 'SIGKILL' })
  const ended = await open(['sh', '-c', 'sleep 300 & echo $!'])
  const left = Number(await text(ended.stdout).catch(() => ''))
  await ended.exited
  for (const each of [pid, left]) expect(isRunning(each)).toBe(false)
})

test.skipIf(process.platform === 'win32')('on a terminal words stay words, whatever is in them', async () => {
  const words = ["it's", '$HOME', '`id`', 'a  b', '', '"quoted"', '\\', '!x;']
  const shown = await open(['printf', '[%s]\n', ...words], { tty: true })
  const said = text(shown.stdout)
  expect(await shown.exited).toMatchObject({ exitCode: 0 })
  expect((await said).replaceAll('\r', '')).toBe(words.map((word) => `[${word}]\n`).join(''))
})

test.runIf(process.platform === 'linux')(
  'the size of a terminal counts although it is told before there is one, and the newest does',
  async () => {
    const script = 'until [ "$(stty size)" = "44 132" ]; do sleep 0.02; done; echo fits'
    const shown = await open(['sh', '-c', script], { tty: true })
    shown.resize(80, 24)
    shown.resize(132, 44)
    expect(await text(shown.stdout)).toContain('fits')
    expect(await shown.exited).toMatchObject({ exitCode: 0 })
    // Nobody is there to be told.
    shown.resize(1, 1)
  },
)

test('what cannot be started says why, in the words of a container runtime', async () => {
  await expect(open(['no-such-program'])).rejects.toThrow('exec: "no-such-program": executable file not found in $PATH')
  await expect(open(['no-such-program'], { tty: true })).rejects.toThrow('exec: "no-such-program": executable file not found in $PATH')
  await expect(open([])).rejects.toThrow('no command specified')
  await expect(open(['true'], { workingDir: join(directory, 'gone') })).rejects.toThrow('no such file or directory')
  await expect(open(['/bin/true'], { tty: true, env: { PATH: directory } })).rejects.toThrow('a terminal is made by the program "script"')
})
