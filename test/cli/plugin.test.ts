import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BIN, type Ran, run } from '../support/emulator.js'
import { makePluginDirectories, type PluginDirectories } from '../support/plugin-directories.js'

let made: PluginDirectories
beforeEach(() => {
  made = makePluginDirectories()
})
afterEach(() => made.remove())

const environment = (extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  HOME: made.home,
  PATH: `${made.first}:${made.second}:${process.env['PATH']}`,
  CI: '1',
  ...extra,
})
const kn = (args: readonly string[], options: { env?: NodeJS.ProcessEnv; input?: string } = {}): Promise<Ran> =>
  run(process.execPath, [BIN, ...args], environment(options.env), options.input === undefined ? {} : { input: options.input })
/** Prints its arguments, one per line, between the name it was given and a line about where it is. */
const echo = (name: string): string => `echo ${name}; for word in "$@"; do echo "<$word>"; done`

test('a plugin runs with what is left of the command line, our environment and our streams', async () => {
  made.script(made.first, 'kn-hello', { body: `${echo('hello')}; echo "$MINE"; cat; echo problem >&2` })
  expect(
    await kn(['--context', 'x y', 'hello', '--help', 'hello', '-n', 'a b', '*'], { env: { MINE: 'mine' }, input: 'from stdin\n' }),
  ).toEqual({
    exitCode: 0,
    stdout: 'hello\n<--context>\n<x y>\n<--help>\n<hello>\n<-n>\n<a b>\n<*>\nmine\nfrom stdin\n',
    stderr: 'problem\n',
  })
})

test('the longest name wins, the plugin folder before the PATH, and --plugins-dir and the configuration say where that is', async () => {
  for (const [directory, name] of [
    [made.folder, 'kn-a'],
    [made.first, 'kn-a'],
    [made.second, 'kn-a-b_c'],
  ] as const)
    made.script(directory, name, { body: echo(`${directory}/${name}`) })
  expect((await kn(['a', 'x'])).stdout).toBe(`${made.folder}/kn-a\n<x>\n`)
  expect((await kn(['a', 'b-c', 'x'])).stdout).toBe(`${made.second}/kn-a-b_c\n<x>\n`)
  expect((await kn(['--plugins-dir', '/nonexistent', 'a'])).stdout).toBe(`${made.first}/kn-a\n<--plugins-dir>\n</nonexistent>\n`)
  writeFileSync(join(made.home, '.config', 'kn', 'config.yaml'), `plugins:\n  directory: ${made.second}\n`)
  expect((await kn(['a'])).stdout).toBe(`${made.first}/kn-a\n`)
})

test('a plugin that fails makes kn fail with 1, without the hint', async () => {
  made.script(made.first, 'kn-three', { body: 'exit 3' })
  expect(await kn(['three'])).toEqual({ exitCode: 1, stdout: '', stderr: 'Error: exit status 3\n' })
  made.script(made.first, 'kn-killed', { body: 'kill -KILL $$' })
  expect(await kn(['killed'])).toEqual({ exitCode: 1, stdout: '', stderr: 'Error: signal: killed\n' })
  const broken = made.script(made.first, 'kn-broken')
  writeFileSync(broken, '#!/nonexistent/interpreter\n')
  chmodSync(broken, 0o755)
  expect(await kn(['broken'])).toEqual({ exitCode: 1, stdout: '', stderr: `Error: fork/exec ${broken}: no such file or directory\n` })
})

test('a file in the plugin folder that may not be run fails when it is', async () => {
  const path = made.script(made.folder, 'kn-plain', { mode: 0o644 })
  expect(await kn(['plain'])).toEqual({ exitCode: 1, stdout: '', stderr: `Error: fork/exec ${path}: permission denied\n` })
})

test('an interrupted plugin interrupts kn, and a plugin that minds may clean up first', async () => {
  const log = join(made.home, 'log')
  // A program that minds signals properly: dash, looping over sleeps, now and then waits for ever after one.
  const minding = `process.on("SIGINT", () => { require("node:fs").writeFileSync("${log}", "cleaned\\n"); process.exit(0) }); setInterval(() => {}, 1000); console.log("started")`
  made.script(made.first, 'kn-slow', { body: `exec '${process.execPath}' -e '${minding}'` })
  const child = spawn(process.execPath, [BIN, 'slow'], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(readFileSync(log, 'utf8')).toBe('cleaned\n')
})

test("a plugin in the place of one of kn's own commands or groups stops kn, even before help", async () => {
  const path = made.script(made.first, 'kn-service')
  const message = `Error: plugin ${path} is overriding built-in command 'service' which is not allowed\nRun 'kn --help' for usage\n`
  for (const words of [['service', 'list'], ['service', '--help'], ['service']]) {
    expect(await kn(words)).toEqual({ exitCode: 1, stdout: '', stderr: message })
  }
  expect((await kn(['revision', '--help'])).exitCode).toBe(0)
})

test('a plugin can add a command to a group, and help of that group lists it', async () => {
  const path = made.script(made.first, 'kn-service-log', { body: echo('log') })
  expect((await kn(['service', 'log', 'hello'])).stdout).toBe('log\n<hello>\n')
  expect((await kn(['service', '--help'])).stdout).toContain(`\nPlugins:\n  log         ${path}\n`)
  expect((await kn(['service', 'nonsense'])).stderr).toContain("Error: unknown sub-command 'nonsense' for 'kn service'.")
})

test("help lists plugins, and one of the user's own in the place of a built-in one", async () => {
  const hello = made.script(made.first, 'kn-hello')
  const traffic = made.script(made.second, 'kn-traffic', { body: echo('mine') })
  const { stdout } = await kn([])
  expect(stdout).toContain(`(built in)\n  hello       ${hello}\n  image       `)
  expect(stdout).toContain(`\n  quickstart  From nothing to a running service, on this machine (built in)\n  traffic     ${traffic}\n`)
  expect((await kn(['traffic', 'show', 'hello'])).stdout).toBe('mine\n<show>\n<hello>\n')
})

test('plugin list shows all plugins and what is wrong with them', async () => {
  const hello = made.script(made.first, 'kn-hello')
  const shadowed = made.script(made.second, 'kn-hello')
  const builtIn = '- kn-image : built in\n- kn-quickstart : built in\n- kn-traffic : built in\n'
  expect(await kn(['plugin', 'list'], { env: { PATH: `${made.first}:${made.second}` } })).toEqual({
    exitCode: 0,
    stdout: `- kn-event : built in\n- kn-hello : ${hello}\n${builtIn}\nWARNING:\n  - ${shadowed} is ignored because it is shadowed by an equally named plugin: ${hello}\n`,
    stderr: '',
  })
  const verbose = await kn(['plugins', 'ls', '-v', '--plugins-dir', made.second], { env: { PATH: '' } })
  expect(verbose.stdout).toContain(
    `The following plugins are available, using options:\n  plugins dir: '${made.second}'\n  lookup plugins in $PATH: true\n\n- kn-event : built in  (`,
  )
  expect(verbose.stdout).toContain(`)\n- kn-hello : ${shadowed}  (${shadowed})\n`)
  const own = made.script(made.second, 'kn-version')
  expect(await kn(['plugin', 'list', '--plugins-dir', made.second], { env: { PATH: '' } })).toEqual({
    exitCode: 1,
    stdout: `- kn-event : built in\n- kn-hello : ${shadowed}\n${builtIn}- kn-version : ${own}\n\nERROR:\n  - ${own} overwrites existing built-in command: 'version'\n`,
    stderr: "Error: plugin validation errors\nRun 'kn --help' for usage\n",
  })
})
