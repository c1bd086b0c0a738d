import { Args } from '@oclif/core'
import { usageError } from '../../cli/arguments.js'
import { KnCommand } from '../../cli/kn-command.js'
import { changeFlags } from './flags.js'

export default class TrafficSet extends KnCommand {
  static override summary = 'Spread the traffic of a service over its revisions'
  static override description =
    `Spreads the traffic of a service over its revisions: each is given as REVISION=PERCENT, where REVISION is the name of one, a tag, or @latest for whichever is the latest ready one. The percents make 100; what is not given gets nothing. Tags stay.`
  static override usage = 'NAME REVISION=PERCENT...'
  static override args = { name: Args.string({ description: 'Name of the service.' }) }
  static override flags = changeFlags
  static override examples = [
    {
      description: 'Send a fifth of the traffic to the latest revision',
      command: '<%= config.bin %> traffic set hello hello-00001=80 @latest=20',
    },
    { description: 'Show what that would change', command: '<%= config.bin %> traffic set hello hello-00001=80 @latest=20 --dry-run' },
    { description: 'Follow the latest revision again', command: '<%= config.bin %> traffic set hello @latest=100' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(TrafficSet)
    const [name, ...words] = argv as string[]
    if (name === undefined || words.length === 0) {
      throw usageError("'kn traffic set' requires the name of the service and at least one REVISION=PERCENT")
    }
    const { sharesFrom, spreadOver } = await import('./spread.js')
    const shares = sharesFrom(words)
    const { changeTraffic, serviceWithRevisions } = await import('./change.js')
    const client = await this.connect(flags)
    const ref = { namespace: this.namespaceOf(flags), name }
    const { revisions } = await serviceWithRevisions(client, ref)
    const { random } = await this.flagContext()
    const text = await changeTraffic({
      client,
      ref,
      flags,
      world: this.world,
      revisions,
      random,
      targets: (service) => spreadOver(service, revisions, shares),
      title: (_, mood) =>
        mood === 'did'
          ? `Traffic of service '${name}' in namespace '${ref.namespace}' set:`
          : `Would set the traffic of service '${name}' in namespace '${ref.namespace}':`,
      onProgress: (line) => this.logToStderr(line),
    })
    this.print(text)
  }
}
