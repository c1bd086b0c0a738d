import { Flags } from '@oclif/core'
import { createSystemRandom } from '../../base/random.js'
import type { InstanceDeps } from '../../emulator/instance.js'
import { contextName, DEFAULT_INSTANCE, type InstancePaths } from '../../emulator/paths.js'
import type { InstanceRecord, RunningRecord } from '../../emulator/record.js'
import type { World } from '../world.js'

/** Which emulator a command is about. */
export const instanceFlag = {
  name: Flags.string({ default: DEFAULT_INSTANCE, description: 'Name of the emulator.' }),
}

export function instanceDeps(world: World): InstanceDeps {
  return { env: world.env, clock: world.clock, random: createSystemRandom() }
}

/** What `kn emulator status` shows, in a form that scripts can read. */
export interface InstanceStatus {
  name: string
  state: 'Running' | 'Stopped'
  context: string
  kubeconfig: string
  directory: string
  ports: InstanceRecord['ports']
  pid?: number
  version?: string
  startedAt?: string
}

export function statusOf(record: InstanceRecord, paths: InstancePaths, running: RunningRecord | undefined): InstanceStatus {
  return {
    name: record.name,
    state: running ? 'Running' : 'Stopped',
    context: contextName(record.name),
    kubeconfig: paths.kubeconfig,
    directory: paths.directory,
    ports: record.ports,
    ...(running && { pid: running.pid, version: running.version, startedAt: new Date(running.startedAtMs).toISOString() }),
  }
}

/** The same for people: where it is, and how to reach it. */
export function statusLines(status: InstanceStatus): string[] {
  const rows: [string, string][] = [
    ['State', status.pid ? `${status.state} (pid ${status.pid})` : status.state],
    ['API', `https://127.0.0.1:${status.ports.control}`],
    ['Services', `http://NAME.NAMESPACE.localhost:${status.ports.external}`],
    ['Context', status.context],
    ['Kubeconfig', status.kubeconfig],
    ['Directory', status.directory],
    ...(status.version ? ([['Version', status.version]] satisfies [string, string][]) : []),
    ...(status.startedAt ? ([['Started', status.startedAt]] satisfies [string, string][]) : []),
  ]
  return [`Name:${' '.repeat(8)}${status.name}`, ...rows.map(([label, value]) => `${`${label}:`.padEnd(13)}${value}`)]
}
