import { causes } from '../../../apimachinery/causes.js'
import { pathSegment } from '../../../apimachinery/names.js'
import { compareQuantities } from '../../../apimachinery/quantity.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import type { HorizontalPodAutoscaler, MetricSpec, MetricTarget, ScalingRules } from './schema.js'

const METRIC_TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const TARGET_TYPES = ['AverageValue', 'Utilization', 'Value']
const SELECT_POLICIES = ['Disabled', 'Max', 'Min']
const POLICY_TYPES = ['Percent', 'Pods']
const LONGEST_WINDOW_SECONDS = 3600
const LONGEST_PERIOD_SECONDS = 1800

/** @see kubernetes/kubernetes v1.35 pkg/apis/autoscaling/validation/validation.go */
export function validateAutoscalerSpec({
  scaleTargetRef,
  minReplicas,
  maxReplicas,
  metrics = [],
  behavior,
}: HorizontalPodAutoscaler['spec']): Cause[] {
  const found = boundsCauses(minReplicas, maxReplicas)
  for (const field of ['kind', 'name'] as const) {
    const value = scaleTargetRef[field]
    if (!value) found.push(causes.required(`spec.scaleTargetRef.${field}`))
    else for (const problem of pathSegment(value)) found.push(causes.invalid(`spec.scaleTargetRef.${field}`, value, problem))
  }
  for (const [index, metric] of metrics.entries()) found.push(...metricCauses(metric, `spec.metrics[${index}]`))
  for (const way of ['scaleUp', 'scaleDown'] as const)
    if (behavior?.[way]) found.push(...rulesCauses(behavior[way], `spec.behavior.${way}`))
  return found
}

export function boundsCauses(minReplicas: number | undefined, maxReplicas: number): Cause[] {
  const found: Cause[] = []
  if (minReplicas !== undefined && minReplicas < 1)
    found.push(causes.invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'))
  if (maxReplicas < 1) found.push(causes.invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'))
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    found.push(causes.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  return found
}

function metricCauses(metric: MetricSpec, path: string): Cause[] {
  const { type, resource, containerResource, pods, object, external } = metric
  if (!type) return [causes.required(`${path}.type`, 'must specify a metric source type')]
  if (!METRIC_TYPES.includes(type)) return [causes.notSupported(`${path}.type`, type, METRIC_TYPES)]
  const found: Cause[] = []
  const sources = { Resource: resource, ContainerResource: containerResource, Pods: pods, Object: object, External: external }
  const field = `${type.charAt(0).toLowerCase()}${type.slice(1)}`
  for (const [other, source] of Object.entries(sources))
    if (source && other !== type)
      found.push(
        causes.forbidden(`${path}.${other.charAt(0).toLowerCase()}${other.slice(1)}`, 'must populate the given metric source only'),
      )
  if (!sources[type]) return [...found, causes.required(`${path}.${field}`, 'must populate information for the given metric source')]
  if (resource && !resource.name) found.push(causes.required(`${path}.resource.name`, 'must specify a resource name'))
  if (containerResource && !containerResource.container)
    found.push(causes.required(`${path}.containerResource.container`, 'must specify a container'))
  for (const source of [pods, object, external])
    if (source && !source.metric.name) found.push(causes.required(`${path}.${field}.metric.name`))
  return [...found, ...targetCauses(sources[type].target, `${path}.${field}.target`)]
}

function targetCauses({ type, value, averageValue, averageUtilization }: MetricTarget, path: string): Cause[] {
  const found: Cause[] = []
  if (!type) found.push(causes.required(`${path}.type`, 'must specify a metric target type'))
  else if (!TARGET_TYPES.includes(type))
    found.push(causes.invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (averageUtilization !== undefined && averageUtilization < 1)
    found.push(causes.invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
  for (const [field, amount] of Object.entries({ value, averageValue }))
    if (amount !== undefined && !(compareQuantities(amount, '0') > 0))
      found.push(causes.invalid(`${path}.${field}`, amount, 'must be positive'))
  if (value === undefined && averageValue === undefined && averageUtilization === undefined)
    found.push(causes.required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization'))
  return found
}

function rulesCauses({ stabilizationWindowSeconds: window, selectPolicy, policies = [] }: ScalingRules, path: string): Cause[] {
  const found: Cause[] = []
  if (window !== undefined && window < 0)
    found.push(causes.invalid(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > LONGEST_WINDOW_SECONDS)
    found.push(causes.invalid(`${path}.stabilizationWindowSeconds`, window, `must be less than or equal to ${LONGEST_WINDOW_SECONDS}`))
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy))
    found.push(causes.notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES))
  if (policies.length === 0) found.push(causes.required(`${path}.policies`, 'must specify at least one Policy'))
  for (const [index, { type, value, periodSeconds }] of policies.entries()) {
    const policy = `${path}.policies[${index}]`
    if (!POLICY_TYPES.includes(type)) found.push(causes.notSupported(`${policy}.type`, type, POLICY_TYPES))
    if (value <= 0) found.push(causes.invalid(`${policy}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0) found.push(causes.invalid(`${policy}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > LONGEST_PERIOD_SECONDS)
      found.push(causes.invalid(`${policy}.periodSeconds`, periodSeconds, `must be less than or equal to ${LONGEST_PERIOD_SECONDS}`))
  }
  return found
}
