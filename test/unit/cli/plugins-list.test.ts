import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pluginListText, pluginsBelow } from '../../../src/cli/nouns/plugin.js'
import type { PluginPlaces } from '../../../src/cli/plugins.js'
import { makePluginDirectories, type PluginDirectories } from '../../support/plugin-directories.js'

let made: PluginDirectories
beforeEach(() => {
  made = makePluginDirectories()
})
afterEach(() => made.remove())

const places = (): PluginPlaces => ({ folder: made.folder, directories: [made.folder, made.first, made.second, made.first] })
/** The lines of the list, without those of the built-in plugins. */
const listed = (verbose = false) => {
  const { text, hasFailed } = pluginListText(places(), { verbose })
  const lines = text.split('\n').filter((line) => !line.includes(' : built in'))
  return { lines: lines.join('\n'), hasFailed }
}

test('plugins are listed by name with their path; a shadowed one is not, and a warning says so', () => {
  const b = made.script(made.folder, 'kn-b')
  const a = made.script(made.first, 'kn-a')
  const shadowed = made.script(made.second, 'kn-b')
  expect(listed()).toEqual({
    lines: `- kn-a : ${a}\n- kn-b : ${b}\n\nWARNING:\n  - ${shadowed} is ignored because it is shadowed by an equally named plugin: ${b}\n`,
    hasFailed: false,
  })
})

test('with -v the list says where it looked, and repeats the paths', () => {
  const a = made.script(made.first, 'kn-a')
  const head = `The following plugins are available, using options:\n  plugins dir: '${made.folder}'\n  lookup plugins in $PATH: true\n\n`
  expect(listed(true).lines).toBe(`${head}- kn-a : ${a}  (${a})\n`)
  const missing: PluginPlaces = { folder: '~/none', directories: [join(made.home, 'none')] }
  expect(pluginListText(missing, { verbose: true }).text).toContain("  plugins dir: '~/none' (does not exist)\n")
})

test('files that cannot be run are warnings', () => {
  const plain = made.script(made.first, 'kn-plain', { mode: 0o644 })
  mkdirSync(join(made.second, 'target'))
  symlinkSync(join(made.second, 'target'), join(made.second, 'kn-directory'))
  mkdirSync(join(made.second, 'kn-real-directory'))
  expect(listed().lines).toContain(
    `\nWARNINGs:\n  - ${plain} is not executable by current user\n  - ${join(made.second, 'kn-directory')} is not a file\n`,
  )
  expect(listed().lines).not.toContain('kn-real-directory')
})

test('plugins that stand for a command of kn, and links into nothing, are errors', () => {
  const own = made.script(made.first, 'kn-service')
  const added = made.script(made.first, 'kn-service-log')
  const dangling = join(made.first, 'kn-dangling')
  symlinkSync('/nonexistent/file', dangling)
  expect(listed()).toEqual({
    lines: `- kn-dangling : ${dangling}\n- kn-service : ${own}\n- kn-service-log : ${added}\n\nERRORs:\n  - cannot stat ${dangling}: stat ${dangling}: no such file or directory\n  - ${own} overwrites existing built-in command: 'service'\n`,
    hasFailed: true,
  })
})

test('a directory of the PATH that cannot be read is an error, one that is not there is none', () => {
  const file = made.script(made.first, 'kn-a')
  const { text, hasFailed } = pluginListText({ folder: '/none', directories: ['/none', file, '/none/either'] }, { verbose: false })
  expect(text).toContain(`ERROR:\n  - unable to read directory '${file}' from your plugin path: open ${file}: not a directory\n`)
  expect(hasFailed).toBe(true)
})

test("built-in plugins are listed as such, and one that the user's own stands in for is marked", () => {
  const lines = (): string[] => pluginListText(places(), { verbose: false }).text.split('\n')
  expect(lines()).toEqual(['- kn-event : built in', '- kn-image : built in', '- kn-quickstart : built in', '- kn-traffic : built in', ''])
  const own = made.script(made.second, 'kn-traffic')
  expect(lines().slice(3, 5)).toEqual([`- kn-traffic : ${own}`, `- kn-traffic : built in, overridden by ${own}`])
  expect(pluginListText(places(), { verbose: true }).text).toContain(
    `- kn-traffic : built in, overridden by ${own}  (kn traffic rollback, kn traffic set, kn traffic show)\n`,
  )
})

test('help lists the plugins directly below a group', () => {
  const hello = made.script(made.first, 'kn-hello_there')
  const log = made.script(made.first, 'kn-service-log')
  const own = made.script(made.first, 'kn-traffic')
  const text = (group: string[]) => pluginsBelow(group, places()).map((entry) => `${entry.word} ${entry.text}`)
  expect(text([])).toEqual([
    'event Send events, and see what became of each of them (built in)',
    `hello-there ${hello}`,
    'image Manage the images that local workloads run (built in)',
    'quickstart From nothing to a running service, on this machine (built in)',
    `traffic ${own}`,
  ])
  expect(text(['service'])).toEqual([`log ${log}`])
  expect(text(['revision'])).toEqual([])
})
