import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags, verboseFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { triggerText } from '../../src/cli/nouns/trigger.js'
import { objectText } from '../../src/cli/print/output.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'

export default class TriggerDescribe extends KnCommand {
  static override summary = 'Show details of a trigger'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the trigger.' }) }
  static override flags = { ...namespaceFlag, ...verboseFlag, ...outputFlags() }
  static override examples = [
    { description: "Describe the trigger 'mytrigger'", command: '<%= config.bin %> trigger describe mytrigger' },
    { description: 'As YAML', command: '<%= config.bin %> trigger describe mytrigger -o yaml' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TriggerDescribe)
    const name = this.single(argv, "'kn trigger describe' requires name of the trigger as single argument")
    const client = await this.connect(flags)
    const trigger = await client.get(triggerKind, { namespace: this.namespaceOf(flags), name })
    if (flags.output) return this.print(await objectText(triggerKind, trigger, flags))
    this.print(triggerText(trigger, { verbose: flags.verbose, nowMs: this.nowMs() }))
  }
}
