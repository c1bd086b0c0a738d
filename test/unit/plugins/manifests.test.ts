import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandGroups } from '../../../src/cli/command-groups.js'
import { ownCommands } from '../../../src/cli/command-table.js'
import { builtInPlugins } from '../../../src/plugins/index.js'
import { commandsOf, pluginName } from '../../../src/plugins/manifest.js'

const root = join(import.meta.dirname, '..', '..', '..')
const directories = readdirSync(join(root, 'src', 'plugins'), { withFileTypes: true }).filter((entry) => entry.isDirectory())

test('every folder below src/plugins is a built-in plugin of that noun', () => {
  expect(builtInPlugins.map(({ noun }) => noun)).toEqual(directories.map(({ name }) => name).sort())
})

describe.each(builtInPlugins.map((plugin) => [plugin.noun, plugin] as const))('%s', (noun, plugin) => {
  test('says in whole sentences what kn lacks, and is named in the documentation', () => {
    expect(plugin.lacks).toMatch(/^kn.*\.$/)
    expect(readFileSync(join(root, 'docs', 'plugins.md'), 'utf8')).toContain(`\`kn ${noun}`)
  })

  test('every command loads and has a summary, in a file named after it', async () => {
    for (const [words, { load }] of Object.entries(plugin.commands)) {
      const command = (await load()).default as { summary?: string }
      expect(command.summary, words).toBeTruthy()
      expect(existsSync(join(root, 'src', 'plugins', noun, `${words || noun}.ts`)), words).toBe(true)
    }
  })

  test("takes no words of kn's own", () => {
    for (const path of Object.keys(commandsOf(plugin))) expect(ownCommands).not.toHaveProperty([path])
    expect(Boolean(commandGroups[noun])).toBe(!plugin.commands[''])
  })
})

test('a noun with a dash has an underscore in the file name that takes its place', () => {
  expect(pluginName({ noun: 'my-noun' })).toBe('kn-my_noun')
})
