import type { Comparison } from './compare.js'
import type { Conflict } from './conflicts.js'
import { compareTexts, identifierOf, type ManagerId, type Owner, ownerOf, seconds } from './entries.js'
import { difference, EMPTY, type FieldSet, intersection, isEmpty, union } from './field-set.js'

/** Who owns what, by `identifierOf`. */
export type Owners = ReadonlyMap<string, Owner>

/** So many managers that update are kept apart (apimachinery pkg/util/managedfields/internal/fieldmanager.go). */
const MOST_UPDATE_MANAGERS = 10
const ANCIENT_CHANGES = 'ancient-changes'

/**
 * The owners after a change that was not an apply: who made it owns what it added or modified, nobody else does any more, and
 * what it removed has no owner.
 * @see kubernetes-sigs/structured-merge-diff v6 merge/update.go, kubernetes/apimachinery v0.35 managedfieldsupdater.go
 */
export function updatedOwners(owners: Owners, change: Comparison, actor: ManagerId, time: string): Owners {
  const taken = union(change.modified, change.added)
  const next = new Map<string, Owner>()
  for (const [id, owner] of owners) {
    const left = without(without(owner, taken), change.removed)
    if (left) next.set(id, left)
  }
  if (!isEmpty(taken)) {
    const id = identifierOf(actor)
    next.set(id, ownerOf(actor, union(next.get(id)?.fields() ?? EMPTY, taken), time))
  }
  return capped(next)
}

/** What an apply by `actor` may not change without force. */
export function conflictsOf(owners: Owners, { modified, added }: Comparison, actor: ManagerId): Conflict[] {
  const self = identifierOf(actor)
  const changed = union(modified, added)
  return [...owners]
    .filter(([id, owner]) => id !== self && mayShare(owner, changed))
    .map(([, owner]) => ({ owner, fields: intersection(owner.fields(), changed) }))
    .filter(({ fields }) => !isEmpty(fields))
}

/** The owners after an apply, its conflicts settled: those who are not `actor` lose what it changed or removed. */
export function appliedOwners(owners: Owners, change: Comparison, actor: ManagerId): Map<string, Owner> {
  const self = identifierOf(actor)
  const taken = union(change.modified, change.added)
  const next = new Map<string, Owner>()
  for (const [id, owner] of owners) {
    const left = id === self ? owner : without(without(owner, taken), change.removed)
    if (left && (left.entry || !isEmpty(left.fields()))) next.set(id, left)
  }
  return next
}

function without(owner: Owner | undefined, fields: FieldSet): Owner | undefined {
  if (!owner || !mayShare(owner, fields)) return owner
  const before = owner.fields()
  const left = difference(before, fields)
  if (left === before) return owner
  return isEmpty(left) ? undefined : ownerOf(owner, left, owner.time)
}

/**
 * Whether an owner can have anything of a set, told from the text of its entry. A status is written far more often than
 * anything else, and then the owners of the spec need not be read at all.
 */
function mayShare({ entry }: Owner, fields: FieldSet): boolean {
  if (isEmpty(fields)) return false
  return !entry || Object.keys(fields).some((element) => entry.fieldsV1.includes(JSON.stringify(element)))
}

/**
 * Merges the oldest of too many managers that update.
 * @see kubernetes/apimachinery v0.35 pkg/util/managedfields/internal/capmanagers.go
 */
function capped(owners: Map<string, Owner>): Map<string, Owner> {
  const updaters = [...owners].filter(([, { operation }]) => operation === 'Update')
  let excess = updaters.length - MOST_UPDATE_MANAGERS
  if (excess <= 0) return owners
  updaters.sort(([a, { time }], [b, { time: other }]) => seconds(time) - seconds(other) || compareTexts(a, b))
  const firstOf = new Map<string, string>()
  for (const [id, owner] of updaters) {
    if (excess <= 0) break
    const { apiVersion } = owner
    const first = firstOf.get(apiVersion)
    if (first === undefined) {
      firstOf.set(apiVersion, id)
      continue
    }
    const bucket: ManagerId = { manager: ANCIENT_CHANGES, operation: 'Update', apiVersion, subresource: '' }
    const bucketId = identifierOf(bucket)
    const merged = owners.get(bucketId) ?? owners.get(first)!
    if (!owners.has(bucketId)) owners.delete(first)
    owners.delete(id)
    owners.set(bucketId, ownerOf(bucket, union(merged.fields(), owner.fields()), owner.time))
    excess--
  }
  return owners
}
