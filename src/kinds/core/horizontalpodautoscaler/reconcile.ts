import { timestamp } from '../../../apimachinery/object.js'
import type { Controller, Outcome, ReconcilerDeps, StatusOf } from '../../../controller/reconcile.js'
import type { Engines } from '../../engines.js'
import { deploymentKind } from '../deployment/kind.js'
import { replicaSetKind } from '../replicaset/kind.js'
import { replicationControllerKind } from '../replicationcontroller/kind.js'
import { type ObjectScale, scalableKind, scaleOf, setScale } from '../scalable.js'
import { statefulSetKind } from '../statefulset/kind.js'
import { horizontalPodAutoscalerKind } from './kind.js'
import type { AutoscalerCondition, HorizontalPodAutoscaler, MetricSpec } from './schema.js'

const NO_RESOURCE_METRICS =
  'unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)'
const NO_CUSTOM_METRICS = 'unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered'
const NO_EXTERNAL_METRICS =
  'unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered'

/**
 * Does what the controller does on a cluster without a metrics server: keeps what it scales between its bounds, and says
 * that it cannot know more.
 * @see kubernetes/kubernetes v1.35 pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler
 */
export function createHorizontalPodAutoscalerController({ kinds }: Pick<Engines, 'kinds'>): Controller<HorizontalPodAutoscaler> {
  return {
    kind: horizontalPodAutoscalerKind,
    actsAs: 'system:serviceaccount:kube-system:horizontal-pod-autoscaler',
    eventSource: { component: 'horizontal-pod-autoscaler' },
    // Without metrics nothing but these changes what it has to do, so it does not look every 15 s.
    wokenBy: [deploymentKind, statefulSetKind, replicaSetKind, replicationControllerKind].map((kind) => ({
      kind,
      wakes: ({ metadata: { name, namespace } }, all) =>
        all.list(namespace).flatMap((autoscaler) => {
          const { scaleTargetRef } = (autoscaler as HorizontalPodAutoscaler).spec
          return scaleTargetRef.kind === kind.kind && scaleTargetRef.name === name ? [autoscaler.metadata] : []
        }),
    })),
    create: (deps) => (autoscaler) => reconcile(deps, kinds, autoscaler),
  }
}

async function reconcile(
  deps: ReconcilerDeps,
  kinds: Engines['kinds'],
  autoscaler: HorizontalPodAutoscaler,
): Promise<Outcome<HorizontalPodAutoscaler>> {
  const { client, clock, event } = deps
  const { spec, metadata, status: before } = autoscaler
  const { scaleTargetRef, minReplicas = 1, maxReplicas } = spec
  const conditions = conditionsOf(before?.conditions, timestamp(clock.now()))
  const kind = scalableKind(kinds(), { apiVersion: scaleTargetRef.apiVersion ?? 'v1', kind: scaleTargetRef.kind })
  const ref = { namespace: metadata.namespace, name: scaleTargetRef.name }
  let scale: ObjectScale
  try {
    if (!kind)
      throw new Error(
        `unable to determine resource for scale target reference: no matches for kind ${JSON.stringify(scaleTargetRef.kind)} in group ${JSON.stringify(groupIn(scaleTargetRef.apiVersion))}`,
      )
    scale = await scaleOf(client, kind, ref)
  } catch (error) {
    const why = (error as Error).message
    event(autoscaler, 'Warning', 'FailedGetScale', why)
    conditions.set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${why}`)
    return { status: { ...before, desiredReplicas: before?.desiredReplicas ?? 0, conditions: conditions.list() } }
  }
  conditions.set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")

  const status: StatusOf<HorizontalPodAutoscaler> = { ...before, currentReplicas: scale.actual, desiredReplicas: scale.actual }
  const { wanted } = scale
  const bound: { replicas: number; reason: string } | undefined =
    wanted > maxReplicas
      ? { replicas: maxReplicas, reason: 'Current number of replicas above Spec.MaxReplicas' }
      : wanted < minReplicas
        ? { replicas: minReplicas, reason: 'Current number of replicas below Spec.MinReplicas' }
        : undefined
  if (wanted === 0) {
    conditions.set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
    status.desiredReplicas = 0
  } else if (bound) {
    try {
      await setScale(client, kind, ref, bound.replicas)
    } catch (error) {
      const why = (error as Error).message
      event(autoscaler, 'Warning', 'FailedRescale', `New size: ${bound.replicas}; reason: ${bound.reason}; error: ${why}`)
      conditions.set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${why}`)
      return { status: { ...status, conditions: conditions.list() } }
    }
    conditions.set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${bound.replicas}`)
    event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${bound.replicas}; reason: ${bound.reason}`)
    status.desiredReplicas = bound.replicas
    status.lastScaleTime = timestamp(clock.now())
  } else {
    const metrics = spec.metrics ?? []
    const failures = metrics.map((metric) => failureOf(metric, metadata.namespace ?? ''))
    const [first] = failures
    if (first) {
      conditions.set('ScalingActive', 'False', first.reason, `the HPA was unable to compute the replica count: ${first.message}`)
      for (const { reason, message } of failures) event(autoscaler, 'Warning', reason, message)
      const told = `invalid metrics (${failures.length} invalid out of ${metrics.length}), first error is: ${first.about}: ${first.message}`
      event(autoscaler, 'Warning', 'FailedComputeMetricsReplicas', told)
    }
  }
  return { status: { ...status, conditions: conditions.list() } }
}

/** Why a metric cannot be had: nobody serves it here. */
function failureOf({ type, resource, containerResource, pods, object, external }: MetricSpec, namespace: string) {
  if (type === 'Resource' || type === 'ContainerResource') {
    const { name, target } = (resource ?? containerResource)!
    const isContainer = type === 'ContainerResource'
    const what = `${target.averageUtilization === undefined ? `unable to get metrics for resource ${name}` : `failed to get ${name} utilization: unable to get metrics for resource ${name}`}`
    return {
      reason: isContainer ? 'FailedGetContainerResourceMetric' : 'FailedGetResourceMetric',
      about: `failed to get ${name} ${isContainer ? 'container ' : ''}resource metric value`,
      message: `${what}: ${NO_RESOURCE_METRICS}`,
    }
  }
  if (type === 'External')
    return {
      reason: 'FailedGetExternalMetric',
      about: `failed to get ${external!.metric.name} external metric value`,
      message: `unable to get external metric ${namespace}/${external!.metric.name}/nil: ${NO_EXTERNAL_METRICS}`,
    }
  if (type === 'Object') {
    const { metric, describedObject } = object!
    return {
      reason: 'FailedGetObjectMetric',
      about: 'failed to get object metric value',
      message: `unable to get metric ${metric.name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/${NO_CUSTOM_METRICS}`,
    }
  }
  return {
    reason: 'FailedGetPodsMetric',
    about: 'failed to get pods metric value',
    message: `unable to get metric ${pods!.metric.name}: ${NO_CUSTOM_METRICS}`,
  }
}

function conditionsOf(before: readonly AutoscalerCondition[] = [], now: string) {
  const found = new Map(before.map((condition) => [condition.type, condition]))
  return {
    set(type: AutoscalerCondition['type'], status: AutoscalerCondition['status'], reason: string, message: string): void {
      const old = found.get(type)
      const lastTransitionTime = old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : now
      found.set(type, { type, status, lastTransitionTime, reason, message })
    },
    list: (): AutoscalerCondition[] => [...found.values()],
  }
}

const groupIn = (apiVersion = ''): string => (apiVersion.includes('/') ? apiVersion.split('/')[0]! : '')
