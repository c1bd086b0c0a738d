import { Args } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { deliveryFlags, deliveryFrom } from '../../src/cli/nouns/delivery.js'
import { updateObject } from '../../src/cli/nouns/update.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'

export default class BrokerUpdate extends KnCommand {
  static override summary = 'Update a broker'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the broker.' }) }
  static override flags = { ...deliveryFlags, ...namespaceFlag }
  static override examples = [
    { description: 'Try each delivery again twice', command: '<%= config.bin %> broker update default --retry 2' },
    { description: 'Send elsewhere what cannot be delivered', command: '<%= config.bin %> broker update default --dl-sink ksvc:failed' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(BrokerUpdate)
    if (this.given.length === 0) throw usageError('flag(s) not set\nUsage: update NAME')
    const name = this.single(argv, "'broker update' requires the broker name given as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const { random } = await this.flagContext()
    await updateObject(
      client,
      brokerKind,
      { namespace, name },
      async (broker) => {
        const deadLetterSink = await this.resolveSink(client, flags['dl-sink'] ?? '', flags)
        const delivery = deliveryFrom(broker.spec?.delivery, flags, deadLetterSink)
        return { ...broker, spec: { ...broker.spec, ...(delivery && { delivery }) } }
      },
      { clock: this.world.clock, random },
    )
    this.log(sentences.updated('Broker', name, namespace))
  }
}
