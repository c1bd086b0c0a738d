import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { defaultPodSpec } from '../pod/defaults.js'
import { podTemplateSchema } from '../pod/pod-spec-schema.js'
import { conditions, fields, int32, int64, intOrText, labelSelector, objectSchema, text } from '../schema-parts.js'
import { validateWorkload } from '../validate-workload.js'
import { workloadColumns } from '../workload-columns.js'
import { daemonSetKind } from './kind.js'
import { type DaemonSet, TEMPLATE_GENERATION } from './schema.js'

const STRATEGIES = ['RollingUpdate', 'OnDelete']

const count = (name: string, description: string, of: (status: NonNullable<DaemonSet['status']>) => number | undefined): Column => ({
  name,
  type: 'integer',
  description,
  cell: ({ status }: DaemonSet) => (status && of(status)) ?? 0,
})

const columns: readonly Column[] = [
  count('Desired', 'Nodes that should run the daemon pod.', ({ desiredNumberScheduled }) => desiredNumberScheduled),
  count('Current', 'Nodes that run the daemon pod and should.', ({ currentNumberScheduled }) => currentNumberScheduled),
  count('Ready', 'Nodes whose daemon pod is ready.', ({ numberReady }) => numberReady),
  count('Up-to-date', 'Nodes whose daemon pod is of the current template.', ({ updatedNumberScheduled }) => updatedNumberScheduled),
  count('Available', 'Nodes whose daemon pod is available.', ({ numberAvailable }) => numberAvailable),
  {
    name: 'Node Selector',
    type: 'string',
    description: 'Which nodes run the daemon pod.',
    cell: ({ spec }: DaemonSet) => nodeSelectorText((spec.template.spec['nodeSelector'] ?? {}) as Record<string, string>),
  },
  { name: 'Age', type: 'string', cell: (set: DaemonSet, nowMs) => age(set.metadata.creationTimestamp, nowMs) },
  ...workloadColumns,
]

export const daemonSetServed: ServedKind<DaemonSet> = {
  kind: { ...daemonSetKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'DaemonSet runs one Pod on each Node.',
    {
      spec: fields(
        {
          minReadySeconds: int32,
          revisionHistoryLimit: int32,
          selector: labelSelector,
          template: podTemplateSchema,
          updateStrategy: fields({ rollingUpdate: fields({ maxSurge: intOrText, maxUnavailable: intOrText }), type: text }),
        },
        ['selector', 'template'],
      ),
      status: fields({
        collisionCount: int32,
        conditions,
        currentNumberScheduled: int32,
        desiredNumberScheduled: int32,
        numberAvailable: int32,
        numberMisscheduled: int32,
        numberReady: int32,
        numberUnavailable: int32,
        observedGeneration: int64,
        updatedNumberScheduled: int32,
      }),
    },
    ['spec'],
  ),
  defaults({ spec, metadata }, { old }) {
    spec.revisionHistoryLimit ??= 10
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0
    }
    defaultPodSpec(spec.template.spec)
    const before = Number(old?.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0)
    const generation = old && isSameJson(old.spec.template, spec.template) ? before : before + 1
    metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) }
  },
  validate: ({ spec }, { old }) => [...validateWorkload(spec, old?.spec, 'daemonset'), ...strategyCauses(spec)],
  prepare(set, { operation }) {
    if (operation === 'CREATE') set.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }
  },
}

function strategyCauses({ updateStrategy, revisionHistoryLimit = 0 }: DaemonSet['spec']): Cause[] {
  const found: Cause[] = []
  const path = 'spec.updateStrategy'
  if (!STRATEGIES.includes(updateStrategy?.type ?? '')) found.push(causes.notSupported(`${path}.type`, updateStrategy?.type, STRATEGIES))
  if (updateStrategy?.type === 'RollingUpdate') {
    const { maxUnavailable, maxSurge } = updateStrategy.rollingUpdate ?? {}
    const [noneDown, noneMore] = [isZero(maxUnavailable), isZero(maxSurge)]
    if (noneDown && noneMore)
      found.push(causes.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'cannot be 0 when maxSurge is 0'))
    if (!noneDown && !noneMore)
      found.push(causes.invalid(`${path}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  }
  if (revisionHistoryLimit < 0)
    found.push(causes.invalid('spec.revisionHistoryLimit', revisionHistoryLimit, 'must be greater than or equal to 0'))
  return found
}

const isZero = (value: number | string | undefined): boolean => value === 0 || value === '0%'

function nodeSelectorText(selector: Record<string, string>): string {
  const pairs = Object.entries(selector).map(([key, value]) => `${key}=${value}`)
  return pairs.length > 0 ? pairs.sort().join(',') : '<none>'
}
