import type { Revision } from '../revision/schema.js'
import type { GcConfig } from '../serving-config.js'
import { NO_GC_ANNOTATION, ROUTING_STATE_LABEL, ROUTING_STATE_MODIFIED_ANNOTATION } from '../serving-labels.js'
import type { Configuration } from './schema.js'

/**
 * The Revisions that nothing needs any more: not routed to for long, or beyond the number that is kept.
 * @see knative/serving v1.23 pkg/reconciler/gc/gc.go
 */
export function revisionsToCollect(
  configuration: Configuration,
  revisions: readonly Revision[],
  config: GcConfig,
  nowMs: number,
): Revision[] {
  const { retainSinceCreateMs, retainSinceLastActiveMs, minNonActiveRevisions: min, maxNonActiveRevisions: max } = config
  if (retainSinceCreateMs === undefined && retainSinceLastActiveMs === undefined && max === undefined) return []
  if (revisions.length <= min) return []

  const nonActive = revisions
    .filter(
      ({ metadata }) =>
        metadata.name !== configuration.status?.latestReadyRevisionName &&
        metadata.annotations?.[NO_GC_ANNOTATION] !== 'true' &&
        metadata.labels?.[ROUTING_STATE_LABEL] === 'reserve',
    )
    .sort((a, b) => lastActiveMs(a) - lastActiveMs(b))
  if (nonActive.length <= min) return []

  const isStale = (revision: Revision): boolean => {
    if (retainSinceCreateMs === undefined && retainSinceLastActiveMs === undefined) return false
    const createdLongAgo = retainSinceCreateMs === undefined || nowMs - createdMs(revision) > retainSinceCreateMs
    const idleForLong = retainSinceLastActiveMs === undefined || nowMs - lastActiveMs(revision) > retainSinceLastActiveMs
    return createdLongAgo && idleForLong
  }
  const stale = nonActive.filter(isStale).slice(0, nonActive.length - min)
  const left = nonActive.filter((revision) => !stale.includes(revision))
  const surplus = max === undefined ? [] : left.slice(0, Math.max(0, left.length - max))
  return [...stale, ...surplus]
}

const createdMs = ({ metadata }: Revision): number => Date.parse(metadata.creationTimestamp ?? '')

function lastActiveMs(revision: Revision): number {
  const modifiedMs = Date.parse(revision.metadata.annotations?.[ROUTING_STATE_MODIFIED_ANNOTATION] ?? '')
  return Number.isNaN(modifiedMs) ? createdMs(revision) : modifiedMs
}
