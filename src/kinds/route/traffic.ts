import { isFailed, isReady, readyCondition } from '../../apimachinery/conditions.js'
import type { Configuration } from '../configuration/schema.js'
import { protocolOf, type Revision } from '../revision/schema.js'
import { CONFIGURATION_LABEL, SERVICE_LABEL } from '../serving-labels.js'
import { ROUTE_REASONS, type Route, type TrafficTarget } from './schema.js'

/**
 * From a Route's spec to the Revisions that take its traffic.
 * @see knative/serving v1.23 pkg/reconciler/route/traffic
 */

/** The name of the target that requests reach without a tag. */
export const DEFAULT_TARGET = ''

export interface RevisionTarget {
  tag: string
  revisionName: string
  configurationName: string
  latestRevision: boolean
  percent: number
  protocol: 'http1' | 'h2c'
}

export interface TrafficPlan {
  /** In the order of the spec, equal entries merged: what status.traffic shows. */
  flat: readonly RevisionTarget[]
  /** Per host: the default target and every tag, by Revision. */
  targets: ReadonlyMap<string, readonly RevisionTarget[]>
}

/** Why the traffic cannot be assigned; `False` is a failure, `Unknown` may still come right. */
export interface TrafficProblem {
  status: 'False' | 'Unknown'
  reason: string
  message: string
}

export interface TrafficLookup {
  configuration(name: string): Promise<Configuration | undefined>
  revision(name: string): Promise<Revision | undefined>
}

/** Looks at every target, so that the worst problem is the one reported: the last failure, else the first that is pending. */
export async function planTraffic(route: Route, lookup: TrafficLookup): Promise<{ plan: TrafficPlan } | { problem: TrafficProblem }> {
  const found: RevisionTarget[] = []
  let problem: TrafficProblem | undefined
  for (const target of route.spec.traffic ?? []) {
    const result = target.revisionName ? await revisionTarget(target, route, lookup) : await configurationTarget(target, lookup)
    if (!('message' in result)) found.push(result)
    else if (!problem || result.status === 'False') problem = result
  }
  return problem ? { problem } : { plan: planFrom(found) }
}

const missing = (reason: string, message: string): TrafficProblem => ({ status: 'False', reason, message })
const missingRevision = (name: string): TrafficProblem =>
  missing(ROUTE_REASONS.revisionMissing, `Revision "${name}" referenced in traffic not found.`)
const missingConfiguration = (name: string): TrafficProblem =>
  missing(ROUTE_REASONS.configurationMissing, `Configuration "${name}" referenced in traffic not found.`)

async function configurationTarget(target: TrafficTarget, lookup: TrafficLookup): Promise<RevisionTarget | TrafficProblem> {
  const name = target.configurationName ?? ''
  const configuration = await lookup.configuration(name)
  if (!configuration) return missingConfiguration(name)
  const latest = configuration.status?.latestReadyRevisionName
  if (!latest) {
    return readyCondition(configuration)?.status === 'False'
      ? missing(ROUTE_REASONS.revisionMissing, `Configuration "${name}" does not have any ready Revision.`)
      : {
          status: 'Unknown',
          reason: ROUTE_REASONS.revisionMissing,
          message: `Configuration "${name}" is waiting for a Revision to become ready.`,
        }
  }
  const revision = await lookup.revision(latest)
  return revision ? targetFor(target, revision, name) : missingRevision(latest)
}

async function revisionTarget(target: TrafficTarget, route: Route, lookup: TrafficLookup): Promise<RevisionTarget | TrafficProblem> {
  const name = target.revisionName!
  const revision = await lookup.revision(name)
  if (!revision) return missingRevision(name)
  const service = route.metadata.labels?.[SERVICE_LABEL]
  const owner = revision.metadata.labels?.[SERVICE_LABEL]
  if (service && owner !== service) {
    return missing(
      ROUTE_REASONS.revisionNotOwned,
      owner
        ? `Revision "${name}" belongs to Service "${owner}", not Service "${service}".`
        : `Revision "${name}" does not belong to Service "${service}".`,
    )
  }
  if (!isReady(revision)) {
    return isFailed(revision)
      ? missing(ROUTE_REASONS.revisionMissing, `Revision "${name}" failed to become ready.`)
      : { status: 'Unknown', reason: ROUTE_REASONS.revisionMissing, message: `Revision "${name}" is not yet ready.` }
  }
  const configuration = revision.metadata.labels?.[CONFIGURATION_LABEL] ?? ''
  if (configuration && !(await lookup.configuration(configuration))) return missingConfiguration(configuration)
  return targetFor(target, revision, configuration)
}

function targetFor(target: TrafficTarget, revision: Revision, configurationName: string): RevisionTarget {
  return {
    tag: target.tag ?? '',
    revisionName: revision.metadata.name,
    configurationName,
    latestRevision: target.latestRevision ?? !target.revisionName,
    percent: target.percent ?? 0,
    protocol: protocolOf(revision.spec),
  }
}

function planFrom(found: readonly RevisionTarget[]): TrafficPlan {
  const flat: RevisionTarget[] = []
  const targets = new Map<string, RevisionTarget[]>()
  for (const target of found) {
    addTo(flat, target, (other) => other.tag === target.tag && other.latestRevision === target.latestRevision)
    for (const name of new Set([DEFAULT_TARGET, target.tag])) {
      const list = targets.get(name) ?? []
      targets.set(name, list)
      addTo(list, target, () => true)
    }
  }
  // A single Revision gets everything, so that a tag at 0 percent still answers on its own host.
  for (const list of targets.values()) if (list.length === 1) list[0] = { ...list[0]!, percent: 100 }
  return { flat, targets }
}

/** Adds a target, or its share to the one of the same Revision that also passes `isSame`. */
function addTo(list: RevisionTarget[], target: RevisionTarget, isSame: (other: RevisionTarget) => boolean): void {
  const index = list.findIndex((other) => other.revisionName === target.revisionName && isSame(other))
  if (index < 0) list.push({ ...target })
  else list[index] = { ...list[index]!, percent: list[index]!.percent + target.percent }
}
