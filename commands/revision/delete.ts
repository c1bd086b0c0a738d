import { Args, Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { deleteWaitFlags, namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { deleteEach } from '../../src/cli/nouns/deletion.js'
import { isUnreferenced, SERVICE_LABEL } from '../../src/cli/nouns/revision.js'
import { sentences } from '../../src/cli/print/sentences.js'
import type { Client } from '../../src/client/client.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'

export default class RevisionDelete extends KnCommand {
  static override summary = 'Delete revisions'
  static override usage = 'NAME [NAME ...]'
  static override args = { name: Args.string({ multiple: true, description: 'Names of the revisions.' }) }
  static override flags = {
    prune: Flags.string({ description: 'Delete the revisions of this service that no traffic goes to.' }),
    'prune-all': Flags.boolean({ description: 'Delete the revisions of all services that no traffic goes to.' }),
    ...deleteWaitFlags,
    ...namespaceFlag,
  }
  static override examples = [
    { description: 'Delete a revision', command: '<%= config.bin %> revision delete hello-00001' },
    { description: "Delete what the service 'hello' no longer uses", command: '<%= config.bin %> revision delete --prune hello' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(RevisionDelete)
    if (flags['prune-all'] && argv.length > 0) throw usageError("'kn revision delete' with --prune-all flag requires no arguments")
    const isPruning = flags['prune-all'] || Boolean(flags.prune)
    if (!isPruning && argv.length === 0) throw usageError("'kn revision delete' requires one or more revision name")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const names = isPruning ? await this.unreferenced(client, namespace, flags['prune-all'] ? undefined : flags.prune) : (argv as string[])
    if (names.length === 0) return this.log('No unreferenced revisions found.')
    const deleted = (name: string): void => this.log(sentences.deleted('Revision', name, namespace))
    await deleteEach({ client, kind: revisionKind, namespace, names, flags, clock: this.world.clock, deleted })
  }

  private async unreferenced(client: Client, namespace: string, service: string | undefined): Promise<string[]> {
    const revisions = await client.list(revisionKind, namespace, service ? { labelSelector: `${SERVICE_LABEL}=${service}` } : {})
    return revisions.filter(isUnreferenced).map(({ metadata }) => metadata.name)
  }
}
