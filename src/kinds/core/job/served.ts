import { age, humanDuration } from '../../../apimachinery/age.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { objectSchema } from '../schema-parts.js'
import { workloadColumns } from '../workload-columns.js'
import { defaultJobSpec, generateSelector } from './defaults.js'
import { jobSpecSchema, jobStatusSchema } from './job-schema.js'
import { jobKind } from './kind.js'
import type { Job, JobCondition } from './schema.js'
import { validateJob } from './validate.js'

const columns: readonly Column[] = [
  { name: 'Status', type: 'string', description: 'What has become of it.', cell: statusCell },
  { name: 'Completions', type: 'string', description: 'Pods that succeeded, of those that should.', cell: completionsCell },
  { name: 'Duration', type: 'string', description: 'How long it took, or has been running.', cell: durationCell },
  { name: 'Age', type: 'string', cell: (job: Job, nowMs) => age(job.metadata.creationTimestamp, nowMs) },
  ...workloadColumns,
]

export const jobServed: ServedKind<Job> = {
  kind: { ...jobKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  orphansByDefault:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  schema: objectSchema('Job runs Pods until enough of them have come to a good end.', { spec: jobSpecSchema, status: jobStatusSchema }, [
    'spec',
  ]),
  defaults(job, { operation }) {
    defaultJobSpec(job.spec)
    if (operation === 'CREATE' && !job.spec.manualSelector) generateSelector(job)
    const { labels } = job.spec.template.metadata ?? {}
    if (labels && Object.keys(job.metadata.labels ?? {}).length === 0) job.metadata.labels = { ...labels }
  },
  validate: (job, { old }) => validateJob(job, old),
  prepare(job, { operation }) {
    if (operation === 'CREATE') job.status = {}
  },
  fieldSelectors: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
}

/** @see kubernetes/kubernetes v1.35 pkg/printers/internalversion/printers.go printJob */
function statusCell({ status, metadata }: Job): string {
  const has = (type: JobCondition['type']): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  if (has('Suspended')) return 'Suspended'
  if (has('FailureTarget')) return 'FailureTarget'
  return has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running'
}

function completionsCell({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`
}

function durationCell({ status }: Job, nowMs: number): string {
  if (!status?.startTime) return ''
  const endMs = status.completionTime ? Date.parse(status.completionTime) : nowMs
  return humanDuration(endMs - Date.parse(status.startTime))
}
