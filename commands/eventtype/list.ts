import { allNamespacesFlag, namespaceFlag, noHeadersFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { readyCell } from '../../src/cli/print/conditions.js'
import { ageCell, listing, withNamespaces } from '../../src/cli/print/lists.js'
import { eventTypeKind } from '../../src/kinds/eventtype/kind.js'
import type { EventType } from '../../src/kinds/eventtype/schema.js'

export default class EventTypeList extends KnCommand {
  static override summary = 'List event types'
  static override usage = ''
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...outputFlags(), ...noHeadersFlag }
  static override examples = [
    { description: 'List all event types', command: '<%= config.bin %> eventtype list' },
    { description: 'List them as JSON', command: '<%= config.bin %> eventtype list -o json' },
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(EventTypeList)
    const client = await this.connect(flags)
    const items = await client.list(eventTypeKind, this.namespacesOf(flags))
    const nowMs = this.nowMs()
    const table = {
      columns: ['Name', 'Type', 'Source', 'Reference', 'Age', 'Ready'],
      row: (eventType: EventType) => [
        eventType.metadata.name,
        eventType.spec.type ?? '',
        eventType.spec.source ?? '',
        eventType.spec.reference?.name ?? '',
        ageCell(eventType, nowMs),
        readyCell(eventType),
      ],
    }
    const shown = withNamespaces(table, flags['all-namespaces'])
    this.print(await listing({ kind: eventTypeKind, items, ...shown, empty: 'No eventtypes found.' }, flags))
  }
}
