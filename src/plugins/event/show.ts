import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import { filterFlags, filterFrom } from './flags.js'

export default class EventShow extends KnCommand {
  static override summary = 'Show an event'
  static override description =
    "Shows an event as it was taken: its attributes, its data, and what became of it in a word for each trigger. 'kn event why' tells more of the latter."
  static override usage = 'ID'
  static override args = { id: Args.string({ description: 'Id of the event, or name of its record.' }) }
  static override flags = { ...filterFlags, ...outputFlags(), ...namespaceFlag }
  static override examples = [
    '<%= config.bin %> event show 7f6c0a62-93f7-4f2f-8d3c-6d3f0f3c2f55',
    { description: 'Print its data alone', command: "<%= config.bin %> event show e0000000042 -o jsonpath='{.spec.data}' | base64 -d" },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(EventShow)
    const id = this.single(argv, "'kn event show' requires the id of the event as single argument")
    const { othersText, recordOf } = await import('./records.js')
    const client = await this.connect(flags)
    const { record, others } = await recordOf(client, this.namespaceOf(flags), id, filterFrom(flags))
    if (others.length > 0) this.logToStderr(othersText(record, others))
    if (flags.output) {
      const { objectText } = await import('../../cli/print/output.js')
      const { eventRecordKind } = await import('../../kinds/emulator/eventrecord/kind.js')
      return this.print(await objectText(eventRecordKind, record, flags))
    }
    const { shownText } = await import('./shown.js')
    const { shortAge } = await import('../../cli/print/ages.js')
    this.print(shownText(record, shortAge(record.metadata.creationTimestamp, this.nowMs())))
  }
}
