import { canonicalQuantity } from '../../../apimachinery/quantity.js'
import type { HorizontalPodAutoscaler, MetricSpec, MetricTarget, ScalingRules } from './schema.js'

/** @see kubernetes/kubernetes v1.35 pkg/apis/autoscaling/v2/defaults.go */
export function defaultAutoscalerSpec(spec: HorizontalPodAutoscaler['spec']): void {
  spec.minReplicas ??= 1
  if (!spec.metrics?.length)
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
  for (const metric of spec.metrics) {
    const target = targetOf(metric)
    for (const field of ['value', 'averageValue'] as const)
      if (target?.[field] !== undefined) target[field] = canonicalQuantity(String(target[field])) ?? target[field]
  }
  if (!spec.behavior) return
  const { scaleUp, scaleDown } = spec.behavior
  spec.behavior.scaleUp = rulesWith(scaleUp, {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  })
  spec.behavior.scaleDown = rulesWith(scaleDown, { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] })
}

/** Where a metric is to be, whichever kind of metric it is. */
export function targetOf({ resource, containerResource, pods, object, external }: MetricSpec): MetricTarget | undefined {
  return (resource ?? containerResource ?? pods ?? object ?? external)?.target
}

function rulesWith(given: ScalingRules = {}, usual: ScalingRules): ScalingRules {
  return { ...usual, selectPolicy: 'Max', ...given, policies: given.policies ?? usual.policies ?? [] }
}
