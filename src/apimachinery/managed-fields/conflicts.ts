import { type Cause, StatusError } from '../status-error.js'
import { compareTexts, identifierOf, type ManagerId } from './entries.js'
import { difference, type FieldSet, isEmpty, pathsOf } from './field-set.js'

/** Fields of another manager that an apply would change. */
export interface Conflict {
  owner: ManagerId
  fields: FieldSet
}

/** What is left of conflicts once these fields may be taken over. */
export function conflictsBeyond(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts.map(({ owner, fields }) => ({ owner, fields: difference(fields, allowed) })).filter(({ fields }) => !isEmpty(fields))
}

/**
 * 409 Conflict, as a server-side apply is refused with.
 * @see kubernetes/apimachinery v0.35 pkg/util/managedfields/internal/conflict.go
 */
export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const sorted = [...conflicts].sort((a, b) => compareTexts(identifierOf(a.owner), identifierOf(b.owner)))
  const found = sorted.map(({ owner, fields }) => ({ name: managerText(owner), paths: pathsOf(fields) }))
  const causes = found.flatMap(({ name, paths }) =>
    paths.map((path): Cause => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field: path })),
  )
  const [only] = causes
  const lines = found.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)])
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message:
      causes.length === 1
        ? `Apply failed with 1 conflict: ${only!.message}: ${only!.field}`
        : `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`,
    details: { causes },
  })
}

function managerText({ manager, operation, apiVersion, subresource }: ManagerId): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '')
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
