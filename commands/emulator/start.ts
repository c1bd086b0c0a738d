import { Flags } from '@oclif/core'
import { intFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceDeps, instanceFlag } from '../../src/cli/nouns/emulator.js'
import type { ClockChoice } from '../../src/emulator/record.js'

export default class EmulatorStart extends KnCommand {
  static override summary = 'Start an emulator, the cluster inside kn'
  static override description =
    'Starts an emulator in the background and adds its context to the kubeconfig. Starting one that runs is no error.'
  static override flags = {
    ...instanceFlag,
    'use-context': Flags.boolean({ description: 'Make its context the current one (it becomes that by itself when there is none).' }),
    'control-port': intFlag({ description: 'Port of the Kubernetes API, for an emulator that does not exist yet.' }),
    'external-port': intFlag({ description: 'Port of the services visible from outside, for an emulator that does not exist yet.' }),
    'cluster-local-port': intFlag({ description: 'Port of the cluster-local addresses, for an emulator that does not exist yet.' }),
    clock: Flags.string({
      options: ['real', 'virtual'],
      description:
        'How its time passes. One of: real, virtual; virtual begins frozen at the present time (default: as it was left, real for a new one).',
    }),
  }
  static override examples = ['<%= config.bin %> emulator start', '<%= config.bin %> emulator start --name other --use-context']

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorStart)
    const { startInstance, publishContext } = await import('../../src/emulator/instance.js')
    const deps = instanceDeps(this.world)
    const ports = {
      ...(flags['control-port'] !== undefined && { control: flags['control-port'] }),
      ...(flags['external-port'] !== undefined && { external: flags['external-port'] }),
      ...(flags['cluster-local-port'] !== undefined && { clusterLocal: flags['cluster-local-port'] }),
    }
    const onStarting = (): void => this.logToStderr(`Starting the emulator '${flags.name}' ...`)
    const clockChoice = flags.clock as ClockChoice | undefined
    const instance = await startInstance({ name: flags.name, ports, clockChoice, onStarting }, deps)
    const { kubeconfig } = await publishContext(instance, { use: flags['use-context'] }, deps)
    if (clockChoice && !instance.started) await this.switchClock(clockChoice, instance.paths.kubeconfig)
    const { control, external } = instance.record.ports
    this.log(`Emulator '${flags.name}' ${instance.started ? 'is ready' : 'is running already'}.`)
    this.log(`  API:       https://127.0.0.1:${control}`)
    this.log(`  Services:  http://NAME.NAMESPACE.localhost:${external}`)
    this.log(`  Context:   ${flags.name === 'default' ? 'kn-emulator' : `kn-emulator-${flags.name}`} in ${kubeconfig}`)
  }

  /** An emulator that runs already is asked over its API. */
  private async switchClock(choice: ClockChoice, kubeconfig: string): Promise<void> {
    const { CLOCK_MODES } = await import('../../src/emulator/record.js')
    const { setClock } = await import('../../src/cli/nouns/clock.js')
    await setClock(await this.connect({ kubeconfig }), { mode: CLOCK_MODES[choice] })
  }
}
