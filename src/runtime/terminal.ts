import { spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import type { Clock } from '../base/clock.js'
import { findExecutable } from './executable.js'
import { StartError } from './runtime.js'

/** What makes a terminal for a program, which Node cannot: part of every Linux (util-linux) and of macOS. */
const SCRIPT = 'script'
const SHELL = '/bin/sh'

/** The command line that runs a command on a terminal of its own and ends with its exit code. Throws a StartError without script(1). */
export function onTerminal(
  command: readonly string[],
  { path, workingDir, platform = process.platform }: { path: string; workingDir: string; platform?: NodeJS.Platform | undefined },
): { file: string; argv: readonly string[] } {
  let file: string
  try {
    file = findExecutable(SCRIPT, { path, workingDir })
  } catch {
    throw new StartError('RunContainerError', `a terminal is made by the program ${JSON.stringify(SCRIPT)}, which is not in $PATH`)
  }
  if (platform === 'darwin') return { file, argv: [SCRIPT, '-q', '/dev/null', ...command] }
  return { file, argv: [SCRIPT, '-qefc', `exec ${command.map(quoted).join(' ')}`, '/dev/null'] }
}

/** One word of a shell, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** script(1) runs its command with the shell that SHELL names: any other may read the quotes differently. */
export function terminalEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return { TERM: 'xterm', ...env, SHELL }
}

/** A terminal is there a moment after script(1) was started; whoever is told of its size before tries again after this, and twice as long. */
const FIRST_RETRY_MS = 5
const LONGEST_RETRY_MS = 2000

/**
 * Sets the size of the terminal that the script(1) with this process number makes, as soon as it is there: clients tell it once, and at
 * once. Nothing happens where it never comes. `hasEnded` says when there is nothing more to wait for.
 */
export function createTerminalSize(
  pid: number,
  { clock, hasEnded }: { clock: Pick<Clock, 'after'>; hasEnded: () => boolean },
): (columns: number, rows: number) => void {
  let wanted: { columns: number; rows: number } | undefined
  let isTrying = false
  const attempt = (retryMs: number): void => {
    isTrying = false
    if (!wanted || hasEnded()) return
    const terminal = terminalBelow(pid)
    if (terminal !== undefined) {
      const told = wanted
      isTrying = true
      const size = ['cols', String(told.columns), 'rows', String(told.rows)]
      // One after the other, or an older size might be the last to be set.
      const done = (): void => {
        isTrying = false
        if (wanted !== told) attempt(FIRST_RETRY_MS)
      }
      spawn('stty', ['-F', terminal, ...size], { stdio: 'ignore' })
        .once('exit', done)
        .once('error', done)
    } else if (retryMs <= LONGEST_RETRY_MS) {
      isTrying = true
      clock.after(retryMs, () => attempt(retryMs * 2))
    }
  }
  return (columns, rows) => {
    wanted = { columns, rows }
    if (!isTrying) attempt(FIRST_RETRY_MS)
  }
}

/** What the child of script(1) reads from; Linux says so. */
function terminalBelow(pid: number): string | undefined {
  try {
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
    const terminal = readlinkSync(`/proc/${Number(first)}/fd/0`)
    return terminal.startsWith('/dev/pts/') ? terminal : undefined
  } catch {
    return undefined
  }
}
