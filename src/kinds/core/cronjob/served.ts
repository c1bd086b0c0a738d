import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { checkAnnotations, checkLabels } from '../../../apimachinery/names.js'
import { objectMetaSchema } from '../../../apimachinery/object-meta-schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { defaultJobSpec } from '../job/defaults.js'
import { jobSpecSchema } from '../job/job-schema.js'
import { validateJobSpec } from '../job/validate.js'
import { fields, flag, int32, int64, listOf, objectReference, objectSchema, text, time } from '../schema-parts.js'
import { validateTemplate } from '../validate-workload.js'
import { workloadColumns } from '../workload-columns.js'
import { cronJobKind } from './kind.js'
import { ScheduleError, scheduleFrom } from './schedule.js'
import type { CronJob } from './schema.js'
import { isTimeZone } from './time-zone.js'

const POLICIES = ['Allow', 'Forbid', 'Replace']
const NOT_NEGATIVE = 'must be greater than or equal to 0'
/** Its Jobs' names are eleven characters longer, and theirs are labels of their Pods (pkg/apis/batch/validation). */
const LONGEST_NAME = 52
const ZONE_IN_SCHEDULE = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
const NO_ZONE = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'

const columns: readonly Column[] = [
  { name: 'Schedule', type: 'string', description: 'When it runs, in cron format.', cell: ({ spec }: CronJob) => spec.schedule },
  { name: 'Timezone', type: 'string', description: 'Whose clocks count.', cell: ({ spec }: CronJob) => spec.timeZone ?? '<none>' },
  {
    name: 'Suspend',
    type: 'boolean',
    description: 'Whether it rests.',
    cell: ({ spec }: CronJob) => (spec.suspend === undefined ? '<unset>' : titled(spec.suspend)),
  },
  { name: 'Active', type: 'integer', description: 'Jobs that are running.', cell: ({ status }: CronJob) => status?.active?.length ?? 0 },
  {
    name: 'Last Schedule',
    type: 'string',
    description: 'When it ran last.',
    cell: ({ status }: CronJob, nowMs) => (status?.lastScheduleTime ? age(status.lastScheduleTime, nowMs) : '<none>'),
  },
  { name: 'Age', type: 'string', cell: (job: CronJob, nowMs) => age(job.metadata.creationTimestamp, nowMs) },
  ...workloadColumns.map(
    ({ cell, ...column }): Column => ({ ...column, cell: ({ spec }: CronJob, nowMs) => cell!(spec.jobTemplate as never, nowMs) }),
  ),
]

export const cronJobServed: ServedKind<CronJob> = {
  kind: { ...cronJobKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'CronJob makes a Job again and again, at the times of its schedule.',
    {
      spec: fields(
        {
          concurrencyPolicy: text,
          failedJobsHistoryLimit: int32,
          jobTemplate: fields({ metadata: objectMetaSchema, spec: jobSpecSchema }),
          schedule: text,
          startingDeadlineSeconds: int64,
          successfulJobsHistoryLimit: int32,
          suspend: flag,
          timeZone: text,
        },
        ['schedule', 'jobTemplate'],
      ),
      status: fields({ active: listOf(objectReference), lastScheduleTime: time, lastSuccessfulTime: time }),
    },
    ['spec'],
  ),
  defaults({ spec }) {
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
    const job = spec.jobTemplate.spec
    if (!job) return
    // Completions, parallelism and the like are the Job's to default when it is made.
    const { parallelism, completions, backoffLimit, completionMode, suspend, manualSelector, podReplacementPolicy } = job
    defaultJobSpec(job)
    Object.assign(job, { parallelism, completions, backoffLimit, completionMode, suspend, manualSelector, podReplacementPolicy })
  },
  validate: (job) => cronJobCauses(job),
  prepare(job, { operation }) {
    if (operation === 'CREATE') job.status = {}
  },
}

function cronJobCauses({ spec, metadata }: CronJob): Cause[] {
  const found: Cause[] = []
  if (metadata.name.length > LONGEST_NAME)
    found.push(causes.invalid('metadata.name', metadata.name, `must be no more than ${LONGEST_NAME} characters`))
  found.push(...scheduleCauses(spec))
  for (const field of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const)
    if ((spec[field] ?? 0) < 0) found.push(causes.invalid(`spec.${field}`, spec[field], NOT_NEGATIVE))
  if (!POLICIES.includes(spec.concurrencyPolicy ?? ''))
    found.push(causes.notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy, POLICIES))
  const { metadata: { labels = {}, annotations = {} } = {}, spec: job } = spec.jobTemplate
  found.push(...checkLabels(labels, 'spec.jobTemplate.metadata.labels'))
  found.push(...checkAnnotations(annotations, 'spec.jobTemplate.metadata.annotations'))
  if (!job) return [...found, causes.required('spec.jobTemplate.spec.template')]
  if (job.selector) found.push(causes.invalid('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'))
  if (job.manualSelector) found.push(causes.notSupported('spec.jobTemplate.spec.manualSelector', job.manualSelector, ['nil', 'false']))
  const whole = structuredClone(job)
  defaultJobSpec(whole)
  found.push(...validateJobSpec(whole, 'spec.jobTemplate.spec'))
  found.push(...validateTemplate(undefined, job.template, ['Always', 'OnFailure', 'Never'], 'spec.jobTemplate.spec.template'))
  return found
}

function scheduleCauses({ schedule, timeZone }: CronJob['spec']): Cause[] {
  const found: Cause[] = []
  if (!schedule) found.push(causes.required('spec.schedule'))
  else if (schedule.includes('TZ')) found.push(causes.invalid('spec.schedule', schedule, ZONE_IN_SCHEDULE))
  else {
    try {
      scheduleFrom(schedule)
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      found.push(causes.invalid('spec.schedule', schedule, error.message))
    }
  }
  if (timeZone === undefined) return found
  if (timeZone === '') found.push(causes.invalid('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string'))
  else if (timeZone.toLowerCase() === 'local') found.push(causes.invalid('spec.timeZone', timeZone, NO_ZONE))
  else if (!isTimeZone(timeZone)) found.push(causes.invalid('spec.timeZone', timeZone, `unknown time zone ${timeZone}`))
  return found
}

/** `True`, `False`: as kubectl's tables print this one. */
function titled(value: boolean): string {
  return value ? 'True' : 'False'
}
