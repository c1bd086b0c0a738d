import { KnCommand } from '../../cli/kn-command.js'
import { buildFlags, eventOutputFlags } from './flags.js'

export default class EventBuild extends KnCommand {
  static override summary = 'Build an event and print it'
  static override description = 'Builds a CloudEvent from flags and prints it, without sending it anywhere.'
  static override flags = { ...buildFlags, ...eventOutputFlags }
  static override examples = [
    { description: 'Print an event for people', command: '<%= config.bin %> event build --field message=hello' },
    {
      description: 'Print an event as JSON',
      command: '<%= config.bin %> event build --type order.paid --field order.id=42 --raw-field order.note=00 -o json',
    },
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(EventBuild)
    const { builtText, eventFromFlags } = await import('./built-event.js')
    const { createSystemRandom } = await import('../../base/random.js')
    const built = eventFromFlags(flags, { nowMs: this.world.clock.now(), random: createSystemRandom() })
    this.print(await builtText(built, flags.output))
  }
}
