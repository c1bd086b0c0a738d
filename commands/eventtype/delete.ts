import { Args } from '@oclif/core'
import { namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { orBecause } from '../../src/cli/refused.js'
import { eventTypeKind } from '../../src/kinds/eventtype/kind.js'

export default class EventTypeDelete extends KnCommand {
  static override summary = 'Delete an event type'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the event type.' }) }
  static override flags = { ...namespaceFlag }
  static override examples = [{ description: "Delete the event type 'paid'", command: '<%= config.bin %> eventtype delete paid' }]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(EventTypeDelete)
    const name = this.single(argv, "'eventtype delete' requires the eventtype name given as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    await orBecause(sentences.cannotDelete('eventtype', name, namespace), () => client.delete(eventTypeKind, { namespace, name }))
    this.log(sentences.successfullyDeleted('Eventtype', name, namespace))
  }
}
