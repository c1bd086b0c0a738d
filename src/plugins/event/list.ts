import { Flags } from '@oclif/core'
import { usageError } from '../../cli/arguments.js'
import { allNamespacesFlag, intFlag, namespaceFlag, noHeadersFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import { filterFlags, filterFrom, stateFlag } from './flags.js'

const DEFAULT_LIMIT = 50

export default class EventList extends KnCommand {
  static override summary = 'List events that brokers and channels took'
  static override description =
    'Lists the newest events of the journal, the newest last: which broker or channel took them, and what became of them. With --watch, goes on with each event that comes and each that changes its state.'
  static override flags = {
    ...filterFlags,
    id: Flags.string({ description: 'Only events with this id.' }),
    ...stateFlag,
    limit: intFlag({ default: DEFAULT_LIMIT, description: 'How many of the newest events are listed; 0 for all.' }),
    watch: Flags.boolean({ char: 'w', description: 'Go on with each event that comes or changes.' }),
    output: Flags.string({ char: 'o', description: 'Output format. One of: json|wide. With --watch, json is one object a line.' }),
    ...noHeadersFlag,
    ...allNamespacesFlag,
    ...namespaceFlag,
  }
  static override examples = [
    '<%= config.bin %> event list',
    { description: 'Follow what fails', command: '<%= config.bin %> event list --state Failed --watch' },
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(EventList)
    if (flags.output !== undefined && !['json', 'wide'].includes(flags.output)) {
      throw usageError(`invalid value "${flags.output}" for output flag, choose one among 'json' or 'wide'`)
    }
    if (flags.limit < 0) throw usageError('--limit takes a number from 0 on')
    const { changesOfRecords, newestRecords } = await import('./records.js')
    const client = await this.connect(flags)
    const namespace = this.namespacesOf(flags)
    const filter = filterFrom(flags)
    const { items: newest, resourceVersion } = await newestRecords(client, namespace, { filter, limit: flags.limit })
    const items = [...newest].reverse()
    if (flags.output === 'json' && !flags.watch) {
      const { listText } = await import('../../cli/print/output.js')
      const { eventRecordKind } = await import('../../kinds/emulator/eventrecord/kind.js')
      return this.print(await listText(eventRecordKind, items, { output: 'json' }))
    }
    if (flags.output === 'json') for (const record of items) this.log(JSON.stringify(record))
    else if (items.length === 0 && !flags.watch) return this.log('No events found.')

    const { createRecordTable } = await import('./record-table.js')
    const table = createRecordTable({ isWide: flags.output === 'wide', withNamespace: flags['all-namespaces'] })
    if (flags.output !== 'json') this.print(table.whole(items, { nowMs: this.nowMs(), headers: !flags['no-headers'] }))
    if (!flags.watch) return
    const states = new Map(items.map(({ metadata, status }) => [metadata.uid, status.state]))
    const { signal } = new AbortController()
    for await (const record of changesOfRecords(client, namespace, { filter, resourceVersion, signal })) {
      const { uid } = record.metadata
      if (flags.output === 'json') this.log(JSON.stringify(record))
      else if (states.get(uid) !== record.status.state) this.print(table.line(record, this.nowMs()))
      states.set(uid, record.status.state)
    }
  }
}
