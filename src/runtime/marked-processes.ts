import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { Clock } from '../base/clock.js'
import { MARKER_VARIABLE } from './environment.js'

/** How long a workload without an emulator may take to end by itself: nobody waits for its answers any more. */
const GRACE_MS = 700
/** SIGKILL cannot be refused; what is still there then hangs in the kernel, and waiting longer would not help. */
const GIVE_UP_MS = 4000
const POLL_MS = 40

/** Signals a process (0: only looks); false when it is gone or another user's. One that has ended but was not waited for still counts. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Signals a process group; false when nobody is left in it. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  // -1 and 0 mean everybody and ourselves.
  return pgid > 1 && signalProcess(-pgid, signal)
}

/**
 * Which of these process groups have a living member. One that has ended but was not waited for counts as a member for the system, for
 * ever where process 1 waits for nobody (as in many containers), but not here.
 */
export function livingGroups(pgids: readonly number[]): number[] {
  const there = pgids.filter((pgid) => signalGroup(pgid, 0))
  if (there.length === 0 || process.platform !== 'linux') return there
  const alive = new Set<number>()
  for (const pid of pidsInProc()) {
    // `<pid> (<name>) <state> <ppid> <pgid> …`, where the name may contain anything.
    const status = readIfThere(`/proc/${pid}/stat`)?.toString('latin1')
    const [state, , pgid] = status?.slice(status.lastIndexOf(')') + 2).split(' ', 3) ?? []
    if (state !== 'Z' && state !== 'X') alive.add(Number(pgid))
  }
  return there.filter((pgid) => alive.has(pgid))
}

/**
 * The processes of this user whose environment carries the marker, without this process and its parent. The environment a process was
 * started with is what counts: one that dropped the variable when it started a child has lost that child.
 */
export async function markedProcesses(marker: string): Promise<number[]> {
  const found = process.platform === 'linux' ? markedInProc(marker) : await markedInPs(marker)
  return found.filter((pid) => pid !== process.pid && pid !== process.ppid)
}

/**
 * Ends process groups and everything that carries the marker: SIGTERM, then SIGKILL after a short time, again and again until nobody is
 * left (a process may be forking while it is looked for). Returns how many marked processes and groups there were.
 */
export async function endWorkloads(options: {
  groups?: Iterable<number>
  marker: string
  clock: Pick<Clock, 'now' | 'sleep'>
}): Promise<number> {
  const { marker, clock } = options
  const startedMs = clock.now()
  const groups = [...(options.groups ?? [])].filter((pgid) => signalGroup(pgid, 'SIGTERM'))
  const marked = new Set<number>()
  for (const pid of await markedProcesses(marker)) {
    if (signalProcess(pid, 'SIGTERM')) marked.add(pid)
  }
  const ended = new Set([...groups, ...marked])
  while (ended.size > 0 && clock.now() - startedMs < GIVE_UP_MS) {
    const groupsLeft = livingGroups(groups)
    const processesLeft = await markedProcesses(marker)
    if (groupsLeft.length === 0 && processesLeft.length === 0) break
    for (const pid of processesLeft) ended.add(pid)
    if (clock.now() - startedMs >= GRACE_MS) {
      for (const pgid of groupsLeft) signalGroup(pgid, 'SIGKILL')
      for (const pid of processesLeft) signalProcess(pid, 'SIGKILL')
    }
    await clock.sleep(POLL_MS)
  }
  return ended.size
}

function markedInProc(marker: string): number[] {
  const entry = Buffer.from(`${MARKER_VARIABLE}=${marker}\0`)
  return pidsInProc().filter((pid) => {
    const environment = readIfThere(`/proc/${pid}/environ`)
    const at = environment?.indexOf(entry) ?? -1
    return at >= 0 && (at === 0 || environment![at - 1] === 0) && isOurs(pid)
  })
}

function pidsInProc(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Undefined for another user's process, and for one that has just ended. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Root may read every process's environment. */
function isOurs(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === process.getuid?.()
  } catch {
    return false
  }
}

/** macOS shows the environment of the user's own processes after their command line. */
function markedInPs(marker: string): Promise<number[]> {
  return new Promise((resolve) => {
    execFile('/bin/ps', ['-xEww', '-o', 'pid=,command='], { maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) => {
      resolve(markedInListing(stdout, marker))
    })
  })
}

/** The pids of lines `<pid> <command line> <environment>` in which the marker is one of the words. */
export function markedInListing(listing: string, marker: string): number[] {
  const word = ` ${MARKER_VARIABLE}=${marker} `
  return listing
    .split('\n')
    .filter((line) => `${line} `.includes(word))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid > 1)
}
