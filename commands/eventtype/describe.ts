import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { eventTypeText } from '../../src/cli/nouns/eventtype.js'
import { objectText } from '../../src/cli/print/output.js'
import { eventTypeKind } from '../../src/kinds/eventtype/kind.js'

export default class EventTypeDescribe extends KnCommand {
  static override summary = 'Show details of an event type'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the event type.' }) }
  static override flags = { ...namespaceFlag, ...outputFlags() }
  static override examples = [
    { description: "Describe the event type 'paid'", command: '<%= config.bin %> eventtype describe paid' },
    { description: 'As YAML', command: '<%= config.bin %> eventtype describe paid -o yaml' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(EventTypeDescribe)
    const name = this.single(argv, "'eventtype describe' requires the eventtype name given as single argument")
    const client = await this.connect(flags)
    const eventType = await client.get(eventTypeKind, { namespace: this.namespaceOf(flags), name })
    if (flags.output) return this.print(await objectText(eventTypeKind, eventType, flags))
    this.print(eventTypeText(eventType, { verbose: false, nowMs: this.nowMs() }))
  }
}
