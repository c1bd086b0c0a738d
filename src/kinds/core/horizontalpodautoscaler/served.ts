import { age } from '../../../apimachinery/age.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Schema } from '../../../apimachinery/schema.js'
import { anyList, fields, int32, int64, labelSelector, listByKey, listOf, objectSchema, quantity, text, time } from '../schema-parts.js'
import { defaultAutoscalerSpec, targetOf } from './defaults.js'
import { horizontalPodAutoscalerKind } from './kind.js'
import type { HorizontalPodAutoscaler, MetricSpec } from './schema.js'
import { validateAutoscalerSpec } from './validate.js'

/** So many metrics are shown in the Targets column; of the others their number. */
const METRICS_SHOWN = 2

export const targetReferenceSchema: Schema = {
  ...fields({ apiVersion: text, kind: text, name: text }, ['kind', 'name']),
  'x-kubernetes-map-type': 'atomic',
}
const target = fields({ averageUtilization: int32, averageValue: quantity, type: text, value: quantity }, ['type'])
const metric = fields({ name: text, selector: labelSelector }, ['name'])
const rules = fields({
  policies: listOf(fields({ periodSeconds: int32, type: text, value: int32 }, ['type', 'value', 'periodSeconds'])),
  selectPolicy: text,
  stabilizationWindowSeconds: int32,
  tolerance: quantity,
})

/** `Deployment/web`: what is scaled. */
export const referenceCell = ({ spec: { scaleTargetRef } }: { spec: Pick<HorizontalPodAutoscaler['spec'], 'scaleTargetRef'> }): string =>
  `${scaleTargetRef.kind}/${scaleTargetRef.name}`

const columns: readonly Column[] = [
  { name: 'Reference', type: 'string', description: 'What is scaled.', cell: referenceCell },
  {
    name: 'Targets',
    type: 'string',
    description: 'Each metric as it is and as it should be.',
    cell: ({ spec }: HorizontalPodAutoscaler) => targetsCell(spec.metrics ?? []),
  },
  {
    name: 'MinPods',
    type: 'string',
    description: 'The fewest Pods.',
    cell: ({ spec }: HorizontalPodAutoscaler) => String(spec.minReplicas ?? '<unset>'),
  },
  { name: 'MaxPods', type: 'integer', description: 'The most Pods.', cell: ({ spec }: HorizontalPodAutoscaler) => spec.maxReplicas },
  {
    name: 'Replicas',
    type: 'integer',
    description: 'How many there are.',
    cell: ({ status }: HorizontalPodAutoscaler) => status?.currentReplicas ?? 0,
  },
  { name: 'Age', type: 'string', cell: (autoscaler: HorizontalPodAutoscaler, nowMs) => age(autoscaler.metadata.creationTimestamp, nowMs) },
]

export const horizontalPodAutoscalerServed: ServedKind<HorizontalPodAutoscaler> = {
  kind: { ...horizontalPodAutoscalerKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema(
    'HorizontalPodAutoscaler scales what runs Pods, by metrics.',
    {
      spec: fields(
        {
          behavior: fields({ scaleDown: rules, scaleUp: rules }),
          maxReplicas: int32,
          metrics: listOf(
            fields(
              {
                containerResource: fields({ container: text, name: text, target }, ['name', 'target', 'container']),
                external: fields({ metric, target }, ['metric', 'target']),
                object: fields({ describedObject: targetReferenceSchema, metric, target }, ['describedObject', 'metric', 'target']),
                pods: fields({ metric, target }, ['metric', 'target']),
                resource: fields({ name: text, target }, ['name', 'target']),
                type: text,
              },
              ['type'],
            ),
          ),
          minReplicas: int32,
          scaleTargetRef: targetReferenceSchema,
        },
        ['scaleTargetRef', 'maxReplicas'],
      ),
      status: fields({
        conditions: listByKey(
          fields({ lastTransitionTime: time, message: text, observedGeneration: int64, reason: text, status: text, type: text }, [
            'type',
            'status',
          ]),
          ['type'],
        ),
        currentMetrics: anyList,
        currentReplicas: int32,
        desiredReplicas: { ...int32, default: 0 },
        lastScaleTime: time,
        observedGeneration: int64,
      }),
    },
    ['spec'],
  ),
  defaults: ({ spec }) => defaultAutoscalerSpec(spec),
  validate: ({ spec }) => validateAutoscalerSpec(spec),
  prepare(autoscaler, { operation }) {
    if (operation === 'CREATE') autoscaler.status = { desiredReplicas: 0 }
  },
}

/** No metric is known here, so every present value is unknown. @see kubernetes/kubernetes v1.35 pkg/printers formatHPAMetrics */
function targetsCell(metrics: readonly MetricSpec[]): string {
  if (metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, METRICS_SHOWN).map((each) => {
    const { value, averageValue, averageUtilization } = targetOf(each) ?? { type: 'Value' }
    const name = each.resource?.name ?? each.containerResource?.name
    const present = name === undefined ? '' : `${name}: `
    if (averageUtilization !== undefined) return `${present}<unknown>/${averageUtilization}%`
    const isAverage = averageValue !== undefined && (each.object || each.external)
    return `${present}<unknown>/${averageValue ?? value ?? '<auto>'}${isAverage ? ' (avg)' : ''}`
  })
  const more = metrics.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` + ${more} more...` : ''}`
}
