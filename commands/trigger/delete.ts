import { Args } from '@oclif/core'
import { namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'

export default class TriggerDelete extends KnCommand {
  static override summary = 'Delete a trigger'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the trigger.' }) }
  static override flags = { ...namespaceFlag }
  static override examples = [{ description: "Delete the trigger 'mytrigger'", command: '<%= config.bin %> trigger delete mytrigger' }]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TriggerDelete)
    const name = this.single(argv, "'trigger delete' requires the name of the trigger as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    await client.delete(triggerKind, { namespace, name })
    this.log(sentences.deleted('Trigger', name, namespace))
  }
}
