import { Flags } from '@oclif/core'
import { namespaceFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import { buildFlags, eventOutputFlags } from './flags.js'
import type { Target } from './sink.js'

export default class EventSend extends KnCommand {
  static override summary = 'Build an event and send it'
  static override description = `Builds a CloudEvent from flags and sends it, once.

The destination is a Knative service (NAME), an object that takes events as PREFIX:NAME[:NAMESPACE] with the prefixes ksvc, svc, broker, channel and those of the configuration (eventing.sink-mappings) or GROUP/VERSION/RESOURCE, or a URL.`
  static override flags = {
    ...buildFlags,
    to: Flags.string({
      char: 'r',
      default: '',
      description: 'Where the event goes: broker:NAME, ksvc:NAME, channel:NAME, svc:NAME, a URL, ….',
    }),
    'addressable-uri': Flags.string({ description: 'Path behind the address of an object.' }),
    ...namespaceFlag,
    ...eventOutputFlags,
  }
  static override examples = [
    {
      description: 'Send an event to a broker',
      command: '<%= config.bin %> event send --to broker:default --type order.paid --field order.id=42',
    },
    { description: 'Send an event to a URL', command: '<%= config.bin %> event send --to http://localhost:8080 --field message=hello' },
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(EventSend)
    const { addressOf, joined, targetFrom } = await import('./sink.js')
    const { sinkMappings } = await import('../../cli/sink-mappings.js')
    const sink = targetFrom(flags.to, await sinkMappings(flags.config, this.world))
    const { eventFromFlags } = await import('./built-event.js')
    const { createSystemRandom } = await import('../../base/random.js')
    const { event } = eventFromFlags(flags, { nowMs: this.world.clock.now(), random: createSystemRandom() })
    const { deliver } = await import('./post.js')
    const connect = () => this.connect(flags)
    const target: Target = 'uri' in sink ? { url: sink.uri } : await addressOf(await connect(), sink, this.namespaceOf(flags))
    if (!('uri' in sink)) target.url = joined(target.url, flags['addressable-uri'])
    const { statusCode } = await deliver(event, target, connect)
    if (flags.verbose) this.logToStderr(`POST ${target.url}: ${statusCode}`)
    this.log(`Event (ID: ${event.attributes.get('id')}) have been sent.`)
  }
}
