import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags, verboseFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { serviceText, shownRevisions } from '../../src/cli/nouns/service-describe.js'
import { objectText } from '../../src/cli/print/output.js'
import { serviceKind } from '../../src/kinds/service/kind.js'

export default class ServiceDescribe extends KnCommand {
  static override summary = 'Show details of a service'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the service.' }) }
  static override flags = { ...namespaceFlag, ...verboseFlag, ...outputFlags(['url']) }
  static override examples = [
    { description: "Describe the service 'hello'", command: '<%= config.bin %> service describe hello' },
    { description: 'As YAML', command: '<%= config.bin %> service describe hello -o yaml' },
    { description: 'Only its URL', command: '<%= config.bin %> service describe hello -o url' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ServiceDescribe)
    const name = this.single(argv, "'service describe' requires the service name given as single argument")
    const client = await this.connect(flags)
    const service = await client.get(serviceKind, { namespace: this.namespaceOf(flags), name })
    if (flags.output?.toLowerCase() === 'url') return this.log(service.status?.url ?? '')
    if (flags.output) return this.print(await objectText(serviceKind, service, flags, ['url']))
    const revisions = await shownRevisions(client, service, { all: flags.verbose })
    this.print(serviceText(service, revisions, { verbose: flags.verbose, nowMs: this.nowMs() }))
  }
}
