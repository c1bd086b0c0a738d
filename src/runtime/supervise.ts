import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Clock, createSystemClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { endWorkloads } from './marked-processes.js'

/** Sees to it that no workload outlives the emulator. */
export interface Supervisor {
  /** A process group of ours has been started: from now on it ends when this process ends, however it ends. */
  started(pgid: number): void
  /** The group has ended: its number may soon be somebody else's. */
  ended(pgid: number): void
  /** Ends what is left of the workloads, then the supervisor; resolves when it has ended. */
  stop(): Promise<void>
}

/** A supervisor that cannot live is not started again without end: the wait doubles up to this. */
const LONGEST_RESTART_DELAY_MS = 10_000
const FIRST_RESTART_DELAY_MS = 20
/** Living this long, it was well; its next death counts as a first one. */
const HEALTHY_MS = 10_000

/**
 * Starts the supervisor process (`file` is its built program) and keeps one running: a supervisor that dies is started again and told
 * everything. The marker is one word of letters, digits, dots and dashes, and no other instance's. Throws when there is no such file.
 */
export async function startSupervisor(options: {
  file: string
  marker: string
  log: Logger
  /** Real time. */
  clock?: Clock
}): Promise<Supervisor> {
  const { file, marker, log, clock = createSystemClock({ unref: true }) } = options
  if (!existsSync(file)) throw new Error(`the supervisor's program is missing: ${file}`)
  const groups = new Set<number>()
  let child: ChildProcess | undefined
  let delayMs = FIRST_RESTART_DELAY_MS
  let stopping = false

  const tell = (line: string): void => {
    if (child?.stdin?.writable) child.stdin.write(line)
  }
  const launch = (): Promise<void> => {
    const startedMs = clock.now()
    // Detached: what is sent to the emulator's process group or terminal must not reach it. No environment: it must not carry the marker.
    const launched = spawn(process.execPath, [file, marker], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    })
    child = launched
    launched.unref()
    // The end of the pipe is noticed by 'exit'; what was written to it is told again to the next one.
    launched.stdin!.on('error', () => {})
    const stdin = launched.stdin as unknown as { unref?(): void }
    stdin.unref?.()
    let gone = false
    const onEnd = (fields: Record<string, unknown>): void => {
      if (gone || stopping) return
      gone = true
      child = undefined
      if (clock.now() - startedMs >= HEALTHY_MS) delayMs = FIRST_RESTART_DELAY_MS
      log.warn('supervisor ended, starting it again', { ...fields, inMs: delayMs })
      clock.after(delayMs, () => {
        if (!stopping) void launch()
      })
      delayMs = Math.min(delayMs * 2, LONGEST_RESTART_DELAY_MS)
    }
    launched.once('exit', (exitCode, signal) => onEnd({ exitCode, signal }))
    launched.once('error', (error) => onEnd({ error }))
    if (groups.size > 0) tell([...groups].map((pgid) => `+${pgid}\n`).join(''))
    return new Promise((resolve) => {
      launched.once('spawn', resolve)
      launched.once('error', () => resolve())
    })
  }

  await launch()
  return {
    started(pgid) {
      groups.add(pgid)
      tell(`+${pgid}\n`)
    },
    ended(pgid) {
      groups.delete(pgid)
      tell(`-${pgid}\n`)
    },
    stop() {
      stopping = true
      const last = child
      if (!last || last.exitCode !== null || last.signalCode !== null) return endWorkloads({ groups, marker, clock }).then(() => {})
      return new Promise((resolve) => {
        last.once('exit', () => resolve())
        last.ref()
        last.stdin!.end()
      })
    },
  }
}

/** Ends everything an earlier run of this instance left behind: this user's processes that carry its marker. Returns how many there were. */
export async function sweepLeftovers({ marker, clock }: { marker: string; clock: Pick<Clock, 'now' | 'sleep'> }): Promise<number> {
  return endWorkloads({ marker, clock })
}
