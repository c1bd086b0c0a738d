import type { JsonObject } from '../json.js'
import type { Schema } from '../schema.js'
import { type Comparison, compare } from './compare.js'
import type { Conflict } from './conflicts.js'
import { identifierOf, type ManagerId, type Owner, ownerOf } from './entries.js'
import { fieldSetOf, withNamedFields, withoutFields } from './extract.js'
import { difference, EMPTY, type FieldSet, intersection, isEmpty, union } from './field-set.js'
import { merged } from './merge.js'
import { appliedOwners, conflictsOf, type Owners } from './update.js'

export interface Applied {
  /** The live object with the configuration in it, and without what the manager no longer applies and nobody else owns. */
  object: JsonObject
  owners: Owners
  conflicts: readonly Conflict[]
}

/**
 * Applies a configuration on behalf of `actor`. The outcome is that of a forced apply: it is for the caller to refuse it when
 * there are conflicts. `tracked` leaves out of an object what this path does not write or nobody can own. Neither object is
 * changed; both are without managedFields.
 * @see kubernetes-sigs/structured-merge-diff v6 merge/update.go, Apply
 */
export function applied(options: {
  schema: Schema
  live: JsonObject
  config: JsonObject
  owners: Owners
  actor: ManagerId
  time: string
  tracked(object: JsonObject): JsonObject
}): Applied {
  const { schema, live, config, owners, actor, time, tracked } = options
  const self = identifierOf(actor)
  const last = owners.get(self)
  const fields = fieldSetOf(schema, tracked(config))
  const claimed = new Map<string, Owner>(owners)
  if (isEmpty(fields)) claimed.delete(self)
  else claimed.set(self, ownerOf(actor, fields, time))

  const whole = merged(schema, live, config) as JsonObject
  const object = last ? withoutDropped(schema, whole, last.fields(), claimed) : whole
  const change: Comparison = compare(schema, tracked(live), tracked(object))
  return { object, owners: appliedOwners(claimed, change, actor), conflicts: conflictsOf(claimed, change, actor) }
}

/** Takes out what the manager owned by its last apply and nobody, itself included, owns now. */
function withoutDropped(schema: Schema, whole: JsonObject, last: FieldSet, owners: Owners): JsonObject {
  const named = (set: FieldSet): FieldSet => withNamedFields(schema, set)
  const without = (set: FieldSet): JsonObject => (withoutFields(schema, whole, set) ?? {}) as JsonObject
  const all = named(fieldSetOf(schema, whole))
  const lastOwned = named(last)

  const bare = named(fieldSetOf(schema, without(lastOwned)))
  const owned = [...owners.values()].reduce<FieldSet>((sum, owner) => union(sum, owner.fields()), EMPTY)
  const kept = without(difference(all, union(bare, named(owned))))
  // Only what this manager had may go, not what a removal would take along.
  return without(intersection(difference(all, named(fieldSetOf(schema, kept))), lastOwned))
}
