import { timestamp } from '../../../apimachinery/object.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { asJson, isSameJson } from '../../../controller/same-json.js'
import { claim } from '../claim.js'
import { isPodActive, isPodReady } from '../pod/conditions.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { deletionOrder } from '../replicaset/deletion-order.js'
import { type FailureRecord, failuresAfter, finishedMs, waitMs } from './backoff.js'
import { indexesFrom, indexesText } from './indexes.js'
import { jobKind } from './kind.js'
import { createPod, deletePod, indexFailuresOf, indexOf, isTracked, release } from './pods.js'
import { failureVerdict, successVerdict } from './policies.js'
import { finishOf, JOB_REASONS, type Job, type JobCondition, OWN_MANAGER } from './schema.js'

/** No more creations or deletions than this in one go (pkg/controller/job MaxPodCreateDeletePerSync). */
const BURST = 500
/** The wait before a Pod that was refused is tried again. */
const RETRY_MS = 1000

type JobStatus = NonNullable<Job['status']>

/**
 * Runs Pods until enough of them have succeeded, or too many have failed, and counts each exactly once: a finalizer holds
 * a Pod until its end is in the Job's status.
 * @see kubernetes/kubernetes v1.35 pkg/controller/job/job_controller.go syncJob
 * @see kubernetes/kubernetes v1.35 pkg/controller/ttlafterfinished
 */
export function createJobController(): Controller<Job> {
  return {
    kind: jobKind,
    actsAs: 'system:serviceaccount:kube-system:job-controller',
    owns: [podKind],
    reconcilesDeleted: true,
    create(deps) {
      const records = new Map<string, FailureRecord>()
      const pods = deps.informer(podKind)
      const letGo = (pod: Pod): void => {
        const owner = pod.metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'Job')
        const work = async (): Promise<void> => {
          const job = owner && (await deps.client.find(jobKind, { namespace: pod.metadata.namespace, name: owner.name }))
          if (job?.metadata.uid !== owner?.uid || !owner) await release(deps, pod)
        }
        deps.busy(work().catch((error: unknown) => deps.log.warn('pod of a job that is no more keeps its finalizer', { error })))
      }
      const jobs = deps.informer(jobKind)
      const isOrphan = ({ metadata }: Pod): boolean => {
        const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'Job')
        return !owner || jobs.get({ namespace: metadata.namespace, name: owner.name })?.metadata.uid !== owner.uid
      }
      pods.onChange(({ type, object }) => {
        if (type !== 'DELETED' && isTracked(object) && isOrphan(object)) letGo(object)
      })
      jobs.onChange(({ type, object, previous }) => {
        const gone = type === 'DELETED' ? object : previous && previous.metadata.uid !== object.metadata.uid ? previous : undefined
        if (!gone) return
        records.delete(gone.metadata.uid!)
        for (const pod of pods.list(gone.metadata.namespace)) if (isTracked(pod) && isOrphan(pod)) letGo(pod)
      })
      return (job) => reconcile(deps, records, job)
    },
  }
}

async function reconcile(deps: ReconcilerDeps, records: Map<string, FailureRecord>, job: Job): Promise<Outcome<Job>> {
  const { clock } = deps
  if (job.spec.managedBy !== undefined && job.spec.managedBy !== OWN_MANAGER) return {}
  const uid = job.metadata.uid!
  const finish = finishOf(job)
  if (finish || job.metadata.deletionTimestamp) {
    records.delete(uid)
    for (const pod of await ownPods(deps, job)) if (isTracked(pod)) await release(deps, pod)
    return finish && !job.metadata.deletionTimestamp ? expire(deps, job, finish) : {}
  }
  const pods = await ownPods(deps, job)
  const found = take(job, pods)
  const record = failuresAfter(records.get(uid) ?? { failures: 0, lastMs: 0 }, found.newSucceeded, found.newFailed, clock.now())
  const status: JobStatus = { ...job.status }
  if (!status.startTime && !job.spec.suspend) status.startTime = timestamp(clock.now())

  const acted = await act(deps, { ...job, status }, { ...found, pods, record })
  const { goal } = acted
  if (goal) status.conditions = withCondition(status.conditions, goal, clock.now())
  else judgeSuspension(deps, job, status)
  status.active = acted.active
  status.ready = acted.ready
  status.terminating = acted.terminating
  if (job.spec.completionMode === 'Indexed') {
    status.completedIndexes = indexesText(found.succeededIndexes)
    if (job.spec.backoffLimitPerIndex !== undefined) status.failedIndexes = indexesText(found.failedIndexes)
  }

  // First it is written whom we let go, then they are let go, then they are counted: no end is counted twice or missed.
  const uids = (of: readonly Pod[]): string[] => of.map(({ metadata }) => metadata.uid!)
  const succeeded = [...found.uncounted.succeeded, ...(job.spec.completionMode === 'Indexed' ? [] : uids(found.newSucceeded))]
  const failed = [...found.uncounted.failed, ...uids(found.counted)]
  let written = job
  if (found.newSucceeded.length + found.newFailed.length > 0)
    written = await write(deps, job, { ...status, uncountedTerminatedPods: { succeeded, failed } })
  records.set(uid, record)
  for (const pod of [...found.newSucceeded, ...found.newFailed, ...found.stillHeld]) await release(deps, pod)

  const total = job.spec.completionMode === 'Indexed' ? found.succeededIndexes.size : (status.succeeded ?? 0) + succeeded.length
  const final: JobStatus = { ...status, succeeded: total, failed: (status.failed ?? 0) + failed.length, uncountedTerminatedPods: {} }
  if (goal && acted.active === 0 && acted.terminating === 0) conclude(deps, job, final, goal)
  await write(deps, written, final)
  return { requeueAfterMs: acted.requeueAfterMs }
}

async function ownPods({ client }: ReconcilerDeps, job: Job): Promise<Pod[]> {
  const owner = job as Job & { spec: { selector: NonNullable<Job['spec']['selector']> } }
  return claim(client, podKind, owner, await client.list(podKind, job.metadata.namespace))
}

interface Taken {
  uncounted: { succeeded: readonly string[]; failed: readonly string[] }
  /** Pods that came to their end and are in no count yet. */
  newSucceeded: Pod[]
  newFailed: Pod[]
  /** The failed ones that count: all but those that the failure policy ignores. */
  counted: Pod[]
  /** In the lists of the status already, but not let go. */
  stillHeld: Pod[]
  succeeded: number
  failed: number
  succeededIndexes: ReadonlySet<number>
  failedIndexes: ReadonlySet<number>
}

/** Takes stock of which Pods have come to their end. */
function take(job: Job, pods: readonly Pod[]): Taken {
  const { spec, status = {} } = job
  const uncounted = {
    succeeded: status.uncountedTerminatedPods?.succeeded ?? [],
    failed: status.uncountedTerminatedPods?.failed ?? [],
  }
  const noted = new Set([...uncounted.succeeded, ...uncounted.failed])
  const held = pods.filter(isTracked)
  const fresh = held.filter(({ metadata }) => !noted.has(metadata.uid!))
  const newSucceeded = fresh.filter((pod) => pod.status?.phase === 'Succeeded')
  const newFailed = fresh.filter((pod) => isFailed(job, pod))
  const isIndexed = spec.completionMode === 'Indexed'
  const counted = newFailed.filter((pod) => failureVerdict(job, pod)?.action !== 'Ignore')
  const succeededIndexes = isIndexed ? indexesFrom(status.completedIndexes, spec.completions) : new Set<number>()
  const failedIndexes = isIndexed ? indexesFrom(status.failedIndexes, spec.completions) : new Set<number>()
  if (isIndexed) {
    const inRange = (index: number | undefined): index is number => index !== undefined && index < (spec.completions ?? 0)
    for (const index of newSucceeded.map(indexOf)) if (inRange(index)) succeededIndexes.add(index)
    for (const pod of counted) {
      const index = indexOf(pod)
      if (spec.backoffLimitPerIndex === undefined || !inRange(index)) continue
      const isGivenUp = failureVerdict(job, pod)?.action === 'FailIndex' || indexFailuresOf(pod) >= spec.backoffLimitPerIndex
      if (isGivenUp && !succeededIndexes.has(index)) failedIndexes.add(index)
    }
  }
  return {
    uncounted,
    newSucceeded,
    newFailed,
    counted,
    stillHeld: held.filter(({ metadata }) => noted.has(metadata.uid!)),
    succeeded: isIndexed ? succeededIndexes.size : (status.succeeded ?? 0) + newSucceeded.length + uncounted.succeeded.length,
    failed: (status.failed ?? 0) + counted.length + uncounted.failed.length,
    succeededIndexes,
    failedIndexes,
  }
}

/** With the default replacement policy a Pod that is being deleted counts as failed from that moment. */
function isFailed({ spec }: Job, { status, metadata }: Pod): boolean {
  if (status?.phase === 'Failed') return true
  return spec.podReplacementPolicy !== 'Failed' && metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded'
}

interface Acted {
  /** How it ends, once that is certain: FailureTarget or SuccessCriteriaMet. */
  goal: Pick<JobCondition, 'type' | 'reason' | 'message'> | undefined
  active: number
  ready: number
  terminating: number
  requeueAfterMs?: number | undefined
}

type Situation = Taken & { pods: readonly Pod[]; record: FailureRecord }

/** Deletes and creates Pods as the Job's situation asks for. */
async function act(deps: ReconcilerDeps, job: Job, at: Situation): Promise<Acted> {
  const { spec } = job
  const nowMs = deps.clock.now()
  const active = at.pods.filter(isPodActive)
  const readyOf = (pods: readonly Pod[]): number => pods.filter(isPodReady).length
  const terminating = at.pods.filter((pod) => pod.metadata.deletionTimestamp && !isTerminal(pod)).length
  const remove = async (pods: readonly Pod[]): Promise<Omit<Acted, 'goal'>> => {
    const doomed = pods.slice(0, BURST)
    await Promise.all(doomed.map((pod) => deletePod(deps, job, pod)))
    const left = active.filter((pod) => !doomed.includes(pod))
    return { active: left.length, ready: readyOf(left), terminating: terminating + doomed.length }
  }
  // Those that the Job itself has no use for are not counted as failed.
  const giveUp = async (doomed: readonly Pod[]): Promise<Omit<Acted, 'goal'>> => {
    await Promise.all(doomed.map((pod) => release(deps, pod)))
    return remove(doomed)
  }

  const goal = goalOf(job, at, nowMs)
  if (goal) return { goal, ...(await remove(active)) }
  if (spec.suspend) return { goal: undefined, ...(await giveUp(active)) }

  const parallelism = spec.parallelism ?? 1
  const wanted =
    spec.completions === undefined
      ? at.succeeded > 0
        ? active.length
        : parallelism
      : Math.max(0, Math.min(parallelism, spec.completions - at.succeeded))
  const deadlineMs = deadlineInMs(job, nowMs)
  if (active.length > wanted) {
    const doomed = deletionOrder(active, nowMs).slice(0, active.length - wanted)
    const acted = await giveUp(doomed)
    return { goal: isComplete(job, at.succeeded, acted.active) ? REACHED : undefined, ...acted, requeueAfterMs: deadlineMs }
  }
  if (isComplete(job, at.succeeded, active.length)) return { goal: REACHED, active: active.length, ready: readyOf(active), terminating }

  const replaced = spec.podReplacementPolicy === 'Failed' ? terminating : 0
  const made = await start(deps, job, at, { active, count: Math.min(wanted - replaced - active.length, BURST) })
  const waits = [deadlineMs, made.waitMs].filter((ms) => ms !== undefined)
  return {
    goal: undefined,
    active: active.length + made.count,
    ready: readyOf(active),
    terminating,
    requeueAfterMs: waits.length > 0 ? Math.min(...waits) : undefined,
  }
}

/** Makes Pods, for those indexes that have none and may have one now. */
async function start(
  deps: ReconcilerDeps,
  job: Job,
  at: Situation,
  { active, count }: { active: readonly Pod[]; count: number },
): Promise<{ count: number; waitMs?: number | undefined }> {
  if (count <= 0) return { count: 0 }
  const nowMs = deps.clock.now()
  const { spec } = job
  const isPerIndex = spec.backoffLimitPerIndex !== undefined
  const waiting = isPerIndex ? 0 : waitMs(at.record, nowMs)
  if (waiting > 0) return { count: 0, waitMs: waiting }

  const places: { index: number | undefined; failures: number }[] = []
  let soonestMs: number | undefined
  if (spec.completionMode !== 'Indexed') for (let place = 0; place < count; place++) places.push({ index: undefined, failures: 0 })
  else {
    const busy = new Set([...active, ...(spec.podReplacementPolicy === 'Failed' ? at.pods.filter(isLeaving) : [])].map(indexOf))
    for (let index = 0; index < spec.completions! && places.length < count; index++) {
      if (busy.has(index) || at.succeededIndexes.has(index) || at.failedIndexes.has(index)) continue
      const last = isPerIndex ? lastFailureOf(job, at.pods, index) : undefined
      const failures = last ? indexFailuresOf(last) + (failureVerdict(job, last)?.action === 'Ignore' ? 0 : 1) : 0
      const ms = last ? waitMs({ failures, lastMs: finishedMs(last, nowMs) }, nowMs) : 0
      if (ms === 0) places.push({ index, failures })
      else soonestMs = Math.min(soonestMs ?? ms, ms)
    }
  }
  let made = 0
  // One first, then twice as many while they succeed, so that a quota is not hit five hundred times.
  for (let batch = 1, next = 0; next < places.length; batch *= 2) {
    const part = places.slice(next, next + batch)
    next += part.length
    const pods = await Promise.all(part.map(({ index, failures }) => createPod(deps, job, index, failures)))
    made += pods.filter((pod) => pod !== undefined).length
    if (pods.includes(undefined)) return { count: made, waitMs: RETRY_MS }
  }
  return { count: made, waitMs: soonestMs }
}

/** The failed Pod that knows most about the failures of an index. */
function lastFailureOf(job: Job, pods: readonly Pod[], index: number): Pod | undefined {
  const failed = pods.filter((pod) => indexOf(pod) === index && isFailed(job, pod))
  return failed.sort((a, b) => indexFailuresOf(b) - indexFailuresOf(a))[0]
}

const REACHED = {
  type: 'SuccessCriteriaMet',
  reason: JOB_REASONS.completionsReached,
  message: 'Reached expected number of succeeded pods',
} as const

/** Whether it is certain how the Job ends, though Pods may still be there. */
function goalOf(job: Job, at: Situation, nowMs: number): Acted['goal'] {
  const { spec, status } = job
  const before = status?.conditions?.find(
    ({ type, status: value }) => (type === 'SuccessCriteriaMet' || type === 'FailureTarget') && value === 'True',
  )
  if (before) return before
  const fail = (reason: string, message: string): Acted['goal'] => ({ type: 'FailureTarget', reason, message })
  for (const pod of at.pods) {
    const verdict = failureVerdict(job, pod)
    if (verdict?.action === 'FailJob') return fail(JOB_REASONS.failurePolicy, verdict.message)
  }
  if (at.failed > (spec.backoffLimit ?? 6) || restartsExceed(job, at.pods))
    return fail(JOB_REASONS.backoffLimit, 'Job has reached the specified backoff limit')
  if ((deadlineInMs(job, nowMs) ?? 1) <= 0) return fail(JOB_REASONS.deadline, 'Job was active longer than specified deadline')
  if (spec.completionMode !== 'Indexed') return undefined
  if (spec.maxFailedIndexes !== undefined && at.failedIndexes.size > spec.maxFailedIndexes)
    return fail(JOB_REASONS.maxFailedIndexes, 'Job has exceeded the specified maximal number of failed indexes')
  if (at.failedIndexes.size > 0 && at.failedIndexes.size + at.succeededIndexes.size >= spec.completions!)
    return fail(JOB_REASONS.failedIndexes, 'Job has failed indexes')
  const message = successVerdict(job, at.succeededIndexes)
  return message === undefined ? undefined : { type: 'SuccessCriteriaMet', reason: JOB_REASONS.successPolicy, message }
}

/** With restartPolicy OnFailure it is the restarts of the containers that count. */
function restartsExceed({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false
  const living = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
  const restarts = living
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  return restarts > 0 && restarts >= (spec.backoffLimit ?? 6)
}

function isComplete({ spec }: Job, succeeded: number, active: number): boolean {
  if (active > 0) return false
  return spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions
}

function deadlineInMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend || !status?.startTime) return undefined
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - nowMs
}

function judgeSuspension({ event, clock }: ReconcilerDeps, job: Job, status: JobStatus): void {
  const before = status.conditions?.find(({ type }) => type === 'Suspended')?.status === 'True'
  const isSuspended = job.spec.suspend === true
  if (before === isSuspended) return
  const next = isSuspended
    ? ({ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' } as const)
    : ({ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' } as const)
  status.conditions = withCondition(status.conditions, next, clock.now())
  event(job, 'Normal', isSuspended ? 'Suspended' : 'Resumed', next.message)
  // Its deadline counts from when it goes on.
  if (!isSuspended) status.startTime = timestamp(clock.now())
}

/** Says in the status and in an Event that it is over. */
function conclude(
  { event, clock }: ReconcilerDeps,
  job: Job,
  status: JobStatus,
  { type, reason, message }: NonNullable<Acted['goal']>,
): void {
  const isSuccess = type === 'SuccessCriteriaMet'
  status.conditions = withCondition(status.conditions, { type: isSuccess ? 'Complete' : 'Failed', reason, message }, clock.now())
  if (!isSuccess) {
    event(job, 'Warning', reason ?? '', message ?? '')
    return
  }
  status.completionTime = timestamp(clock.now())
  if (job.spec.completions !== undefined && (status.succeeded ?? 0) > job.spec.completions)
    event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
  event(job, 'Normal', 'Completed', 'Job completed')
}

function withCondition(
  conditions: readonly JobCondition[] | undefined,
  { type, status = 'True', reason, message }: Pick<JobCondition, 'type' | 'reason' | 'message'> & { status?: JobCondition['status'] },
  nowMs: number,
): JobCondition[] {
  const present = conditions?.find((condition) => condition.type === type)
  if (present?.status === status && present.reason === reason && present.message === message) return [...conditions!]
  const now = timestamp(nowMs)
  const next = { type, status, lastProbeTime: now, lastTransitionTime: now, ...(reason && { reason }), ...(message && { message }) }
  return [...(conditions ?? []).filter((condition) => condition.type !== type), next]
}

async function write({ client }: ReconcilerDeps, job: Job, { active, succeeded, failed, ...others }: JobStatus): Promise<Job> {
  const status = asJson({
    ...others,
    // Zeros of these and empty texts are left out, as the API's own encoding leaves them out.
    ...Object.fromEntries(Object.entries({ active, succeeded, failed }).filter(([, count]) => count)),
    completedIndexes: others.completedIndexes || undefined,
  })
  if (isSameJson(status, job.status)) return job
  return client.updateStatus(jobKind, { ...job, status: status as JobStatus })
}

/** Deletes a finished Job whose time is over. */
async function expire({ client, clock }: ReconcilerDeps, job: Job, { lastTransitionTime }: JobCondition): Promise<Outcome<Job>> {
  const { ttlSecondsAfterFinished } = job.spec
  if (ttlSecondsAfterFinished === undefined) return {}
  const leftMs = Date.parse(lastTransitionTime ?? '') + ttlSecondsAfterFinished * 1000 - clock.now()
  if (leftMs > 0) return { requeueAfterMs: leftMs }
  const preconditions = { uid: job.metadata.uid! }
  await client.delete(jobKind, job.metadata, { propagationPolicy: 'Foreground', preconditions }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
  return {}
}

const isTerminal = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed'
const isLeaving = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod)
