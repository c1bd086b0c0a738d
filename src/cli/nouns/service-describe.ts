import { readyCondition } from '../../apimachinery/conditions.js'
import type { Client } from '../../client/client.js'
import { revisionKind } from '../../kinds/revision/kind.js'
import type { Revision } from '../../kinds/revision/schema.js'
import type { TrafficTarget } from '../../kinds/route/schema.js'
import { PORT_ANNOTATION, type Service } from '../../kinds/service/schema.js'
import { usageError } from '../arguments.js'
import { shortAge } from '../print/ages.js'
import { conditionLines } from '../print/conditions.js'
import { attribute, block, type DescribeOptions, metadataRows, type Rows } from '../print/describe.js'
import { generationOf, imageAndReplicas, revisionRows, SERVICE_LABEL } from './revision.js'

/** A revision as a service's describe shows it: once for every target that leads to it. */
export interface ShownRevision {
  revision: Revision
  target: TrafficTarget | undefined
}

/**
 * The revisions worth showing: those with traffic or a tag, the latest created and the latest ready one; with `all` every other
 * one too. Newest first. Throws what the API refuses, and a usage error for a revision without a generation.
 */
export async function shownRevisions(client: Client, service: Service, { all }: { all: boolean }): Promise<readonly ShownRevision[]> {
  const { namespace, name } = service.metadata
  const { traffic = [], latestCreatedRevisionName, latestReadyRevisionName } = service.status ?? {}
  const shown: ShownRevision[] = []
  const seen = new Set<string>()
  const add = (revision: Revision, target?: TrafficTarget): void => {
    if (Number.isNaN(generationOf(revision))) {
      throw usageError(
        `cannot extract configuration generation for revision ${revision.metadata.name}: strconv.ParseInt: parsing "": invalid syntax`,
      )
    }
    seen.add(revision.metadata.name)
    shown.push({ revision, target })
  }
  for (const target of traffic) {
    const revisionName = target.revisionName ?? latestCreatedRevisionName
    if (revisionName) add(await client.get(revisionKind, { namespace, name: revisionName }), target)
  }
  for (const latest of [latestCreatedRevisionName, latestReadyRevisionName]) {
    if (latest && !seen.has(latest)) add(await client.get(revisionKind, { namespace, name: latest }))
  }
  if (all) {
    const others = await client.list(revisionKind, namespace, { labelSelector: `${SERVICE_LABEL}=${name}` })
    for (const revision of others) if (!seen.has(revision.metadata.name)) add(revision)
  }
  return shown.sort((a, b) => generationOf(b.revision) - generationOf(a.revision))
}

/** `kn service describe`, for people. */
export function serviceText(service: Service, revisions: readonly ShownRevision[], options: DescribeOptions): string {
  const { spec, status, metadata } = service
  const port = metadata.annotations?.[PORT_ANNOTATION]
  const { serviceAccountName, imagePullSecrets } = spec.template.spec
  const head: Rows = [
    ...metadataRows(metadata, options),
    attribute('URL', status?.url ?? ''),
    ...(port ? [attribute('Local URL', `http://localhost:${port}`)] : []),
    ...(options.verbose && status?.address?.url ? [attribute('Cluster', status.address.url)] : []),
    ...(serviceAccountName ? [attribute('Service Account', serviceAccountName)] : []),
    ...(imagePullSecrets?.[0] ? [attribute('Image Pull Secret', imagePullSecrets[0].name)] : []),
  ]
  const body = revisions.flatMap((shown) => shownRows(service, shown, options))
  const conditions = conditionLines(status?.conditions, options)
  return `${block(head)}\n${block([attribute('Revisions', '')])}${block(body)}\n${conditions.join('\n')}\n`
}

function shownRows({ status }: Service, { revision, target }: ShownRevision, options: DescribeOptions): Rows {
  const ready = readyCondition(revision)
  const details: Rows = [
    ...(ready?.status === 'False' ? [attribute('Error', ready.reason ?? '')] : []),
    ...imageAndReplicas(revision),
    ...(options.verbose ? revisionRows(revision, options) : []),
  ]
  const { name } = revision.metadata
  const title = target?.latestRevision
    ? `@latest (${name})`
    : name === status?.latestReadyRevisionName
      ? `${name} (current @latest)`
      : name === status?.latestCreatedRevisionName
        ? `${name} (latest created)`
        : name
  const tag = target?.tag ? ` #${target.tag}` : ''
  const age = shortAge(revision.metadata.creationTimestamp, options.nowMs)
  return [
    [`  ${bullet(target?.percent ?? 0, ready?.status)}`, `${title}${tag} [${generationOf(revision)}] (${age})`],
    ...details.map((row) => ['', ...row]),
  ]
}

/** Four characters: the share, and how the revision is. */
function bullet(percent: number, ready: string | undefined): string {
  const symbol = ready === 'True' ? (percent > 0 ? '%' : '+') : ready === 'False' ? '!' : '?'
  return `${percent === 0 ? '   ' : String(percent).padStart(3)}${symbol}`
}
