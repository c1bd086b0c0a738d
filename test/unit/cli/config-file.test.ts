import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configFilePath, ensureConfigFile } from '../../../src/cli/config-file.js'
import { aWorld } from './world.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kn-config-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

test('a missing configuration is written as a template of comments that only its owner reads', () => {
  ensureConfigFile([], aWorld({ home }))
  const path = join(home, '.config', 'kn', 'config.yaml')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(parse(readFileSync(path, 'utf8'))).toBeNull()
})

test('what is there already stays as it is', () => {
  const path = join(home, 'mine.yaml')
  writeFileSync(path, 'plugins: {}\n')
  ensureConfigFile(['service', 'list', '--config', path], aWorld({ home }))
  expect(readFileSync(path, 'utf8')).toBe('plugins: {}\n')
})

test('--config comes before the deprecated ~/.kn, which comes before the XDG directory', () => {
  const xdg = { env: { XDG_CONFIG_HOME: join(home, 'xdg') }, home }
  expect(configFilePath([], aWorld(xdg))).toBe(join(home, 'xdg', 'kn', 'config.yaml'))
  mkdirSync(join(home, '.kn'))
  expect(configFilePath([], aWorld(xdg))).toBe(join(home, '.kn', 'config.yaml'))
  expect(configFilePath(['--config=/x.yaml'], aWorld(xdg))).toBe('/x.yaml')
})

test('the deprecated directory is warned about on standard error', () => {
  mkdirSync(join(home, '.kn'))
  const world = aWorld({ home })
  ensureConfigFile([], world)
  expect(world.stderr.text).toBe(
    `WARNING: deprecated kn config directory '${home}/.kn' detected. Please move your configuration to '${home}/.config/kn'\n`,
  )
})

test('a home that cannot be written to is no error', () => {
  const notADirectory = join(home, 'file')
  writeFileSync(notADirectory, '')
  const world = aWorld({ home: notADirectory })
  ensureConfigFile([], world)
  expect(world.stderr.text).toBe('')
})
