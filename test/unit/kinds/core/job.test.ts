import { afterEach, beforeEach, expect, test } from 'vitest'
import { jobKind } from '../../../../src/kinds/core/job/kind.js'
import type { Job, JobSpec } from '../../../../src/kinds/core/job/schema.js'
import { nodeKind } from '../../../../src/kinds/core/node/kind.js'
import { NODE_NAME } from '../../../../src/kinds/core/node/schema.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { type Cluster, condition, type FakeProcess, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
  await cluster.client.patch(
    nodeKind,
    { name: NODE_NAME },
    { type: 'application/merge-patch+json', body: { status: { allocatable: { pods: '110' } } }, subresource: 'status' },
  )
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'pi' }
const template = (restartPolicy: 'Never' | 'OnFailure' = 'Never') => ({
  spec: { restartPolicy, containers: [{ name: 'app', image: 'app' }] },
})
const create = async (spec: Partial<JobSpec> = {}, metadata: object = {}): Promise<void> => {
  await cluster.client.create(jobKind, { metadata: { ...ref, ...metadata }, spec: { template: template(), ...spec } })
  await cluster.settle()
}
const job = () => cluster.client.get(jobKind, ref) as Promise<Job>
const pods = () => cluster.client.list(podKind, 'default')
const running = (): FakeProcess[] => cluster.runtime.processes.filter((process) => process.isRunning())
const exit = async (exitCode: number, process = running()[0]!): Promise<void> => {
  process.exit(exitCode)
  await cluster.settle()
}
const messages = async (reason: string) => (await cluster.events(reason)).map(({ message }) => message)

test('a job of one pod runs it, counts it and says that it is complete', async () => {
  await create()
  const [pod] = await pods()
  const { uid } = (await job()).metadata
  expect(pod!.metadata).toMatchObject({
    name: expect.stringMatching(/^pi-[a-z0-9]{5}$/),
    finalizers: ['batch.kubernetes.io/job-tracking'],
    labels: {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': 'pi',
      'controller-uid': uid,
      'job-name': 'pi',
    },
  })
  expect((await job()).status).toEqual({
    active: 1,
    ready: 1,
    terminating: 0,
    startTime: '2026-01-01T00:00:00Z',
    uncountedTerminatedPods: {},
  })

  await cluster.clock.advance(5000)
  await exit(0)
  const { status } = await job()
  const done = { status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
  const at = { lastProbeTime: '2026-01-01T00:00:05Z', lastTransitionTime: '2026-01-01T00:00:05Z' }
  expect(status).toEqual({
    ready: 0,
    terminating: 0,
    succeeded: 1,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:00:05Z',
    uncountedTerminatedPods: {},
    conditions: [
      { type: 'SuccessCriteriaMet', ...done, ...at },
      { type: 'Complete', ...done, ...at },
    ],
  })
  expect((await pods())[0]!.metadata.finalizers).toBeUndefined()
  expect(await messages('Completed')).toEqual(['Job completed'])
})

test('a failed pod is followed by another after 10 s, then 20 s, until the limit is passed', async () => {
  await create({ backoffLimit: 2 })
  await exit(1)
  expect(await pods()).toHaveLength(1)
  expect((await job()).status).toMatchObject({ failed: 1 })
  await cluster.clock.advance(9_999)
  expect(await pods()).toHaveLength(1)
  await cluster.clock.advance(1)
  expect(await pods()).toHaveLength(2)

  await exit(1)
  await cluster.clock.advance(19_999)
  expect(await pods()).toHaveLength(2)
  await cluster.clock.advance(1)
  expect(await pods()).toHaveLength(3)

  await exit(1)
  const failed = { status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  const { status } = await job()
  expect(status).toMatchObject({
    failed: 3,
    conditions: [
      { type: 'FailureTarget', ...failed },
      { type: 'Failed', ...failed },
    ],
  })
  expect(status).not.toHaveProperty('active')
  await cluster.clock.advance(3_600_000)
  expect(await pods()).toHaveLength(3)
  expect(await messages('BackoffLimitExceeded')).toEqual(['Job has reached the specified backoff limit'])
})

test('with OnFailure the container is restarted in its pod, and restarts count against the limit', async () => {
  await create({ backoffLimit: 2, template: template('OnFailure') })
  await exit(1)
  expect(await pods()).toHaveLength(1)
  expect(running()).toHaveLength(1)
  await exit(1)
  await cluster.clock.advance(10_000)
  await cluster.settle()
  expect(condition(await job(), 'Failed')).toMatchObject({ reason: 'BackoffLimitExceeded' })
  expect(await pods()).toEqual([])
})

test('parallelism bounds how many pods run at once, completions how many have to succeed', async () => {
  await create({ completions: 5, parallelism: 2 })
  expect(running()).toHaveLength(2)
  for (let done = 1; done <= 4; done++) {
    await exit(0)
    expect(running()).toHaveLength(Math.min(2, 5 - done))
  }
  await exit(0)
  expect((await job()).status).toMatchObject({ succeeded: 5 })
  expect(condition(await job(), 'Complete')).toMatchObject({ status: 'True' })
  expect(await pods()).toHaveLength(5)
})

test('an Indexed job gives each pod its index, and names the completed ones', async () => {
  await create({ completions: 4, parallelism: 4, completionMode: 'Indexed' })
  const made = [...(await pods())].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  expect(made.map(({ metadata }) => metadata.name.slice(0, 5))).toEqual(['pi-0-', 'pi-1-', 'pi-2-', 'pi-3-'])
  expect(made[2]!.metadata.annotations!['batch.kubernetes.io/job-completion-index']).toBe('2')
  expect(made[2]!.spec.hostname).toBe('pi-2')
  const of = (index: number) => running().find(({ request }) => request.env['JOB_COMPLETION_INDEX'] === String(index))!
  await exit(0, of(3))
  await exit(0, of(1))
  await exit(0, of(2))
  expect((await job()).status).toMatchObject({ completedIndexes: '1-3', succeeded: 3, active: 1 })
  // A failed index is tried again under its own number.
  await exit(1, of(0))
  await cluster.clock.advance(10_000)
  expect(of(0).isRunning()).toBe(true)
  await exit(0, of(0))
  expect((await job()).status).toMatchObject({ completedIndexes: '0-3', succeeded: 4, failed: 1 })
})

test('backoffLimitPerIndex gives up an index and goes on with the others', async () => {
  await create({ completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 })
  const of = (index: number) => running().find(({ request }) => request.env['JOB_COMPLETION_INDEX'] === String(index))!
  await exit(1, of(0))
  await cluster.clock.advance(10_000)
  await exit(1, of(0))
  expect((await job()).status).toMatchObject({ failedIndexes: '0', failed: 2, active: 1 })
  await exit(0, of(1))
  expect((await job()).status).toMatchObject({ failedIndexes: '0', completedIndexes: '1' })
  expect(condition(await job(), 'Failed')).toMatchObject({ reason: 'FailedIndexes', message: 'Job has failed indexes' })
})

test('a success policy ends a job before all its indexes are done', async () => {
  await create({ completions: 3, parallelism: 3, completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0' }] } })
  await exit(0, running().find(({ request }) => request.env['JOB_COMPLETION_INDEX'] === '0')!)
  expect(running()).toEqual([])
  expect(condition(await job(), 'Complete')).toMatchObject({ reason: 'SuccessPolicy', message: 'Matched rules at index 0' })
})

test('a failure policy ends the job on an exit code, and ignores another', async () => {
  await create({
    backoffLimit: 0,
    podFailurePolicy: {
      rules: [
        { action: 'Ignore', onExitCodes: { operator: 'In', values: [3] } },
        { action: 'FailJob', onExitCodes: { containerName: 'app', operator: 'In', values: [42] } },
      ],
    },
  })
  await exit(3)
  await cluster.clock.advance(10_000)
  expect((await job()).status).not.toHaveProperty('failed')
  expect(running()).toHaveLength(1)
  const [name] = (await pods()).filter(({ status }) => status!.phase === 'Running').map(({ metadata }) => metadata.name)
  await exit(42)
  expect(condition(await job(), 'Failed')).toMatchObject({
    reason: 'PodFailurePolicy',
    message: `Container app for pod default/${name} failed with exit code 42 matching FailJob rule at index 1`,
  })
})

test('a job that is active longer than its deadline fails, and its pods are ended', async () => {
  await create({ activeDeadlineSeconds: 60 })
  await cluster.clock.advance(59_999)
  expect(running()).toHaveLength(1)
  await cluster.clock.advance(1)
  await cluster.settle()
  expect(running()).toEqual([])
  expect(condition(await job(), 'Failed')).toMatchObject({
    reason: 'DeadlineExceeded',
    message: 'Job was active longer than specified deadline',
  })
})

test('a finished job is gone after its time to live, and its pods with it', async () => {
  await create({ ttlSecondsAfterFinished: 30 })
  await exit(0)
  await cluster.clock.advance(29_999)
  expect(await cluster.client.list(jobKind, 'default')).toHaveLength(1)
  await cluster.clock.advance(1)
  await cluster.settle()
  expect(await cluster.client.list(jobKind, 'default')).toEqual([])
  expect(await pods()).toEqual([])
})

test('a suspended job has no pods until it is resumed, and suspending it takes them away uncounted', async () => {
  await create({ suspend: true })
  expect(await pods()).toEqual([])
  expect((await job()).status).not.toHaveProperty('startTime')
  expect(condition(await job(), 'Suspended')).toMatchObject({ status: 'True', reason: 'JobSuspended', message: 'Job suspended' })
  const suspend = async (value: boolean): Promise<void> => {
    await cluster.client.patch(jobKind, ref, { type: 'application/merge-patch+json', body: { spec: { suspend: value } } })
    await cluster.settle()
  }
  await cluster.clock.advance(60_000)
  await suspend(false)
  expect(running()).toHaveLength(1)
  expect((await job()).status).toMatchObject({ startTime: '2026-01-01T00:01:00Z', active: 1 })
  expect(condition(await job(), 'Suspended')).toMatchObject({ status: 'False', reason: 'JobResumed' })
  await suspend(true)
  expect(await pods()).toEqual([])
  expect((await job()).status).not.toHaveProperty('failed')
})

test('a pod that is deleted while it runs counts as failed and is replaced', async () => {
  await create()
  const [pod] = await pods()
  await cluster.client.delete(podKind, pod!.metadata)
  await cluster.settle()
  expect((await job()).status).toMatchObject({ failed: 1 })
  await cluster.clock.advance(10_000)
  expect((await pods()).map(({ metadata }) => metadata.name)).not.toContain(pod!.metadata.name)
  expect(running()).toHaveLength(1)
})

test('pods of a deleted job go with it, or are let go of when it leaves them', async () => {
  await create()
  await cluster.client.delete(jobKind, ref, { propagationPolicy: 'Background' })
  await cluster.settle()
  expect(await pods()).toEqual([])

  await create()
  await cluster.client.delete(jobKind, ref)
  await cluster.settle()
  expect(await cluster.client.list(jobKind, 'default')).toEqual([])
  const [left] = await pods()
  expect(left!.metadata).not.toHaveProperty('ownerReferences')
  expect(left!.metadata).not.toHaveProperty('finalizers')
})

test('a work queue is complete when one pod succeeded and the others have ended', async () => {
  await create({ parallelism: 2 })
  expect((await job()).spec).not.toHaveProperty('completions')
  await exit(0)
  expect(running()).toHaveLength(1)
  expect(condition(await job(), 'Complete')).toBeUndefined()
  await exit(0)
  expect(condition(await job(), 'Complete')).toMatchObject({ status: 'True' })
})

test.each([
  [
    { template: { spec: { containers: [{ name: 'app', image: 'app' }] } } },
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [{ completionMode: 'Indexed', parallelism: 1 }, 'spec.completions: Required value: when completion mode is Indexed'],
  [{ selector: { matchLabels: { a: 'b' } } }, '`selector` not auto-generated'],
  [{ backoffLimit: -1 }, 'spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0'],
])('a job with %j is refused', async (spec, message) => {
  await expect(create(spec as Partial<JobSpec>)).rejects.toThrow(message)
})

test('the template of a job cannot be changed', async () => {
  await create()
  const body = { spec: { template: { spec: { containers: [{ name: 'app', image: 'other' }] } } } }
  await expect(cluster.client.patch(jobKind, ref, { type: 'application/merge-patch+json', body })).rejects.toThrow('field is immutable')
})
