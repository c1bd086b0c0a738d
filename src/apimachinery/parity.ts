import type { Schema } from './schema.js'

/**
 * What becomes of a field of an API here, compared with a cluster: it has the effect it has there (`enforced`), it is kept and
 * has none (`stored`), or what asks for it is turned away, at the latest by a status that says why (`refused`).
 */
export const PARITY_STATES = ['enforced', 'stored', 'refused'] as const
export type ParityState = (typeof PARITY_STATES)[number]

export interface ParityRow {
  /** `spec.containers[].image`; `spec.delivery.*` stands for everything below. `{}` stands for the keys of a map. */
  readonly field: string
  readonly state: ParityState
  /** Why it is not enforced, or what to know of it. */
  readonly note?: string
}

/** The rows of one kind. Of several that match a field, the most specific one counts. */
export type ParityTable = readonly ParityRow[]

export function enforced(...fields: readonly string[]): ParityRow[] {
  return fields.map((field) => ({ field, state: 'enforced' }))
}

export function stored(note: string, ...fields: readonly string[]): ParityRow[] {
  return fields.map((field) => ({ field, state: 'stored', note }))
}

export function refused(note: string, ...fields: readonly string[]): ParityRow[] {
  return fields.map((field) => ({ field, state: 'refused', note }))
}

/** A table of a part that several kinds share, as it stands below `path` in one of them. */
export function below(path: string, table: ParityTable): ParityRow[] {
  return table.map((row) => ({ ...row, field: `${path}.${row.field}` }))
}

/** The row that speaks for a field; undefined when none does. */
export function parityRowFor(table: ParityTable, field: string): ParityRow | undefined {
  let found: ParityRow | undefined
  for (const row of table) {
    const matches = row.field.endsWith('.*') ? field.startsWith(row.field.slice(0, -1)) : row.field === field
    if (matches && (!found || row.field.length > found.field.length)) found = row
  }
  return found
}

/**
 * The fields of a schema that hold values: leaves, lists and maps of scalars, and what may hold anything. In the order of the schema.
 */
export function fieldsOf(schema: Schema, path = ''): string[] {
  const { properties, items, additionalProperties } = schema
  if (properties) {
    return Object.entries(properties).flatMap(([name, child]) => fieldsOf(child, path === '' ? name : `${path}.${name}`))
  }
  if (items && isStructured(items)) return fieldsOf(items, `${path}[]`)
  if (additionalProperties && additionalProperties !== true && isStructured(additionalProperties))
    return fieldsOf(additionalProperties, `${path}{}`)
  return [path]
}

function isStructured({ properties, items, additionalProperties }: Schema): boolean {
  return properties !== undefined || items !== undefined || additionalProperties !== undefined
}
