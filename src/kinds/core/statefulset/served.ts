import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { objectMetaSchema } from '../../../apimachinery/object-meta-schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { claimSpecSchema, claimStatusSchema } from '../persistentvolumeclaim/claim-schema.js'
import { defaultClaimSpec } from '../persistentvolumeclaim/defaults.js'
import { defaultPodSpec } from '../pod/defaults.js'
import { podTemplateSchema } from '../pod/pod-spec-schema.js'
import { conditions, fields, int32, int64, intOrText, labelSelector, listOf, objectSchema, text } from '../schema-parts.js'
import { selectorCauses, validateTemplate } from '../validate-workload.js'
import { workloadColumns } from '../workload-columns.js'
import { statefulSetKind } from './kind.js'
import type { StatefulSet } from './schema.js'

const NOT_NEGATIVE = 'must be greater than or equal to 0'
const POLICIES = ['OrderedReady', 'Parallel']
const STRATEGIES = ['OnDelete', 'RollingUpdate']
const RETENTION = ['Delete', 'Retain']
const IMMUTABLE =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

const columns: readonly Column[] = [
  {
    name: 'Ready',
    type: 'string',
    description: 'Number of the pod with ready state.',
    cell: ({ spec, status }: StatefulSet) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
  },
  { name: 'Age', type: 'string', cell: (set: StatefulSet, nowMs) => age(set.metadata.creationTimestamp, nowMs) },
  ...workloadColumns.filter(({ name }) => name !== 'Selector'),
]

export const statefulSetServed: ServedKind<StatefulSet> = {
  kind: { ...statefulSetKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'StatefulSet runs Pods with names and storage of their own, started and stopped in order.',
    {
      spec: fields(
        {
          minReadySeconds: int32,
          ordinals: fields({ start: { ...int32, default: 0 } }),
          persistentVolumeClaimRetentionPolicy: fields({ whenDeleted: text, whenScaled: text }),
          podManagementPolicy: text,
          replicas: int32,
          revisionHistoryLimit: int32,
          selector: labelSelector,
          serviceName: text,
          template: podTemplateSchema,
          updateStrategy: fields({ rollingUpdate: fields({ maxUnavailable: intOrText, partition: int32 }), type: text }),
          volumeClaimTemplates: listOf(
            fields({ apiVersion: text, kind: text, metadata: objectMetaSchema, spec: claimSpecSchema, status: claimStatusSchema }),
          ),
        },
        ['selector', 'template'],
      ),
      status: fields({
        availableReplicas: int32,
        collisionCount: int32,
        conditions,
        currentReplicas: int32,
        currentRevision: text,
        observedGeneration: int64,
        readyReplicas: int32,
        replicas: int32,
        updateRevision: text,
        updatedReplicas: int32,
      }),
    },
    ['spec'],
  ),
  defaults({ spec }) {
    spec.podManagementPolicy ??= 'OrderedReady'
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.partition ??= 0
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {}
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    for (const template of spec.volumeClaimTemplates ?? []) {
      template.apiVersion ||= 'v1'
      template.kind ||= 'PersistentVolumeClaim'
      template.spec ??= {}
      defaultClaimSpec(template.spec)
      template.status ??= {}
      template.status.phase ||= 'Pending'
    }
    defaultPodSpec(spec.template.spec)
  },
  validate: ({ spec }, { old }) =>
    old && !isSameJson(fixed(spec, old.spec), old.spec) ? [causes.forbidden('spec', IMMUTABLE)] : specCauses(spec),
  prepare(set, { operation }) {
    if (operation === 'CREATE') set.status = { replicas: 0, availableReplicas: 0 }
  },
}

function specCauses(spec: StatefulSet['spec']): Cause[] {
  const found: Cause[] = []
  if (!POLICIES.includes(spec.podManagementPolicy ?? ''))
    found.push(causes.invalid('spec.podManagementPolicy', spec.podManagementPolicy, `must be '${POLICIES[0]}' or '${POLICIES[1]}'`))
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  if (!STRATEGIES.includes(type ?? ''))
    found.push(causes.invalid('spec.updateStrategy', spec.updateStrategy, `must be '${STRATEGIES[1]}' or '${STRATEGIES[0]}'`))
  else if (type === 'OnDelete' && rollingUpdate)
    found.push(causes.invalid('spec.updateStrategy.rollingUpdate', rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"))
  if ((rollingUpdate?.partition ?? 0) < 0)
    found.push(causes.invalid('spec.updateStrategy.rollingUpdate.partition', rollingUpdate?.partition, NOT_NEGATIVE))
  if (rollingUpdate?.maxUnavailable === 0 || rollingUpdate?.maxUnavailable === '0%')
    found.push(causes.invalid('spec.updateStrategy.rollingUpdate.maxUnavailable', rollingUpdate.maxUnavailable, 'cannot be 0'))
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    const policy = spec.persistentVolumeClaimRetentionPolicy?.[when]
    if (!RETENTION.includes(policy ?? ''))
      found.push(causes.notSupported(`spec.persistentVolumeClaimRetentionPolicy.${when}`, policy, ['Delete', 'Retain']))
  }
  for (const field of ['replicas', 'minReadySeconds', 'revisionHistoryLimit'] as const)
    if ((spec[field] ?? 0) < 0) found.push(causes.invalid(`spec.${field}`, spec[field], NOT_NEGATIVE))
  if ((spec.ordinals?.start ?? 0) < 0) found.push(causes.invalid('spec.ordinals.start', spec.ordinals?.start, NOT_NEGATIVE))
  found.push(...selectorCauses(spec.selector, 'spec.selector', 'empty selector is invalid for statefulset'))
  // The volumes of its claims come with each Pod, so a container may mount them though the template does not list them.
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({ name: metadata.name, emptyDir: {} }))
  const names = new Set(claims.map(({ name }) => name))
  const volumes = [...(spec.template.spec.volumes ?? []).filter(({ name }) => !names.has(name)), ...claims]
  found.push(...validateTemplate(spec.selector, { ...spec.template, spec: { ...spec.template.spec, volumes } }, ['Always']))
  return found
}

/** What an update asks for, with what may change put back: anything else that differs is refused. */
function fixed(next: StatefulSet['spec'], old: StatefulSet['spec']): StatefulSet['spec'] {
  const { replicas, ordinals, template, updateStrategy, revisionHistoryLimit, persistentVolumeClaimRetentionPolicy, minReadySeconds } = old
  return {
    ...next,
    template,
    ...({ replicas, ordinals, updateStrategy, revisionHistoryLimit, persistentVolumeClaimRetentionPolicy, minReadySeconds } as object),
  }
}
