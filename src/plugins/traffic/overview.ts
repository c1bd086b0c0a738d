import { age } from '../../apimachinery/age.js'
import type { Condition } from '../../apimachinery/conditions.js'
import { readyCondition } from '../../apimachinery/conditions.js'
import { tableText } from '../../cli/print/table.js'
import type { Revision } from '../../kinds/revision/schema.js'
import type { TrafficTarget } from '../../kinds/route/schema.js'
import type { Service } from '../../kinds/service/schema.js'
import { askedTargets, keyOf, LATEST, newestFirst } from './spread.js'

/** One revision and what it gets of a service's traffic, as `kn traffic show -o json` prints it. */
export interface RevisionTraffic {
  name: string
  percent: number
  /** Whether a target follows the latest ready revision, which is this one now. */
  isLatest: boolean
  /** Under which it can be reached by itself, whatever its share. */
  tags: readonly { name: string; url: string }[]
  /** Status of its Ready condition. */
  ready: Condition['status']
  /** Why it is not ready. */
  reason?: string
  creationTimestamp: string
}

export interface TrafficOverview {
  service: string
  namespace: string
  url: string
  revisions: readonly RevisionTraffic[]
}

/** Where the traffic of a service goes now: all its revisions, the newest first. */
export function overviewOf({ metadata, status }: Service, revisions: readonly Revision[]): TrafficOverview {
  return {
    service: metadata.name,
    namespace: metadata.namespace ?? '',
    url: status?.url ?? '',
    revisions: newestFirst(revisions).map((revision) => {
      const own = (status?.traffic ?? []).filter(({ revisionName }) => revisionName === revision.metadata.name)
      const ready = readyCondition(revision)
      return {
        name: revision.metadata.name,
        percent: own.reduce((sum, { percent = 0 }) => sum + percent, 0),
        isLatest: own.some(({ latestRevision }) => latestRevision === true),
        tags: own.flatMap(({ tag, url = '' }) => (tag ? [{ name: tag, url }] : [])),
        ready: ready?.status ?? 'Unknown',
        ...(ready && ready.status !== 'True' && ready.reason && { reason: ready.reason }),
        creationTimestamp: revision.metadata.creationTimestamp ?? '',
      }
    }),
  }
}

/** How an overview is drawn: `bars` is how many characters a bar has, 0 for none; `paint` colours it. */
export interface Drawing {
  nowMs: number
  bars: number
  paint(bar: string, ready: Condition['status']): string
}

const FULL = '█'
const EMPTY = '░'

/**
 * The overview as a table. A revision that has no share and no tag has no URL; further tags of a revision have lines of their own. With bars,
 * the shares are drawn too.
 */
export function overviewText({ url, revisions }: TrafficOverview, { nowMs, bars, paint }: Drawing): string {
  const lines = revisions.flatMap((revision) => {
    const [first, ...others] = revision.tags
    const cells = [
      targetText(revision.name, revision.isLatest),
      bars > 0 ? `${barOf(revision.percent, bars)} ${shareText(revision.percent)}` : shareText(revision.percent),
      first?.name ?? '',
      revision.ready,
      age(revision.creationTimestamp, nowMs),
      first?.url ?? (revision.percent > 0 ? url : ''),
    ]
    return [
      { ready: revision.ready, cells },
      ...others.map((tag) => ({ ready: revision.ready, cells: ['', '', tag.name, '', '', tag.url] })),
    ]
  })
  const headers = ['REVISION', 'TRAFFIC', 'TAGS', 'READY', 'AGE', 'URL']
  const text = tableText(
    headers,
    lines.map(({ cells }) => cells),
  )
  // Painted at the end: what colours a terminal has no width, and the columns are measured.
  return text
    .split('\n')
    .map((line, index) => line.replace(/\u2588+/, (bar) => paint(bar, lines[index - 1]!.ready)))
    .join('\n')
}

function barOf(percent: number, width: number): string {
  const full = percent === 0 ? 0 : Math.max(1, Math.round((percent / 100) * width))
  return FULL.repeat(full) + EMPTY.repeat(width - full)
}

function shareText(percent: number): string {
  return percent > 0 ? `${percent}%` : ''
}

function targetText(revision: string, isLatest: boolean): string {
  return isLatest ? `${LATEST} (${revision})` : revision
}

/** What a change does, target by target: the shares before and after. `latestReady` is the revision that `@latest` means now. */
export function changeText(service: Service, after: readonly TrafficTarget[], revisions: readonly Revision[]): string {
  const before = askedTargets(service)
  const latestReady = service.status?.latestReadyRevisionName
  const order = [LATEST, ...newestFirst(revisions).map(({ metadata }) => metadata.name)]
  const keys = [...new Set([...before, ...after].map(keyOf))].sort((a, b) => order.indexOf(a) - order.indexOf(b))
  const shareOf = (targets: readonly TrafficTarget[], key: string): string =>
    shareText(targets.reduce((sum, target) => sum + (keyOf(target) === key ? (target.percent ?? 0) : 0), 0))
  const rows = keys.map((key) => [
    key === LATEST && latestReady ? targetText(latestReady, true) : key,
    shareOf(before, key) || '-',
    shareOf(after, key) || '-',
    after.flatMap((target) => (keyOf(target) === key && target.tag ? [target.tag] : [])).join(','),
  ])
  return tableText(['REVISION', 'BEFORE', 'AFTER', 'TAGS'], rows)
}
