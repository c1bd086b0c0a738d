import { Args, Flags } from '@oclif/core'
import type { Condition } from '../../apimachinery/conditions.js'
import { usageError } from '../../cli/arguments.js'
import { namespaceFlag } from '../../cli/flags.js'
import { KnCommand } from '../../cli/kn-command.js'

const BAR = 20
const SHORT_BAR = 10
/** A terminal that is narrower gets short bars. */
const WIDE = 120

export default class TrafficShow extends KnCommand {
  static override summary = 'Show where the traffic of a service goes'
  static override description =
    'Shows every revision of a service with its share of the traffic, its tags, whether it is ready, its age, and the URL at which it is reached.'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the service.' }) }
  static override flags = { ...namespaceFlag, output: Flags.string({ char: 'o', description: 'Output format. One of: json.' }) }
  static override examples = ['<%= config.bin %> traffic show hello', '<%= config.bin %> traffic show hello -o json']

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TrafficShow)
    const name = this.single(argv, "'kn traffic show' requires the name of the service as single argument")
    if (flags.output !== undefined && flags.output !== 'json') {
      throw usageError(`invalid value "${flags.output}" for output flag, it takes 'json'`)
    }
    const { serviceWithRevisions } = await import('./change.js')
    const { overviewOf, overviewText } = await import('./overview.js')
    const { reasonCell } = await import('../../cli/print/conditions.js')
    const client = await this.connect(flags)
    const { service, revisions } = await serviceWithRevisions(client, { namespace: this.namespaceOf(flags), name })
    const overview = overviewOf(service, revisions)
    if (flags.output === 'json') return this.log(JSON.stringify(overview, null, 4))

    const { stdout } = this.world
    const bars = stdout.isTerminal ? ((stdout.columns ?? 0) >= WIDE ? BAR : SHORT_BAR) : 0
    this.print(overviewText(overview, { nowMs: this.nowMs(), bars, paint: await this.painter() }))
    const problem = reasonCell(service)
    if (problem !== '') this.logToStderr(`\nService '${name}' is not ready: ${problem}`)
  }

  private async painter(): Promise<(bar: string, ready: Condition['status']) => string> {
    const { env, stdout } = this.world
    if (!stdout.isTerminal || env['NO_COLOR'] || env['TERM'] === 'dumb') return (bar) => bar
    const { Chalk } = await import('chalk')
    const { green, red, yellow } = new Chalk({ level: 1 })
    return (bar, ready) => (ready === 'True' ? green(bar) : ready === 'False' ? red(bar) : yellow(bar))
  }
}
