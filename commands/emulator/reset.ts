import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceDeps, instanceFlag } from '../../src/cli/nouns/emulator.js'

export default class EmulatorReset extends KnCommand {
  static override summary = 'Remove every object of an emulator; its ports and its context stay'
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorReset)
    const { startInstance, stopInstance, wipeInstance } = await import('../../src/emulator/instance.js')
    const { instancePaths } = await import('../../src/emulator/paths.js')
    const deps = instanceDeps(this.world)
    const paths = instancePaths(flags.name, this.world.env)
    const wasRunning = await stopInstance(paths, deps)
    wipeInstance(paths)
    if (wasRunning) await startInstance({ name: flags.name }, deps)
    this.log(`Emulator '${flags.name}' reset${wasRunning ? ' and started again' : ''}.`)
  }
}
