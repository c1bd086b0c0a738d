import { expect, test } from 'vitest'
import { trafficFrom } from '../../../../src/cli/nouns/traffic.js'
import type { TrafficTarget } from '../../../../src/kinds/route/schema.js'

const LATEST: TrafficTarget = { latestRevision: true, percent: 100 }

function computed(
  flags: { traffic?: string[]; tag?: string[]; untag?: string[] },
  before: TrafficTarget[] = [LATEST],
  { current = before, isNewRevision = false }: { current?: TrafficTarget[]; isNewRevision?: boolean } = {},
): TrafficTarget[] {
  return trafficFrom(before, flags, { service: 'svc', latestReady: 'svc-2', current, isNewRevision })
}

test('shares that make 100 per cent replace all others', () => {
  expect(computed({ traffic: ['svc-1=20', '@latest=80%'] })).toEqual([
    { latestRevision: true, percent: 80 },
    { revisionName: 'svc-1', latestRevision: false, percent: 20 },
  ])
})

test('a lone value means the latest revision', () => {
  expect(computed({ traffic: ['100'], tag: ['current'] })).toEqual([{ latestRevision: true, percent: 100, tag: 'current' }])
})

test('a tag can stand for its revision, and targets without share and tag are dropped', () => {
  const before = [
    { revisionName: 'svc-1', latestRevision: false, percent: 50, tag: 'old' },
    { revisionName: 'svc-2', latestRevision: false, percent: 50 },
  ]
  expect(computed({ traffic: ['old=100'] }, before)).toEqual([{ revisionName: 'svc-1', latestRevision: false, percent: 100, tag: 'old' }])
})

test('a tag on a revision without traffic adds a target of no share', () => {
  expect(computed({ tag: ['svc-1=old'] })).toEqual([LATEST, { revisionName: 'svc-1', latestRevision: false, percent: 0, tag: 'old' }])
})

test('tagging again with the same tag changes nothing, and untag frees it', () => {
  const before = [{ latestRevision: true, percent: 100, tag: 'a' }]
  expect(computed({ tag: ['@latest=a'] }, before)).toEqual(before)
  expect(computed({ untag: ['a'], tag: ['@latest=b'] }, before)).toEqual([{ latestRevision: true, percent: 100, tag: 'b' }])
})

test('the rest goes to the one revision that is not mentioned', () => {
  const current = [
    { revisionName: 'svc-1', percent: 50 },
    { revisionName: 'svc-2', percent: 50 },
  ]
  expect(computed({ traffic: ['svc-1=30'] }, current)).toEqual([
    { revisionName: 'svc-1', percent: 30 },
    { revisionName: 'svc-2', percent: 70 },
  ])
})

test('a revision can have several tags, each a target of its own', () => {
  const before = [{ revisionName: 'svc-1', latestRevision: false, percent: 100, tag: 'a' }]
  expect(computed({ tag: ['svc-1=b', 'svc-1=a', 'svc-2=c', 'svc-2=d'] }, before)).toEqual([
    ...before,
    { revisionName: 'svc-1', latestRevision: false, percent: 0, tag: 'b' },
    { revisionName: 'svc-2', latestRevision: false, percent: 0, tag: 'c' },
    { revisionName: 'svc-2', latestRevision: false, percent: 0, tag: 'd' },
  ])
})

test('the rest that goes to the latest revision unasked pins it, and @latest counts for the revision it means', () => {
  const before = [
    { revisionName: 'svc-1', latestRevision: false, percent: 50 },
    { latestRevision: true, percent: 50 },
  ]
  const current = [before[0]!, { latestRevision: true, revisionName: 'svc-2', percent: 50 }]
  expect(computed({ traffic: ['svc-1=30'] }, before, { current })).toEqual([
    { revisionName: 'svc-1', latestRevision: false, percent: 30 },
    { revisionName: 'svc-2', latestRevision: false, percent: 70 },
  ])
  expect(computed({ traffic: ['@latest=30'] }, before, { current })).toEqual([
    { revisionName: 'svc-1', latestRevision: false, percent: 70 },
    { latestRevision: true, percent: 30 },
  ])
})

test('with a new revision in the same command the rest goes to the latest', () => {
  const current = [{ revisionName: 'svc-1', percent: 100 }]
  expect(computed({ traffic: ['svc-1=90'] }, current, { isNewRevision: true })).toEqual([
    { revisionName: 'svc-1', percent: 90 },
    { latestRevision: true, percent: 10 },
  ])
})

test.each([
  [{ traffic: ['a=60', 'b=60'] }, 'given traffic percents sum to 120, want <=100'],
  [{ traffic: ['a=b=c'] }, 'expecting the value format in value1=value2, given a=b=c'],
  [{ traffic: ['a=x'] }, 'error converting given x to integer value for traffic distribution'],
  [{ traffic: ['a=101'] }, 'invalid value for traffic percent 101, expected 0 <= percent <= 100'],
  [{ traffic: ['@latest=1', '99'] }, 'repetition of identifier @latest is not allowed, use only once with --traffic flag'],
  [{ traffic: ['a=1', 'a=99'] }, 'repetition of revision reference a is not allowed, use only once with --traffic flag'],
  [{ tag: ['@latest=1', '2'] }, 'repetition of identifier @latest is not allowed, use only once with --tag flag'],
  [{ untag: ['x', 'y'] }, 'tag(s) x, y not present for any revisions of service svc'],
  [
    { traffic: ['a=10', 'b=10'] },
    'unable to allocate the remaining traffic: 80%. Reason: incorrect number of revisions specified. Only 1 revision should be missing',
  ],
])('%j is refused: %s', (flags, message) => {
  expect(() => computed(flags)).toThrow(message)
})

test('a tag that another revision has is not taken from it', () => {
  const before = [{ latestRevision: true, percent: 100, tag: 'a' }]
  expect(() => computed({ tag: ['svc-1=a'] }, before)).toThrow(
    "refusing to overwrite existing tag in service, add flag '--untag a' in command to untag it",
  )
  expect(() => computed({ tag: ['@latest=b'] }, before)).toThrow(
    "tag 'a' exists on latest ready revision of service, refusing to overwrite existing tag with 'b', add flag '--untag a' in command to untag it",
  )
})
