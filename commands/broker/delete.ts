import { Args } from '@oclif/core'
import { deleteWaitFlags, namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { deleteEach } from '../../src/cli/nouns/deletion.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { orBecause } from '../../src/cli/refused.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'

export default class BrokerDelete extends KnCommand {
  static override summary = 'Delete a broker'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the broker.' }) }
  static override flags = { ...deleteWaitFlags, ...namespaceFlag }
  static override examples = [
    { description: "Delete the broker 'mine'", command: '<%= config.bin %> broker delete mine' },
    { description: 'And wait until it is gone', command: '<%= config.bin %> broker delete mine --wait' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(BrokerDelete)
    const name = this.single(argv, "'broker delete' requires the broker name given as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    await orBecause(sentences.cannotDelete('broker', name, namespace), () =>
      deleteEach({
        client,
        kind: brokerKind,
        namespace,
        names: [name],
        flags,
        clock: this.world.clock,
        deleted: () => this.log(sentences.successfullyDeleted('Broker', name, namespace)),
        refuse: ({ metadata }) => (metadata.deletionTimestamp ? sentences.deletedAlready('broker', name) : undefined),
      }),
    )
  }
}
