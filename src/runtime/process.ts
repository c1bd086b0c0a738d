import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createSystemRandom, type Random } from '../base/random.js'
import { processEnvironment, type WorkloadNetwork } from './environment.js'
import { findExecutable } from './executable.js'
import { openInGroup } from './interactive.js'
import { createLauncher } from './launcher.js'
import { createLogFile, DEFAULT_MAX_LOG_BYTES, type LogFile } from './log-file.js'
import { hasLog, logTail, readLog } from './log-reader.js'
import { createLoopbackPorts } from './loopback-ports.js'
import { execInGroup, type GroupProcess, spawnGroup } from './process-group.js'
import { type ContainerRequest, type RunningContainer, type Runtime, StartError } from './runtime.js'
import type { Supervisor } from './supervise.js'
import { createTerminalSize, onTerminal, terminalEnvironment } from './terminal.js'

interface LogName {
  podUid: string
  container: string
  attempt: number
}

/**
 * Runs each container as a child process with a process group of its own. Below `directory` (private to the instance) each Pod has a
 * directory with its home, its temporary files and one log per container and attempt: `<podUid>/<container>/<attempt>.log`.
 * A container's processes end with its first process, as in a PID namespace. What left the group (setsid) lives on until the emulator ends.
 */
export function createProcessRuntime(options: {
  directory: string
  marker: string
  supervisor: Pick<Supervisor, 'started' | 'ended'>
  /** Real time. */
  clock: Clock
  log: Logger
  hostEnv: Readonly<Record<string, string | undefined>>
  /** A log is rotated when it would grow beyond this; one older file is kept. */
  maxLogBytes?: number
  random?: Random
  /** The workload proxy, by namespace, and what Node's programs load to use it; absent: there is none. */
  network?: { proxyUrl(namespace: string): string; preload: string }
}): Runtime {
  const { directory, clock, log, supervisor } = options
  const launcher = createLauncher({ clock })
  const running = new Map<GroupProcess, { container: RunningContainer; podUid: string; name: string }>()
  const openLogs = new Map<string, LogFile>()
  /** The logs of what is no process, by Pod and container. */
  const appended = new Map<string, LogFile>()
  const forgetting = new Set<Promise<void>>()
  let stopping = false

  const podDirectory = (podUid: string): string => join(directory, fileName(podUid))
  const logPath = ({ podUid, container, attempt }: LogName): string =>
    join(podDirectory(podUid), fileName(container), `${Math.trunc(attempt)}.log`)

  const openLog = (path: string, fields: Record<string, unknown>): LogFile => {
    try {
      return createLogFile({
        path,
        clock,
        maxBytes: options.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES,
        onProblem: (error) => log.warn('log of a container cannot be written', { ...fields, error }),
      })
    } catch (error) {
      throw new StartError('CreateContainerError', `failed to create the container's log: ${(error as Error).message}`)
    }
  }

  /** Of each container the last run and the one before are kept, as a kubelet keeps one dead container (MaxPerPodContainer). */
  const dropOlderLogs = ({ podUid, container, attempt }: LogName): void => {
    if (attempt < 2) return
    const old = logPath({ podUid, container, attempt: attempt - 2 })
    for (const path of [old, `${old}.1`])
      rm(path, { force: true }).catch((error) => log.warn('old log of a container cannot be removed', { path, error }))
  }

  const start = async (request: ContainerRequest): Promise<RunningContainer> => {
    if (stopping) throw new StartError('RunContainerError', 'the emulator is stopping')
    const { pod, image, container } = request
    const [command, ...args] = commandLine(request)
    if (command === undefined) throw new StartError('CreateContainerError', 'no command specified')

    const home = join(podDirectory(pod.uid), '.home')
    const temporary = join(podDirectory(pod.uid), '.tmp')
    const path = logPath({ podUid: pod.uid, container, attempt: request.attempt })
    const fields = { pod: `${pod.namespace}/${pod.name}`, container, attempt: request.attempt }
    try {
      for (const each of [home, temporary]) mkdirSync(each, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw new StartError('CreateContainerError', `failed to create the container's directories: ${(error as Error).message}`)
    }
    const ownEnv = processEnvironment({
      hostEnv: options.hostEnv,
      image: image.env,
      own: request.env,
      home,
      temporary,
      hostname: pod.name,
      marker: options.marker,
      ...(options.network && { network: networkFor(request, options.network) }),
    })
    // Not the host's root, where an engine would start it: a relative path must not lead anywhere but into the Pod's own directory.
    const workingDir = request.workingDir ?? image.workingDir ?? home
    const where = { path: ownEnv['PATH']!, workingDir }
    const program = findExecutable(command, where)
    const { tty = false, stdin } = request
    const { file, argv } = tty ? onTerminal([program, ...args], where) : { file: program, argv: [command, ...args] }
    const env = tty ? terminalEnvironment(ownEnv) : ownEnv

    const containerLog = openLog(path, fields)
    const attached = new Set<(stream: 'stdout' | 'stderr', bytes: Buffer) => void>()
    const output: Pick<LogFile, 'write' | 'end'> = {
      write(stream, bytes) {
        containerLog.write(stream, bytes)
        for (const listener of attached) listener(stream, bytes)
      },
      end: () => containerLog.end(),
    }
    let group: GroupProcess
    try {
      const spawned = spawnGroup({ file, argv, workingDir, env, clock, supervisor, launcher, stdin: stdin !== undefined, output })
      // Not awaited when it runs: whoever calls stop() in the same turn must find it among the running ones.
      group = spawned instanceof Promise ? await spawned : spawned
    } catch (error) {
      containerLog.end()
      throw error
    }
    openLogs.set(path, containerLog)
    dropOlderLogs({ podUid: pod.uid, container, attempt: request.attempt })
    const startedAtMs = clock.now()
    const resize = tty ? createTerminalSize(group.pid, { clock, hasEnded: () => !running.has(group) }) : () => {}
    const started: RunningContainer = {
      id: `process://${group.pid}-${startedAtMs}`,
      pid: group.pid,
      startedAtMs,
      exited: group.exited,
      stop: group.stop,
      exec: (execCommand, timeoutMs) => execInGroup({ command: execCommand, timeoutMs, workingDir, env, clock, supervisor }),
      attach: () => ({
        stdin: group.stdin,
        stdinOnce: stdin === 'once',
        onOutput(listener) {
          attached.add(listener)
          return () => attached.delete(listener)
        },
        resize,
        exited: group.exited,
      }),
      async open(openCommand, how) {
        const opened = await openInGroup({ command: openCommand, ...how, workingDir, env: ownEnv, clock, supervisor })
        // As in a PID namespace: with the first process everything beside it ends.
        void group.exited.then(opened.kill)
        return opened
      },
    }
    running.set(group, { container: started, podUid: pod.uid, name: container })
    log.debug('container started', { ...fields, pid: group.pid })
    void group.exited.then(({ exitCode, signal }) => {
      running.delete(group)
      openLogs.delete(path)
      log.debug('container ended', { ...fields, pid: group.pid, exitCode, signal })
    })
    return started
  }

  return {
    start,
    running(podUid, container) {
      for (const each of running.values()) if (each.podUid === podUid && each.name === container) return each.container
      return undefined
    },
    freePort: createLoopbackPorts({ clock, random: options.random ?? createSystemRandom() }),
    logs(which, logOptions) {
      const path = logPath(which)
      return hasLog(path) ? readLog(path, openLogs.get(path), logOptions) : undefined
    },
    logTail: (which, bytes) => logTail(logPath(which), bytes),
    openLog(which) {
      const { podUid, container } = which
      const key = `${podUid}/${container}`
      try {
        const path = logPath(which)
        const file = openLog(path, { podUid, container, attempt: which.attempt })
        openLogs.set(path, file)
        appended.set(key, file)
        return () => {
          file.end()
          openLogs.delete(path)
          if (appended.get(key) === file) appended.delete(key)
        }
      } catch (error) {
        log.warn('log of a container cannot be kept', { podUid, container, error })
        return () => {}
      }
    },
    appendLog(podUid, container, lines) {
      appended.get(`${podUid}/${container}`)?.write('stdout', Buffer.from(lines))
    },
    forget(podUid) {
      const removal: Promise<void> = rm(podDirectory(podUid), { recursive: true, force: true })
        .catch((error) => log.warn('directory of a Pod cannot be removed', { podUid, error }))
        .finally(() => forgetting.delete(removal))
      forgetting.add(removal)
    },
    async stop(graceMs) {
      stopping = true
      launcher.stop()
      await Promise.all([...running.values()].map(({ container }) => container.stop(graceMs)))
      for (const file of appended.values()) file.end()
      await Promise.all(forgetting)
    },
  }
}

/** Kubernetes' rule: a command replaces entrypoint and arguments of the image, args replace its arguments only. */
function commandLine({ command, args, image }: ContainerRequest): readonly string[] {
  if (command && command.length > 0) return [...command, ...(args ?? [])]
  return [...image.entrypoint, ...(args ?? image.args)]
}

/** Programs of ours that the image itself starts need no preload: those that call others know of the proxy, and all start sooner. */
function networkFor(
  { pod, image, command }: ContainerRequest,
  { proxyUrl, preload }: { proxyUrl(namespace: string): string; preload: string },
): WorkloadNetwork {
  const isOwnProgram = image.isOwnProgram === true && !command?.length
  return { proxyUrl: proxyUrl(pod.namespace), ...(!isOwnProgram && { preload }) }
}

/** Names come from objects in the store; none may lead out of the runtime's directory. */
function fileName(name: string): string {
  if (name === '' || name.startsWith('.') || /[/\0]/.test(name))
    throw new StartError('CreateContainerConfigError', `invalid name ${JSON.stringify(name)}`)
  return name
}
