import { Args, Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { deleteWaitFlags, namespaceFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { deleteEach } from '../../src/cli/nouns/deletion.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { serviceKind } from '../../src/kinds/service/kind.js'

export default class ServiceDelete extends KnCommand {
  static override summary = 'Delete services'
  static override usage = 'NAME [NAME ...]'
  static override args = { name: Args.string({ multiple: true, description: 'Names of the services.' }) }
  static override flags = {
    all: Flags.boolean({ description: 'Delete all services of the namespace.' }),
    ...deleteWaitFlags,
    ...namespaceFlag,
  }
  static override examples = [
    { description: "Delete the service 'hello'", command: '<%= config.bin %> service delete hello' },
    { description: "Delete all services of the namespace 'demo'", command: '<%= config.bin %> service delete --all -n demo' },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ServiceDelete)
    if (!flags.all && argv.length === 0) throw usageError("'service delete' requires the service name(s)")
    if (flags.all && argv.length > 0) throw usageError("'service delete' with --all flag requires no arguments")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const names = flags.all ? (await client.list(serviceKind, namespace)).map(({ metadata }) => metadata.name) : (argv as string[])
    if (names.length === 0) return this.log('No services found.')
    await deleteEach({
      client,
      kind: serviceKind,
      namespace,
      names,
      flags,
      clock: this.world.clock,
      deleted: (name) => this.log(sentences.serviceDeleted(name, namespace)),
      refuse: ({ metadata }) => (metadata.deletionTimestamp ? sentences.deletedAlready('service', metadata.name) : undefined),
    })
  }
}
