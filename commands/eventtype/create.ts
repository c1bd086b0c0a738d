import { Args, Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { eventTypeFrom } from '../../src/cli/nouns/eventtype.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { orBecause } from '../../src/cli/refused.js'
import { eventTypeKind } from '../../src/kinds/eventtype/kind.js'

export default class EventTypeCreate extends KnCommand {
  static override summary = 'Create an event type'
  static override usage = 'NAME --type TYPE'
  static override args = { name: Args.string({ description: 'Name of the event type.' }) }
  static override flags = {
    type: Flags.string({ char: 't', required: true, description: 'Type of the events.' }),
    source: Flags.string({ description: 'Source of the events, a URI.' }),
    broker: Flags.string({ char: 'b', description: 'Broker that has such events; short for --reference broker:NAME.' }),
    reference: Flags.string({ char: 'r', description: 'What has such events: broker:NAME, channel:NAME or GROUP/VERSION/RESOURCE:NAME.' }),
    ...namespaceFlag,
  }
  static override examples = [
    {
      description: "Say that the broker 'default' has events of a type",
      command: '<%= config.bin %> eventtype create paid --type dev.example.paid --broker default',
    },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(EventTypeCreate)
    const name = this.single(argv, "'eventtype create' requires the eventtype name given as single argument")
    if (flags.broker && flags.reference) throw usageError("use only one of '--broker' or '--reference' flags")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    await orBecause(sentences.cannotCreate('eventtype', name, namespace), async () => {
      const reference = await this.resolveSink(client, flags.reference ?? '', flags)
      await client.create(eventTypeKind, eventTypeFrom({ namespace, name }, flags, reference?.ref))
    })
    this.log(sentences.successfullyCreated('Eventtype', name, namespace))
  }
}
