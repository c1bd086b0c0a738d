import { allNamespacesFlag, namespaceFlag, noHeadersFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { sinkCell } from '../../src/cli/nouns/sink.js'
import { conditionsCell, readyCell, reasonCell } from '../../src/cli/print/conditions.js'
import { ageCell, defaultNamespaceFirst, listing, withNamespaces } from '../../src/cli/print/lists.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import type { Trigger } from '../../src/kinds/trigger/schema.js'

export default class TriggerList extends KnCommand {
  static override summary = 'List triggers'
  static override usage = ''
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...outputFlags(), ...noHeadersFlag }
  static override examples = [
    { description: 'List all triggers', command: '<%= config.bin %> trigger list' },
    { description: 'List them as JSON', command: '<%= config.bin %> trigger list -o json' },
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(TriggerList)
    const client = await this.connect(flags)
    const triggers = await client.list(triggerKind, this.namespacesOf(flags))
    // Machines get them in the server's order.
    const items = flags['all-namespaces'] && !flags.output ? defaultNamespaceFirst(triggers) : triggers
    const nowMs = this.nowMs()
    const table = {
      columns: ['Name', 'Broker', 'Sink', 'Age', 'Conditions', 'Ready', 'Reason'],
      row: (trigger: Trigger) => [
        trigger.metadata.name,
        trigger.spec.broker ?? '',
        sinkCell(trigger.spec.subscriber),
        ageCell(trigger, nowMs),
        conditionsCell(trigger),
        readyCell(trigger),
        reasonCell(trigger),
      ],
    }
    const shown = withNamespaces(table, flags['all-namespaces'])
    this.print(await listing({ kind: triggerKind, items, ...shown, empty: 'No triggers found.' }, flags))
  }
}
