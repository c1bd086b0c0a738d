import { Args } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { namespaceFlag, sinkFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { editedTrigger, filterChangeFlag, filterChangesFrom } from '../../src/cli/nouns/trigger.js'
import { updateObject } from '../../src/cli/nouns/update.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'

export default class TriggerUpdate extends KnCommand {
  static override summary = 'Update a trigger'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the trigger.' }) }
  static override flags = { ...filterChangeFlag, ...sinkFlag, ...namespaceFlag }
  static override examples = [
    { description: 'Want another type of events', command: '<%= config.bin %> trigger update mytrigger --filter type=dev.example.sent' },
    { description: 'Want events of any type', command: '<%= config.bin %> trigger update mytrigger --filter type-' },
    { description: 'Send them to another service', command: '<%= config.bin %> trigger update mytrigger --sink ksvc:other' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TriggerUpdate)
    const name = this.single(argv, 'name of trigger required')
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const { random } = await this.flagContext()
    await updateObject(
      client,
      triggerKind,
      { namespace, name },
      async (trigger) => {
        const filters = flags.filter && filterChangesFrom(flags.filter, name)
        const subscriber = flags.sink === undefined ? undefined : await this.resolveSink(client, flags.sink, flags)
        if (flags.sink !== undefined && !subscriber) throw usageError('sink is required')
        return editedTrigger(trigger, { filters, subscriber })
      },
      { clock: this.world.clock, random },
    )
    this.log(sentences.updated('Trigger', name, namespace))
  }
}
