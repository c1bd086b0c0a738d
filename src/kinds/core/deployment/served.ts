import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { defaultPodSpec } from '../pod/defaults.js'
import { podTemplateSchema } from '../pod/pod-spec-schema.js'
import { conditions, fields, flag, int32, int64, intOrText, labelSelector, objectSchema, text } from '../schema-parts.js'
import { validateWorkload } from '../validate-workload.js'
import { workloadColumns } from '../workload-columns.js'
import { deploymentKind } from './kind.js'
import type { Deployment } from './schema.js'

const STRATEGIES = ['Recreate', 'RollingUpdate']

const columns: readonly Column[] = [
  {
    name: 'Ready',
    type: 'string',
    description: 'Number of the pod with ready state.',
    cell: ({ spec, status }: Deployment) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
  },
  {
    name: 'Up-to-date',
    type: 'string',
    description: 'Pods of the current template.',
    cell: ({ status }: Deployment) => String(status?.updatedReplicas ?? 0),
  },
  {
    name: 'Available',
    type: 'string',
    description: 'Available pods.',
    cell: ({ status }: Deployment) => String(status?.availableReplicas ?? 0),
  },
  { name: 'Age', type: 'string', cell: (deployment: Deployment, nowMs) => age(deployment.metadata.creationTimestamp, nowMs) },
  ...workloadColumns,
]

export const deploymentServed: ServedKind<Deployment> = {
  kind: { ...deploymentKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'Deployment enables declarative updates for Pods and ReplicaSets.',
    {
      spec: fields(
        {
          minReadySeconds: int32,
          paused: flag,
          progressDeadlineSeconds: int32,
          replicas: int32,
          revisionHistoryLimit: int32,
          selector: labelSelector,
          strategy: fields({ rollingUpdate: fields({ maxSurge: intOrText, maxUnavailable: intOrText }), type: text }),
          template: podTemplateSchema,
        },
        ['selector', 'template'],
      ),
      status: fields({
        availableReplicas: int32,
        collisionCount: int32,
        conditions,
        observedGeneration: int64,
        readyReplicas: int32,
        replicas: int32,
        terminatingReplicas: int32,
        unavailableReplicas: int32,
        updatedReplicas: int32,
      }),
    },
    ['spec'],
  ),
  defaults({ spec }) {
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    const strategy = (spec.strategy ??= {})
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') strategy.rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...strategy.rollingUpdate }
    if (spec.template) defaultPodSpec(spec.template.spec)
  },
  validate: ({ spec }, { old }) => [...validateWorkload(spec, old?.spec), ...strategyCauses(spec)],
  prepare(deployment, { operation }) {
    if (operation === 'CREATE') deployment.status = {}
  },
  // Unlike other kinds: annotations of its own are copied to ReplicaSets, so they count (pkg/registry/apps/deployment/strategy.go).
  generation: (next, old) =>
    !isSameJson(next.spec, old.spec) || !isSameJson(next.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
}

function strategyCauses({ strategy, progressDeadlineSeconds, minReadySeconds = 0, revisionHistoryLimit = 0 }: Deployment['spec']): Cause[] {
  const found: Cause[] = []
  if (!STRATEGIES.includes(strategy?.type ?? '')) found.push(causes.notSupported('spec.strategy.type', strategy?.type, STRATEGIES))
  if (strategy?.type === 'Recreate' && strategy.rollingUpdate)
    found.push(causes.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"))
  if (strategy?.type === 'RollingUpdate') {
    const { maxUnavailable, maxSurge } = strategy.rollingUpdate ?? {}
    for (const [field, value] of Object.entries({ maxUnavailable, maxSurge })) {
      const path = `spec.strategy.rollingUpdate.${field}`
      if (typeof value === 'string' && !/^[0-9]+%$/.test(value))
        found.push(
          causes.invalid(
            path,
            value,
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
          ),
        )
      else if (typeof value === 'number' && value < 0) found.push(causes.invalid(path, value, 'must be greater than or equal to 0'))
    }
    if (isZero(maxUnavailable) && isZero(maxSurge))
      found.push(causes.invalid('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  if (revisionHistoryLimit < 0)
    found.push(causes.invalid('spec.revisionHistoryLimit', revisionHistoryLimit, 'must be greater than or equal to 0'))
  if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds)
    found.push(causes.invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds'))
  return found
}

function isZero(value: number | string | undefined): boolean {
  return value === 0 || value === '0%'
}
