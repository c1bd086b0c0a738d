import { StatusError } from '../../apimachinery/status-error.js'
import { UserError } from '../../base/user-error.js'
import type { World } from '../world.js'

/** Errors whose remedies are told even where there is no terminal: a CI log is all its reader has. */
const ALWAYS_EXPLAINED: ReadonlySet<string> = new Set(['no-kubeconfig'])

/**
 * Prints an error as kn does and returns the exit code it asks for. The API's own words go through unchanged. Remedies
 * appear only on a terminal; what is neither a refusal nor a user's error is a bug of ours and keeps its stack.
 */
export function exitCodeFor(error: unknown, { bin, stderr }: Pick<World, 'bin' | 'stderr'>): number {
  if (!(error instanceof UserError || error instanceof StatusError)) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
    stderr.write(`Error: ${told}\nThis is a bug in ${bin}, please report it with the lines above.\n`)
    return 70
  }
  const message = error.message.replace(/^error:\s*/i, '')
  stderr.write(`Error: ${message}\nRun '${commandIn(message, bin)} --help' for usage\n`)
  if (error instanceof UserError && error.remedies.length > 0 && (stderr.isTerminal || ALWAYS_EXPLAINED.has(error.code))) {
    stderr.write(`\nTry:\n${error.remedies.map((remedy) => `  ${remedy}\n`).join('')}`)
  }
  return 1
}

/** The command that a message quotes, which is where kn's usage hint gets it from. */
function commandIn(message: string, bin: string): string {
  const at = message.indexOf(`'${bin} `)
  const end = at < 0 ? -1 : message.indexOf("'", at + bin.length + 3)
  return end < 0 ? bin : message.slice(at + 1, end)
}
