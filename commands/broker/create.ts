import { Args } from '@oclif/core'
import { namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { brokerFlags, brokerFrom } from '../../src/cli/nouns/broker.js'
import { deliveryFlags } from '../../src/cli/nouns/delivery.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { orBecause } from '../../src/cli/refused.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'

export default class BrokerCreate extends KnCommand {
  static override summary = 'Create a broker'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the broker.' }) }
  static override flags = { ...brokerFlags, ...deliveryFlags, ...namespaceFlag }
  static override examples = [
    { description: "Create the broker 'default'", command: '<%= config.bin %> broker create default' },
    {
      description: 'Try each delivery again three times, then send the event elsewhere',
      command: '<%= config.bin %> broker create default --retry 3 --backoff-policy linear --backoff-delay PT1S --dl-sink ksvc:failed',
    },
    {
      description: 'With a class and a ConfigMap that says which channel it is made of',
      command: '<%= config.bin %> broker create mine --class MTChannelBasedBroker --broker-config cm:mychannel',
    },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(BrokerCreate)
    const name = this.single(argv, "'broker create' requires the broker name given as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const deadLetterSink = await this.resolveSink(client, flags['dl-sink'] ?? '', flags)
    const draft = brokerFrom({ namespace, name }, flags, deadLetterSink)
    await orBecause(sentences.cannotCreate('broker', name, namespace), () => client.create(brokerKind, draft))
    this.log(sentences.successfullyCreated('Broker', name, namespace))
  }
}
