import { Args, Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { namespaceFlag, waitFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { bareService, serviceFrom } from '../../src/cli/nouns/service.js'
import { serviceFromFile } from '../../src/cli/nouns/service-file.js'
import { serviceFlags } from '../../src/cli/nouns/service-flags.js'
import { replacementOf, waitWithProgress } from '../../src/cli/nouns/service-write.js'
import { sentences } from '../../src/cli/print/sentences.js'
import { serviceKind } from '../../src/kinds/service/kind.js'

export default class ServiceCreate extends KnCommand {
  static override summary = 'Create a service'
  static override usage = 'NAME --image IMAGE'
  static override args = { name: Args.string({ description: 'Name of the service.' }) }
  static override flags = {
    ...serviceFlags,
    filename: Flags.string({ char: 'f', description: 'File that describes the service in YAML or JSON; the flags change what it says.' }),
    force: Flags.boolean({ description: 'Replace the service if it exists.' }),
    ...waitFlags,
    ...namespaceFlag,
  }
  static override examples = [
    {
      description: 'Create a service from a sample image',
      command: '<%= config.bin %> service create hello --image ghcr.io/knative/helloworld-go:latest',
    },
    {
      description: 'With environment variables',
      command: '<%= config.bin %> service create hello --image IMAGE --env TARGET=World --env LEVEL=2',
    },
    { description: 'Replace a service that exists', command: '<%= config.bin %> service create --force hello --image IMAGE' },
    {
      description: 'Between one and five replicas, ten requests each',
      command: '<%= config.bin %> service create hello --image IMAGE --scale 1..5 --concurrency-limit 10',
    },
  ]

  async run(): Promise<void> {
    const { args, flags, argv } = await this.parse(ServiceCreate)
    if (argv.length !== 1 && !flags.filename) throw usageError("'service create' requires the service name given as single argument")
    if (!flags.image && !flags.filename)
      throw usageError("'service create' requires the image name to run provided with the --image option")

    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const base = flags.filename
      ? await serviceFromFile(await this.readInput(flags.filename), args.name, namespace)
      : bareService(args.name!, namespace)
    const draft = serviceFrom(base, flags, await this.flagContext())
    const name = draft.metadata.name!

    const existing = await client.find(serviceKind, { namespace, name })
    if (existing && !flags.force) throw usageError(sentences.serviceExists(name, namespace))
    if (existing) {
      const replaced = await client.update(serviceKind, replacementOf(existing, draft))
      if (replaced.metadata.generation === existing.metadata.generation)
        return this.log(sentences.serviceReplacedUnchanged(name, namespace))
    } else {
      await client.create(serviceKind, draft)
    }

    const done = existing ? 'replaced' : 'created'
    if (!flags.wait) {
      return this.log(existing ? sentences.serviceReplaced(name, namespace) : sentences.created('Service', name, namespace))
    }
    const title = existing ? sentences.replacingService(name, namespace) : sentences.creatingService(name, namespace)
    const ready = await waitWithProgress(client, { namespace, name }, flags, title, this.world)
    this.log(sentences.available(name, done, ready.status?.latestReadyRevisionName ?? ''))
    this.log(ready.status?.url ?? '')
  }
}
