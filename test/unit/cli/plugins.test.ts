import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findPlugin, type PluginPlaces, pluginArguments, pluginPlaces, pluginWords } from '../../../src/cli/plugins.js'
import { makePluginDirectories, type PluginDirectories } from '../../support/plugin-directories.js'
import { aWorld } from './world.js'

let made: PluginDirectories
beforeEach(() => {
  made = makePluginDirectories()
})
afterEach(() => made.remove())

const places = (): PluginPlaces => ({ folder: made.folder, directories: [made.folder, made.first, made.second] })
const found = (line: string) => findPlugin({ words: line.split(' ') }, places())

test.each([
  ['foo bar', ['foo', 'bar']],
  ['--kubeconfig foo bar', ['bar']],
  ['--kubeconfig=foo bar', ['bar']],
  ['--kubeconfig --log-http bar', ['bar']],
  ['--log-http foo', ['foo']],
  ['--no-log-http foo', ['foo']],
  ['--help foo -h', ['foo']],
  ['foo --image x bar', ['foo', 'bar']],
  ['foo --image=x bar', ['foo', 'bar']],
  ['foo --wait --image x bar', ['foo', 'bar']],
  ['foo --wait bar', ['foo']],
  ['-n ns foo', ['foo']],
  ['foo -o=json bar', ['foo', 'bar']],
  ['foo - bar', ['foo', '-', 'bar']],
  ['foo -- --image bar', ['foo', '--image', 'bar']],
])('of %j the words that can name a plugin are %j', (line, words) => {
  expect(pluginWords(line.split(' ')).words).toEqual(words)
})

test('the last --plugins-dir and the last --config count, wherever they stand', () => {
  expect(pluginWords(['--plugins-dir', '/a', 'foo', '--plugins-dir=/b', '--config', '/c'])).toEqual({
    words: ['foo'],
    folder: '/b',
    config: '/c',
  })
})

test('a plugin gets everything but the first occurrence of each of its words, in order', () => {
  expect(pluginArguments(['--context', 'x', 'foo', 'bar', 'foo', '--help'], ['foo', 'bar'])).toEqual(['--context', 'x', 'foo', '--help'])
  expect(pluginArguments(['bar', 'foo', 'bar'], ['foo', 'bar'])).toEqual(['bar'])
})

test('the longest sequence of words is looked for first, in the plugin folder and then on the PATH', () => {
  const short = made.script(made.folder, 'kn-foo')
  const long = made.script(made.second, 'kn-foo-bar')
  expect(found('foo bar baz')).toEqual({ path: long, words: ['foo', 'bar'] })
  expect(found('foo baz')).toEqual({ path: short, words: ['foo'] })
  made.script(made.first, 'kn-foo')
  expect(found('foo')?.path).toBe(short)
  expect(found('other')).toBeUndefined()
})

test('a dash in a word is an underscore in the file name', () => {
  const path = made.script(made.first, 'kn-source-my_kind')
  expect(found('source my-kind create')).toEqual({ path, words: ['source', 'my-kind'] })
  made.script(made.first, 'kn-with-dash')
  expect(found('with-dash')).toBeUndefined()
})

test('in the plugin folder existing is enough; on the PATH a plugin is an executable file', () => {
  const inFolder = made.script(made.folder, 'kn-plain', { mode: 0o644 })
  expect(found('plain')?.path).toBe(inFolder)
  made.script(made.first, 'kn-other', { mode: 0o644 })
  expect(found('other')).toBeUndefined()
  mkdirSync(join(made.first, 'kn-directory'))
  expect(found('directory')).toBeUndefined()
  symlinkSync(made.script(made.second, 'kn-target'), join(made.first, 'kn-link'))
  expect(found('link')?.path).toBe(join(made.first, 'kn-link'))
})

test('a word with a slash ends the name, and a name that no file can have is not looked for', () => {
  const path = made.script(made.first, 'kn-foo')
  expect(found('foo a/b bar')).toEqual({ path, words: ['foo'] })
  expect(found('a/b foo')).toBeUndefined()
  expect(findPlugin({ words: ['foo', ...Array.from({ length: 100 }, () => 'word')] }, places())?.path).toBe(path)
})

test.each([
  ['kn-service', 'service list', 'service'],
  ['kn-service', 'service nonsense', 'service'],
  ['kn-service-list', 'service list', 'service list'],
  ['kn-service-list-mine', 'service list mine', 'service list mine'],
  ['kn-ksvc', 'ksvc list', 'ksvc'],
  ['kn-service-ls', 'service ls', 'service ls'],
  ['kn-version', 'version', 'version'],
  ['kn-emulator', 'emulator start', 'emulator'],
  ['kn-plugin', 'plugin list', 'plugin'],
  ['kn-help', 'help service', 'help'],
])('a file %s is refused for "kn %s"', (name, line, words) => {
  const path = made.script(made.first, name)
  expect(() => found(line)).toThrow(`plugin ${path} is overriding built-in command '${words}' which is not allowed`)
})

test('a plugin may add a command to a group', () => {
  const path = made.script(made.first, 'kn-service-log')
  expect(found('service log hello')).toEqual({ path, words: ['service', 'log'] })
})

test.each(['kn-traffic', 'kn-traffic-show', 'kn-quickstart', 'kn-images'])(
  "%s of the user's own comes before the built-in plugin",
  (name) => {
    const path = made.script(made.second, name)
    const words = name.split('-').slice(1)
    expect(found([...words, 'hello'].join(' '))).toEqual({ path, words })
  },
)

test('an executable found through a relative directory of the PATH is not run', () => {
  made.script(made.first, 'kn-here')
  const here: PluginPlaces = { folder: made.folder, directories: [made.folder, relative(process.cwd(), made.first)] }
  expect(() => findPlugin({ words: ['here'] }, here)).toThrow(
    'error for looking up kn-here in path: exec: "kn-here": cannot run executable found relative to current directory',
  )
})

test('plugins are looked for beside the configuration, then on the PATH', async () => {
  const world = aWorld({ home: made.home, env: { PATH: `${made.first}:${made.second}` } })
  expect(await pluginPlaces({ folder: undefined, config: undefined }, world)).toEqual({
    folder: made.folder,
    directories: [made.folder, made.first, made.second],
  })
  const elsewhere = aWorld({ home: made.home, env: { XDG_CONFIG_HOME: '/xdg' } })
  expect((await pluginPlaces({ folder: undefined, config: undefined }, elsewhere)).folder).toBe('/xdg/kn/plugins')
})

test.each([
  ['plugins:\n  directory: ~/mine\n', '~/mine'],
  ['Plugins: { Directory: "~/mine" }\n', '~/mine'],
  ['plugins-dir: ~/mine\n', '~/mine'],
  ['plugins:\n  directory: ~/mine\nplugins-dir: /older\n', '~/mine'],
])('the configuration %j says where', async (text, folder) => {
  const config = join(made.home, 'config.yaml')
  writeFileSync(config, text)
  const world = aWorld({ home: made.home })
  expect(await pluginPlaces({ folder: undefined, config }, world)).toMatchObject({ folder, directories: [join(made.home, 'mine'), ''] })
  expect(await pluginPlaces({ folder: '/given', config }, world)).toMatchObject({ folder: '/given', directories: ['/given', ''] })
})

test('a configuration that only comments on plugins says nothing, and one that is no YAML is an error', async () => {
  const config = join(made.home, 'config.yaml')
  const world = aWorld({ home: made.home })
  writeFileSync(config, '#plugins:\n#  directory: ~/mine\n')
  expect((await pluginPlaces({ folder: undefined, config }, world)).folder).toBe(made.folder)
  writeFileSync(config, 'plugins: [\n')
  await expect(pluginPlaces({ folder: undefined, config }, world)).rejects.toThrow('While parsing config: yaml: ')
})
