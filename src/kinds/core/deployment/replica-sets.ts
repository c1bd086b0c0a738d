import { createHash } from 'node:crypto'
import { controllerReference, isControlledBy } from '../../../apimachinery/object.js'
import { isAlreadyExists } from '../../../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../../../controller/reconcile.js'
import { asJson, isSameJson } from '../../../controller/same-json.js'
import type { PodTemplateSpec } from '../pod/schema.js'
import { replicaSetKind } from '../replicaset/kind.js'
import type { ReplicaSet } from '../replicaset/schema.js'
import { fenceposts, newSize, replicasOf } from './rolling.js'
import type { Deployment } from './schema.js'

export const HASH_LABEL = 'pod-template-hash'
export const REVISION = 'deployment.kubernetes.io/revision'
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
/** Annotations that a ReplicaSet does not take over from its Deployment. */
const OWN_ANNOTATIONS = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
])
const SAFE_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Why there is no ReplicaSet for the present template yet. */
export type NoReplicaSet = { collision: true } | { problem: string }

export function isSameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return isSameJson(withoutHash(a), withoutHash(b))
}

/** The one of the present template: the oldest, should there be several. */
export function findNew({ spec }: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(byCreation).find((set) => isSameTemplate(set.spec.template, spec.template))
}

export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (first !== second) return first < second ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

export function revisionOf({ metadata }: { metadata: { annotations?: Record<string, string> } }): number {
  return Number(metadata.annotations?.[REVISION] ?? 0) || 0
}

export function desiredReplicasOf({ metadata }: ReplicaSet): number | undefined {
  const text = metadata.annotations?.[DESIRED_REPLICAS]
  return text === undefined ? undefined : Number(text)
}

export function maxReplicasOf({ metadata }: ReplicaSet): number | undefined {
  const text = metadata.annotations?.[MAX_REPLICAS]
  return text === undefined ? undefined : Number(text)
}

/** Brings the annotations of the present ReplicaSet up to date: it becomes the newest revision, also when it is an old one come back. */
export async function refreshNew(
  { client }: ReconcilerDeps,
  deployment: Deployment,
  next: ReplicaSet,
  newest: number,
): Promise<ReplicaSet> {
  const annotations = annotationsFor(deployment, next, newest)
  const minReadySeconds = deployment.spec.minReadySeconds
  if (isSameJson(annotations, next.metadata.annotations ?? {}) && (next.spec.minReadySeconds ?? 0) === (minReadySeconds ?? 0)) return next
  return client.update(
    replicaSetKind,
    asJson({ ...next, metadata: { ...next.metadata, annotations }, spec: { ...next.spec, minReadySeconds } }) as ReplicaSet,
  )
}

/** Creates the ReplicaSet of the present template, already as big as the rollout allows. */
export async function createNew(
  deps: ReconcilerDeps,
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  revision: number,
): Promise<ReplicaSet | NoReplicaSet> {
  const { client, event } = deps
  const { metadata, spec } = deployment
  const hash = templateHash(spec.template, (deployment.status as { collisionCount?: number } | undefined)?.collisionCount)
  const template = {
    ...spec.template,
    metadata: { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, [HASH_LABEL]: hash } },
  }
  const replicas = newSize(deployment, sets, 0)
  const name = `${metadata.name}-${hash}`
  const draft = {
    metadata: {
      name,
      namespace: metadata.namespace!,
      labels: template.metadata.labels,
      annotations: { ...annotationsFor(deployment, undefined, revision), ...sizeAnnotations(deployment) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(spec.minReadySeconds !== undefined && { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [HASH_LABEL]: hash } },
      template,
    },
  }
  try {
    const created = await client.create(replicaSetKind, draft)
    if (replicas > 0) event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`)
    return created
  } catch (error) {
    if (isAlreadyExists(error)) {
      const present = await client.find(replicaSetKind, { namespace: metadata.namespace, name })
      if (present && isControlledBy(present, deployment) && isSameTemplate(present.spec.template, spec.template)) return present
      return { collision: true }
    }
    const problem = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : String(error)}`
    event(deployment, 'Warning', 'FailedCreate', problem)
    return { problem }
  }
}

/** Resizes a ReplicaSet and says so; what it was made for is noted beside. */
export async function resize(deps: ReconcilerDeps, deployment: Deployment, set: ReplicaSet, replicas: number): Promise<ReplicaSet> {
  const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) }
  const before = replicasOf(set)
  if (before === replicas && isSameJson(annotations, set.metadata.annotations)) return set
  const resized = await deps.client.update(replicaSetKind, {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas },
  })
  if (before !== replicas) {
    const text = `Scaled ${before < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${replicas}`
    deps.event(deployment, 'Normal', 'ScalingReplicaSet', text)
  }
  return resized
}

function annotationsFor(deployment: Deployment, set: ReplicaSet | undefined, newest: number): Record<string, string> {
  const annotations = { ...set?.metadata.annotations }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!OWN_ANNOTATIONS.has(key)) annotations[key] = value
  const old = annotations[REVISION]
  if (Number(old ?? 0) < newest) {
    if (old) annotations[REVISION_HISTORY] = annotations[REVISION_HISTORY] ? `${annotations[REVISION_HISTORY]},${old}` : old
    annotations[REVISION] = String(newest)
  }
  return annotations
}

function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec.replicas ?? 1
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + fenceposts(deployment).maxSurge) }
}

function withoutHash(template: PodTemplateSpec | undefined): unknown {
  const { [HASH_LABEL]: _, ...labels } = template?.metadata?.labels ?? {}
  return { ...template, metadata: { ...template?.metadata, labels } }
}

/** Eight to ten characters that no word is made of, as upstream's SafeEncodeString gives (the hash itself is our own). */
function templateHash(template: PodTemplateSpec, collisionCount: number | undefined): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(template))
    .update(String(collisionCount ?? ''))
    .digest()
  return [...String(digest.readUInt32BE(0))].map((digit) => SAFE_LETTERS[digit.charCodeAt(0) % SAFE_LETTERS.length]).join('')
}
