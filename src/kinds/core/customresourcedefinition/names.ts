import type {
  CustomResourceDefinition,
  DefinedNames,
  DefinitionCondition,
  DefinitionStatus,
} from '../../../apimachinery/custom-resource.js'
import { deepEqual } from '../../../apimachinery/json.js'
import { timestamp } from '../../../apimachinery/object.js'

/** A list of conditions with one of them set; its time stays where its status does. */
export function withCondition(
  conditions: readonly DefinitionCondition[] | undefined,
  next: Omit<DefinitionCondition, 'lastTransitionTime'>,
  nowMs: number,
): DefinitionCondition[] {
  const before = conditions?.find(({ type }) => type === next.type)
  const kept = before?.status === next.status && before.lastTransitionTime
  const condition = { ...next, lastTransitionTime: kept || timestamp(nowMs) }
  return before ? conditions!.map((each) => (each === before ? condition : each)) : [...(conditions ?? []), condition]
}

/**
 * The status of a definition among the others: which of its names it may have, and whether it is established. A cluster
 * takes a moment for that; here it is true from the write on.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/controller/status/naming_controller.go, pkg/controller/establish
 */
export function statusAmong(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  nowMs: number,
): DefinitionStatus {
  const { spec, status = {} } = definition
  const { accepted, conflict } = judged(definition, others)
  const namesAccepted = conflict
    ? { type: 'NamesAccepted', status: 'False' as const, ...conflict }
    : { type: 'NamesAccepted', status: 'True' as const, reason: 'NoConflicts', message: 'no conflicts found' }
  let conditions = withCondition(status.conditions, namesAccepted, nowMs)

  const isEstablished = conditions.some(({ type, status: value }) => type === 'Established' && value === 'True')
  if (!isEstablished) {
    const established = conflict
      ? { type: 'Established', status: 'False' as const, reason: 'NotAccepted', message: 'not all names are accepted' }
      : { type: 'Established', status: 'True' as const, reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
    conditions = withCondition(conditions, established, nowMs)
  }
  const storage = spec.versions.find((version) => version.storage)?.name
  const storedVersions = status.storedVersions ?? []
  return {
    ...status,
    acceptedNames: accepted,
    conditions,
    storedVersions: storage === undefined || storedVersions.includes(storage) ? storedVersions : [...storedVersions, storage],
  }
}

interface Conflict {
  reason: string
  message: string
}

function judged(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
): { accepted: DefinedNames; conflict: Conflict | undefined } {
  const requested = definition.spec.names
  const before: Partial<DefinedNames> = definition.status?.acceptedNames ?? {}
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { metadata, spec, status } of others) {
    if (metadata.name === definition.metadata.name || spec.group !== definition.spec.group || !status?.acceptedNames) continue
    const { plural, singular, shortNames = [], kind, listKind } = status.acceptedNames
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }

  const accepted: DefinedNames = { kind: '', plural: '' }
  let conflict: Conflict | undefined
  const consider = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>, reason: string): void => {
    const name = requested[field]
    if (!name) return
    if (name === before[field] || !used.has(name)) {
      accepted[field] = name
      return
    }
    conflict = { reason, message: inUse(name) }
    if (before[field]) accepted[field] = before[field]
  }
  consider('plural', resources, 'PluralConflict')
  consider('singular', resources, 'SingularConflict')
  const taken = (requested.shortNames ?? []).filter((name) => resources.has(name) && !before.shortNames?.includes(name))
  const shortNames = taken.length > 0 ? before.shortNames : requested.shortNames
  if (shortNames && shortNames.length > 0) accepted.shortNames = [...shortNames]
  if (taken.length > 0)
    conflict = { reason: 'ShortNamesConflict', message: taken.length === 1 ? inUse(taken[0]!) : `[${taken.map(inUse).join(', ')}]` }
  consider('kind', kinds, 'KindConflict')
  consider('listKind', kinds, 'ListKindConflict')
  // Categories belong to nobody.
  if (requested.categories && requested.categories.length > 0) accepted.categories = [...requested.categories]
  return { accepted, conflict }
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`

/** Whether two statuses say the same. */
export function isSameStatus(a: DefinitionStatus | undefined, b: DefinitionStatus | undefined): boolean {
  return deepEqual(a ?? {}, b ?? {})
}
