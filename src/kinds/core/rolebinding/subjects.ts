import { causes } from '../../../apimachinery/causes.js'
import { deepEqual } from '../../../apimachinery/json.js'
import type { Column } from '../../../apimachinery/kind.js'
import { pathSegment, subdomain } from '../../../apimachinery/names.js'
import { type BindingObject, RBAC_GROUP, type Subject } from '../../../apimachinery/rbac.js'
import type { Schema } from '../../../apimachinery/schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { described, fields, listOf, text } from '../schema-parts.js'

/** What RoleBindings and ClusterRoleBindings have in common. */

export const bindingProperties: Readonly<Record<string, Schema>> = {
  roleRef: described('The role that is given; it can never be changed.', {
    ...fields({ apiGroup: text, kind: text, name: text }, ['kind', 'name']),
    'x-kubernetes-map-type': 'atomic',
  }),
  subjects: described(
    'Who is given it.',
    listOf({ ...fields({ apiGroup: text, kind: text, name: text, namespace: text }, ['kind', 'name']), 'x-kubernetes-map-type': 'atomic' }),
  ),
}

const namesOf = ({ subjects }: BindingObject, kind: string): string =>
  (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ')

export const bindingColumns: readonly Column[] = [
  {
    name: 'Role',
    type: 'string',
    description: 'The role that is given.',
    cell: ({ roleRef }: BindingObject) => `${roleRef.kind}/${roleRef.name}`,
  },
  {
    name: 'Users',
    type: 'string',
    description: 'Users in this binding.',
    priority: 1,
    cell: (binding: BindingObject) => namesOf(binding, 'User'),
  },
  {
    name: 'Groups',
    type: 'string',
    description: 'Groups in this binding.',
    priority: 1,
    cell: (binding: BindingObject) => namesOf(binding, 'Group'),
  },
  {
    name: 'ServiceAccounts',
    type: 'string',
    description: 'ServiceAccounts in this binding.',
    priority: 1,
    cell: (binding: BindingObject) => namesOf(binding, 'ServiceAccount'),
  },
]

/** Fills in the API groups that everyone leaves out (kubernetes pkg/apis/rbac/v1/defaults.go). */
export function defaultBinding(binding: BindingObject): void {
  if (!binding.roleRef.apiGroup) binding.roleRef = { ...binding.roleRef, apiGroup: RBAC_GROUP }
  binding.subjects = binding.subjects?.map((subject) =>
    !subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group') ? { ...subject, apiGroup: RBAC_GROUP } : subject,
  )
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/rbac/validation/validation.go, ValidateRoleBinding and ValidateClusterRoleBinding */
export function bindingCauses(binding: BindingObject, old: BindingObject | undefined, { namespaced }: { namespaced: boolean }): Cause[] {
  const { roleRef, subjects } = binding
  const found: Cause[] = []
  if (roleRef.apiGroup !== RBAC_GROUP) found.push(causes.notSupported('roleRef.apiGroup', roleRef.apiGroup, [RBAC_GROUP]))
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  if (!kinds.includes(roleRef.kind)) found.push(causes.notSupported('roleRef.kind', roleRef.kind, kinds))
  if (!roleRef.name) found.push(causes.required('roleRef.name'))
  else for (const problem of pathSegment(roleRef.name)) found.push(causes.invalid('roleRef.name', roleRef.name, problem))
  for (const [index, subject] of (subjects ?? []).entries()) found.push(...subjectCauses(subject, `subjects[${index}]`, namespaced))
  if (old && !deepEqual(old.roleRef, roleRef)) {
    const { apiGroup: APIGroup, kind: Kind, name: Name } = roleRef
    // Upstream prints its internal type, whose fields have Go's names.
    found.push(causes.invalid('roleRef', { APIGroup, Kind, Name }, 'cannot change roleRef'))
  }
  return found
}

function subjectCauses({ kind, apiGroup = '', name, namespace }: Subject, path: string, namespaced: boolean): Cause[] {
  const found = name ? [] : [causes.required(`${path}.name`)]
  switch (kind) {
    case 'ServiceAccount':
      if (name) for (const problem of subdomain(name)) found.push(causes.invalid(`${path}.name`, name, problem))
      if (apiGroup) found.push(causes.notSupported(`${path}.apiGroup`, apiGroup, ['']))
      if (!namespaced && !namespace) found.push(causes.required(`${path}.namespace`))
      return found
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC_GROUP) found.push(causes.notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]))
      return found
    default:
      return [...found, causes.notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group'])]
  }
}
