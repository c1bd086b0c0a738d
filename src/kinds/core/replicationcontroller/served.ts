import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { defaultPodSpec } from '../pod/defaults.js'
import { podTemplateSchema } from '../pod/pod-spec-schema.js'
import { conditions, fields, int32, int64, objectSchema, textMap } from '../schema-parts.js'
import { validateTemplate } from '../validate-workload.js'
import { workloadColumns } from '../workload-columns.js'
import { replicationControllerKind } from './kind.js'
import type { ReplicationController } from './schema.js'

const columns: readonly Column[] = [
  {
    name: 'Desired',
    type: 'integer',
    description: 'Number of desired pods.',
    cell: ({ spec }: ReplicationController) => spec.replicas ?? 0,
  },
  { name: 'Current', type: 'integer', description: 'Number of pods.', cell: ({ status }: ReplicationController) => status?.replicas ?? 0 },
  {
    name: 'Ready',
    type: 'integer',
    description: 'Number of ready pods.',
    cell: ({ status }: ReplicationController) => status?.readyReplicas ?? 0,
  },
  { name: 'Age', type: 'string', cell: (controller: ReplicationController, nowMs) => age(controller.metadata.creationTimestamp, nowMs) },
  ...workloadColumns.map(
    ({ cell, ...column }): Column => ({
      ...column,
      cell: ({ spec }: ReplicationController, nowMs) =>
        cell!({ spec: { ...spec, selector: { matchLabels: spec.selector ?? {} } } } as never, nowMs),
    }),
  ),
]

export const replicationControllerServed: ServedKind<ReplicationController> = {
  kind: { ...replicationControllerKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  orphansByDefault: true,
  schema: objectSchema(
    'ReplicationController keeps a number of Pods running; ReplicaSets have taken its place.',
    {
      spec: fields({
        minReadySeconds: int32,
        replicas: int32,
        selector: { ...textMap, 'x-kubernetes-map-type': 'atomic' },
        template: podTemplateSchema,
      }),
      status: fields({
        availableReplicas: int32,
        conditions,
        fullyLabeledReplicas: int32,
        observedGeneration: int64,
        readyReplicas: int32,
        replicas: int32,
      }),
    },
    ['spec'],
  ),
  defaults({ spec, metadata }) {
    spec.replicas ??= 1
    const labels = spec.template?.metadata?.labels
    if (labels) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
    }
    if (spec.template) defaultPodSpec(spec.template.spec)
  },
  validate({ spec }) {
    const found: Cause[] = []
    for (const field of ['replicas', 'minReadySeconds'] as const)
      if ((spec[field] ?? 0) < 0) found.push(causes.invalid(`spec.${field}`, spec[field], 'must be greater than or equal to 0'))
    if (Object.keys(spec.selector ?? {}).length === 0) found.push(causes.required('spec.selector'))
    if (!spec.template) return [...found, causes.required('spec.template')]
    return [...found, ...validateTemplate({ matchLabels: spec.selector ?? {} }, spec.template, ['Always'])]
  },
  prepare(controller, { operation }) {
    if (operation === 'CREATE') controller.status = { replicas: 0 }
  },
  fieldSelectors: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
}
