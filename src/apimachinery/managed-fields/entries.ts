import { isJsonObject } from '../json.js'
import { EMPTY, type FieldSet, fieldSetFrom, fieldsText } from './field-set.js'

/**
 * An entry of metadata.managedFields as objects in memory and on disk carry it: `fieldsV1` is its JSON text, since a tree of
 * small maps per object would be several times as large as the object, and nobody in the process looks at it. What leaves for
 * a client goes through `expandedEntries` or `entriesJson`.
 */
export interface ManagedFieldsEntry {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  /** RFC 3339, whole seconds. */
  time?: string
  fieldsType: 'FieldsV1'
  fieldsV1: string
  subresource?: string
}

/** Which entry it is: one manager has one per operation, subresource and, for updates, version. */
export interface ManagerId {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
}

/** A manager and the fields it owns. Immutable. */
export interface Owner extends ManagerId {
  time: string | undefined
  /** The set; read from the entry's text when first asked for. */
  fields(): FieldSet
  /** The entry this owner was read from, when nothing about it has changed. */
  entry?: ManagedFieldsEntry
}

/**
 * The key that tells entries apart, and by which upstream sorts them where nothing else decides. An Apply entry keeps its
 * identity when another version is applied.
 * @see kubernetes/apimachinery v0.35 pkg/util/managedfields/internal/managedfields.go, BuildManagerIdentifier
 */
export function identifierOf({ manager, operation, apiVersion, subresource }: ManagerId): string {
  return JSON.stringify({
    manager,
    operation,
    ...(operation === 'Update' && { apiVersion }),
    ...(subresource && { subresource }),
  })
}

export function ownerOf(id: ManagerId, fields: FieldSet, time: string | undefined): Owner {
  const { manager, operation, apiVersion, subresource } = id
  return { manager, operation, apiVersion, subresource, time, fields: () => fields }
}

/** Owners as stored entries have them. `reconciled` makes a set that was stored fit the schema of today. */
export function ownersFrom(
  entries: readonly ManagedFieldsEntry[],
  reconciled = (fields: FieldSet): FieldSet => fields,
): Map<string, Owner> {
  const owners = new Map<string, Owner>()
  for (const entry of entries) {
    const { manager, operation, apiVersion, subresource = '', time, fieldsV1 } = entry
    let fields: FieldSet | undefined
    const owner: Owner = {
      manager,
      operation,
      apiVersion,
      subresource,
      time,
      entry,
      fields: () => (fields ??= reconciled(storedFields(fieldsV1))),
    }
    owners.set(identifierOf(owner), owner)
  }
  return owners
}

function storedFields(text: string): FieldSet {
  return text === '{}' ? EMPTY : (JSON.parse(text) as FieldSet)
}

/**
 * Owners as entries, in upstream's order: Apply first, then by time, manager, version and subresource. Undefined when there
 * are none. `shared` may return an equal text that is already kept somewhere.
 */
export function entriesFrom(owners: ReadonlyMap<string, Owner>, shared = (text: string): string => text): ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined
  const entries = [...owners.values()].map(({ manager, operation, apiVersion, subresource, time, fields, entry }): ManagedFieldsEntry => {
    if (entry) return entry
    const fieldsV1 = shared(fieldsText(fields()))
    return { manager, operation, apiVersion, ...(time && { time }), fieldsType: 'FieldsV1', fieldsV1, ...(subresource && { subresource }) }
  })
  return entries.sort(
    (a, b) =>
      compareTexts(a.operation, b.operation) ||
      seconds(a.time) - seconds(b.time) ||
      compareTexts(a.manager, b.manager) ||
      compareTexts(a.apiVersion, b.apiVersion) ||
      compareTexts(a.subresource ?? '', b.subresource ?? ''),
  )
}

/** Code units, not a locale. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** For sorting; a missing time is the oldest. */
export function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Math.floor(Date.parse(time) / 1000) || 0
}

/** What a writer sent as metadata.managedFields: entries, `reset` for the ways to ask for none, undefined for nothing that counts. */
export type SentEntries = readonly ManagedFieldsEntry[] | 'reset' | undefined

/**
 * Reads what a writer sent, in either form. Nobody loses managed fields by not understanding them: entries that are missing or
 * malformed count as not sent. An entry that is one of `live` is that one.
 * @see kubernetes/apimachinery v0.35 pkg/util/managedfields/internal/fieldmanager.go, decodeLiveOrNew
 */
export function sentEntries(sent: unknown, live: readonly ManagedFieldsEntry[] = []): SentEntries {
  if (!Array.isArray(sent)) return undefined
  if (sent.length === 0 || (sent.length === 1 && isJsonObject(sent[0]) && Object.keys(sent[0]).length === 0)) return 'reset'
  const entries: ManagedFieldsEntry[] = []
  for (const each of sent as unknown[]) {
    const entry = live.find((own) => isSameEntry(own, each)) ?? entryFrom(each)
    if (!entry) return undefined
    entries.push(entry)
  }
  return entries
}

/** Cheap, since a stored text is mostly the very same string. */
function isSameEntry(own: ManagedFieldsEntry, sent: unknown): boolean {
  const other = sent as ManagedFieldsEntry
  return (
    own === sent ||
    (isJsonObject(sent) &&
      own.fieldsV1 === other.fieldsV1 &&
      own.manager === other.manager &&
      own.operation === other.operation &&
      own.apiVersion === other.apiVersion &&
      own.time === other.time &&
      own.subresource === other.subresource &&
      own.fieldsType === other.fieldsType)
  )
}

function entryFrom(sent: unknown): ManagedFieldsEntry | undefined {
  if (!isJsonObject(sent)) return undefined
  const { manager = '', operation, apiVersion, time, fieldsType, fieldsV1 = {}, subresource = '' } = sent
  if (operation !== 'Apply' && operation !== 'Update') return undefined
  if (typeof manager !== 'string' || typeof apiVersion !== 'string' || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined
  if (typeof subresource !== 'string' || (time !== undefined && time !== null && !isTime(time))) return undefined
  try {
    const set = fieldSetFrom(typeof fieldsV1 === 'string' ? JSON.parse(fieldsV1) : fieldsV1)
    return {
      manager,
      operation,
      apiVersion,
      ...(typeof time === 'string' && { time: `${new Date(Date.parse(time)).toISOString().slice(0, 19)}Z` }),
      fieldsType,
      fieldsV1: fieldsText(set),
      ...(subresource && { subresource }),
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value))
}

/** Entries as clients know them. */
export function expandedEntries(entries: readonly unknown[]): unknown[] {
  return entries.map((entry) => {
    const { fieldsV1 } = entry as ManagedFieldsEntry
    return typeof fieldsV1 === 'string' ? { ...(entry as object), fieldsV1: JSON.parse(fieldsV1) as unknown } : entry
  })
}

/** The JSON of entries as clients know them, without reading their sets. */
export function entriesJson(entries: readonly unknown[]): string {
  const texts = entries.map((entry) => {
    const { fieldsV1, subresource, ...rest } = entry as ManagedFieldsEntry
    if (typeof fieldsV1 !== 'string') return JSON.stringify(entry)
    const head = JSON.stringify(rest).slice(0, -1)
    return `${head},"fieldsV1":${fieldsV1}${subresource ? `,"subresource":${JSON.stringify(subresource)}` : ''}}`
  })
  return `[${texts.join(',')}]`
}

/** Whether two lists of entries say the same of who owns what; when they came to own it does not count. */
export function sameOwnership(a: readonly unknown[] = [], b: readonly unknown[] = []): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  const texts = (entries: readonly unknown[]): string[] =>
    entries
      .map((entry) => {
        const { manager, operation, apiVersion, subresource = '', fieldsV1 } = entry as ManagedFieldsEntry
        return JSON.stringify([manager, operation, apiVersion, subresource, fieldsV1])
      })
      .sort()
  const [mine, theirs] = [texts(a), texts(b)]
  return mine.every((text, index) => text === theirs[index])
}
