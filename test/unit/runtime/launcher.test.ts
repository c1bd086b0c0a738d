import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Command, createLauncher, type Launcher } from '../../../src/runtime/launcher.js'
import { isRunning } from './is-running.js'

/** What the launcher waits for; called when a test wants it to happen. */
let due: (() => void)[]
const clock = {
  after(_ms: number, callback: () => void) {
    due.push(callback)
    return () => {}
  },
}
let launcher: Launcher
let workingDir: string
beforeEach(() => {
  due = []
  launcher = createLauncher({ clock })
  workingDir = realpathSync(mkdtempSync(join(tmpdir(), "launcher's ")))
})
afterEach(() => {
  launcher.stop()
  rmSync(workingDir, { recursive: true, force: true })
})

const node = process.execPath
const command = (script: string, more: { argv?: string[]; env?: Record<string, string> } = {}) => ({
  file: node,
  argv: [node, '-e', script, ...(more.argv ?? [])],
  workingDir,
  env: more.env ?? {},
})
/** Has one ready, as after the first start. */
function prepared(): void {
  expect(launcher.launch(command(''))).toBeUndefined()
  due.pop()!()
}
const exitOf = (child: ChildProcess): Promise<number | null> => new Promise((resolve) => child.once('exit', (code) => resolve(code)))
async function outputOf(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const part of child.stdout!.setEncoding('utf8')) text += part
  return text
}

const withShell = test.skipIf(!existsSync('/bin/dash'))
const REPORT = `process.stdin.on('end', () => console.log(JSON.stringify({ argv: process.argv.slice(1), env: process.env, cwd: process.cwd(), pid: process.pid }))).resume()`
const NASTY = ["it's", 'a "b" $HOME `id` $(id) \\ * ~ ;&|<>#', 'two\nlines', '', 'ünï', "''", '-n', '!x']

withShell('the program has exactly the arguments, environment and directory that were given, and leads a group of its own', async () => {
  prepared()
  const env = Object.fromEntries(NASTY.map((value, index) => [`V${index}`, value]))
  const child = launcher.launch(command(REPORT, { argv: NASTY, env }))!
  const report = JSON.parse(await outputOf(child))
  expect(report).toEqual({ argv: NASTY, env, cwd: workingDir, pid: child.pid })
})

withShell('its exit code and its errors are the program’s, and signals to its group reach it', async () => {
  prepared()
  const failing = launcher.launch(command('console.error("why"); process.exit(7)'))!
  let errors = ''
  failing.stderr!.setEncoding('utf8').on('data', (text) => (errors += text))
  expect(await exitOf(failing)).toBe(7)
  expect(errors).toBe('why\n')

  due.pop()!()
  const running = launcher.launch(command('console.log("up"); setInterval(() => {}, 1000)'))!
  await new Promise((resolve) => running.stdout!.once('data', resolve))
  const ended = new Promise((resolve) => running.once('exit', (_code, signal) => resolve(signal)))
  process.kill(-running.pid!, 'SIGTERM')
  expect(await ended).toBe('SIGTERM')
})

withShell('each is used once, and a new one is made later', () => {
  prepared()
  const first = launcher.launch(command(''))!
  expect(launcher.launch(command(''))).toBeUndefined()
  expect(due).toHaveLength(1)
  due.pop()!()
  const second = launcher.launch(command(''))!
  expect(second.pid).not.toBe(first.pid)
})

withShell.each<[string, Partial<Command>]>([
  ['a name that is not the path', { argv: ['node', '-e', ''] }],
  ['a relative path', { file: './node', argv: ['./node'] }],
  ['a variable that no shell can pass on', { env: { 'spring.profiles': 'x' } }],
  ['a variable that the shell keeps for itself', { env: { OPTIND: 'x' } }],
  ['what no process can be given', { env: { A: 'x\0y' } }],
  ['very much of it', { env: { A: 'x'.repeat(40_000) } }],
])('%s is left to the ordinary way', (_what, unusual) => {
  prepared()
  expect(launcher.launch({ ...command(''), ...unusual })).toBeUndefined()
  expect(launcher.launch(command(''))).toBeDefined()
})

withShell('one that has ended is not used', async () => {
  prepared()
  const used = launcher.launch(command(''))!
  await exitOf(used)
  due.pop()!()
  const shells = execFileSync('pgrep', ['-P', String(process.pid), 'dash'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
  for (const pid of shells) process.kill(pid, 'SIGKILL')
  expect(shells).toHaveLength(1)
  await vi.waitFor(() => expect(() => process.kill(shells[0]!, 0)).toThrow('ESRCH'))
  expect(launcher.launch(command(''))).toBeUndefined()
})

withShell('the one that is ready ends with the launcher, and none is made afterwards', async () => {
  prepared()
  const child = launcher.launch(command('setInterval(() => {}, 1000)'))!
  const replenish = due.pop()!
  launcher.stop()
  replenish()
  expect(launcher.launch(command(''))).toBeUndefined()
  expect(isRunning(child.pid!)).toBe(true)
  child.kill('SIGKILL')
})

test('where there is no such shell everything is started in the ordinary way', () => {
  launcher = createLauncher({ clock, shell: '/no/such/shell' })
  expect(launcher.launch(command(''))).toBeUndefined()
  expect(due).toEqual([])
})

test('a shell that cannot be started is done without', async () => {
  // There, but no program.
  launcher = createLauncher({ clock, shell: workingDir })
  expect(launcher.launch(command(''))).toBeUndefined()
  due.pop()!()
  await new Promise((resolve) => setImmediate(resolve))
  expect(launcher.launch(command(''))).toBeUndefined()
})
