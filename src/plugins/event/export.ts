import { Flags } from '@oclif/core'
import { allNamespacesFlag, namespaceFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import { filterFlags, filterFrom, stateFlag } from './flags.js'

export default class EventExport extends KnCommand {
  static override summary = 'Write events as JSON lines'
  static override description =
    "Writes the events of the journal, the oldest first, as CloudEvents in the JSON format, one a line: for 'kn event import' and for any other tool. Without the two extensions that brokers add. An event whose data the journal did not keep whole is left out, and said on standard error."
  static override flags = {
    ...filterFlags,
    id: Flags.string({ description: 'Only events with this id.' }),
    ...stateFlag,
    ...allNamespacesFlag,
    ...namespaceFlag,
  }
  static override examples = ['<%= config.bin %> event export --type order.paid > orders.jsonl']

  async run(): Promise<void> {
    const { flags } = await this.parse(EventExport)
    const { recordsInOrder } = await import('./records.js')
    const { eventOf } = await import('./recorded-event.js')
    const { lineFrom } = await import('./json-lines.js')
    const { UserError } = await import('../../base/user-error.js')
    const client = await this.connect(flags)
    for (const record of await recordsInOrder(client, this.namespacesOf(flags), filterFrom(flags))) {
      try {
        this.log(lineFrom(eventOf(record)))
      } catch (error) {
        if (!(error instanceof UserError)) throw error
        this.logToStderr(`Left out: ${error.message}`)
      }
    }
  }
}
