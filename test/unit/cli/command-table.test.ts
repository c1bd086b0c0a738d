import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { commandGroups } from '../../../src/cli/command-groups.js'
import { commandTable, loadCommand, ownCommands } from '../../../src/cli/command-table.js'

const directory = join(import.meta.dirname, '..', '..', '..', 'commands')

const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replace(/\.ts$/, '').replaceAll('/', ' '))

test("the table of kn's own commands is the same as the files below commands/", () => {
  expect(Object.keys(ownCommands).sort()).toEqual(files.sort())
})

test('every command has a summary, and every group its words', async () => {
  for (const path of Object.keys(commandTable)) {
    expect((await loadCommand(path)).summary, path).toBeTruthy()
    if (path.includes(' ')) expect(Object.keys(commandGroups)).toContain(path.split(' ').slice(0, -1).join(' '))
  }
})
