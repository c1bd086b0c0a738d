import { age } from '../../../apimachinery/age.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'
import { fields, int32, int64, objectSchema, time } from '../schema-parts.js'
import { defaultAutoscalerSpec } from './defaults.js'
import { horizontalPodAutoscalerKind } from './kind.js'
import type { AutoscalerCondition, HorizontalPodAutoscaler, MetricSpec, TargetReference } from './schema.js'
import { referenceCell, targetReferenceSchema } from './served.js'
import { validateAutoscalerSpec } from './validate.js'

/** autoscaling/v1: one target for processors, and nothing else. `kubectl autoscale` writes it. */
export interface FirstAutoscaler extends KubeObject {
  spec: { scaleTargetRef: TargetReference; minReplicas?: number; maxReplicas: number; targetCPUUtilizationPercentage?: number }
  status?: {
    observedGeneration?: number
    lastScaleTime?: string
    currentReplicas: number
    desiredReplicas: number
    currentCPUUtilizationPercentage?: number
  }
}

/** What v1 has no fields for travels in annotations, so that nothing is lost on the way (pkg/apis/autoscaling/annotations.go). */
const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'

const V1 = 'autoscaling/v1'
const V2 = 'autoscaling/v2'

const columns: readonly Column[] = [
  { name: 'Reference', type: 'string', description: 'What is scaled.', cell: referenceCell },
  {
    name: 'Targets',
    type: 'string',
    description: 'The processor use as it is and as it should be.',
    cell: ({ spec, status }: FirstAutoscaler) => {
      const present = status?.currentCPUUtilizationPercentage
      const wanted = spec.targetCPUUtilizationPercentage
      return wanted === undefined ? '<none>' : `cpu: ${present === undefined ? '<unknown>' : `${present}%`}/${wanted}%`
    },
  },
  {
    name: 'MinPods',
    type: 'string',
    description: 'The fewest Pods.',
    cell: ({ spec }: FirstAutoscaler) => String(spec.minReplicas ?? '<unset>'),
  },
  { name: 'MaxPods', type: 'integer', description: 'The most Pods.', cell: ({ spec }: FirstAutoscaler) => spec.maxReplicas },
  {
    name: 'Replicas',
    type: 'integer',
    description: 'How many there are.',
    cell: ({ status }: FirstAutoscaler) => status?.currentReplicas ?? 0,
  },
  { name: 'Age', type: 'string', cell: (autoscaler: FirstAutoscaler, nowMs) => age(autoscaler.metadata.creationTimestamp, nowMs) },
]

export const firstAutoscalerServed: ServedKind<FirstAutoscaler> = {
  kind: { ...horizontalPodAutoscalerKind, version: 'v1', columns } as unknown as ServedKind<FirstAutoscaler>['kind'],
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  storedAs: {
    apiVersion: V2,
    convert: (object, apiVersion) =>
      apiVersion === V1 ? firstFrom(object as HorizontalPodAutoscaler) : secondFrom(object as unknown as FirstAutoscaler),
  },
  schema: objectSchema(
    'HorizontalPodAutoscaler scales what runs Pods, by how much they use the processors.',
    {
      spec: fields(
        { maxReplicas: int32, minReplicas: int32, scaleTargetRef: targetReferenceSchema, targetCPUUtilizationPercentage: int32 },
        ['scaleTargetRef', 'maxReplicas'],
      ),
      status: fields({
        currentCPUUtilizationPercentage: int32,
        currentReplicas: int32,
        desiredReplicas: int32,
        lastScaleTime: time,
        observedGeneration: int64,
      }),
    },
    ['spec'],
  ),
  defaults({ spec }) {
    spec.minReplicas ??= 1
  },
  validate: (object) => validateAutoscalerSpec(secondFrom(object).spec),
  prepare(object, { operation }) {
    if (operation === 'CREATE') object.status = { currentReplicas: 0, desiredReplicas: 0 }
  },
}

function isProcessorTarget({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/autoscaling/v1/conversion.go */
function firstFrom({ spec, status, metadata, kind }: HorizontalPodAutoscaler): FirstAutoscaler {
  const { metrics = [], behavior, ...others } = spec
  const processor = metrics.find(isProcessorTarget)
  const rest = metrics.filter((metric) => metric !== processor)
  const { conditions, currentMetrics: _, ...counts } = status ?? { desiredReplicas: 0 }
  const annotations = {
    ...metadata.annotations,
    ...(rest.length > 0 && { [METRICS]: JSON.stringify(rest) }),
    ...(conditions && { [CONDITIONS]: JSON.stringify(conditions) }),
    ...(behavior && { [BEHAVIOR]: JSON.stringify(behavior) }),
  }
  const target = processor?.resource?.target.averageUtilization
  return {
    apiVersion: V1,
    kind,
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...others, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: { ...counts, currentReplicas: counts.currentReplicas ?? 0 },
  }
}

function secondFrom({ spec, status, metadata, kind }: FirstAutoscaler): HorizontalPodAutoscaler {
  const { targetCPUUtilizationPercentage: percentage, ...others } = spec
  const { [METRICS]: metricsText, [CONDITIONS]: conditionsText, [BEHAVIOR]: behaviorText, ...annotations } = metadata.annotations ?? {}
  const { annotations: _, ...named } = metadata
  const processor: MetricSpec[] =
    percentage === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percentage } } }]
  const behavior = parsed<NonNullable<HorizontalPodAutoscaler['spec']['behavior']>>(behaviorText)
  const conditions = parsed<AutoscalerCondition[]>(conditionsText)
  const next: HorizontalPodAutoscaler['spec'] = {
    ...others,
    metrics: [...(parsed<MetricSpec[]>(metricsText) ?? []), ...processor],
    ...(behavior && { behavior }),
  }
  defaultAutoscalerSpec(next)
  const { currentCPUUtilizationPercentage: _percentage, ...counts } = status ?? { currentReplicas: 0, desiredReplicas: 0 }
  return {
    apiVersion: V2,
    kind,
    metadata: { ...named, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: next,
    status: { ...counts, ...(conditions && { conditions }) },
  }
}

/** What an annotation holds; what cannot be read is as if it were not there. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
