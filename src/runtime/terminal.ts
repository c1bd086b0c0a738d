import { spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
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

/** Sets the size of the terminal that the script(1) with this process number has made; nothing happens where it cannot be found. */
export function resizeTerminal(pid: number, columns: number, rows: number): void {
  const terminal = terminalBelow(pid)
  if (terminal === undefined) return
  spawn('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)], { stdio: 'ignore' }).on('error', () => {})
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
