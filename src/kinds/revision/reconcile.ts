import { type Conditions, conditionsOf } from '../../apimachinery/conditions.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { configMapKind } from '../core/configmap/kind.js'
import { deploymentKind } from '../core/deployment/kind.js'
import type { Deployment } from '../core/deployment/schema.js'
import { podKind } from '../core/pod/kind.js'
import type { Pod } from '../core/pod/schema.js'
import type { Engines } from '../engines.js'
import { imageKind } from '../image/kind.js'
import { isLeftover } from '../leftover.js'
import { SCALE_KEYS } from '../podautoscaler/annotations.js'
import { podAutoscalerKind } from '../podautoscaler/kind.js'
import type { PodAutoscaler } from '../podautoscaler/schema.js'
import { semanticEqual } from '../semantic-equal.js'
import { deploymentConfig, logUrl } from '../serving-config.js'
import { KNATIVE_SERVING_NAMESPACE, REVISION_LABEL, SERVING_CONTROLLER_USER } from '../serving-labels.js'
import { imageName, notOwnedMessage } from '../serving-names.js'
import { annotationsFor, correctedDeployment, deploymentFor, labelsFor, podAutoscalerFor } from './deployment.js'
import { createDigestResolver, type DigestResolver, hasDigests } from './digests.js'
import { markAutoscaler, markDeployment, markPod, replicasOf } from './health.js'
import { revisionKind } from './kind.js'
import { REVISION_CONDITIONS, REVISION_REASONS, type Revision } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer'> & { digests: DigestResolver }

/** ConfigMaps that shape a Revision's Deployment or its PodAutoscaler. */
const WATCHED_CONFIG: ReadonlySet<string> = new Set(['config-autoscaler', 'config-deployment', 'config-features', 'config-observability'])

/**
 * Pins a Revision's images, deploys them, and tells from Deployment, Pods and PodAutoscaler how they do.
 * @see knative/serving v1.23 pkg/reconciler/revision/revision.go
 */
export function createRevisionController({ images }: Pick<Engines, 'images'>): Controller<Revision> {
  return {
    kind: revisionKind,
    actsAs: SERVING_CONTROLLER_USER,
    owns: [deploymentKind, podAutoscalerKind, imageKind],
    wokenBy: [
      { kind: podKind, wakes: byLabel },
      // What a predecessor of the same name left behind, and goes away.
      { kind: deploymentKind, wakes: byLabel },
      { kind: podAutoscalerKind, wakes: byLabel },
      { kind: imageKind, wakes: byLabel },
      {
        kind: configMapKind,
        wakes: ({ metadata }, all) =>
          metadata.namespace === KNATIVE_SERVING_NAMESPACE && WATCHED_CONFIG.has(metadata.name)
            ? all.list().map((revision) => revision.metadata)
            : [],
      },
    ],
    create(deps) {
      const revisions = deps.informer(revisionKind)
      const digests = createDigestResolver({
        images,
        clock: deps.clock,
        configMap: deps.configMap,
        exists: (uid) => revisions.list().some(({ metadata }) => metadata.uid === uid),
      })
      return (revision) => reconcileRevision(revision, { ...deps, digests })
    },
  }
}

const byLabel: Wake['wakes'] = ({ metadata }) => {
  const name = metadata.labels?.[REVISION_LABEL]
  return name ? [{ namespace: metadata.namespace, name }] : []
}

async function reconcileRevision(observed: Revision, deps: Deps): Promise<Outcome<Revision>> {
  const { clock, configMap, digests, event } = deps
  const conditions = conditionsOf(observed, REVISION_CONDITIONS, clock.now())
  const wasReady = conditions.get('Ready')?.status === 'True'
  const { logUrl: _, ...before } = observed.status ?? {}
  const url = logUrl(configMap, observed.metadata.uid!)
  const status: NonNullable<Revision['status']> = { ...before, ...(url && { logUrl: url }) }

  if (!hasDigests(observed)) {
    const found = await digests.resolve(observed)
    if ('problem' in found) {
      conditions.isUnknown('ResourcesAvailable', REVISION_REASONS.resolvingDigests, '')
      conditions.isFalse('ContainerHealthy', REVISION_REASONS.containerMissing, found.problem)
      return { status: { ...status, conditions: conditions.list() }, requeueAfterMs: found.retryAfterMs }
    }
    Object.assign(status, found)
  }
  const revision: Revision = { ...observed, status }

  const isDeployed = await reconcileDeployment(revision, conditions, deps)
  if (isDeployed) {
    await ensureImages(revision, deps)
    const scaler = await ensurePodAutoscaler(revision, isDeployed, conditions, deps)
    if (scaler) {
      delete status.actualReplicas
      delete status.desiredReplicas
      Object.assign(status, replicasOf(scaler))
      markAutoscaler(conditions, scaler)
    }
  }
  if (!wasReady && conditions.get('Ready')?.status === 'True') {
    event(observed, 'Normal', 'RevisionReady', 'Revision becomes ready upon all resources being ready')
  }
  return { status: { ...status, conditions: conditions.list() } }
}

/** The Deployment as it is now, its state marked; undefined when a stranger has its name. */
async function reconcileDeployment(revision: Revision, conditions: Conditions, deps: Deps): Promise<Deployment | undefined> {
  const { client, configMap } = deps
  const wanted = deploymentFor(revision, configMap)
  const owned = await ensureOwned(client, deploymentKind, revision, wanted, { change: (existing) => correctedDeployment(existing, wanted) })
  if (!owned) {
    if (await isLeftover(client, deploymentKind, revision, wanted.metadata.name)) {
      conditions.isUnknown('ResourcesAvailable', REVISION_REASONS.deploying, '')
      return undefined
    }
    conditions.isFalse('ResourcesAvailable', REVISION_REASONS.notOwned, notOwnedMessage('Deployment', wanted.metadata.name))
    return undefined
  }
  const deployment = owned.object
  if (owned.result === 'created') {
    conditions.isUnknown('ResourcesAvailable', REVISION_REASONS.deploying, '')
    conditions.isUnknown('ContainerHealthy', REVISION_REASONS.deploying, '')
    return deployment
  }
  markDeployment(conditions, deployment)
  if ((deployment.spec.replicas ?? 1) > 0 && !deployment.status?.availableReplicas) {
    const pod = firstPod(revision, deps)
    if (pod) markPod(conditions, pod, deployment, deploymentConfig(configMap).podIsAlwaysSchedulable)
  }
  if ((deployment.status?.readyReplicas ?? 0) > 0) conditions.isTrue('ContainerHealthy')
  return deployment
}

/** One Pod speaks for all: when none is available they all have the same trouble. */
function firstPod({ metadata }: Revision, { informer }: Deps): Pod | undefined {
  let first: Pod | undefined
  for (const pod of informer(podKind).list(metadata.namespace)) {
    if (pod.metadata.labels?.[REVISION_LABEL] === metadata.name && (!first || pod.metadata.name < first.metadata.name)) first = pod
  }
  return first
}

async function ensureImages(revision: Revision, { client, informer }: Deps): Promise<void> {
  const { metadata, spec, status } = revision
  const present = informer(imageKind)
  for (const { name, imageDigest } of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const child = imageName(metadata.name, name)
    if (present.get({ namespace: metadata.namespace, name: child })) continue
    const container = [...(spec.initContainers ?? []), ...spec.containers].find((candidate) => candidate.name === name)
    await ensureOwned(
      client,
      imageKind,
      revision,
      {
        metadata: { name: child, labels: labelsFor(revision), annotations: annotationsFor(revision) },
        spec: {
          image: imageDigest || (container?.image ?? ''),
          ...(spec.serviceAccountName && { serviceAccountName: spec.serviceAccountName }),
          ...(spec.imagePullSecrets && { imagePullSecrets: spec.imagePullSecrets }),
        },
      },
      { change: (existing) => existing },
    )
  }
}

/** Annotations that the PodAutoscaler's own webhook fills in. */
const DEFAULTED: ReadonlySet<string> = new Set([...SCALE_KEYS.class, ...SCALE_KEYS.metric])

/** The PodAutoscaler, told again what the Revision asks for; undefined when a stranger has its name. */
async function ensurePodAutoscaler(
  revision: Revision,
  deployment: Deployment,
  conditions: Conditions,
  { client }: Deps,
): Promise<PodAutoscaler | undefined> {
  const isBroken = conditions.get('ResourcesAvailable')?.status === 'False' || conditions.get('ContainerHealthy')?.status === 'False'
  const isUnreachable = isBroken && (deployment.spec.replicas ?? 1) > 0 && !deployment.status?.readyReplicas
  const wanted = podAutoscalerFor(revision, isUnreachable)
  const owned = await ensureOwned(client, podAutoscalerKind, revision, wanted, {
    change(existing) {
      const kept = Object.entries(existing.metadata.annotations ?? {}).filter(
        ([key]) => !key.startsWith('autoscaling.knative.dev') || DEFAULTED.has(key),
      )
      const annotations = { ...Object.fromEntries(kept), ...wanted.metadata.annotations }
      const isRight = semanticEqual(existing.spec, wanted.spec) && semanticEqual(existing.metadata.annotations, annotations)
      return isRight ? existing : { ...existing, spec: wanted.spec, metadata: { ...existing.metadata, annotations } }
    },
  })
  if (owned) return owned.object
  if (await isLeftover(client, podAutoscalerKind, revision, wanted.metadata.name)) return undefined
  conditions.isFalse('ResourcesAvailable', REVISION_REASONS.notOwned, notOwnedMessage('PodAutoscaler', wanted.metadata.name))
  return undefined
}
