import { Args } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { namespaceFlag, waitFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { editedService } from '../../src/cli/nouns/service.js'
import { changesRevision, serviceFlags, trafficFlags } from '../../src/cli/nouns/service-flags.js'
import { lockedToDigest, updateService, waitWithProgress } from '../../src/cli/nouns/service-write.js'
import { trafficFrom } from '../../src/cli/nouns/traffic.js'
import { sentences } from '../../src/cli/print/sentences.js'
import type { Service } from '../../src/kinds/service/schema.js'

export default class ServiceUpdate extends KnCommand {
  static override summary = 'Update a service'
  static override usage = 'NAME'
  static override args = { name: Args.string({ description: 'Name of the service.' }) }
  static override flags = { ...serviceFlags, ...trafficFlags, ...waitFlags, ...namespaceFlag }
  static override examples = [
    {
      description: 'Change a variable and remove another',
      command: '<%= config.bin %> service update hello --env TARGET=Knative --env OLD-',
    },
    { description: 'Tag the latest revision', command: '<%= config.bin %> service update hello --tag @latest=stable' },
    {
      description: 'Split the traffic between a revision and the latest one',
      command: '<%= config.bin %> service update hello --traffic hello-00001=80 --traffic @latest=20',
    },
  ]

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ServiceUpdate)
    if (this.given.length === 0) throw usageError('flag(s) not set\nUsage: update NAME')
    const name = this.single(argv, "'service update' requires the service name given as single argument")
    const client = await this.connect(flags)
    const namespace = this.namespaceOf(flags)
    const context = await this.flagContext()
    const isNewRevision = changesRevision(this.given)

    const change = async (service: Service): Promise<Service> => {
      const isLocking = isNewRevision && flags.image === undefined && flags['lock-to-digest']
      const base = isLocking ? await lockedToDigest(client, service, { isAsked: this.isGiven('lock-to-digest') }) : service
      const edited = { ...base, ...editedService(base, flags, context) } as Service
      if (!this.isGiven('traffic', 'tag', 'untag')) return edited
      const traffic = trafficFrom(service.spec.traffic ?? [], flags, {
        service: name,
        latestReady: service.status?.latestReadyRevisionName ?? '',
        current: service.status?.traffic ?? [],
        isNewRevision,
      })
      return { ...edited, spec: { ...edited.spec, traffic } }
    }
    const { before, after } = await updateService(client, { namespace, name }, change, { clock: this.world.clock, random: context.random })

    if (after.metadata.generation === before.metadata.generation) {
      this.log(sentences.updated('Service', name, namespace))
      return this.log(sentences.noNewRevision)
    }
    if (!flags.wait) return this.log(sentences.updated('Service', name, namespace))
    const ready = await waitWithProgress(client, { namespace, name }, flags, sentences.updatingService(name, namespace), this.world)
    const revision = ready.status?.latestReadyRevisionName ?? ''
    const isSame = revision === before.status?.latestReadyRevisionName
    this.log(isSame ? sentences.unchanged(name, revision) : sentences.available(name, 'updated', revision))
    this.log(ready.status?.url ?? '')
  }
}
