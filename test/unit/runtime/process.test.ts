import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createProcessRuntime } from '../../../src/runtime/process.js'
import type { ContainerRequest, Runtime } from '../../../src/runtime/runtime.js'
import { isRunning } from './is-running.js'

let directory: string
let runtime: Runtime
let groups: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'runtime-'))
  groups = []
  runtime = createProcessRuntime({
    directory,
    marker: 'test-process',
    supervisor: { started: (pgid) => groups.push(`+${pgid}`), ended: (pgid) => groups.push(`-${pgid}`) },
    clock: createSystemClock(),
    log: createSilentLogger(),
    hostEnv: { PATH: process.env['PATH'], NODE_OPTIONS: '--no-warnings', SECRET: 'of the host' },
  })
})
afterEach(async () => {
  await runtime.stop(0)
  rmSync(directory, { recursive: true, force: true })
})

const image = { repository: 'kn.local/shell', digest: 'sha256:0', entrypoint: [], args: ['sh'], env: {} }
const running = (script: string, more: Partial<ContainerRequest> = {}): ContainerRequest => ({
  pod: { namespace: 'default', name: 'pod-1', uid: 'uid-1' },
  container: 'main',
  attempt: 0,
  image,
  command: ['sh', '-c', script],
  env: {},
  ...more,
})
async function logOf(attempt = 0): Promise<string[]> {
  const lines: string[] = []
  for await (const line of runtime.logs({ podUid: 'uid-1', container: 'main', attempt }, { follow: true }) ?? []) lines.push(line)
  // A shell's remark on the `sleep` it was waiting for.
  return lines.filter((line) => line !== 'Terminated')
}
/** The first line a container writes. */
async function firstLine(): Promise<string> {
  for await (const line of runtime.logs({ podUid: 'uid-1', container: 'main', attempt: 0 }, { follow: true }) ?? []) return line
  throw new Error('the container ended without a word')
}

test('who attaches hears everything from then on, of each output, and is read until there is no more', async () => {
  const container = await runtime.start(
    running('echo early; while read line; do echo "<$line>"; echo "($line)" >&2; done', { stdin: 'once' }),
  )
  expect(await firstLine()).toBe('early')
  const heard: string[] = []
  const { stdin, stdinOnce, onOutput } = container.attach!()
  const stop = onOutput((stream, bytes) => heard.push(`${stream} ${bytes}`))
  expect(stdinOnce).toBe(true)
  stdin!.write('one\n')
  await vi.waitFor(() => expect(heard.toSorted()).toEqual(['stderr (one)\n', 'stdout <one>\n']))
  stop()
  stdin!.end('two\n')
  expect((await container.exited).exitCode).toBe(0)
  expect(heard).toHaveLength(2)
  expect((await logOf()).toSorted()).toEqual(['(one)', '(two)', '<one>', '<two>', 'early'])
})

test('a container without stdin is at its end at once, one with a terminal has one', async () => {
  const silent = await runtime.start(running('cat; echo end'))
  expect(silent.attach!().stdin).toBeUndefined()
  expect((await silent.exited).exitCode).toBe(0)
  expect(await logOf()).toEqual(['end'])
  const shown = await runtime.start(running('test -t 0 && test -t 1 && test -t 2 && exit 6', { tty: true, stdin: 'always', attempt: 1 }))
  expect((await shown.exited).exitCode).toBe(6)
})

test('the container that runs is found, until it has ended', async () => {
  const container = await runtime.start(running('exec sleep 300'))
  expect(runtime.running('uid-1', 'main')).toBe(container)
  for (const [uid, name] of [
    ['uid-1', 'other'],
    ['uid-2', 'main'],
  ] as const)
    expect(runtime.running(uid, name)).toBeUndefined()
  const beside = await container.open!(['sh', '-c', 'exec sleep 300'], { tty: false, stdin: false })
  await container.stop(0)
  expect(runtime.running('uid-1', 'main')).toBeUndefined()
  // What runs beside it ends with it.
  expect((await beside.exited).signal).toBe('SIGKILL')
})

test('a container runs with its environment, its own home and temporary directory, and nothing of the host', async () => {
  const container = await runtime.start(running('env; pwd', { env: { GREETING: 'hi $(X) `x`' } }))
  expect((await container.exited).exitCode).toBe(0)
  const lines = await logOf()
  const home = join(directory, 'uid-1', '.home')
  expect(lines).toEqual(
    expect.arrayContaining([
      'GREETING=hi $(X) `x`',
      'KN_LOCAL_INSTANCE=test-process',
      `HOME=${home}`,
      `TMPDIR=${join(directory, 'uid-1', '.tmp')}`,
      'HOSTNAME=pod-1',
      `PATH=${process.env['PATH']}`,
      home,
    ]),
  )
  expect(lines.filter((line) => /NODE_OPTIONS|SECRET|NODE_EXTRA_CA_CERTS/.test(line))).toEqual([])
  expect(container.id).toBe(`process://${container.pid}-${container.startedAtMs}`)
})

test('arguments reach the program as they are, without a shell', async () => {
  const container = await runtime.start(running('', { command: ['printf', '%s|'], args: ['a b', '$HOME', '*', ''] }))
  await container.exited
  expect(await logOf()).toEqual(['a b|$HOME|*||'])
})

test('without a command the image says what runs, and args replace its arguments only', async () => {
  const { command: _, ...request } = running('', { image: { ...image, entrypoint: ['echo', 'from'], args: ['image'] } })
  await (await runtime.start(request)).exited
  await (await runtime.start({ ...request, attempt: 1, args: ['args'] })).exited
  expect([await logOf(0), await logOf(1)]).toEqual([['from image'], ['from args']])
})

test('stdin is at its end', async () => {
  const container = await runtime.start(running('cat; echo over'))
  await container.exited
  expect(await logOf()).toEqual(['over'])
})

test('what was written just before the end is in the log, in order and with its stream', async () => {
  const container = await runtime.start(running('echo out; echo err >&2; printf "no end"; exit 3'))
  expect(await container.exited).toMatchObject({ exitCode: 3 })
  expect((await logOf()).toSorted()).toEqual(['err', 'no end', 'out'])
  expect(runtime.logTail({ podUid: 'uid-1', container: 'main', attempt: 0 }, 7)).toMatch(/no end\n$|err\n$|out\n$/)
  expect(groups).toEqual([`+${container.pid}`, `-${container.pid}`])
})

test('an end by a signal has the exit code 128 and more', async () => {
  const container = await runtime.start(running('kill -9 $$'))
  expect(await container.exited).toMatchObject({ exitCode: 137, signal: 'SIGKILL' })
})

test('stop lets the program finish within its grace period', async () => {
  const container = await runtime.start(running('trap "echo bye; exit 7" TERM; echo up; while :; do sleep 0.02; done'))
  await firstLine()
  await container.stop(10_000)
  expect(await container.exited).toMatchObject({ exitCode: 7 })
  expect(await logOf()).toEqual(['up', 'bye'])
})

test('stop kills a program that ignores SIGTERM, after the grace period', async () => {
  const container = await runtime.start(running('trap "" TERM; echo up; while :; do sleep 0.02; done'))
  await firstLine()
  const startedMs = performance.now()
  await container.stop(150)
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(140)
  expect(await container.exited).toMatchObject({ exitCode: 137 })
})

test('a second stop with less grace wins', async () => {
  const container = await runtime.start(running('trap "" TERM; echo up; while :; do sleep 0.02; done'))
  await firstLine()
  const patient = container.stop(60_000)
  await container.stop(0)
  await patient
  expect(await container.exited).toMatchObject({ exitCode: 137 })
})

test('children get the grace period too, although the shell that started them ends at once', async () => {
  const child = '(trap "sleep 0.1; echo child done; exit" TERM; echo up; while :; do sleep 0.02; done)'
  const container = await runtime.start(running(`${child} & wait`))
  await firstLine()
  await container.stop(10_000)
  expect(await logOf()).toEqual(['up', 'child done'])
})

test('children left behind by a program that ends are ended with it', async () => {
  const container = await runtime.start(running('sleep 300 & echo $!'))
  await container.exited
  const child = Number((await logOf())[0])
  await vi.waitFor(() => expect(isRunning(child)).toBe(false))
})

test.each([
  ['a name that is nowhere on PATH', ['no-such-program'], 'exec: "no-such-program": executable file not found in $PATH'],
  ['a path that does not exist', ['/no/such'], 'exec: "/no/such": stat /no/such: no such file or directory'],
  ['a directory', ['/tmp'], 'exec: "/tmp": is a directory'],
  ['a file without permission', ['/etc/hostname'], 'exec: "/etc/hostname": permission denied'],
  ['too long an argument', ['echo', 'x'.repeat(4_000_000)], 'exec echo: argument list too long'],
])('%s cannot be started', async (_, command, message) => {
  writeFileSync(join(directory, 'plain'), 'text', { mode: 0o644 })
  const given = command.map((word) => (word === '/etc/hostname' ? join(directory, 'plain') : word))
  await expect(runtime.start(running('', { command: given }))).rejects.toMatchObject({
    name: 'StartError',
    reason: 'RunContainerError',
    message: message.replaceAll('/etc/hostname', join(directory, 'plain')),
  })
  expect(groups).toEqual([])
})

test('a script whose interpreter is missing cannot be started', async () => {
  const script = join(directory, 'script')
  writeFileSync(script, '#!/no/such/interpreter\n', { mode: 0o755 })
  await expect(runtime.start(running('', { command: [script] }))).rejects.toMatchObject({
    reason: 'RunContainerError',
    message: `exec ${script}: no such file or directory`,
  })
})

test('a missing working directory and a missing command are told apart', async () => {
  await expect(runtime.start(running('', { workingDir: '/no/such' }))).rejects.toMatchObject({
    reason: 'RunContainerError',
    message: 'chdir to cwd ("/no/such") failed: no such file or directory',
  })
  const { command: _, ...request } = running('', { image: { ...image, args: [] } })
  await expect(runtime.start(request)).rejects.toMatchObject({ reason: 'CreateContainerError', message: 'no command specified' })
})

test('the working directory is the one asked for, else the one of the image', async () => {
  await (await runtime.start(running('pwd', { image: { ...image, workingDir: '/usr' } }))).exited
  await (await runtime.start(running('pwd', { attempt: 1, image: { ...image, workingDir: '/usr' }, workingDir: '/' }))).exited
  expect([await logOf(0), await logOf(1)]).toEqual([['/usr'], ['/']])
})

test('exec runs beside the program, with its environment, and is ended when it takes too long', async () => {
  const container = await runtime.start(running('echo up; sleep 300', { env: { A: 'b' } }))
  expect(await container.exec!(['sh', '-c', 'echo $A; echo no >&2; exit 4'], 5000)).toEqual({ exitCode: 4, output: 'b\nno\n' })
  expect(await container.exec!(['sleep', '300'], 50)).toEqual({
    exitCode: 137,
    output: 'command timed out: "sleep 300" timed out after 0.05s',
  })
  expect(await container.exec!(['ghost'], 50)).toEqual({ exitCode: 126, output: 'exec: "ghost": executable file not found in $PATH' })
})

test('there is no log of an attempt that never was, and none after its Pod is forgotten', async () => {
  const container = await runtime.start(running('echo hello'))
  await container.exited
  expect(runtime.logs({ podUid: 'uid-1', container: 'main', attempt: 1 }, {})).toBeUndefined()
  runtime.forget('uid-1')
  await vi.waitFor(() => expect(existsSync(join(directory, 'uid-1'))).toBe(false))
})

test('of the runs of a container the logs of the last two are kept', async () => {
  for (const attempt of [0, 1, 2]) await (await runtime.start(running(`echo ${attempt}`, { attempt }))).exited
  await vi.waitFor(() => expect(runtime.logs({ podUid: 'uid-1', container: 'main', attempt: 0 }, {})).toBeUndefined())
  expect([await logOf(1), await logOf(2)]).toEqual([['1'], ['2']])
})

test('the log of a container that is no process is what is added to it, from its beginning to its end', async () => {
  const which = { podUid: 'uid-1', container: 'queue-proxy', attempt: 0 }
  runtime.appendLog('uid-1', 'queue-proxy', 'too early\n')
  const end = runtime.openLog(which)
  runtime.appendLog('uid-1', 'queue-proxy', 'one\ntwo\n')
  const followed: string[] = []
  const following = (async () => {
    for await (const line of runtime.logs(which, { follow: true })!) followed.push(line)
  })()
  await vi.waitFor(() => expect(followed).toEqual(['one', 'two']))
  runtime.appendLog('uid-1', 'queue-proxy', 'three\n')
  end()
  runtime.appendLog('uid-1', 'queue-proxy', 'too late\n')
  await following
  expect(followed).toEqual(['one', 'two', 'three'])
})

test('a name cannot lead out of the directory', async () => {
  await expect(runtime.start(running('true', { container: '../../x' }))).rejects.toMatchObject({ reason: 'CreateContainerConfigError' })
})

test('stopping the runtime ends everything, and nothing starts afterwards', async () => {
  const container = await runtime.start(running('sleep 300 & wait'))
  const startedMs = performance.now()
  await runtime.stop(10_000)
  expect(performance.now() - startedMs).toBeLessThan(5000)
  expect(isRunning(container.pid)).toBe(false)
  await expect(runtime.start(running('true'))).rejects.toMatchObject({ reason: 'RunContainerError' })
})
