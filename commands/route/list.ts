import { Args } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { allNamespacesFlag, namespaceFlag, noHeadersFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { readyCell } from '../../src/cli/print/conditions.js'
import { listing } from '../../src/cli/print/lists.js'
import { routeKind } from '../../src/kinds/route/kind.js'

export default class RouteList extends KnCommand {
  static override summary = 'List routes'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the only route to list.' }) }
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...outputFlags(), ...noHeadersFlag }
  static override examples = [
    { description: 'List all routes', command: '<%= config.bin %> route list' },
    { description: "List the route 'web' as YAML", command: '<%= config.bin %> route list web -o yaml' },
  ]

  async run(): Promise<void> {
    const { args, flags, argv } = await this.parse(RouteList)
    if (argv.length > 1) throw usageError("'kn route list' accepts only one additional argument")
    const client = await this.connect(flags)
    const only = args.name ? { fieldSelector: `metadata.name=${args.name}` } : {}
    const items = await client.list(routeKind, this.namespacesOf(flags), only)
    this.print(
      await listing(
        {
          kind: routeKind,
          items,
          columns: ['Name', 'URL', 'Ready'],
          row: (route) => [route.metadata.name, route.status?.url ?? '', readyCell(route)],
          empty: 'No routes found.',
        },
        flags,
      ),
    )
  }
}
