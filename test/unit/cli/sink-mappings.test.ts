import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sinkMappings } from '../../../src/cli/sink-mappings.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kn-sinks-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const stderr = { write() {}, isTerminal: false, columns: undefined }

async function mappingsIn(yaml: string): Promise<object> {
  const path = join(home, 'config.yaml')
  writeFileSync(path, yaml)
  return Object.fromEntries(await sinkMappings(path, { env: {}, home, stderr }))
}

const THINGS = { thing: { group: 'x.dev', version: 'v1', plural: 'things' } }

test('without a configuration, or with nothing but comments in it, there are no prefixes', async () => {
  expect(await sinkMappings(undefined, { env: {}, home, stderr })).toEqual(new Map())
  expect(await mappingsIn('#eventing:\n#  sink-mappings:\n#  - prefix: thing\n')).toEqual({})
  expect(await mappingsIn('eventing:\n')).toEqual({})
})

test('prefixes are those of eventing.sink-mappings, keys in any case, or of the older sink', async () => {
  const entry = '- prefix: thing\n    GROUP: x.dev\n    version: v1\n    resource: things\n'
  expect(await mappingsIn(`Eventing:\n  Sink-Mappings:\n  ${entry}`)).toEqual(THINGS)
  expect(await mappingsIn('sink:\n- {prefix: thing, group: x.dev, version: v1, resource: things}\n')).toEqual(THINGS)
  expect(await mappingsIn(`sink:\n- prefix: other\neventing:\n  sink-mappings:\n  ${entry}`)).toEqual(THINGS)
})

test('a configuration that is no YAML, or whose mappings are none, is an error', async () => {
  await expect(mappingsIn('eventing: {')).rejects.toThrow('While parsing config: yaml: ')
  await expect(mappingsIn('eventing:\n  sink-mappings:\n  - thing\n')).rejects.toThrow(
    `error while parsing sink mappings in configuration file ${join(home, 'config.yaml')}: `,
  )
})
