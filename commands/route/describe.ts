import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags, verboseFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { routeText } from '../../src/cli/nouns/route.js'
import { objectText } from '../../src/cli/print/output.js'
import { routeKind } from '../../src/kinds/route/kind.js'

export default class RouteDescribe extends KnCommand {
  static override summary = 'Show details of a route'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the route.' }) }
  static override flags = { ...namespaceFlag, ...verboseFlag, ...outputFlags() }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(RouteDescribe)
    const name = this.single(argv, "'kn route describe' requires name of the route as single argument")
    const client = await this.connect(flags)
    const route = await client.get(routeKind, { namespace: this.namespaceOf(flags), name })
    if (flags.output) return this.print(await objectText(routeKind, route, flags))
    this.print(routeText(route, { verbose: flags.verbose, nowMs: this.nowMs() }))
  }
}
