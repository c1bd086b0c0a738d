import { fileURLToPath } from 'node:url'
import { runProgram } from './program.js'
import { createStockRunner } from './stock.js'
import { processWorld } from './world.js'

/** bin/dev.js: the program from its sources, on stock oclif. */
export async function main(argv: readonly string[]): Promise<void> {
  const world = processWorld()
  const root = fileURLToPath(new URL('../..', import.meta.url))
  process.exitCode = await runProgram(argv, world, await createStockRunner(root, world))
}
