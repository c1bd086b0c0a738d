import { conditionsOf, isReady, readyCondition } from '../../apimachinery/conditions.js'
import { isControlledBy, type KubeObject, type ObjectRef } from '../../apimachinery/object.js'
import type { Decision } from '../../autoscaler/decider.js'
import { goDurationMs } from '../../base/duration.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { configMapKind } from '../core/configmap/kind.js'
import { deploymentKind } from '../core/deployment/kind.js'
import { podKind } from '../core/pod/kind.js'
import type { Engines } from '../engines.js'
import { semanticEqual } from '../semantic-equal.js'
import { serverlessServiceKind } from '../serverlessservice/kind.js'
import type { ServerlessService } from '../serverlessservice/schema.js'
import { deploymentConfig, KPA_CLASS } from '../serving-config.js'
import {
  annotationOf,
  KNATIVE_SERVING_NAMESPACE,
  mapWithout,
  PROGRESS_DEADLINE_KEYS,
  REVISION_LABEL,
  REVISION_UID_LABEL,
  SERVING_CONTROLLER_USER,
} from '../serving-labels.js'
import { notOwnedMessage } from '../serving-names.js'
import { markActivity } from './activity.js'
import { podAutoscalerKind } from './kind.js'
import { activeThreshold, boundedScale, classOf, initialScale, UNKNOWN_SCALE } from './scale.js'
import { gateBeforeZero, type Zero } from './scale-to-zero.js'
import { POD_AUTOSCALER_CONDITIONS, POD_AUTOSCALER_REASONS, type PodAutoscaler } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'informer'> & { autoscaler: Engines['autoscaler'] }

/** A Revision never has fewer activators (kpa.go, minActivators). */
const LEAST_ACTIVATORS = 2

const WATCHED_CONFIG: ReadonlySet<string> = new Set(['config-autoscaler', 'config-deployment'])

/**
 * Scales the Deployment of a Revision to the number that the autoscaler decides, within the Revision's bounds and, at the end,
 * through the gate before zero; says whether the Revision is active, and whether its requests pass the activator.
 *
 * @see knative/serving v1.23 pkg/reconciler/autoscaling/kpa/{kpa,scaler}.go
 */
export function createPodAutoscalerController({ autoscaler }: Pick<Engines, 'autoscaler'>): Controller<PodAutoscaler> {
  return {
    kind: podAutoscalerKind,
    actsAs: SERVING_CONTROLLER_USER,
    awaited: 'work',
    owns: [serverlessServiceKind],
    wokenBy: [
      { kind: podKind, wakes: byRevision },
      { kind: deploymentKind, wakes: byRevision },
      // What a predecessor of the same name left behind, and goes away.
      { kind: serverlessServiceKind, wakes: byRevision },
      {
        kind: configMapKind,
        wakes: ({ metadata }, all) =>
          metadata.namespace === KNATIVE_SERVING_NAMESPACE && WATCHED_CONFIG.has(metadata.name) ? all.list().map((pa) => pa.metadata) : [],
      },
    ],
    create(deps) {
      const ends = [
        autoscaler.onDecision(deps.wake),
        deps.informer(podAutoscalerKind).onChange(({ type, object, previous }) => {
          if (type === 'DELETED' || (previous && previous.metadata.uid !== object.metadata.uid)) autoscaler.forget(object.metadata)
        }),
      ]
      deps.stopped.addEventListener('abort', () => {
        for (const end of ends) end()
      })
      return (pa) => reconcilePodAutoscaler(pa, { ...deps, autoscaler })
    },
  }
}

/** A PodAutoscaler has the name of its Revision. */
const byRevision = ({ metadata }: KubeObject): readonly ObjectRef[] => {
  const name = metadata.labels?.[REVISION_LABEL]
  return name ? [{ namespace: metadata.namespace, name }] : []
}

async function reconcilePodAutoscaler(pa: PodAutoscaler, deps: Deps): Promise<Outcome<PodAutoscaler>> {
  // Other classes belong to other autoscalers.
  if (classOf(pa) !== KPA_CLASS) return {}
  const { autoscaler, client, clock } = deps
  const config = autoscaler.config()
  const conditions = conditionsOf(pa, POD_AUTOSCALER_CONDITIONS, clock.now())
  // The definition requires both names, known or not.
  const status: NonNullable<PodAutoscaler['status']> = {
    ...pa.status,
    serviceName: pa.status?.serviceName ?? '',
    metricsServiceName: pa.status?.metricsServiceName ?? '',
  }
  const minReady = (isInitialized: boolean): number => activeThreshold(pa, config, isInitialized)

  const before = await client.find(serverlessServiceKind, pa.metadata)
  if (before && !isControlledBy(before, pa)) {
    conditions.isFalse('Active', 'NotOwned', notOwnedMessage('ServerlessService', before.metadata.name))
    return { status: { ...status, conditions: conditions.list() } }
  }
  if (!before?.status?.privateServiceName) {
    await ensureServerlessService(pa, { mode: 'Proxy', numActivators: LEAST_ACTIVATORS }, deps)
    conditions.isUnknown('SKSReady', POD_AUTOSCALER_REASONS.notReady, 'No Private Service Name')
    markActivity(conditions, status, { want: UNKNOWN_SCALE, ready: readyPods(pa, deps), minReady })
    return { status: { ...status, conditions: conditions.list() } }
  }
  status.metricsServiceName = before.status.privateServiceName

  const decision = autoscaler.follow({
    namespace: pa.metadata.namespace!,
    name: pa.metadata.name,
    annotations: pa.metadata.annotations ?? {},
    containerConcurrency: pa.spec.containerConcurrency ?? 0,
    isReachable: pa.spec.reachability !== 'Unreachable',
    initialScale: initialScale(pa.metadata, config),
    readyPods: () => readyPods(pa, deps),
  })
  const active = conditions.get('Active')
  const isInitialized = conditions.get('ScaleTargetInitialized')?.status === 'True'
  const { want, isApplied, requeueAfterMs } = scaleFor(pa, { decision, active, isInitialized, sks: before }, deps)
  if (isApplied) await scaleDeployment(pa, want, deps)

  const ready = readyPods(pa, deps)
  const isDirect = want > 0 && decision.excessBurstCapacity >= 0
  const wanted = { mode: isDirect ? ('Serve' as const) : ('Proxy' as const), numActivators: activatorsFor(decision, ready) }
  const sks = await ensureServerlessService(pa, wanted, deps)
  if (sks) {
    status.serviceName = sks.status?.serviceName ?? ''
    if (isReady(sks)) conditions.isTrue('SKSReady')
    else conditions.isUnknown('SKSReady', POD_AUTOSCALER_REASONS.notReady, readyCondition(sks)?.message ?? '')
  }
  markActivity(conditions, status, { want, ready, minReady })
  return { status: { ...status, conditions: conditions.list() }, requeueAfterMs }
}

/** How many Pods there should be now, within the bounds, and whether the Deployment is told. */
function scaleFor(
  pa: PodAutoscaler,
  seen: { decision: Decision; active: ReturnType<ReturnType<typeof conditionsOf>['get']>; isInitialized: boolean; sks: ServerlessService },
  { autoscaler, clock, configMap }: Deps,
): Zero {
  const { decision, active, isInitialized, sks } = seen
  const isActivating = !active || active.status === 'Unknown'
  if (decision.desiredScale < 0 && !isActivating) return { want: UNKNOWN_SCALE, isApplied: false }
  const config = autoscaler.config()
  const want = boundedScale(pa, config, Math.max(0, decision.desiredScale), isInitialized)
  if (want > 0) return { want, isApplied: true }
  const deadline = annotationOf(pa.metadata.annotations, PROGRESS_DEADLINE_KEYS)?.value
  const progressDeadlineMs =
    (deadline === undefined ? undefined : goDurationMs(deadline)) ?? deploymentConfig(configMap).progressDeadlineSeconds * 1000
  return gateBeforeZero({ config, settings: decision.settings, active, sks, progressDeadlineMs, nowMs: clock.now() })
}

/** So many activators that they can take the burst together with the load of all Pods (kpa.go, computeNumActivators). */
function activatorsFor({ settings }: Decision, ready: number): number {
  const { targetBurstCapacity, totalValue, activatorCapacity } = settings
  if (targetBurstCapacity === 0) return LEAST_ACTIVATORS
  return Math.max(LEAST_ACTIVATORS, Math.ceil((ready * totalValue + Math.max(targetBurstCapacity, 0)) / activatorCapacity))
}

async function scaleDeployment({ metadata, spec }: PodAutoscaler, want: number, { client }: Deps): Promise<void> {
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
  { mode, numActivators }: { mode: 'Proxy' | 'Serve'; numActivators: number },
  { client }: Deps,
): Promise<ServerlessService | undefined> {
  const { metadata, spec } = pa
  const wanted = { mode, objectRef: spec.scaleTargetRef, protocolType: spec.protocolType, numActivators }
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
