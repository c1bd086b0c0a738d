import type { ObjectMeta } from '../../apimachinery/object.js'
import type { Revision } from '../../kinds/revision/schema.js'
import type { TrafficTarget } from '../../kinds/route/schema.js'
import type { Service } from '../../kinds/service/schema.js'
import { conditionLines } from '../print/conditions.js'
import { attribute, block, type DescribeOptions, listRows, metadataRows, nested, type Rows } from '../print/describe.js'
import { environmentSourceTexts, environmentTexts } from './environment.js'
import { SCALE_ANNOTATIONS } from './scale.js'

export const SERVICE_LABEL = 'serving.knative.dev/service'
export const GENERATION_LABEL = 'serving.knative.dev/configurationGeneration'

type RevisionMetadata = Pick<ObjectMeta, 'labels'>

/** The Knative Service a revision belongs to, '' for none. */
export function serviceOf({ metadata }: { metadata: RevisionMetadata }): string {
  return metadata.labels?.[SERVICE_LABEL] ?? ''
}

/** Which generation of its configuration a revision was made for; NaN when its label does not say. */
export function generationOf({ metadata }: { metadata: RevisionMetadata }): number {
  return Number.parseInt(metadata.labels?.[GENERATION_LABEL] ?? '', 10)
}

/** The share and the tags a revision has: `100%`, `current,candidate`. */
export function trafficCells(revision: string, targets: readonly TrafficTarget[] = []): { traffic: string; tags: string } {
  const own = targets.filter(({ revisionName }) => revisionName === revision)
  const percent = own.reduce((sum, target) => sum + (target.percent ?? 0), 0)
  return {
    traffic: percent === 0 ? '' : `${percent}%`,
    tags: own
      .map(({ tag }) => tag)
      .filter(Boolean)
      .join(','),
  }
}

/** By namespace, then service, then the newest generation, then name. */
export function byService(a: Revision, b: Revision): number {
  const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
  return (
    compare(a.metadata.namespace ?? '', b.metadata.namespace ?? '') ||
    compare(serviceOf(a), serviceOf(b)) ||
    (generationOf(b) || 0) - (generationOf(a) || 0) ||
    compare(a.metadata.name, b.metadata.name)
  )
}

const USER_IMAGE = 'client.knative.dev/user-image'

/** The image as people know it, and the build that runs: `example.org/foo:v2 (pinned to 1a2b3c)`. */
export function imageText({ metadata, spec, status }: Revision): string {
  const [container] = spec.containers
  if (!container) return 'Unknown'
  const digest = /sha256:([\da-f]{6})/i.exec(status?.containerStatuses?.[0]?.imageDigest ?? '')?.[1]
  if (!digest) return container.image
  const asked = metadata.annotations?.[USER_IMAGE]
  const [repository = ''] = container.image.split(container.image.includes('@') ? '@' : ':')
  return asked?.startsWith(repository) ? `${asked} (pinned to ${digest})` : `${container.image} (at ${digest})`
}

/** What any describe shows of a revision first. */
export function imageAndReplicas(revision: Revision): Rows {
  const { actualReplicas = 0, desiredReplicas = 0 } = revision.status ?? {}
  return [attribute('Image', imageText(revision)), attribute('Replicas', `${actualReplicas}/${desiredReplicas}`)]
}

/** What a describe shows of a revision beyond image and replicas. */
export function revisionRows({ metadata, spec }: Revision, { verbose }: DescribeOptions): Rows {
  const container = spec.containers[0]
  const annotations = metadata.annotations ?? {}
  const [port] = container?.ports ?? []
  const { limits = {}, requests = {} } = container?.resources ?? {}
  const { [SCALE_ANNOTATIONS.min]: min, [SCALE_ANNOTATIONS.max]: max } = annotations
  return [
    ...(port ? [attribute('Port', String(port.containerPort))] : []),
    ...listRows('Env', environmentTexts(container ?? {}), verbose),
    ...listRows('EnvFrom', environmentSourceTexts(container ?? {}), verbose),
    ...(min !== undefined || max !== undefined ? [attribute('Scale', `${min ?? '0'} ... ${max ?? '∞'}`)] : []),
    ...concurrencyRows(spec.containerConcurrency, annotations),
    ...resourceRows('Memory', requests['memory'], limits['memory']),
    ...resourceRows('CPU', requests['cpu'], limits['cpu']),
  ]
}

function concurrencyRows(limit: number | undefined, annotations: Readonly<Record<string, string>>): Rows {
  const rows = [
    ['Limit', limit ? String(limit) : undefined],
    ['Target', annotations[SCALE_ANNOTATIONS.target]],
    ['Window', annotations[SCALE_ANNOTATIONS.window]],
    ['TargetUtilization', annotations[SCALE_ANNOTATIONS.utilization]],
  ].flatMap(([label, value]) => (value === undefined ? [] : [attribute(label!, value)]))
  return rows.length === 0 ? [] : [attribute('Concurrency', ''), ...nested(rows)]
}

function resourceRows(label: string, request: string | undefined, limit: string | undefined): Rows {
  const text = [request, limit].filter(Boolean).join(' ... ')
  return text === '' ? [] : [attribute(label, text)]
}

/** `kn revision describe`, for people. `service` is looked up for `-v` only. */
export function revisionText(revision: Revision, service: Service | undefined, options: DescribeOptions): string {
  const head: Rows = [
    ...metadataRows(revision.metadata, options),
    ...imageAndReplicas(revision),
    ...revisionRows(revision, options),
    ...serviceRows(revision, service),
  ]
  return `${block(head)}\n${conditionLines(revision.status?.conditions, options).join('\n')}\n`
}

function serviceRows(revision: Revision, service: Service | undefined): Rows {
  const name = serviceOf(revision)
  if (name === '') return []
  if (!service) return [attribute('Service', name)]
  const { traffic, tags } = trafficCells(revision.metadata.name, service.status?.traffic)
  const { latestCreatedRevisionName, latestReadyRevisionName } = service.status ?? {}
  return [
    attribute('Service', name),
    ...nested([
      attribute('Configuration Generation', String(generationOf(revision))),
      attribute('Latest Created', String(latestCreatedRevisionName === revision.metadata.name)),
      attribute('Latest Ready', String(latestReadyRevisionName === revision.metadata.name)),
      ...(traffic ? [attribute('Traffic', traffic)] : []),
      ...(tags ? [attribute('Tags', tags)] : []),
    ]),
  ]
}

/** Whether no traffic target names a revision: what --prune deletes. */
export function isUnreferenced({ metadata }: Revision): boolean {
  return metadata.labels?.['serving.knative.dev/routingState'] !== 'active'
}
