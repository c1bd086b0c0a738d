import { expect, test } from 'vitest'
import { changeText, overviewOf, overviewText } from '../../../../src/plugins/traffic/overview.js'
import { aRevision, aServiceWith, latest, pinned } from './objects.js'

const service = aServiceWith([latest(75, 'new'), pinned(1, 25, 'old'), pinned(1, 0, 'first')])
for (const target of service.status!.traffic!) target.url = `http://${target.tag}-svc.test`
const revisions = [aRevision(1), aRevision(2, 'False'), aRevision(3)]
const overview = overviewOf(service, revisions)
const plain = { nowMs: Date.parse('2026-01-03T00:00:00Z'), bars: 0, paint: (bar: string) => bar }

test('an overview has every revision, the newest first, with its shares added up', () => {
  expect(overview).toEqual({
    service: 'svc',
    namespace: 'default',
    url: 'http://svc.test',
    revisions: [
      {
        name: 'svc-3',
        percent: 75,
        isLatest: true,
        tags: [{ name: 'new', url: 'http://new-svc.test' }],
        ready: 'True',
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
      { name: 'svc-2', percent: 0, isLatest: false, tags: [], ready: 'False', reason: 'Broken', creationTimestamp: '2026-01-01T00:00:00Z' },
      {
        name: 'svc-1',
        percent: 25,
        isLatest: false,
        tags: [
          { name: 'old', url: 'http://old-svc.test' },
          { name: 'first', url: 'http://first-svc.test' },
        ],
        ready: 'True',
        creationTimestamp: '2026-01-01T00:00:00Z',
      },
    ],
  })
})

test('as a table, every further tag has a line of its own', () => {
  expect(overviewText(overview, plain)).toBe(
    `REVISION          TRAFFIC   TAGS    READY   AGE   URL
@latest (svc-3)   75%       new     True    2d    http://new-svc.test
svc-2                               False   2d    
svc-1             25%       old     True    2d    http://old-svc.test
                            first                 http://first-svc.test
`,
  )
})

test('an untagged revision with a share is reached at the URL of the service', () => {
  const text = overviewText(overviewOf(aServiceWith([latest(100)]), [aRevision(3)]), plain)
  expect(text).toMatch(/^@latest \(svc-3\) {3}100% .* http:\/\/svc\.test$/m)
})

test('bars show the shares and are painted by readiness, without moving the columns', () => {
  const drawn = overviewText(overview, { ...plain, bars: 8, paint: (bar, ready) => `<${ready}>${bar}</>` })
  const shares = drawn.split('\n').map((line) => line.slice(18, 18 + 12 + '<True></>'.length).trim())
  expect(shares[1]).toContain('<True>██████</>░░ 75%')
  expect(shares[2]).toContain('░░░░░░░░')
  expect(shares[3]).toContain('<True>██</>░░░░░░ 25%')
  const unpainted = drawn.replaceAll(/<\w*>|<\/>/g, '').split('\n')
  expect(new Set(unpainted.slice(0, 4).map((line) => [...line].slice(0, 18 + 15).length))).toEqual(new Set([33]))
  expect(unpainted[1]!.indexOf('new')).toBe(unpainted[3]!.indexOf('old'))
})

test('a share too small for a character still has one', () => {
  const tiny = overviewOf(aServiceWith([latest(99), pinned(1, 1)]), revisions)
  expect(overviewText(tiny, { ...plain, bars: 10 })).toContain('█░░░░░░░░░ 1%')
})

test('a change is told target by target', () => {
  expect(changeText(service, [latest(0, 'new'), pinned(2, 100), pinned(1, 0, 'old'), pinned(1, 0, 'first')], revisions)).toBe(
    `REVISION          BEFORE   AFTER   TAGS
@latest (svc-3)   75%      -       new
svc-2             -        100%    
svc-1             25%      -       old,first
`,
  )
})
