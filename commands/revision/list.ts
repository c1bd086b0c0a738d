import { Args, Flags } from '@oclif/core'
import { refText } from '../../src/apimachinery/object.js'
import { usageError } from '../../src/cli/arguments.js'
import { allNamespacesFlag, namespaceFlag, noHeadersFlag, outputFlags } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { byService, generationOf, SERVICE_LABEL, serviceOf, trafficCells } from '../../src/cli/nouns/revision.js'
import { conditionsCell, readyCell, reasonCell } from '../../src/cli/print/conditions.js'
import { ageCell, listing, withNamespaces } from '../../src/cli/print/lists.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import type { Revision } from '../../src/kinds/revision/schema.js'
import { serviceKind } from '../../src/kinds/service/kind.js'

/** Longer cells are cut, so that a table stays one. */
const MOST_CHARACTERS = 50

export default class RevisionList extends KnCommand {
  static override summary = 'List revisions'
  static override description = 'List the revisions of a service, or of all services.'
  static override usage = ''
  static override args = { name: Args.string({ description: 'Name of the only revision to list.' }) }
  static override flags = {
    service: Flags.string({ char: 's', description: 'List the revisions of this service only.' }),
    ...namespaceFlag,
    ...allNamespacesFlag,
    ...outputFlags(),
    ...noHeadersFlag,
  }
  static override examples = [
    { description: 'List all revisions', command: '<%= config.bin %> revision list' },
    { description: "List those of the service 'hello'", command: '<%= config.bin %> revision list -s hello' },
  ]

  async run(): Promise<void> {
    const { args, flags, argv } = await this.parse(RevisionList)
    if (argv.length > 1) throw usageError(`'kn revision list' accepts maximum 1 argument, not ${argv.length} arguments as given`)
    const client = await this.connect(flags)
    const namespace = this.namespacesOf(flags)
    if (flags.service && namespace) await client.get(serviceKind, { namespace, name: flags.service })
    const revisions = [
      ...(await client.list(revisionKind, namespace, {
        ...(args.name && { fieldSelector: `metadata.name=${args.name}` }),
        ...(flags.service && { labelSelector: `${SERVICE_LABEL}=${flags.service}` }),
      })),
    ].sort(byService)
    // Shares and tags stand on the services; with -o they are not shown.
    const services = flags.output || revisions.length === 0 ? [] : await client.list(serviceKind, namespace)
    const traffic = new Map(services.map((service) => [refText(service.metadata), service.status?.traffic]))
    const nowMs = this.nowMs()
    const table = {
      columns: ['Name', 'Service', 'Traffic', 'Tags', 'Generation', 'Age', 'Conditions', 'Ready', 'Reason'],
      row: (revision: Revision) => {
        const service = serviceOf(revision)
        const own = { namespace: revision.metadata.namespace, name: service }
        const cells = trafficCells(revision.metadata.name, traffic.get(refText(own)))
        return [
          revision.metadata.name,
          service,
          cells.traffic,
          cells.tags,
          Number.isNaN(generationOf(revision)) ? '' : String(generationOf(revision)),
          ageCell(revision, nowMs),
          conditionsCell(revision),
          readyCell(revision),
          reasonCell(revision),
        ].map((cell) => (cell.length <= MOST_CHARACTERS ? cell : `${cell.slice(0, MOST_CHARACTERS - 4)} ...`))
      },
    }
    const shown = withNamespaces(table, flags['all-namespaces'])
    this.print(await listing({ kind: revisionKind, items: revisions, ...shown, empty: 'No revisions found.' }, flags))
  }
}
