import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import type { Clock } from '../base/clock.js'
import { findExecutable } from './executable.js'
import { signalGroup } from './marked-processes.js'
import { failureOf, requireDirectory } from './process-group.js'
import { type ContainerExit, type InteractiveProcess, StartError } from './runtime.js'
import type { Supervisor } from './supervise.js'

/** What makes a terminal for a program: part of every Linux (util-linux) and of macOS. */
const SCRIPT = 'script'
const SHELL = '/bin/sh'

/**
 * Starts a command for someone who talks to it, in a process group of its own. With `tty` it has a terminal, which Node cannot make:
 * script(1) does. Throws a StartError where it cannot be started.
 */
export async function openInGroup(options: {
  command: readonly string[]
  tty: boolean
  /** Whether anything will be written to it; otherwise its input is at its end. */
  stdin: boolean
  workingDir: string
  env: Readonly<Record<string, string>>
  clock: Clock
  supervisor: Pick<Supervisor, 'started' | 'ended'>
  platform?: NodeJS.Platform
}): Promise<InteractiveProcess> {
  const { command, tty, workingDir, env, clock, supervisor, platform = process.platform } = options
  const [name] = command
  if (name === undefined) throw new StartError('RunContainerError', 'no command specified')
  requireDirectory(workingDir)
  const path = env['PATH'] ?? ''
  const program = findExecutable(name, { path, workingDir })
  const { file, argv } = tty ? onTerminal(command, { path, workingDir, platform }) : { file: program, argv: command }
  const child = spawn(file, argv.slice(1), {
    argv0: argv[0]!,
    cwd: workingDir,
    // script(1) runs its command with the shell that SHELL names: any other may read the quotes differently.
    env: tty ? { TERM: 'xterm', ...env, SHELL } : env,
    detached: true,
    stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) return failureOf(child, name)
  supervisor.started(pid)
  // Whoever writes to a program that has ended learns it by its end.
  child.stdin?.on('error', () => {})

  const exited = new Promise<ContainerExit>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL')
      supervisor.ended(pid)
      resolve({
        exitCode: signal ? 128 + constants.signals[signal] : (code ?? 0),
        ...(signal && { signal }),
        finishedAtMs: clock.now(),
      })
    })
  })
  return {
    stdin: child.stdin ?? undefined,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exited,
    resize(columns, rows) {
      const terminal = tty && platform === 'linux' ? terminalBelow(child) : undefined
      if (terminal === undefined) return
      spawn('stty', ['-F', terminal, 'cols', String(columns), 'rows', String(rows)], { stdio: 'ignore' }).on('error', () => {})
    },
    kill: () => signalGroup(pid, 'SIGKILL'),
  }
}

/** The command line that runs a command on a terminal of its own and ends with its exit code. */
function onTerminal(
  command: readonly string[],
  { path, workingDir, platform }: { path: string; workingDir: string; platform: NodeJS.Platform },
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

/** The terminal that the child of script(1) has: what it reads from. */
function terminalBelow({ pid }: ChildProcess): string | undefined {
  try {
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
    const terminal = readlinkSync(`/proc/${Number(first)}/fd/0`)
    return terminal.startsWith('/dev/pts/') ? terminal : undefined
  } catch {
    return undefined
  }
}
