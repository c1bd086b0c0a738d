import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Clock } from '../base/clock.js'
import { findExecutable } from './executable.js'
import { signalGroup } from './marked-processes.js'
import { failureOf, requireDirectory } from './process-group.js'
import { type ContainerExit, type InteractiveProcess, StartError } from './runtime.js'
import type { Supervisor } from './supervise.js'
import { createTerminalSize, onTerminal, terminalEnvironment } from './terminal.js'

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
    env: tty ? terminalEnvironment(env) : env,
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
    resize: tty ? createTerminalSize(pid, { clock, hasEnded: () => child.exitCode !== null || child.signalCode !== null }) : () => {},
    kill: () => signalGroup(pid, 'SIGKILL'),
  }
}
