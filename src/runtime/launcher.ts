import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Clock } from '../base/clock.js'

/** What a process is started with: nothing is looked up, and `argv[0]` is what the program sees as its name. */
export interface Command {
  file: string
  argv: readonly string[]
  workingDir: string
  env: Readonly<Record<string, string>>
}

/**
 * Keeps one process ready that becomes the next program. A fork copies the tables of this process's memory, which takes longer the
 * larger it is, and every page that is written to afterwards is copied on demand: with it done ahead, a cold start waits for neither.
 */
export interface Launcher {
  /**
   * The process, with stdin at its end and pipes for stdout and stderr, leading a group and session of its own; undefined when none
   * is ready, or the command is none that it can become exactly: it has to be started in the ordinary way then.
   */
  launch(command: Command): ChildProcess | undefined
  /** Ends the one that is ready. */
  stop(): void
}

/** The small shell of Debian, Ubuntu, Alpine's packages and macOS. Others, bash among them, add to the environment they pass on. */
const SHELL = '/bin/dash'
/** So long after it was used up it is made anew: by then whoever waited for that program has an answer. */
const REPLENISH_MS = 250
/** Read by the shell in pieces of 8 KB; longer ones gain nothing. */
const LONGEST_SCRIPT = 32_768

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** These the shell keeps for itself. */
const SHELL_VARIABLES = new Set(['IFS', 'LINENO', 'OPTIND', 'PPID'])

/** One that has nothing ready until it was asked for the first time: an emulator without workloads has no process for them. */
export function createLauncher({ clock, shell = SHELL }: { clock: Pick<Clock, 'after'>; shell?: string }): Launcher {
  const isPossible = existsSync(shell)
  let ready: ChildProcess | undefined
  let isDue = false
  let isStopped = false

  const replenish = (): void => {
    isDue = false
    if (isStopped) return
    // Nothing of ours in its environment: it is no workload yet. When this process ends, so does its input, and it.
    let child: ChildProcess
    try {
      child = spawn(shell, [], { detached: true, cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'] })
    } catch {
      // Out of memory, say: the next program is started in the ordinary way, and says so if that fails too.
      return
    }
    hold(child, false)
    const gone = (): void => {
      if (ready === child) ready = undefined
    }
    child.once('exit', gone)
    child.once('error', gone)
    // What comes of a broken pipe is told by the process's end. Out of file descriptors, there is none.
    child.stdin?.on('error', () => {})
    ready = child
  }
  const replenishLater = (): void => {
    if (isDue || isStopped) return
    isDue = true
    clock.after(REPLENISH_MS, replenish)
  }

  return {
    launch(command) {
      if (!isPossible) return undefined
      const child = ready
      if (!child?.pid) {
        replenishLater()
        return undefined
      }
      const script = scriptFor(command)
      if (script === undefined) return undefined
      ready = undefined
      replenishLater()
      hold(child, true)
      child.stdin!.end(script)
      return child
    },
    stop() {
      isStopped = true
      ready?.stdin?.end()
      ready = undefined
    },
  }
}

/** What makes the shell become the program; undefined where it could not be exact. */
function scriptFor({ file, argv, workingDir, env }: Command): string | undefined {
  // A shell's exec names a program as it found it.
  if (argv[0] !== file || !file.startsWith('/')) return undefined
  const names = Object.keys(env)
  if (!names.every((name) => NAME.test(name) && !SHELL_VARIABLES.has(name))) return undefined
  const words = [workingDir, ...argv, ...Object.values(env)]
  if (words.some((word) => word.includes('\0'))) return undefined
  const script = [
    `cd -- ${quoted(workingDir)} || exit 126`,
    // What `cd` has set, and would pass on.
    'unset PWD OLDPWD',
    ...names.map((name) => `export ${name}=${quoted(env[name]!)}`),
    `exec ${argv.map(quoted).join(' ')} </dev/null`,
    '',
  ].join('\n')
  return script.length > LONGEST_SCRIPT ? undefined : script
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** Whether this process stays for as long as that one. */
function hold(child: ChildProcess, isHeld: boolean): void {
  const handles = [child, child.stdin, child.stdout, child.stderr] as unknown as ({ ref?(): void; unref?(): void } | null)[]
  for (const handle of handles) isHeld ? handle?.ref?.() : handle?.unref?.()
}
