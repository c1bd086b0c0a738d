import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { brokerText, brokerUrl } from '../../src/cli/nouns/broker.js'
import { objectText } from '../../src/cli/print/output.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'

export default class BrokerDescribe extends KnCommand {
  static override summary = 'Show details of a broker'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the broker.' }) }
  static override flags = { ...namespaceFlag, ...outputFlags(['url']) }
  static override examples = [
    { description: "Describe the broker 'default'", command: '<%= config.bin %> broker describe default' },
    { description: 'As YAML', command: '<%= config.bin %> broker describe default -o yaml' },
    { description: 'Only where it takes events', command: '<%= config.bin %> broker describe default -o url' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(BrokerDescribe)
    const name = this.single(argv, "'broker describe' requires the broker name given as single argument")
    const client = await this.connect(flags)
    const broker = await client.get(brokerKind, { namespace: this.namespaceOf(flags), name })
    if (flags.output?.toLowerCase() === 'url') return this.log(brokerUrl(broker))
    if (flags.output) return this.print(await objectText(brokerKind, broker, flags, ['url']))
    this.print(brokerText(broker, { verbose: false, nowMs: this.nowMs() }))
  }
}
