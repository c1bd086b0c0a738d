import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type InstanceDeps, startInstance, stopInstance } from './instance.js'
import { instancePaths } from './paths.js'
import { freePorts } from './ports.js'

/**
 * Runs `work` with a private emulator in a temporary directory, on free ports, in nobody's kubeconfig. It is gone afterwards,
 * also when this process is killed: the emulator sees that and removes itself with its directory.
 */
export async function withEphemeralInstance<T>(deps: InstanceDeps, work: (kubeconfig: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'kn-emulator-'))
  const paths = instancePaths('ephemeral', { ...deps.env, XDG_STATE_HOME: directory })
  try {
    const [control, external, clusterLocal, clusterLocalTls] = (await freePorts(4)) as [number, number, number, number]
    const ports = { control, external, clusterLocal, clusterLocalTls }
    const { child } = await startInstance({ name: 'ephemeral', paths, ports, attached: true }, deps)
    try {
      return await work(paths.kubeconfig)
    } finally {
      await stopInstance(paths, deps)
      child?.unref()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
