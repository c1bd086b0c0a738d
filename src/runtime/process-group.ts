import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import type { Clock } from '../base/clock.js'
import { findExecutable } from './executable.js'
import type { Launcher } from './launcher.js'
import type { LogFile } from './log-file.js'
import { livingGroups, signalGroup } from './marked-processes.js'
import { type ContainerExit, type ExecResult, StartError } from './runtime.js'
import type { Supervisor } from './supervise.js'

/** A process with a process group (and session) of its own. */
export interface GroupProcess {
  pid: number
  /** Undefined where it was started without. */
  stdin: Writable | undefined
  /** The first process has ended, the group is empty, and all its output is in the log. */
  exited: Promise<ContainerExit>
  stop(graceMs: number): Promise<void>
}

interface Surroundings {
  /** Absent: each is started in the ordinary way. */
  launcher?: Launcher
  workingDir: string
  env: Readonly<Record<string, string>>
  clock: Clock
  supervisor: Pick<Supervisor, 'started' | 'ended'>
}

/** Output comes at once after the end, unless a process that left the group holds the pipe: that one is not waited for. */
const OUTPUT_GRACE_MS = 250
const FIRST_GROUP_POLL_MS = 5
const LONGEST_GROUP_POLL_MS = 200
/** @see kubernetes/kubernetes v1.35 pkg/probe/exec/exec.go, maxReadLength */
const EXEC_OUTPUT_BYTES = 10 * 1024

/**
 * Starts `file` with stdin at its end, unless it is to have one, and its output going to `output`, which is ended with it. A program that cannot be started is a
 * StartError in the words of a container runtime: thrown at once or, where only the system knows, by the promise that is then returned.
 */
export function spawnGroup(
  options: Surroundings & { file: string; argv: readonly string[]; stdin?: boolean; output: Pick<LogFile, 'write' | 'end'> },
): GroupProcess | Promise<never> {
  const { clock, supervisor, output } = options
  const child = launch(options)
  const { pid } = child
  if (pid === undefined) return failureOf(child, options.argv[0]!)
  supervisor.started(pid)
  // Whoever writes to a program that has ended learns it by its end.
  child.stdin?.on('error', () => {})
  child.stdout!.on('data', (bytes: Buffer) => output.write('stdout', bytes))
  child.stderr!.on('data', (bytes: Buffer) => output.write('stderr', bytes))
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))

  /** When the rest of the group gets SIGKILL; before a stop that is the moment its first process ends. */
  let killAtMs: number | undefined
  let over = false

  const exited = new Promise<ContainerExit>((resolve) => {
    child.once('exit', (code, signal) => {
      const finishedAtMs = clock.now()
      void endGroup().then(() =>
        resolve({
          exitCode: signal ? 128 + constants.signals[signal] : (code ?? 0),
          ...(signal && { signal }),
          finishedAtMs,
        }),
      )
    })
  })
  const endGroup = async (): Promise<void> => {
    // In a stop, children get the grace period too: a shell ends at SIGTERM while the server it started still answers its last requests.
    for (
      let waitMs = FIRST_GROUP_POLL_MS;
      killAtMs !== undefined && clock.now() < killAtMs;
      waitMs = Math.min(waitMs * 2, LONGEST_GROUP_POLL_MS)
    ) {
      if (livingGroups([pid]).length === 0) break
      await clock.sleep(Math.min(waitMs, Math.max(0, killAtMs - clock.now())))
    }
    signalGroup(pid, 'SIGKILL')
    over = true
    supervisor.ended(pid)
    let cancel = (): void => {}
    await Promise.race([closed, new Promise<void>((resolve) => (cancel = clock.after(OUTPUT_GRACE_MS, resolve)))])
    cancel()
    child.stdin?.destroy()
    child.stdout!.destroy()
    child.stderr!.destroy()
    output.end()
  }

  return {
    pid,
    stdin: options.stdin ? (child.stdin ?? undefined) : undefined,
    exited,
    async stop(graceMs) {
      if (over) return void (await exited)
      const thisKillAtMs = clock.now() + Math.max(0, graceMs)
      killAtMs = Math.min(killAtMs ?? Number.POSITIVE_INFINITY, thisKillAtMs)
      if (graceMs > 0) signalGroup(pid, 'SIGTERM')
      const kill = (): void => {
        if (!over) signalGroup(pid, 'SIGKILL')
      }
      let cancel = (): void => {}
      if (graceMs > 0) cancel = clock.after(graceMs, kill)
      else kill()
      await exited
      cancel()
    },
  }
}

/** Runs a command to its end, in a group of its own and within `timeoutMs`. Never rejects. */
export async function execInGroup(options: Surroundings & { command: readonly string[]; timeoutMs: number }): Promise<ExecResult> {
  const [command, ...args] = options.command
  if (command === undefined) return { exitCode: 126, output: 'no command specified' }
  const kept: Buffer[] = []
  let keptBytes = 0
  const write = (_stream: string, bytes: Buffer): void => {
    const part = bytes.subarray(0, EXEC_OUTPUT_BYTES - keptBytes)
    keptBytes += part.length
    if (part.length > 0) kept.push(part)
  }
  try {
    const file = findExecutable(command, { path: options.env['PATH'] ?? '', workingDir: options.workingDir })
    const group = await spawnGroup({ ...options, file, argv: [command, ...args], output: { write, end() {} } })
    let timedOut = false
    const cancel = options.clock.after(options.timeoutMs, () => {
      timedOut = true
      void group.stop(0)
    })
    const { exitCode } = await group.exited
    cancel()
    // The words of containerd's CRI plugin, as they appear in Unhealthy events.
    const tooLong = `command timed out: ${JSON.stringify(options.command.join(' '))} timed out after ${options.timeoutMs / 1000}s`
    return timedOut ? { exitCode: 137, output: tooLong } : { exitCode, output: Buffer.concat(kept).toString('utf8') }
  } catch (error) {
    return { exitCode: 126, output: (error as Error).message }
  }
}

function launch({
  file,
  argv,
  workingDir,
  env,
  launcher,
  stdin = false,
}: Pick<Surroundings, 'workingDir' | 'env' | 'launcher'> & { file: string; argv: readonly string[]; stdin?: boolean }): ChildProcess {
  requireDirectory(workingDir)
  const launched = stdin ? undefined : launcher?.launch({ file, argv, workingDir, env })
  if (launched) return launched
  try {
    return spawn(file, argv.slice(1), {
      argv0: argv[0]!,
      cwd: workingDir,
      env,
      detached: true,
      stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    throw startError(argv[0]!, error as NodeJS.ErrnoException)
  }
}

/** There is no process, and Node says why in an event only. */
export function failureOf(child: ChildProcess, command: string): Promise<never> {
  return new Promise((_resolve, reject) => child.once('error', (error) => reject(startError(command, error as NodeJS.ErrnoException))))
}

function startError(command: string, { code, message }: NodeJS.ErrnoException): StartError {
  const why: Record<string, string> = {
    E2BIG: 'argument list too long',
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    ENOENT: 'no such file or directory',
    ENOEXEC: 'exec format error',
    ENOMEM: 'cannot allocate memory',
    EAGAIN: 'resource temporarily unavailable',
    EMFILE: 'too many open files',
    ETXTBSY: 'text file busy',
  }
  return new StartError('RunContainerError', `exec ${command}: ${(code && why[code]) ?? message}`)
}

/** Throws a StartError for a working directory that is none: spawn would blame the program for it. */
export function requireDirectory(workingDir: string): void {
  if (!isDirectory(workingDir))
    throw new StartError('RunContainerError', `chdir to cwd (${JSON.stringify(workingDir)}) failed: no such file or directory`)
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
