import { age } from '../../../apimachinery/age.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { defaultPodSpec } from '../pod/defaults.js'
import { podTemplateSchema } from '../pod/pod-spec-schema.js'
import { conditions, fields, int32, int64, labelSelector, objectSchema } from '../schema-parts.js'
import { validateWorkload } from '../validate-workload.js'
import { workloadColumns } from '../workload-columns.js'
import { replicaSetKind } from './kind.js'
import type { ReplicaSet } from './schema.js'

const columns: readonly Column[] = [
  { name: 'Desired', type: 'integer', description: 'Number of desired pods.', cell: ({ spec }: ReplicaSet) => spec.replicas ?? 0 },
  { name: 'Current', type: 'integer', description: 'Number of pods.', cell: ({ status }: ReplicaSet) => status?.replicas ?? 0 },
  { name: 'Ready', type: 'integer', description: 'Number of ready pods.', cell: ({ status }: ReplicaSet) => status?.readyReplicas ?? 0 },
  { name: 'Age', type: 'string', cell: (set: ReplicaSet, nowMs) => age(set.metadata.creationTimestamp, nowMs) },
  ...workloadColumns,
]

export const replicaSetServed: ServedKind<ReplicaSet> = {
  kind: { ...replicaSetKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'ReplicaSet ensures that a specified number of pod replicas are running at any given time.',
    {
      spec: fields({ minReadySeconds: int32, replicas: int32, selector: labelSelector, template: podTemplateSchema }, ['selector']),
      status: fields({
        availableReplicas: int32,
        conditions,
        fullyLabeledReplicas: int32,
        observedGeneration: int64,
        readyReplicas: int32,
        replicas: int32,
        terminatingReplicas: int32,
      }),
    },
    ['spec'],
  ),
  defaults({ spec }) {
    spec.replicas ??= 1
    if (spec.template) defaultPodSpec(spec.template.spec)
  },
  validate: ({ spec }, { old }) => validateWorkload(spec, old?.spec),
  prepare(set, { operation }) {
    if (operation === 'CREATE') set.status = { replicas: 0 }
  },
  fieldSelectors: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
}
