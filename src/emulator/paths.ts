import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { UserError } from '../base/user-error.js'

export const DEFAULT_INSTANCE = 'default'

/** Where an instance keeps everything: one private directory below the XDG state home. */
export interface InstancePaths {
  directory: string
  /** Ports, identity and marker; written once, kept for the instance's life. */
  record: string
  /** Process id and start of the emulator that runs, while it runs. */
  running: string
  startLock: string
  store: string
  /** The logs of Brokers and channels; made with the first of them. */
  events: string
  /** What became of every event. */
  journal: string
  kubeconfig: string
  log: string
  /** Logs and temporary directories of workloads. */
  workloads: string
  /** Undefined where the path would be longer than a socket address may be. */
  socket: string | undefined
}

/** The longest path a unix socket address takes (sun_path, less on macOS than on Linux). */
const LONGEST_SOCKET_PATH = 103

export function instancePaths(name: string, env: NodeJS.ProcessEnv): InstancePaths {
  checkInstanceName(name)
  return pathsIn(join(stateHome(env), 'kn-local', name))
}

/** The paths of the instance that lives in `directory`. */
export function pathsIn(directory: string): InstancePaths {
  const socket = join(directory, 'api.sock')
  return {
    directory,
    record: join(directory, 'instance.json'),
    running: join(directory, 'running.json'),
    startLock: join(directory, 'start.lock'),
    store: join(directory, 'store.db'),
    events: join(directory, 'events.db'),
    journal: join(directory, 'journal.db'),
    kubeconfig: join(directory, 'kubeconfig'),
    log: join(directory, 'emulator.log'),
    workloads: join(directory, 'workloads'),
    socket: Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH ? socket : undefined,
  }
}

/** XDG_STATE_HOME when it is absolute (the specification says to ignore it otherwise), else ~/.local/state. */
export function stateHome(env: NodeJS.ProcessEnv): string {
  const configured = env['XDG_STATE_HOME']
  return configured && isAbsolute(configured) ? configured : join(env['HOME'] || homedir(), '.local', 'state')
}

/** The kubeconfig context of an instance. */
export function contextName(instance: string): string {
  return instance === DEFAULT_INSTANCE ? 'kn-emulator' : `kn-emulator-${instance}`
}

function checkInstanceName(name: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(name)) return
  throw new UserError({
    code: 'invalid-instance-name',
    what: `'${name}' is not a name for an emulator`,
    why: 'it takes up to 40 lower-case letters, digits and dashes, and neither starts nor ends with a dash',
  })
}
