import { Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceDeps, instanceFlag } from '../../src/cli/nouns/emulator.js'

export default class EmulatorExec extends KnCommand {
  static override summary = 'Run a command whose KUBECONFIG is that of an emulator'
  static override description =
    'Runs a command with KUBECONFIG set to an emulator, which is started if need be, and ends with its exit code. With --ephemeral the emulator is a private one on free ports, and gone afterwards.'
  static override usage = 'emulator exec [--ephemeral] -- COMMAND [ARG ...]'
  static override strict = false
  static override flags = { ...instanceFlag, ephemeral: Flags.boolean({ description: 'Use a private emulator that is gone afterwards.' }) }
  static override examples = [
    '<%= config.bin %> emulator exec -- kubectl get ksvc',
    '<%= config.bin %> emulator exec --ephemeral -- ./end-to-end.sh',
  ]

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(EmulatorExec)
    const words = argv as string[]
    if (words.length === 0) throw usageError(`'${this.world.bin} emulator exec' requires a command after --`)
    const { runInForeground } = await import('../../src/cli/spawn.js')
    if (flags.ephemeral) {
      const { withEphemeralInstance } = await import('../../src/emulator/ephemeral.js')
      return withEphemeralInstance(instanceDeps(this.world), (kubeconfig) =>
        runInForeground(words, { ...this.world.env, KUBECONFIG: kubeconfig }),
      )
    }
    const { ensureRunning } = await import('../../src/emulator/instance.js')
    const onStart = (): void => this.logToStderr(`Starting the emulator '${flags.name}' ...`)
    const { kubeconfig } = await ensureRunning({ name: flags.name, ...instanceDeps(this.world), onStart })
    return runInForeground(words, { ...this.world.env, KUBECONFIG: kubeconfig })
  }
}
