import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Config } from '@oclif/core'
import { loadCommand, ownCommands } from './command-table.js'
import type { RunCommand } from './program.js'
import type { World } from './world.js'

/**
 * Runs commands on oclif itself: its Config finds kn's own below commands/, the table those of the built-in plugins, and its base class
 * runs them. For bin/dev.js and for the test that compares it with the bundle; never part of the bundle.
 */
export async function createStockRunner(root: string, world: World): Promise<RunCommand> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as object
  const pjson = { oclif: { bin: world.bin, commands: './commands', topicSeparator: ' ' }, ...manifest }
  const config = await Config.load({ root, pjson, world } as never)
  return async (path, argv) => {
    const id = path.replaceAll(' ', ':')
    if (ownCommands[path]) return config.runCommand(id, [...argv])
    const command = (await loadCommand(path)) as Command.Class
    command.id = id
    return command.run([...argv], config)
  }
}
