import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceDeps, instanceFlag } from '../../src/cli/nouns/emulator.js'

export default class EmulatorStop extends KnCommand {
  static override summary = 'Stop an emulator; what it holds is there again after the next start'
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorStop)
    const { stopInstance } = await import('../../src/emulator/instance.js')
    const { instancePaths } = await import('../../src/emulator/paths.js')
    const stopped = await stopInstance(instancePaths(flags.name, this.world.env), instanceDeps(this.world))
    this.log(`Emulator '${flags.name}' ${stopped ? 'stopped' : 'is not running'}.`)
  }
}
