import { createRequire } from 'node:module'
import { loadCompiled } from '../base/compiled-code.js'
import type { runDaemon } from './daemon.js'
import { programFile } from './programs.js'

/** The file that the emulator's process is started with: the emulator itself with the code that V8 compiled for it last time. */
const program = loadCompiled({
  filename: programFile('emulator.cjs'),
  name: 'emulator',
  env: process.env,
  require: createRequire(import.meta.url),
})
const run = (program.exports as { runDaemon: typeof runDaemon }).runDaemon
void run(process.argv[2]!, process.argv.slice(3), program.isNew ? program.keep : undefined)
