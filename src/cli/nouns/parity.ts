import { groupVersion, type Kind } from '../../apimachinery/kind.js'
import { fieldsOf, PARITY_STATES, type ParityState, parityRowFor } from '../../apimachinery/parity.js'
import type { KindParity } from '../../kinds/parity.js'

type Counts = Readonly<Record<ParityState, number>>

/** How many fields there are of each state. A row may speak for many of them. */
export function parityCounts(parities: readonly KindParity[]): Counts {
  const counts: Record<ParityState, number> = { enforced: 0, stored: 0, refused: 0 }
  for (const { schema, table } of parities) for (const field of fieldsOf(schema)) counts[parityRowFor(table, field)?.state ?? 'stored']++
  return counts
}

/** Kinds by any name that kubectl takes for them; all of them when none is asked for. */
export function parityOf(parities: readonly KindParity[], kindName: string | undefined): readonly KindParity[] {
  if (kindName === undefined) return parities
  const wanted = kindName.toLowerCase()
  return parities.filter(({ kind }) => namesOf(kind).includes(wanted))
}

function namesOf(kind: Kind): string[] {
  const { group, plural, singular, shortNames = [] } = kind
  const names = [kind.kind, plural, singular, ...shortNames]
  return [...names, ...names.map((name) => `${name}.${group}`)].map((name) => name.toLowerCase())
}

/** Rows of a table: KIND FIELD STATE NOTE. A kind that is there in several versions is named with its version. */
export function parityRows(parities: readonly KindParity[]): string[][] {
  const isAmbiguous = ({ kind }: Kind): boolean => parities.filter((other) => other.kind.kind === kind).length > 1
  return parities.flatMap(({ kind, table }) =>
    [...table]
      .sort((a, b) => (a.field < b.field ? -1 : 1))
      .map(({ field, state, note = '' }) => [isAmbiguous(kind) ? `${kind.kind}.${kind.version}` : kind.kind, field, state, note]),
  )
}

export function paritySummary(parities: readonly KindParity[]): string {
  const counts = parityCounts(parities)
  const total = PARITY_STATES.reduce((sum, state) => sum + counts[state], 0)
  const kinds = new Set(parities.map(({ kind }) => kind.kind)).size
  const parts = PARITY_STATES.map((state) => `${counts[state]} ${state}`).join(', ')
  return `${total} fields of ${kinds} ${kinds === 1 ? 'kind' : 'kinds'}: ${parts}`
}

/** For programs: every field by itself. */
export function parityView(parities: readonly KindParity[]): object {
  return {
    counts: parityCounts(parities),
    kinds: parities.map(({ kind, schema, table }) => ({
      apiVersion: groupVersion(kind),
      kind: kind.kind,
      fields: fieldsOf(schema).map((field) => {
        const { state, note } = parityRowFor(table, field) ?? {}
        return { field, state, ...(note !== undefined && { note }) }
      }),
    })),
  }
}
