import { Args, Flags } from '@oclif/core'
import { namespaceFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'

export default class EventImport extends KnCommand {
  static override summary = 'Send events from JSON lines'
  static override description =
    'Sends CloudEvents in the JSON format, one a line, in the order of the file, each once the one before has been taken. All lines are read first: one that is no event is told with its number, and then nothing is sent. Stops at the first event that is refused.'
  static override usage = 'FILE'
  static override args = { file: Args.string({ description: 'File of JSON lines; - for standard input.' }) }
  static override flags = {
    to: Flags.string({
      char: 'r',
      default: 'broker:default',
      description: 'Where they go: broker:NAME, ksvc:NAME, channel:NAME, svc:NAME, a URL, ….',
    }),
    ...namespaceFlag,
  }
  static override examples = ['<%= config.bin %> event import orders.jsonl --to broker:default']

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(EventImport)
    const file = this.single(argv, "'kn event import' requires the file as single argument")
    const { addressOf, targetFrom } = await import('./sink.js')
    const { sinkMappings } = await import('../../cli/sink-mappings.js')
    const sink = targetFrom(flags.to, await sinkMappings(flags.config, this.world))
    const { linesOf } = await import('./json-lines.js')
    const { eventFromText } = await import('./recorded-event.js')
    const lines = linesOf(await this.readInput(file))
    const events = lines.map(({ number, line }) => ({ number, event: eventFromText(line, `line ${number} of ${file}`) }))
    const { deliver } = await import('./post.js')
    const connect = () => this.connect(flags)
    const target = 'uri' in sink ? { url: sink.uri } : await addressOf(await connect(), sink, this.namespaceOf(flags))
    let sent = 0
    try {
      for (const { event } of events) {
        await deliver(event, target, connect)
        sent++
      }
    } finally {
      if (sent < events.length)
        this.logToStderr(`${sent} of ${events.length} events were sent; the first that was not is on line ${events[sent]!.number}.`)
    }
    this.log(`${sent} ${sent === 1 ? 'event' : 'events'} sent to ${target.url}`)
  }
}
