import type { Command } from '@oclif/core'
import { loadCommand } from './command-table.js'
import { exitCodeFor } from './print/errors.js'
import { runProgram } from './program.js'
import { OutputClosed, processWorld, type World } from './world.js'

/**
 * The installed program, once it is loaded: runs a command line and resolves to the exit code. bin/run.js calls it, and
 * ends the process with that code.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const world = processWorld()
  process.once('SIGINT', () => process.exit(130))
  // What is thrown where no command can catch it, in a socket's callback, is told like any other error.
  process.once('uncaughtException', (error) => process.exit(error instanceof OutputClosed ? 0 : exitCodeFor(error, world)))
  return runProgram(argv, world, createLightRunner(world))
}

/** Runs commands on the stand-in for oclif that the bundle contains. */
function createLightRunner(world: World) {
  return async (path: string, argv: readonly string[]): Promise<unknown> => {
    const command = (await loadCommand(path)) as Command.Class
    command.id = path.replaceAll(' ', ':')
    return command.run([...argv], { bin: world.bin, options: { world } } as never)
  }
}
