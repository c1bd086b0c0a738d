import { Args } from '@oclif/core'
import { namespaceFlag, outputFlags, verboseFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { revisionText, serviceOf } from '../../src/cli/nouns/revision.js'
import { objectText } from '../../src/cli/print/output.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'

export default class RevisionDescribe extends KnCommand {
  static override summary = 'Show details of a revision'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the revision.' }) }
  static override flags = { ...namespaceFlag, ...verboseFlag, ...outputFlags() }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(RevisionDescribe)
    const name = this.single(argv, "'kn revision describe' requires name of the revision as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const revision = await client.get(revisionKind, { namespace, name })
    if (flags.output) return this.print(await objectText(revisionKind, revision, flags))
    const owner = serviceOf(revision)
    const service = flags.verbose && owner ? await client.find(serviceKind, { namespace, name: owner }) : undefined
    this.print(revisionText(revision, service, { verbose: flags.verbose, nowMs: this.nowMs() }))
  }
}
