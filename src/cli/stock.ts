import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config } from '@oclif/core'
import type { RunCommand } from './program.js'
import type { World } from './world.js'

/**
 * Runs commands on oclif itself: its Config finds them below commands/ and its base class runs them. For bin/dev.js and for
 * the test that compares it with the bundle; never part of the bundle.
 */
export async function createStockRunner(root: string, world: World): Promise<RunCommand> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as object
  const pjson = { oclif: { bin: world.bin, commands: './commands', topicSeparator: ' ' }, ...manifest }
  const config = await Config.load({ root, pjson, world } as never)
  return async (path, argv) => config.runCommand(path.replaceAll(' ', ':'), [...argv])
}
