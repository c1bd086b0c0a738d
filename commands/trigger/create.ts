import { Args, Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { namespaceFlag, requiredSinkFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { filterFlag, triggerFrom } from '../../src/cli/nouns/trigger.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { orBecause } from '../../src/cli/refused.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'

export default class TriggerCreate extends KnCommand {
  static override summary = 'Create a trigger'
  static override usage = 'NAME --sink SINK'
  static override args = { name: Args.string({ description: 'Name of the trigger.' }) }
  static override flags = {
    broker: Flags.string({ default: 'default', description: 'Broker whose events these are.' }),
    ...filterFlag,
    ...requiredSinkFlag,
    ...namespaceFlag,
  }
  static override examples = [
    {
      description: "Send all events of the broker 'default' to a service",
      command: '<%= config.bin %> trigger create mytrigger --sink ksvc:mysvc',
    },
    {
      description: 'Send only those of one type and source',
      command: '<%= config.bin %> trigger create mytrigger --filter type=dev.example.paid --filter source=/shop --sink ksvc:mysvc',
    },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TriggerCreate)
    const name = this.single(argv, "'trigger create' requires the name of the trigger")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const refusal = sentences.cannotCreate('trigger', name, namespace)
    const subscriber = await orBecause(refusal, () => this.resolveSink(client, flags.sink, flags))
    if (!subscriber) throw usageError(`${refusal} because: sink is required`)
    const draft = triggerFrom({ namespace, name }, flags, subscriber)
    await orBecause(refusal, () => client.create(triggerKind, draft))
    this.log(sentences.successfullyCreated('Trigger', name, namespace))
  }
}
