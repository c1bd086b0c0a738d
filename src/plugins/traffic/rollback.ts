import { Args } from '@oclif/core'
import { KnCommand } from '../../cli/kn-command.js'
import type { Service } from '../../kinds/service/schema.js'
import { changeFlags } from './flags.js'

export default class TrafficRollback extends KnCommand {
  static override summary = 'Send the traffic of a service back to the revision before'
  static override description =
    `Sends all traffic of a service to the revision before: of its ready revisions the newest one that is older than the one with most of the traffic now. Done again, it goes back further. Tags stay.

New revisions get no traffic then, until 'kn traffic set NAME @latest=100'.`
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the service.' }) }
  static override flags = changeFlags
  static override examples = [
    { description: 'Go back to the revision before', command: '<%= config.bin %> traffic rollback hello' },
    { description: 'Show which one that is', command: '<%= config.bin %> traffic rollback hello --dry-run' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TrafficRollback)
    const name = this.single(argv, "'kn traffic rollback' requires the name of the service as single argument")
    const { rollbackFrom, spreadOver } = await import('./spread.js')
    const { changeTraffic, serviceWithRevisions } = await import('./change.js')
    const client = await this.connect(flags)
    const ref = { namespace: this.namespaceOf(flags), name }
    const { revisions } = await serviceWithRevisions(client, ref)
    const { random } = await this.flagContext()
    const route = (service: Service): string => {
      const { from, to } = rollbackFrom(service, revisions)
      return `from '${from}' to '${to}'`
    }
    const text = await changeTraffic({
      client,
      ref,
      flags,
      world: this.world,
      revisions,
      random,
      targets: (service) => spreadOver(service, revisions, [{ reference: rollbackFrom(service, revisions).to, percent: 100 }]),
      title: (service, mood) =>
        mood === 'did'
          ? `Traffic of service '${name}' in namespace '${ref.namespace}' rolled back ${route(service)}:`
          : `Would roll back the traffic of service '${name}' in namespace '${ref.namespace}' ${route(service)}:`,
      onProgress: (line) => this.logToStderr(line),
    })
    this.print(text)
    if (!flags['dry-run']) this.logToStderr(`New revisions get no traffic until 'kn traffic set ${name} @latest=100'.`)
  }
}
