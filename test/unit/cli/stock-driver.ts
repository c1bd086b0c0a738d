import { runProgram } from '../../../src/cli/program.js'
import { createStockRunner } from '../../../src/cli/stock.js'
import { aWorld } from './world.js'

// Runs many command lines on stock oclif in one process, since loading that takes longer than all of them together.
const { root, home, lines } = JSON.parse(process.argv[2]!) as { root: string; home: string; lines: string[][] }
const results = []
for (const argv of lines) {
  const world = aWorld({ home, env: { HOME: home, CI: '1' } })
  const exitCode = await runProgram(argv, world, await createStockRunner(root, world))
  results.push({ exitCode, stdout: world.stdout.text, stderr: world.stderr.text })
}
process.stdout.write(JSON.stringify(results))
process.exit(0)
