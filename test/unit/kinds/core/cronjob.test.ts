import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cronJobKind } from '../../../../src/kinds/core/cronjob/kind.js'
import { scheduleFrom } from '../../../../src/kinds/core/cronjob/schedule.js'
import type { CronJob } from '../../../../src/kinds/core/cronjob/schema.js'
import { jobKind } from '../../../../src/kinds/core/job/kind.js'
import { type Cluster, condition, startCluster } from './support.js'

describe('a schedule', () => {
  const next = (schedule: string, from: string, zone?: string, count = 1): string[] => {
    const found: string[] = []
    for (let ms: number | undefined = Date.parse(from); found.length < count; ) {
      ms = scheduleFrom(schedule, zone).next(ms)
      if (ms === undefined) break
      found.push(new Date(ms).toISOString().slice(0, 16))
    }
    return found
  }

  test.each([
    ['*/15 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:15'],
    ['* * * * *', '2026-01-01T00:00:59.999Z', '2026-01-01T00:01'],
    ['5/20 * * * *', '2026-01-01T00:26:00Z', '2026-01-01T00:45'],
    ['0 9-17/4 * * MON-FRI', '2026-01-02T13:30:00Z', '2026-01-02T17:00'],
    ['0 9 * * mon', '2026-01-01T00:00:00Z', '2026-01-05T09:00'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    // Both days are given, so either will do: Friday the second, or the thirteenth.
    ['0 0 13 * 5', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['0 0 31 1,12 ?', '2026-02-01T00:00:00Z', '2026-12-31T00:00'],
    ['@hourly', '2026-01-01T00:30:00Z', '2026-01-01T01:00'],
    ['@weekly', '2026-01-01T00:30:00Z', '2026-01-04T00:00'],
    ['@every 90m', '2026-01-01T00:30:00Z', '2026-01-01T02:00'],
  ])('%s after %s is due at %s', (schedule, from, expected) => {
    expect(next(schedule, from)).toEqual([expected])
  })

  test('a date that never comes is never due', () => {
    expect(next('0 0 30 2 *', '2026-01-01T00:00:00Z')).toEqual([])
  })

  test('follows the clocks of its zone, through the hour they skip and the one they repeat', () => {
    expect(next('0 9 * * *', '2026-03-28T00:00:00Z', 'Europe/Berlin', 2)).toEqual(['2026-03-28T08:00', '2026-03-29T07:00'])
    expect(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', 1)).toEqual(['2026-03-30T00:30'])
    expect(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin', 2)).toEqual(['2026-10-25T00:30', '2026-10-25T01:30'])
    expect(next('15 0 1 * *', '2026-01-15T00:00:00Z', 'Asia/Kolkata')).toEqual(['2026-01-31T18:45'])
    expect(next('0 0 * * *', '2026-01-15T00:00:00Z', 'Pacific/Apia')).toEqual(['2026-01-15T11:00'])
  })

  test.each([
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['10-5 * * * *', 'beginning of range (10) beyond end of range (5): 10-5'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['*/2/3 * * * *', 'too many slashes: */2/3'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['@constructor', 'unrecognized descriptor: @constructor'],
    ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ])('%s is none: %s', (schedule, message) => {
    expect(() => scheduleFrom(schedule)).toThrow(message)
  })
})

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'tick' }
const START_MINUTE = Date.parse('2026-01-01T00:00:00Z') / 60_000
const create = async (spec: Partial<CronJob['spec']> = {}): Promise<void> => {
  const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'app', image: 'app' }] } }
  await cluster.client.create(cronJobKind, {
    metadata: ref,
    spec: { schedule: '* * * * *', jobTemplate: { metadata: { labels: { from: 'tick' } }, spec: { template } }, ...spec },
  })
  await cluster.settle()
}
const cronJob = () => cluster.client.get(cronJobKind, ref)
const jobs = async () => (await cluster.client.list(jobKind, 'default')).map(({ metadata }) => metadata.name).sort()
const minutes = async (count: number): Promise<void> => {
  await cluster.clock.advance(count * 60_000)
  await cluster.settle()
}
const exitAll = async (exitCode: number): Promise<void> => {
  for (const process of cluster.runtime.processes) if (process.isRunning()) process.exit(exitCode)
  await cluster.settle()
}

test('a job is made on the minute, named after it, and listed while it runs', async () => {
  await create()
  await cluster.clock.advance(59_999)
  expect(await jobs()).toEqual([])
  await cluster.clock.advance(1)
  await cluster.settle()
  const name = `tick-${START_MINUTE + 1}`
  expect(await jobs()).toEqual([name])
  const job = await cluster.client.get(jobKind, { namespace: 'default', name })
  expect(job.metadata).toMatchObject({
    labels: { from: 'tick' },
    annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z' },
    ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
  })
  expect((await cronJob()).status).toMatchObject({
    active: [{ kind: 'Job', apiVersion: 'batch/v1', name, namespace: 'default', uid: job.metadata.uid }],
    lastScheduleTime: '2026-01-01T00:01:00Z',
  })

  await cluster.clock.advance(10_000)
  await exitAll(0)
  const { status } = await cronJob()
  expect(status).toEqual({ lastScheduleTime: '2026-01-01T00:01:00Z', lastSuccessfulTime: '2026-01-01T00:01:10Z' })
  expect((await cluster.events('SawCompletedJob')).map(({ message }) => message)).toEqual([
    `Saw completed job: ${name}, condition: Complete`,
  ])
  expect((await cluster.events('SuccessfulCreate')).map(({ message }) => message)).toContain(`Created job ${name}`)
})

test('as many finished jobs are kept as the limits say', async () => {
  await create({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 })
  for (let minute = 1; minute <= 4; minute++) {
    await minutes(1)
    await exitAll(0)
  }
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 3}`, `tick-${START_MINUTE + 4}`])
})

test('Forbid waits for the job before, and makes up for the last time it missed', async () => {
  await create({ concurrencyPolicy: 'Forbid' })
  await minutes(3)
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 1}`])
  expect(await cluster.events('JobAlreadyActive')).toHaveLength(1)
  await exitAll(0)
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 1}`, `tick-${START_MINUTE + 3}`])
})

test('Replace ends the job before', async () => {
  await create({ concurrencyPolicy: 'Replace' })
  await minutes(2)
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 2}`])
  expect((await cronJob()).status!.active).toHaveLength(1)
})

test('with Allow jobs run beside one another', async () => {
  await create()
  await minutes(2)
  expect((await cronJob()).status!.active).toHaveLength(2)
})

test('while it is suspended nothing is made; then the last missed time is made up for, unless it is too late', async () => {
  await create({ suspend: true })
  await minutes(5)
  expect(await jobs()).toEqual([])
  const resume = (spec: object) =>
    cluster.client.patch(cronJobKind, ref, { type: 'application/merge-patch+json', body: { spec: { suspend: false, ...spec } } })
  await resume({})
  await cluster.settle()
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 5}`])
  await resume({ suspend: true, startingDeadlineSeconds: 10 })
  await cluster.clock.advance(90_000)
  await resume({})
  await cluster.settle()
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 5}`])
})

test('a long rest is told as too many missed times, and only the last is made up for', async () => {
  await create({ suspend: true })
  await minutes(150)
  await cluster.client.patch(cronJobKind, ref, { type: 'application/merge-patch+json', body: { spec: { suspend: false } } })
  await cluster.settle()
  expect(await jobs()).toEqual([`tick-${START_MINUTE + 150}`])
  expect((await cluster.events('TooManyMissedTimes'))[0]!.message).toBe(
    'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
  )
})

test('a failing job shows in its own conditions, and the next is made all the same', async () => {
  const template = { spec: { restartPolicy: 'Never' as const, containers: [{ name: 'app', image: 'app' }] } }
  await create({ jobTemplate: { spec: { template, backoffLimit: 0 } } })
  await minutes(1)
  await exitAll(1)
  const [first] = await cluster.client.list(jobKind, 'default')
  expect(condition(first!, 'Failed')).toMatchObject({ reason: 'BackoffLimitExceeded' })
  await minutes(1)
  expect(await jobs()).toHaveLength(2)
})

test.each([
  [{ schedule: 'x' }, 'spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]'],
  [{ schedule: 'TZ=UTC * * * * *' }, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
  [{ timeZone: 'Mars/Olympus' }, 'spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
  [
    { concurrencyPolicy: 'Never' as never },
    'spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"',
  ],
])('%j is refused', async (spec, message) => {
  await expect(create(spec)).rejects.toThrow(message)
})
