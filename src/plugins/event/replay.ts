import { Args, Flags } from '@oclif/core'
import { usageError } from '../../cli/arguments.js'
import { namespaceFlag, stringArrayFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import type { Sink } from '../../cli/nouns/sink.js'
import { filterFlags, filterFrom } from './flags.js'

export default class EventReplay extends KnCommand {
  static override summary = 'Send an event again'
  static override description =
    `Sends an event of the journal again, byte for byte: to the broker or channel that took it, to the subscriber of one trigger, or anywhere else.

Without the two extensions that brokers add (knativearrivaltime and knativebrokerttl), which a broker would add again.`
  static override usage = 'ID'
  static override args = { id: Args.string({ description: 'Id of the event, or name of its record.' }) }
  static override flags = {
    ...filterFlags,
    trigger: Flags.string({ description: 'Send it to the subscriber of this trigger alone, past its filter and its retries.' }),
    to: Flags.string({ description: "Send it elsewhere: a URL, broker:NAME, ksvc:NAME, …, as with 'kn event send'." }),
    edit: stringArrayFlag({
      description: 'Change it first: NAME=VALUE for an attribute, data=TEXT for the data; an empty VALUE takes it away.',
    }),
    editor: Flags.boolean({ description: 'Change it first, as JSON in $VISUAL or $EDITOR.' }),
    'if-not-delivered': Flags.boolean({
      description: 'Only if it has not been delivered: by that trigger, or where none is named, by all that wanted it.',
    }),
    ...namespaceFlag,
  }
  static override examples = [
    { description: 'Send an event to its broker again', command: '<%= config.bin %> event replay e0000000042' },
    {
      description: 'Give one trigger what it has missed',
      command: '<%= config.bin %> event replay e0000000042 --trigger mail --if-not-delivered',
    },
    {
      description: 'Try it with another type on this machine',
      command: '<%= config.bin %> event replay e0000000042 --to http://localhost:8080 --edit type=order.paid',
    },
  ]

  private async sinkNamed(text: string, { config }: { config?: string | undefined }): Promise<Sink> {
    const [{ targetFrom }, { sinkMappings }] = await Promise.all([import('./sink.js'), import('../../cli/sink-mappings.js')])
    return targetFrom(text, await sinkMappings(config, this.world))
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(EventReplay)
    const id = this.single(argv, "'kn event replay' requires the id of the event as single argument")
    if (flags.trigger !== undefined && flags.to !== undefined) throw usageError('--trigger and --to exclude one another')
    const { othersText, recordOf } = await import('./records.js')
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const { record, others } = await recordOf(client, namespace, id, filterFrom(flags))
    if (others.length > 0) this.logToStderr(othersText(record, others))
    const { isDelivered, replayTarget } = await import('./replay-target.js')
    if (flags['if-not-delivered'] && isDelivered(record, flags.trigger)) {
      return this.log(`Event '${record.spec.id}' has been delivered already, it is not sent again.`)
    }
    const { edited, eventOf } = await import('./recorded-event.js')
    let event = edited(eventOf(record), flags.edit ?? [])
    if (flags.editor) event = await (await import('./editor.js')).editedByHand(event, this.world)
    const to = flags.to === undefined ? undefined : await this.sinkNamed(flags.to, flags)
    const target = await replayTarget(client, record, { trigger: flags.trigger, to, namespace })
    const { deliver } = await import('./post.js')
    const { statusCode } = await deliver(event, target, async () => client)
    this.log(`Event '${event.attributes.get('id')}' sent to ${target.name}: ${statusCode}`)
  }
}
