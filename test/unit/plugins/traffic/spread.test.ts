import { expect, test } from 'vitest'
import { rollbackFrom, sharesFrom, spreadOver } from '../../../../src/plugins/traffic/spread.js'
import { aRevision, aServiceWith, latest, pinned } from './objects.js'

const three = [aRevision(1), aRevision(2), aRevision(3)]

test('shares are REVISION=PERCENT words that make 100', () => {
  expect(sharesFrom(['svc-1=80', '@latest=20%'])).toEqual([
    { reference: 'svc-1', percent: 80 },
    { reference: '@latest', percent: 20 },
  ])
})

test.each([
  [['svc-1=80', 'svc-2=10'], 'the percents make 90, not 100'],
  [['svc-1=80', 'svc-2=30'], 'the percents make 110, not 100'],
  [['svc-1=50', 'svc-1=50'], 'svc-1 is given twice, give each revision once'],
  [['svc-1'], 'expecting REVISION=PERCENT with a whole number from 0 to 100, given svc-1'],
  [['svc-1=101'], 'expecting REVISION=PERCENT with a whole number from 0 to 100, given svc-1=101'],
  [['svc-1=-1', 'svc-2=101'], 'expecting REVISION=PERCENT with a whole number from 0 to 100, given svc-1=-1'],
  [['svc-1=1=99'], 'expecting REVISION=PERCENT with a whole number from 0 to 100, given svc-1=1=99'],
  [['=100'], 'expecting REVISION=PERCENT with a whole number from 0 to 100, given =100'],
])('%j is refused: %s', (words, message) => {
  expect(() => sharesFrom(words)).toThrow(message)
})

test('traffic goes to what is given and nowhere else; tags stay', () => {
  const service = aServiceWith([latest(90), pinned(1, 10, 'old'), pinned(2, 0, 'mid')])
  expect(spreadOver(service, three, sharesFrom(['svc-2=100']))).toEqual([pinned(1, 0, 'old'), pinned(2, 100, 'mid')])
  expect(spreadOver(service, three, sharesFrom(['old=40', '@latest=60']))).toEqual([latest(60), pinned(1, 40, 'old'), pinned(2, 0, 'mid')])
  expect(spreadOver(service, three, sharesFrom(['svc-3=100', 'svc-1=0']))).toEqual([
    pinned(1, 0, 'old'),
    pinned(2, 0, 'mid'),
    pinned(3, 100),
  ])
})

test('a service that says nothing about traffic sends all to the latest revision', () => {
  expect(spreadOver(aServiceWith([]), three, sharesFrom(['svc-1=30', '@latest=70']))).toEqual([latest(70), pinned(1, 30)])
})

test('the name of a revision is that revision even where a tag is called the same', () => {
  const service = aServiceWith([latest(100), pinned(1, 0, 'svc-2')])
  expect(spreadOver(service, three, sharesFrom(['svc-2=100']))).toEqual([pinned(1, 0, 'svc-2'), pinned(2, 100)])
})

test('a revision that is not there is named, with those that are', () => {
  const service = aServiceWith([latest(100, 'new'), pinned(1, 0, 'old')])
  expect(() => spreadOver(service, three, sharesFrom(['svc-9=100']))).toThrow(
    "service 'svc' has no revision or tag 'svc-9', it has the revisions svc-3, svc-2, svc-1 and the tags new, old",
  )
  expect(() => spreadOver(aServiceWith([]), [], sharesFrom(['x=100']))).toThrow(
    "service 'svc' has no revision or tag 'x', it has no revisions",
  )
})

test('two references that mean the same target are refused', () => {
  const service = aServiceWith([latest(90, 'new'), pinned(1, 10, 'old')])
  expect(() => spreadOver(service, three, sharesFrom(['svc-1=50', 'old=50']))).toThrow(
    'svc-1 and old are the same (svc-1), give one of them',
  )
  expect(() => spreadOver(service, three, sharesFrom(['new=50', '@latest=50']))).toThrow(
    'new and @latest are the same (@latest), give one of them',
  )
})

test('rolling back goes to the newest ready revision that is older than the one with most of the traffic', () => {
  expect(rollbackFrom(aServiceWith([latest(100)]), three)).toEqual({ from: 'svc-3', to: 'svc-2' })
  expect(rollbackFrom(aServiceWith([pinned(2, 100)]), three)).toEqual({ from: 'svc-2', to: 'svc-1' })
  expect(rollbackFrom(aServiceWith([latest(40), pinned(2, 60)]), three)).toEqual({ from: 'svc-2', to: 'svc-1' })
  expect(rollbackFrom(aServiceWith([latest(50), pinned(2, 50)]), three)).toEqual({ from: 'svc-3', to: 'svc-2' })
  expect(rollbackFrom(aServiceWith([pinned(3, 30, 'a'), pinned(3, 30, 'b'), pinned(2, 40)]), three)).toEqual({ from: 'svc-3', to: 'svc-2' })
})

test('a revision that is not ready is no way back', () => {
  const revisions = [aRevision(1), aRevision(2, 'False'), aRevision(3, 'Unknown'), aRevision(10)]
  expect(rollbackFrom(aServiceWith([latest(100)], { latest: 'svc-10' }), revisions)).toEqual({ from: 'svc-10', to: 'svc-1' })
})

test('what counts is where the traffic goes, not where the newest revision would have it', () => {
  const revisions = [aRevision(1), aRevision(2), aRevision(3, 'False')]
  const service = aServiceWith([latest(100)], { status: [{ ...latest(100), revisionName: 'svc-2' }], latest: 'svc-2' })
  expect(rollbackFrom(service, revisions)).toEqual({ from: 'svc-2', to: 'svc-1' })
})

test('without a way back there is an error', () => {
  expect(() => rollbackFrom(aServiceWith([pinned(1, 100)]), three)).toThrow(
    "service 'svc' has no ready revision older than 'svc-1' to roll back to",
  )
  expect(() => rollbackFrom(aServiceWith([latest(100)], { status: [] }), three)).toThrow(
    "service 'svc' sends no traffic to any of its revisions, there is nothing to roll back",
  )
})
