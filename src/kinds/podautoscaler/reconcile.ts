import { type Conditions, conditionsOf, isReady, readyCondition } from '../../apimachinery/conditions.js'
import { isControlledBy, type KubeObject, type ObjectRef } from '../../apimachinery/object.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { configMapKind } from '../core/configmap/kind.js'
import { deploymentKind } from '../core/deployment/kind.js'
import { podKind } from '../core/pod/kind.js'
import type { Engines } from '../engines.js'
import { semanticEqual } from '../semantic-equal.js'
import { serverlessServiceKind } from '../serverlessservice/kind.js'
import type { ServerlessService } from '../serverlessservice/schema.js'
import { type AutoscalerConfig, autoscalerConfig, KPA_CLASS } from '../serving-config.js'
import { KNATIVE_SERVING_NAMESPACE, mapWithout, REVISION_LABEL, REVISION_UID_LABEL, SERVING_CONTROLLER_USER } from '../serving-labels.js'
import { notOwnedMessage } from '../serving-names.js'
import { podAutoscalerKind } from './kind.js'
import { activeThreshold, boundedScale, classOf, initialScale } from './scale.js'
import { POD_AUTOSCALER_CONDITIONS, POD_AUTOSCALER_REASONS, type PodAutoscaler } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'informer'>
type Desired = Pick<Engines, 'desiredScale'>

/** Not known: nothing is scaled, and a number that was known stays. */
const UNKNOWN = -1
/** How many activators a Revision gets while nobody has counted its load (kpa.go, minActivators). */
const ACTIVATORS = 2

/**
 * Scales the Deployment of a Revision to the number that `engines.desiredScale` decides, and says whether the Revision is
 * active. Without an autoscaler it keeps the initial scale and never goes to zero.
 *
 * @see knative/serving v1.23 pkg/reconciler/autoscaling/kpa/kpa.go
 */
export function createPodAutoscalerController(engines: Desired): Controller<PodAutoscaler> {
  return {
    kind: podAutoscalerKind,
    actsAs: SERVING_CONTROLLER_USER,
    owns: [serverlessServiceKind],
    wokenBy: [
      { kind: podKind, wakes: byRevision },
      { kind: deploymentKind, wakes: byRevision },
      // What a predecessor of the same name left behind, and goes away.
      { kind: serverlessServiceKind, wakes: byRevision },
      {
        kind: configMapKind,
        wakes: ({ metadata }, all) =>
          metadata.namespace === KNATIVE_SERVING_NAMESPACE && metadata.name === 'config-autoscaler'
            ? all.list().map((pa) => pa.metadata)
            : [],
      },
    ],
    create: (deps) => (pa) => reconcilePodAutoscaler(pa, deps, engines),
  }
}

/** A PodAutoscaler has the name of its Revision. */
const byRevision = ({ metadata }: KubeObject): readonly ObjectRef[] => {
  const name = metadata.labels?.[REVISION_LABEL]
  return name ? [{ namespace: metadata.namespace, name }] : []
}

async function reconcilePodAutoscaler(pa: PodAutoscaler, deps: Deps, engines: Desired): Promise<Outcome<PodAutoscaler>> {
  // Other classes belong to other autoscalers.
  if (classOf(pa) !== KPA_CLASS) return {}
  const config = autoscalerConfig(deps.configMap)
  const conditions = conditionsOf(pa, POD_AUTOSCALER_CONDITIONS, deps.clock.now())
  // The definition requires both names, known or not.
  const status: NonNullable<PodAutoscaler['status']> = {
    ...pa.status,
    serviceName: pa.status?.serviceName ?? '',
    metricsServiceName: pa.status?.metricsServiceName ?? '',
  }
  const isInitialized = conditions.get('ScaleTargetInitialized')?.status === 'True'

  const before = await deps.client.find(serverlessServiceKind, pa.metadata)
  if (before && !isControlledBy(before, pa)) {
    conditions.isFalse('Active', 'NotOwned', notOwnedMessage('ServerlessService', before.metadata.name))
    return { status: { ...status, conditions: conditions.list() } }
  }
  if (!before?.status?.privateServiceName) {
    await ensureServerlessService(pa, 'Proxy', deps)
    conditions.isUnknown('SKSReady', POD_AUTOSCALER_REASONS.notReady, 'No Private Service Name')
    markActive(conditions, pa, config, { want: UNKNOWN, ready: readyPods(pa, deps) }, status)
    return { status: { ...status, conditions: conditions.list() } }
  }
  status.metricsServiceName = before.status.privateServiceName

  const want = wantedScale(pa, config, isInitialized, engines)
  await scaleDeployment(pa, want, deps)
  const sks = await ensureServerlessService(pa, want > 0 ? 'Serve' : 'Proxy', deps)
  if (sks) {
    status.serviceName = sks.status?.serviceName ?? ''
    if (isReady(sks)) conditions.isTrue('SKSReady')
    else conditions.isUnknown('SKSReady', POD_AUTOSCALER_REASONS.notReady, readyCondition(sks)?.message ?? '')
  }
  markActive(conditions, pa, config, { want, ready: readyPods(pa, deps) }, status)
  return { status: { ...status, conditions: conditions.list() } }
}

/** How many replicas there should be now, within the bounds; -1 when the autoscaler does not know. */
function wantedScale(pa: PodAutoscaler, config: AutoscalerConfig, isInitialized: boolean, engines: Desired): number {
  if (!engines.desiredScale) return boundedScale(pa, config, Math.max(initialScale(pa.metadata, config), 1), isInitialized)
  const desired = engines.desiredScale(pa) ?? UNKNOWN
  return desired < 0 ? UNKNOWN : boundedScale(pa, config, desired, isInitialized)
}

async function scaleDeployment({ metadata, spec }: PodAutoscaler, want: number, { client }: Deps): Promise<void> {
  if (want < 0) return
  const ref = { namespace: metadata.namespace, name: spec.scaleTargetRef.name }
  const deployment = await client.find(deploymentKind, ref)
  if (!deployment || (deployment.spec.replicas ?? 1) === want) return
  await client.patch(deploymentKind, ref, { type: 'application/merge-patch+json', body: { spec: { replicas: want } } })
}

function readyPods({ metadata }: PodAutoscaler, { informer }: Deps): number {
  const revisionUid = metadata.labels?.[REVISION_UID_LABEL]
  return informer(podKind)
    .list(metadata.namespace)
    .filter(
      (pod) =>
        pod.metadata.labels?.[REVISION_UID_LABEL] === revisionUid &&
        !pod.metadata.deletionTimestamp &&
        pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    ).length
}

/** The ServerlessService of the same name; undefined when a stranger has it. */
async function ensureServerlessService(
  pa: PodAutoscaler,
  mode: 'Proxy' | 'Serve',
  { client }: Deps,
): Promise<ServerlessService | undefined> {
  const { metadata, spec } = pa
  const wanted = { mode, objectRef: spec.scaleTargetRef, protocolType: spec.protocolType, numActivators: ACTIVATORS }
  const owned = await ensureOwned(
    client,
    serverlessServiceKind,
    pa,
    {
      metadata: {
        name: metadata.name,
        labels: { ...metadata.labels },
        annotations: mapWithout(metadata.annotations, (key) => key.startsWith('autoscaling.knative.dev')),
      },
      spec: wanted,
    },
    { change: (existing) => (semanticEqual(existing.spec, wanted) ? existing : { ...existing, spec: wanted }) },
  )
  return owned?.object
}

const NO_TRAFFIC = 'The target is not receiving traffic.'

/** Sets the numbers in `status` and the conditions that follow from them. */
function markActive(
  conditions: Conditions,
  pa: PodAutoscaler,
  config: AutoscalerConfig,
  { want, ready }: { want: number; ready: number },
  status: NonNullable<PodAutoscaler['status']>,
): void {
  status.actualScale = ready
  // Not knowing never replaces a number that was known.
  if (want >= 0 || status.desiredScale === undefined) status.desiredScale = want

  const minReady = activeThreshold(pa, config, conditions.get('ScaleTargetInitialized')?.status === 'True')
  const { status: active, reason } = conditions.get('Active') ?? {}
  const { noTraffic, timedOut, queued } = POD_AUTOSCALER_REASONS
  if (status.serviceName && ready >= minReady) conditions.isTrue('ScaleTargetInitialized')

  if (want === 0 || minReady === 0) {
    // Going to zero while still activating means that it was given up; looking again does not make that an idle target.
    const isGivenUp = active === 'Unknown' || reason === timedOut
    if (isGivenUp && minReady > 0) conditions.isFalse('Active', timedOut, 'The target could not be activated.')
    else conditions.isFalse('Active', noTraffic, NO_TRAFFIC)
  } else if (ready < minReady) {
    if (want > 0 || active !== 'False') {
      conditions.isUnknown('Active', queued, 'Requests to the target are being buffered as resources are provisioned.')
    } else if (reason !== timedOut) {
      conditions.isFalse('Active', noTraffic, NO_TRAFFIC)
    }
  } else if (want > 0 || active !== 'False') {
    conditions.isTrue('Active')
  }
}
