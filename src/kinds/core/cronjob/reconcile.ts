import { controllerReference, type Draft, isControlledBy, timestamp } from '../../../apimachinery/object.js'
import { isAlreadyExists, isNotFound, StatusError } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { asJson, isSameJson } from '../../../controller/same-json.js'
import { jobKind } from '../job/kind.js'
import { finishOf, type Job } from '../job/schema.js'
import { cronJobKind } from './kind.js'
import { type Schedule, scheduleFrom } from './schedule.js'
import { type CronJob, SCHEDULED_AT } from './schema.js'
import { zonedTimestamp } from './time-zone.js'

/** From so many missed times on it is told that something is wrong (pkg/controller/cronjob/utils.go). */
const MANY_MISSED = 100
const MINUTE_MS = 60_000

type CronJobStatus = NonNullable<CronJob['status']>

/**
 * Makes a Job at each time of the schedule, and forgets old ones.
 * @see kubernetes/kubernetes v1.35 pkg/controller/cronjob/cronjob_controllerv2.go syncCronJob
 */
export function createCronJobController(): Controller<CronJob> {
  return {
    kind: cronJobKind,
    actsAs: 'system:serviceaccount:kube-system:cronjob-controller',
    owns: [jobKind],
    create: (deps) => (cronJob) => reconcile(deps, cronJob),
  }
}

async function reconcile(deps: ReconcilerDeps, cronJob: CronJob): Promise<Outcome<CronJob>> {
  const { client, clock, event } = deps
  const all = await client.list(jobKind, cronJob.metadata.namespace)
  const jobs = all.filter((job) => isControlledBy(job, cronJob))
  const status: CronJobStatus = { ...cronJob.status, active: followJobs(deps, cronJob, jobs) }
  for (const job of jobs) {
    const ended = finishOf(job)?.type === 'Complete' ? job.status?.completionTime : undefined
    if (ended && (!status.lastSuccessfulTime || Date.parse(ended) > Date.parse(status.lastSuccessfulTime)))
      status.lastSuccessfulTime = ended
  }
  await forgetJobs(deps, cronJob, jobs)

  if (cronJob.spec.suspend) {
    await write(deps, cronJob, status)
    return {}
  }
  let schedule: Schedule
  try {
    schedule = scheduleFrom(cronJob.spec.schedule, cronJob.spec.timeZone)
  } catch (error) {
    // Nothing but a change of the object cures it.
    event(
      cronJob,
      'Warning',
      'UnparseableSchedule',
      `unparseable schedule: ${JSON.stringify(cronJob.spec.schedule)} : ${(error as Error).message}`,
    )
    await write(deps, cronJob, status)
    return {}
  }
  const dueMs = latestDue(deps, cronJob, schedule)
  if (dueMs !== undefined) await run(deps, cronJob, { jobs, status, dueMs })
  await write(deps, cronJob, status)
  const nextMs = schedule.next(clock.now())
  return { requeueAfterMs: nextMs === undefined ? undefined : nextMs - clock.now() }
}

/** The Jobs that are running, in the order in which they were made; says of each that ended, and of each that is missing. */
function followJobs({ event }: ReconcilerDeps, cronJob: CronJob, jobs: readonly Job[]): NonNullable<CronJobStatus['active']> {
  const byUid = new Map(jobs.map((job) => [job.metadata.uid, job]))
  const active = (cronJob.status?.active ?? []).filter(({ uid, name }) => {
    const job = byUid.get(uid)
    if (!job) event(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${name}`)
    const finish = job && finishOf(job)
    if (finish) event(cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${finish.type}`)
    return job && !finish
  })
  for (const job of jobs) {
    if (finishOf(job) || active.some(({ uid }) => uid === job.metadata.uid) || job.metadata.deletionTimestamp) continue
    // It was made, and then the status could not be written; or someone else made it in our name.
    if (isOwnName(cronJob, job)) active.push(referenceTo(job))
    else event(cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`)
  }
  return active
}

const isOwnName = ({ metadata }: CronJob, job: Job): boolean => /^-\d+$/.test(job.metadata.name.slice(metadata.name.length))

/** The last time of the schedule that has come since the one before was seen to; undefined when there is none. */
function latestDue({ clock, event }: ReconcilerDeps, cronJob: CronJob, schedule: Schedule): number | undefined {
  const { spec, metadata, status } = cronJob
  const nowMs = clock.now()
  let afterMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '')
  if (spec.startingDeadlineSeconds !== undefined) afterMs = Math.max(afterMs, nowMs - spec.startingDeadlineSeconds * 1000)
  let dueMs: number | undefined
  let missed = 0
  for (let ms = schedule.next(afterMs); ms !== undefined && ms <= nowMs; ms = schedule.next(ms)) {
    dueMs = ms
    missed++
    // Years of minutes need not be counted: from here on they come at the pace of the first two.
    if (missed > MANY_MISSED) {
      dueMs = lastBefore(schedule, nowMs) ?? dueMs
      event(
        cronJob,
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      )
      break
    }
  }
  return dueMs
}

/** The last time of a schedule that is not after `nowMs`, looked for further and further back. */
function lastBefore(schedule: Schedule, nowMs: number): number | undefined {
  for (let spanMs = MINUTE_MS; spanMs < MINUTE_MS * 2 ** 24; spanMs *= 2) {
    let found: number | undefined
    for (let ms = schedule.next(nowMs - spanMs); ms !== undefined && ms <= nowMs; ms = schedule.next(ms)) found = ms
    if (found !== undefined) return found
  }
  return undefined
}

async function run(
  deps: ReconcilerDeps,
  cronJob: CronJob,
  { jobs, status, dueMs }: { jobs: readonly Job[]; status: CronJobStatus; dueMs: number },
): Promise<void> {
  const { client, clock, event } = deps
  const { spec, metadata } = cronJob
  if (spec.startingDeadlineSeconds !== undefined && dueMs + spec.startingDeadlineSeconds * 1000 < clock.now()) {
    event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${rfc1123(dueMs)}`)
    return
  }
  const name = jobName(cronJob, dueMs)
  if (jobs.some((job) => job.metadata.name === name)) {
    status.lastScheduleTime = timestamp(dueMs)
    return
  }
  const active = status.active ?? []
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    event(cronJob, 'Normal', 'JobAlreadyActive', message)
    return
  }
  if (spec.concurrencyPolicy === 'Replace') {
    for (const { name: running, uid } of active) {
      const job = jobs.find((each) => each.metadata.uid === uid)
      if (job) await deleteJob(deps, cronJob, job)
      status.active = (status.active ?? []).filter((each) => each.name !== running)
    }
  }
  const { labels, annotations } = spec.jobTemplate.metadata ?? {}
  const draft = asJson({
    metadata: {
      name,
      namespace: metadata.namespace,
      labels,
      annotations: { ...annotations, [SCHEDULED_AT]: zonedTimestamp(dueMs, spec.timeZone) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec: spec.jobTemplate.spec,
  }) as Draft<Job>
  try {
    const job = await client.create(jobKind, draft)
    event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
    status.active = [...(status.active ?? []), referenceTo(job)]
    status.lastScheduleTime = timestamp(dueMs)
  } catch (error) {
    if (isAlreadyExists(error)) return
    if (!(error instanceof StatusError)) throw error
    if (error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating')) return
    event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${error.message}`)
    throw error
  }
}

/** `<name>-<minutes since 1970>`: the same time makes the same name, and so one Job. */
function jobName({ metadata }: CronJob, dueMs: number): string {
  return `${metadata.name}-${Math.floor(dueMs / MINUTE_MS)}`
}

async function forgetJobs(deps: ReconcilerDeps, cronJob: CronJob, jobs: readonly Job[]): Promise<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec
  for (const [type, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue
    const ended = jobs.filter((job) => finishOf(job)?.type === type && !job.metadata.deletionTimestamp).sort(byStart)
    for (const job of ended.slice(0, Math.max(0, ended.length - limit))) await deleteJob(deps, cronJob, job)
  }
}

async function deleteJob({ client, event }: ReconcilerDeps, cronJob: CronJob, { metadata }: Job): Promise<void> {
  try {
    await client.delete(jobKind, metadata, { propagationPolicy: 'Background', preconditions: { uid: metadata.uid! } })
    event(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${metadata.name}`)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function byStart(a: Job, b: Job): number {
  const [first, second] = [a.status?.startTime ?? '', b.status?.startTime ?? '']
  if (first !== second) return first < second ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

function referenceTo({ apiVersion, kind, metadata }: Job): NonNullable<CronJobStatus['active']>[number] {
  const { name, namespace, uid, resourceVersion } = metadata
  return { kind, namespace: namespace!, name, uid: uid!, apiVersion, resourceVersion: resourceVersion! }
}

/** A CronJob's status has no observedGeneration, so it is written here and not by the manager. */
async function write({ client }: ReconcilerDeps, cronJob: CronJob, { active, ...others }: CronJobStatus): Promise<void> {
  const status = asJson({ ...others, ...(active && active.length > 0 && { active }) })
  if (!isSameJson(status, cronJob.status ?? {})) await client.updateStatus(cronJobKind, { ...cronJob, status })
}

/** `Thu, 01 Jan 2026 00:00:00 +0000`. */
function rfc1123(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000')
}
