import { readyCondition } from '../../apimachinery/conditions.js'
import { usageError } from '../../cli/arguments.js'
import { generationOf } from '../../cli/nouns/revision.js'
import type { Revision } from '../../kinds/revision/schema.js'
import type { TrafficTarget } from '../../kinds/route/schema.js'
import type { Service } from '../../kinds/service/schema.js'

/** What follows whichever revision is the latest ready one. */
export const LATEST = '@latest'

/** A share as it is asked for: of `@latest`, a tag or a revision, in per cent. */
export interface Share {
  reference: string
  percent: number
}

/** What a Service spreads its traffic over when its spec does not say. */
const UNSAID: readonly TrafficTarget[] = [{ latestRevision: true, percent: 100 }]

/** The targets that a service asks for. */
export function askedTargets({ spec }: Pick<Service, 'spec'>): readonly TrafficTarget[] {
  return spec.traffic && spec.traffic.length > 0 ? spec.traffic : UNSAID
}

/**
 * Reads `REVISION=PERCENT` words. Throws a usage error for a word that is none, for a reference that comes twice, and where the percents do
 * not make 100: then it says what they make.
 */
export function sharesFrom(words: readonly string[]): Share[] {
  const shares = words.map((word) => {
    const parts = /^([^=]+)=(\d+)%?$/.exec(word)
    const percent = Number(parts?.[2])
    if (!parts || percent > 100) throw usageError(`expecting REVISION=PERCENT with a whole number from 0 to 100, given ${word}`)
    return { reference: parts[1]!, percent }
  })
  const seen = new Set<string>()
  for (const { reference } of shares) {
    if (seen.has(reference)) throw usageError(`${reference} is given twice, give each revision once`)
    seen.add(reference)
  }
  const sum = shares.reduce((total, { percent }) => total + percent, 0)
  if (sum !== 100) throw usageError(`the percents make ${sum}, not 100`)
  return shares
}

/**
 * The targets of a service once its traffic is spread like this. Tags stay where they are; a target without a share and a tag goes. A
 * reference means `@latest`, else a revision, else a tag. Throws a usage error for one that is none of them, with those that there are, and
 * for two that mean the same target.
 */
export function spreadOver(service: Service, revisions: readonly Revision[], shares: readonly Share[]): TrafficTarget[] {
  const targets: TrafficTarget[] = askedTargets(service).map((target) => ({ ...target, percent: 0 }))
  const takenBy = new Map<string, string>()
  for (const { reference, percent } of shares) {
    const isPlain = reference === LATEST || revisions.some(({ metadata }) => metadata.name === reference)
    const tagged = isPlain ? undefined : targets.find(({ tag }) => tag === reference)
    if (!isPlain && !tagged) throw unknown(reference, service, revisions)
    const key = tagged ? keyOf(tagged) : reference
    const other = takenBy.get(key)
    if (other !== undefined) throw usageError(`${other} and ${reference} are the same (${key}), give one of them`)
    takenBy.set(key, reference)

    const target = tagged ?? targets.find((candidate) => keyOf(candidate) === key)
    if (target) target.percent = percent
    else targets.push(key === LATEST ? { latestRevision: true, percent } : { revisionName: key, latestRevision: false, percent })
  }
  return targets.filter(({ tag, percent }) => Boolean(tag) || (percent ?? 0) > 0)
}

/** A target by what it leads to: `@latest` or the revision's name. */
export function keyOf({ revisionName }: TrafficTarget): string {
  return revisionName || LATEST
}

function unknown(reference: string, { metadata, spec }: Service, revisions: readonly Revision[]): Error {
  const names = newestFirst(revisions).map((revision) => revision.metadata.name)
  const tags = (spec.traffic ?? []).flatMap(({ tag }) => tag ?? [])
  const there = [
    ...(names.length > 0 ? [`the revisions ${names.join(', ')}`] : ['no revisions']),
    ...(tags.length > 0 ? [`the tags ${tags.join(', ')}`] : []),
  ]
  return usageError(`service '${metadata.name}' has no revision or tag '${reference}', it has ${there.join(' and ')}`)
}

/**
 * Which revision a service goes back to: of those that are ready, the newest one that is older than the revision that has most of the
 * traffic now (of several with equal shares, than the newest of them). Throws a usage error when there is none.
 */
export function rollbackFrom({ metadata, status }: Service, revisions: readonly Revision[]): { from: string; to: string } {
  const shareOf = (name: string): number =>
    (status?.traffic ?? []).reduce((sum, target) => sum + (target.revisionName === name ? (target.percent ?? 0) : 0), 0)
  const sorted = newestFirst(revisions)
  const present = sorted
    .filter((revision) => shareOf(revision.metadata.name) > 0)
    .reduce<Revision | undefined>(
      (most, revision) => (most && shareOf(most.metadata.name) >= shareOf(revision.metadata.name) ? most : revision),
      undefined,
    )
  if (!present) throw usageError(`service '${metadata.name}' sends no traffic to any of its revisions, there is nothing to roll back`)
  const from = present.metadata.name
  const older = sorted.find((revision) => generationOf(revision) < generationOf(present) && readyCondition(revision)?.status === 'True')
  if (!older) throw usageError(`service '${metadata.name}' has no ready revision older than '${from}' to roll back to`)
  return { from, to: older.metadata.name }
}

export function newestFirst(revisions: readonly Revision[]): Revision[] {
  return [...revisions].sort((a, b) => (generationOf(b) || 0) - (generationOf(a) || 0))
}
