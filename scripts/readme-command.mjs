// Prints the command that README.md shows in the block after `<!-- ci: NAME -->`, so that CI runs what a newcomer is told to run.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const name = process.argv[2]
const readme = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', 'README.md'), 'utf8')
const block = new RegExp(`<!-- ci: ${name} -->\\s*\`\`\`[a-z]*\\n([\\s\\S]*?)\`\`\``).exec(readme)
if (!block) {
  console.error(`README.md has no block marked <!-- ci: ${name} -->`)
  process.exit(1)
}
process.stdout.write(block[1])
