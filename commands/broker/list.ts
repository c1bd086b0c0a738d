import { allNamespacesFlag, namespaceFlag, noHeadersFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { brokerUrl } from '../../src/cli/nouns/broker.js'
import { conditionsCell, readyCell, reasonCell } from '../../src/cli/print/conditions.js'
import { ageCell, listing, withNamespaces } from '../../src/cli/print/lists.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import type { Broker } from '../../src/kinds/broker/schema.js'

export default class BrokerList extends KnCommand {
  static override summary = 'List brokers'
  static override usage = ''
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...outputFlags(), ...noHeadersFlag }
  static override examples = [
    { description: 'List all brokers', command: '<%= config.bin %> broker list' },
    { description: 'List them as JSON', command: '<%= config.bin %> broker list -o json' },
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerList)
    const client = await this.connect(flags)
    const items = await client.list(brokerKind, this.namespacesOf(flags))
    const nowMs = this.nowMs()
    const table = {
      columns: ['Name', 'URL', 'Age', 'Conditions', 'Ready', 'Reason'],
      row: (broker: Broker) => [
        broker.metadata.name,
        brokerUrl(broker),
        ageCell(broker, nowMs),
        conditionsCell(broker),
        readyCell(broker),
        reasonCell(broker),
      ],
    }
    const shown = withNamespaces(table, flags['all-namespaces'])
    this.print(await listing({ kind: brokerKind, items, ...shown, empty: 'No brokers found.' }, flags))
  }
}
