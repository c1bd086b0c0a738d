import type { TrafficTarget } from '../../kinds/route/schema.js'
import { usageError } from '../arguments.js'
import type { TrafficFlagValues } from './service-flags.js'

const LATEST = '@latest'

interface Entry {
  reference: string
  value: string
}

export interface TrafficContext {
  service: string
  /** The latest ready revision now, '' when there is none. */
  latestReady: string
  /** status.traffic of the service. */
  current: readonly TrafficTarget[]
  /** Whether other flags of the same command make a new revision. */
  isNewRevision: boolean
}

/**
 * The traffic of a service after --traffic, --tag and --untag. Untagging comes first, then tags, then shares; targets without
 * a share and a tag go. Throws a usage error in kn's words.
 *
 * @see knative/client pkg/commands/traffic/compute.go
 */
export function trafficFrom(before: readonly TrafficTarget[], flags: TrafficFlagValues, context: TrafficContext): TrafficTarget[] {
  const tags = (flags.tag ?? []).map((word) => entryFrom(word, false))
  const shares = (flags.traffic ?? []).map((word) => entryFrom(word, true))
  checkRepetition(
    tags.filter(({ reference }) => reference === LATEST),
    'tag',
  )
  checkRepetition(shares, 'traffic')
  const percents = shares.map(({ reference, value }) => ({ reference, percent: percentFrom(value) }))
  let targets = before.map((target) => ({ ...target }))
  if (targets.length === 0) targets = [{ latestRevision: true, percent: 100 }]

  targets = untagged(targets, flags.untag ?? [], context.service)
  for (const { reference, value } of tags) targets = tagged(targets, reference, value)
  if (percents.length > 0) targets = shared(targets, percents, context)
  return targets.filter(({ tag, percent }) => Boolean(tag) || (percent ?? 0) > 0)
}

function entryFrom(word: string, isShare: boolean): Entry {
  const parts = word.split('=')
  if (parts.length === 1) return { reference: LATEST, value: word }
  if (parts.length > 2 || parts.some((part) => part === '')) throw usageError(`expecting the value format in value1=value2, given ${word}`)
  const [reference, value] = parts as [string, string]
  return { reference, value: isShare ? value.replace(/%$/, '') : value }
}

function checkRepetition(entries: readonly Entry[], flag: string): void {
  const seen = new Set<string>()
  for (const { reference } of entries) {
    if (seen.has(reference)) {
      const what = reference === LATEST ? `identifier ${LATEST}` : `revision reference ${reference}`
      throw usageError(`repetition of ${what} is not allowed, use only once with --${flag} flag`)
    }
    seen.add(reference)
  }
}

function percentFrom(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw usageError(`error converting given ${text} to integer value for traffic distribution`)
  const percent = Number(text)
  if (percent < 0 || percent > 100) throw usageError(`invalid value for traffic percent ${percent}, expected 0 <= percent <= 100`)
  return percent
}

function untagged(targets: TrafficTarget[], tags: readonly string[], service: string): TrafficTarget[] {
  const missing = tags.filter((tag) => !targets.some((target) => target.tag === tag))
  if (missing.length > 0) throw usageError(`tag(s) ${missing.join(', ')} not present for any revisions of service ${service}`)
  return targets.map(({ tag, ...target }) => (tag !== undefined && !tags.includes(tag) ? { ...target, tag } : target))
}

function tagged(targets: TrafficTarget[], reference: string, tag: string): TrafficTarget[] {
  const isMeant = (target: TrafficTarget): boolean =>
    reference === LATEST ? target.latestRevision === true : target.revisionName === reference
  const holder = targets.find((target) => target.tag === tag)
  if (holder) {
    if (isMeant(holder)) return targets
    throw usageError(`refusing to overwrite existing tag in service, add flag '--untag ${tag}' in command to untag it`)
  }
  const latest = targets.find((target) => target.latestRevision && target.tag)
  if (reference === LATEST && latest) {
    throw usageError(
      `tag '${latest.tag}' exists on latest ready revision of service, refusing to overwrite existing tag with '${tag}', add flag '--untag ${latest.tag}' in command to untag it`,
    )
  }
  const at = targets.findIndex(isMeant)
  if (at >= 0 && !targets[at]!.tag) return targets.map((target, index) => (index === at ? { ...target, tag } : target))
  return [...targets, { ...targetOf(reference), tag, percent: 0 }]
}

function targetOf(reference: string): TrafficTarget {
  return reference === LATEST ? { latestRevision: true } : { revisionName: reference, latestRevision: false }
}

function shared(
  targets: TrafficTarget[],
  given: readonly { reference: string; percent: number }[],
  context: TrafficContext,
): TrafficTarget[] {
  const sum = given.reduce((total, { percent }) => total + percent, 0)
  if (sum > 100) throw usageError(`given traffic percents sum to ${sum}, want <=100`)
  const wanted = sum === 100 ? given : [...given, remainderOf(100 - sum, given, context)]
  let next = targets.map((target) => ({ ...target, percent: 0 }))
  for (const { reference, percent } of wanted) {
    const matches = [
      (target: TrafficTarget) => reference === LATEST && target.latestRevision === true,
      (target: TrafficTarget) => reference !== LATEST && target.tag === reference,
      (target: TrafficTarget) => reference !== LATEST && target.revisionName === reference,
    ]
    const at = matches.map((isMeant) => next.findIndex(isMeant)).find((index) => index >= 0)
    if (at === undefined) next = [...next, { ...targetOf(reference), percent }]
    else next[at] = { ...next[at]!, percent }
  }
  return next
}

/** Where the rest of the traffic goes when the given shares leave exactly one place for it. */
function remainderOf(
  percent: number,
  given: readonly { reference: string }[],
  context: TrafficContext,
): { reference: string; percent: number } {
  const fail = (why: string): never => {
    throw usageError(`unable to allocate the remaining traffic: ${percent}%. Reason: ${why}`)
  }
  const { current, latestReady, isNewRevision } = context
  const missing = isNewRevision ? current.length : current.length - 1
  if (given.length !== missing) fail('incorrect number of revisions specified. Only 1 revision should be missing')
  const covered = new Set(given.map(({ reference }) => reference))
  if (isNewRevision && !covered.has(LATEST)) return { reference: LATEST, percent }
  if (!isNewRevision && covered.has(LATEST)) covered.add(latestReady)
  // By its name, even where the present target follows the latest revision: kn pins it.
  const uncovered = current.find(({ revisionName = '' }) => !covered.has(revisionName))
  return uncovered?.revisionName ? { reference: uncovered.revisionName, percent } : fail('cannot determine the missing revision')
}
