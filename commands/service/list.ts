import { Args } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { allNamespacesFlag, namespaceFlag, noHeadersFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { conditionsCell, readyCell, reasonCell } from '../../src/cli/print/conditions.js'
import { ageCell, byNamespace, listing, withNamespaces } from '../../src/cli/print/lists.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import type { Service } from '../../src/kinds/service/schema.js'

export default class ServiceList extends KnCommand {
  static override summary = 'List services'
  static override usage = ''
  static override args = { name: Args.string({ description: 'Name of the only service to list.' }) }
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...outputFlags(), ...noHeadersFlag }
  static override examples = [
    { description: 'List all services', command: '<%= config.bin %> service list' },
    { description: 'List them as JSON', command: '<%= config.bin %> service list -o json' },
    { description: "List the service 'web'", command: '<%= config.bin %> service list web' },
  ]

  async run(): Promise<void> {
    const { args, flags, argv } = await this.parse(ServiceList)
    if (argv.length > 1) throw usageError("'kn service list' accepts maximum 1 argument")
    const client = await this.connect(flags)
    const only = args.name ? { fieldSelector: `metadata.name=${args.name}` } : {}
    const services = await client.list(serviceKind, this.namespacesOf(flags), only)
    const nowMs = this.nowMs()
    const table = {
      columns: ['Name', 'URL', 'Latest', 'Age', 'Conditions', 'Ready', 'Reason'],
      row: (service: Service) => [
        service.metadata.name,
        service.status?.url ?? '',
        service.status?.latestReadyRevisionName ?? '',
        ageCell(service, nowMs),
        conditionsCell(service),
        readyCell(service),
        reasonCell(service),
      ],
    }
    this.print(
      await listing(
        {
          kind: serviceKind,
          items: [...services].sort(byNamespace),
          ...withNamespaces(table, flags['all-namespaces']),
          empty: 'No services found.',
        },
        flags,
      ),
    )
  }
}
