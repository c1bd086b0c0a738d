import { Args, Flags } from '@oclif/core'
import { usageError } from '../../cli/arguments.js'
import { namespaceFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'
import { filterFlags, filterFrom } from './flags.js'

export default class EventWhy extends KnCommand {
  static override summary = 'Say why an event went where it went'
  static override description =
    `Says of each trigger of the broker that took an event whether it got the event, and why not: the clause of the filter that kept it out, with what it expected and what the event has; each attempt with its answer; the reply; the dead letter.

Exit codes, for scripts: 0 every trigger that wanted it has it, at least one; 3 no trigger wanted it; 4 a delivery failed or is pending; 1 there is no such event.`
  static override usage = 'ID'
  static override args = { id: Args.string({ description: 'Id of the event, or name of its record.' }) }
  static override flags = {
    ...filterFlags,
    output: Flags.string({ char: 'o', description: 'Output format. One of: json.' }),
    ...namespaceFlag,
  }
  static override examples = [
    '<%= config.bin %> event why 7f6c0a62-93f7-4f2f-8d3c-6d3f0f3c2f55',
    '<%= config.bin %> event why e0000000042 -o json',
  ]

  async run(): Promise<number> {
    const { flags, argv } = await this.parse(EventWhy)
    const id = this.single(argv, "'kn event why' requires the id of the event as single argument")
    if (flags.output !== undefined && flags.output !== 'json') {
      throw usageError(`invalid value "${flags.output}" for output flag, it takes 'json'`)
    }
    const { othersText, recordOf } = await import('./records.js')
    const { triggersOf } = await import('./triggers.js')
    const { storyOf, storyText, VERDICT_CODES } = await import('./story.js')
    const client = await this.connect(flags)
    const { record, others } = await recordOf(client, this.namespaceOf(flags), id, filterFrom(flags))
    const story = storyOf(record, await triggersOf(client, record.spec.origin))
    if (others.length > 0) this.logToStderr(othersText(record, others))
    if (flags.output === 'json') this.log(JSON.stringify(story, null, 4))
    else {
      const { shortAge } = await import('../../cli/print/ages.js')
      this.print(storyText(story, shortAge(record.metadata.creationTimestamp, this.nowMs())))
    }
    return VERDICT_CODES[story.verdict]
  }
}
