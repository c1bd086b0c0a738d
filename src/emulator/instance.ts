import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import type { Clock } from '../base/clock.js'
import { makePrivateDirectory } from '../base/files.js'
import type { Random } from '../base/random.js'
import { UserError } from '../base/user-error.js'
import { MARKER_VARIABLE } from '../runtime/environment.js'
import { contextName, type InstancePaths, instancePaths } from './paths.js'
import { isPortFree, type Ports, portHolder } from './ports.js'
import { programFile } from './programs.js'
import {
  accessing,
  accessTo,
  type ClockChoice,
  createRecord,
  type InstanceRecord,
  type RunningRecord,
  readRecord,
  readRunning,
  recordClock,
} from './record.js'

/** What an emulator tells the process that started it, over the channel between them. */
export type DaemonMessage = { ready: true } | { failed: { code: string; what: string; why?: string; remedies: readonly string[] } }

export interface InstanceDeps {
  env: NodeJS.ProcessEnv
  /** Real time. */
  clock: Clock
  random: Random
}

export interface StartOptions {
  name: string
  /** Where the instance lives; by its name below the state home unless given. */
  paths?: InstancePaths
  /** Ports for an instance that does not exist yet. */
  ports?: Partial<Ports>
  /** How its clock is to run, whatever it did before; ignored by an emulator that runs already. */
  clockChoice?: ClockChoice | undefined
  /** Ends the emulator when this process ends, however it ends. */
  attached?: boolean
  /** Called once when an emulator is really being started by this call. */
  onStarting?: () => void
}

export interface StartedInstance {
  record: InstanceRecord
  paths: InstancePaths
  running: RunningRecord
  /** False when it ran already. */
  started: boolean
  /** The emulator itself, when started attached. */
  child?: ChildProcess
}

const START_TIMEOUT_MS = 30_000
const POLL_MS = 15
const STOP_TIMEOUT_MS = 20_000
/** A log bigger than this is put aside (one generation) when the emulator starts. */
const LOG_BYTES = 10 * 1024 * 1024

/**
 * Starts an instance unless it runs, making it first if there is none. Any number of callers at once start one emulator.
 * Throws a UserError that says what happened: a port in use and by whom, a state directory that cannot be used, a store
 * that is damaged. Nothing is changed then but what is needed to read it.
 */
export async function startInstance(options: StartOptions, deps: InstanceDeps): Promise<StartedInstance> {
  const { name, clockChoice } = options
  const paths = options.paths ?? instancePaths(name, deps.env)
  const deadlineMs = deps.clock.now() + START_TIMEOUT_MS
  for (;;) {
    const present = readRecord(paths)
    const running = present && (await runningInstance(present, paths))
    if (present && running) return { record: present, paths, running, started: false }

    if (!present) accessing(paths, () => makePrivateDirectory(paths.directory))
    const release = takeStartLock(paths, deps.clock.now())
    if (release) {
      try {
        const found = readRecord(paths) ?? (await createRecord({ ...deps, name, paths, ports: options.ports ?? {}, clockChoice }))
        const already = await runningInstance(found, paths)
        if (already) return { record: found, paths, running: already, started: false }
        const record = clockChoice ? recordClock(found, paths, clockChoice) : found
        options.onStarting?.()
        await checkPorts(record)
        const words = [...(options.attached ? ['--attached'] : []), ...(clockChoice ? [`--clock=${clockChoice}`] : [])]
        const child = await spawnEmulator(paths, deps.env, words)
        return { record, paths, running: readRunning(paths)!, started: true, ...(options.attached && { child }) }
      } finally {
        release()
      }
    }
    if (deps.clock.now() > deadlineMs) {
      throw new UserError({
        code: 'start-timeout',
        what: `the emulator '${name}' did not become ready`,
        why: `another kn has been starting it for ${START_TIMEOUT_MS / 1000} seconds`,
        remedies: ['kn emulator logs', `rm ${paths.startLock}`],
      })
    }
    await deps.clock.sleep(POLL_MS)
  }
}

/** Which emulator of this instance runs and answers; undefined when none does (a process id that lives on as something else included). */
export async function runningInstance(record: InstanceRecord, paths: InstancePaths): Promise<RunningRecord | undefined> {
  const running = readRunning(paths)
  if (!running || !isAlive(running.pid)) return undefined
  const answers = await canConnect(paths.socket ? { path: paths.socket } : { host: '127.0.0.1', port: record.ports.control })
  return answers ? running : undefined
}

/** Stops an instance: workloads end as Pods do, then the process. Resolves to false when it was not running. */
export async function stopInstance(paths: InstancePaths, deps: InstanceDeps): Promise<boolean> {
  const record = readRecord(paths)
  const running = record && (await runningInstance(record, paths))
  if (!running) return false
  process.kill(running.pid, 'SIGTERM')
  const deadlineMs = deps.clock.now() + STOP_TIMEOUT_MS
  while (isAlive(running.pid)) {
    if (deps.clock.now() > deadlineMs) {
      // Its supervisor sees the end and takes the workloads down.
      process.kill(running.pid, 'SIGKILL')
      break
    }
    await deps.clock.sleep(POLL_MS)
  }
  rmSync(paths.running, { force: true })
  return true
}

/** Removes every object and everything workloads wrote; ports and credentials stay. The instance must not be running. */
export function wipeInstance(paths: InstancePaths): void {
  accessing(paths, () => {
    for (const file of [paths.store, paths.events, paths.journal]) {
      for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true })
    }
    rmSync(paths.workloads, { recursive: true, force: true })
  })
}

/** Removes an instance and all it ever wrote in its directory. It must not be running. */
export function removeInstance(paths: InstancePaths): void {
  accessing(paths, () => rmSync(paths.directory, { recursive: true, force: true }))
}

async function checkPorts(record: InstanceRecord): Promise<void> {
  // The one for TLS is listened on later, if ever.
  const { clusterLocalTls: _, ...needed } = record.ports
  for (const [role, port] of Object.entries(needed) as [keyof typeof needed, number][]) {
    if (await isPortFree(port)) continue
    const holder = await portHolder(port)
    const flag = { control: '--control-port', external: '--external-port', clusterLocal: '--cluster-local-port' }[role]
    throw new UserError({
      code: 'port-in-use',
      what: `cannot start the emulator '${record.name}'`,
      why: `port ${port} is in use${holder ? ` by ${holder}` : ''}`,
      remedies: [
        `stop ${holder ?? 'what listens there'}`,
        `kn emulator delete --name ${record.name}, then kn emulator start --name ${record.name} ${flag} PORT`,
      ],
    })
  }
}

/**
 * Node's own settings would slow the emulator's start or change how it runs; a kubeconfig is none of its business; and with
 * another emulator's marker, from inside one of its workloads, it would be ended with those.
 */
const NOT_INHERITED = [
  'NODE_OPTIONS',
  'NODE_EXTRA_CA_CERTS',
  'NODE_PATH',
  'KUBECONFIG',
  'NODE_CHANNEL_FD',
  'NODE_V8_COVERAGE',
  MARKER_VARIABLE,
]

function spawnEmulator(paths: InstancePaths, env: NodeJS.ProcessEnv, words: readonly string[]): Promise<ChildProcess> {
  putLogAside(paths)
  const log = accessing(paths, () => openSync(paths.log, 'a', 0o600))
  const child = spawn(process.execPath, [programFile('emulator-process.cjs'), paths.directory, ...words], {
    detached: true,
    cwd: paths.directory,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.includes(name))),
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new UserError({
          code: 'start-failed',
          what: 'the emulator could not start',
          why,
          remedies: ['kn emulator logs', `see ${paths.log}`],
        }),
      )
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signal) => fail(`it ended at once (${signal ?? `exit code ${code}`})`))
    child.once('message', (message: DaemonMessage) => {
      child.removeAllListeners('exit')
      if ('failed' in message) return reject(new UserError(message.failed))
      if (!words.includes('--attached')) {
        child.disconnect()
        child.unref()
      }
      resolve(child)
    })
  })
}

function putLogAside(paths: InstancePaths): void {
  try {
    if (statSync(paths.log).size > LOG_BYTES) renameSync(paths.log, `${paths.log}.1`)
  } catch {
    // No log yet.
  }
}

/** Takes the right to start the instance, or returns undefined while a living process has it. */
function takeStartLock(paths: InstancePaths, nowMs: number): (() => void) | undefined {
  return accessing(paths, () => {
    try {
      const file = openSync(paths.startLock, 'wx', 0o600)
      writeSync(file, String(process.pid))
      closeSync(file)
      return () => rmSync(paths.startLock, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      breakDeadLock(paths.startLock, nowMs)
      return undefined
    }
  })
}

/**
 * A lock whose owner is dead is renamed away before it is removed: of several that find it, one wins the rename, and none
 * removes a lock that was taken anew in between unless it holds a dead owner's name as well.
 */
function breakDeadLock(lock: string, nowMs: number): void {
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    if (owner > 0 && isAlive(owner)) return
    // An empty file is one that is being written this very moment, or was when its writer died.
    if (owner === 0 && nowMs - statSync(lock).mtimeMs < 1000) return
    const aside = `${lock}.${process.pid}`
    renameSync(lock, aside)
    rmSync(aside, { force: true })
  } catch {
    // Someone else was quicker.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** In a container whose first process reaps no children, an ended emulator keeps its process id for good. */
function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function canConnect(address: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    const done = (answer: boolean) => () => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', done(true))
    socket.once('error', done(false))
  })
}

/**
 * Makes sure that an instance runs and that the user's kubeconfig knows it. Throws what startInstance throws.
 * `onStart` is called when it has to be started: the one line that says so.
 */
export async function ensureRunning(options: {
  name: string
  env: NodeJS.ProcessEnv
  clock: Clock
  random: Random
  onStart?: () => void
}): Promise<{ kubeconfig: string }> {
  const { name, onStart, ...deps } = options
  const started = await startInstance({ name, ...(onStart && { onStarting: onStart }) }, deps)
  if (started.started) await publishContext(started, { use: false }, deps)
  return { kubeconfig: started.paths.kubeconfig }
}

/** Puts the instance's context into the user's kubeconfig; current only when there was none, or with `use`. Says which file, and whether it is the current one. */
export async function publishContext(
  { record, paths }: StartedInstance,
  { use }: { use: boolean },
  deps: InstanceDeps,
): Promise<{ kubeconfig: string; isCurrent: boolean }> {
  // Only where it is needed: reading and keeping a person's YAML takes a library that most runs of kn do without.
  const { addContext, userKubeconfigPath } = await import('./kubeconfig-file.js')
  const kubeconfig = userKubeconfigPath(deps.env)
  const isCurrent = await addContext({ path: kubeconfig, access: accessTo(record, paths), use, clock: deps.clock })
  return { kubeconfig, isCurrent }
}

/** Takes the instance's context out of the user's kubeconfig. */
export async function withdrawContext(name: string, deps: InstanceDeps): Promise<void> {
  const { removeContext, userKubeconfigPath } = await import('./kubeconfig-file.js')
  await removeContext({ path: userKubeconfigPath(deps.env), context: contextName(name), clock: deps.clock })
}
