import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { World } from './world.js'

/** A running emulator, as commands outside of `kn emulator` need to know it. */
export interface LocalCluster {
  /** A file with its context alone. */
  kubeconfig: string
  context: string
  /** Whether plain commands go to it. */
  isCurrent: boolean
  /** What ends it again. */
  stopCommand: string
}

/** Starts an emulator unless it runs, and adds its context to the user's kubeconfig. Throws UserErrors that say why it cannot run. */
export async function ensureLocalCluster(name: string, world: World, onStarting: () => void): Promise<LocalCluster> {
  const [{ publishContext, startInstance }, { contextName, DEFAULT_INSTANCE }, { instanceDeps }] = await Promise.all([
    import('../emulator/instance.js'),
    import('../emulator/paths.js'),
    import('./nouns/emulator.js'),
  ])
  const deps = instanceDeps(world)
  const instance = await startInstance({ name, onStarting }, deps)
  const { isCurrent } = await publishContext(instance, { use: false }, deps)
  return {
    kubeconfig: instance.paths.kubeconfig,
    context: contextName(name),
    isCurrent,
    stopCommand: `kn emulator stop${name === DEFAULT_INSTANCE ? '' : ` --name ${name}`}`,
  }
}

/** The text of a file that is shipped below `templates/`. */
export async function templateText(path: string): Promise<string> {
  const { programsDirectory } = await import('../emulator/programs.js')
  return readFileSync(join(programsDirectory(), '..', 'templates', path), 'utf8')
}
