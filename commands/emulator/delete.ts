import { existsSync } from 'node:fs'
import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceDeps, instanceFlag } from '../../src/cli/nouns/emulator.js'

export default class EmulatorDelete extends KnCommand {
  static override summary = 'Stop an emulator and remove all of it, its kubeconfig context included'
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorDelete)
    const { removeInstance, stopInstance, withdrawContext } = await import('../../src/emulator/instance.js')
    const { instancePaths } = await import('../../src/emulator/paths.js')
    const deps = instanceDeps(this.world)
    const paths = instancePaths(flags.name, this.world.env)
    const existed = existsSync(paths.directory)
    await stopInstance(paths, deps)
    await withdrawContext(flags.name, deps)
    removeInstance(paths)
    this.log(existed ? `Emulator '${flags.name}' deleted.` : `There is no emulator '${flags.name}'.`)
  }
}
