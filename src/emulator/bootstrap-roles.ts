import { RBAC_GROUP, type Subject } from '../apimachinery/rbac.js'
import { missingRules } from '../apiserver/auth/rules.js'
import type { Client } from '../client/client.js'
import { clusterRoleKind } from '../kinds/core/clusterrole/kind.js'
import { aggregatedRules } from '../kinds/core/clusterrole/reconcile.js'
import type { ClusterRole } from '../kinds/core/clusterrole/schema.js'
import { clusterRoleBindingKind } from '../kinds/core/clusterrolebinding/kind.js'
import type { ClusterRoleBinding } from '../kinds/core/clusterrolebinding/schema.js'
import { DEFAULT_BINDINGS, DEFAULT_ROLES, type DefaultBinding, type DefaultRole } from './default-roles.js'

/** `false` on a default role or binding leaves it as the user made it. */
const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate'
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }

/**
 * Makes sure that the default ClusterRoles and their bindings are there, with at least the rules and subjects they begin
 * with. What the user added stays; what they took away comes back with the next start, unless they said otherwise.
 * @see kubernetes/component-helpers v0.35 auth/rbac/reconciliation
 */
export async function bootstrapRoles({ client }: { client: Client }): Promise<void> {
  const [roles, bindings] = await Promise.all([client.list(clusterRoleKind), client.list(clusterRoleBindingKind)])
  // At the same time, so that they share what a write costs the disk.
  await Promise.all([
    ...wantedRoles().map((wanted) => ensureRole(client, wanted, find(roles, wanted.metadata.name))),
    ...DEFAULT_BINDINGS.map((wanted) => ensureBinding(client, wanted, find(bindings, wanted.name))),
  ])
}

function find<T extends ClusterRole | ClusterRoleBinding>(objects: readonly T[], name: string): T | undefined {
  return objects.find(({ metadata }) => metadata.name === name)
}

/** Aggregated roles come with their rules, since the first call may come before the controller that keeps them. */
function wantedRoles(): ClusterRole[] {
  const roles = DEFAULT_ROLES.map(roleFrom)
  // `admin` takes what `edit` has taken from `view`.
  for (const name of ['view', 'edit', 'admin']) {
    const role = find(roles, name)!
    role.rules = aggregatedRules(role, roles)
  }
  return roles
}

function roleFrom({ name, labels, rules, aggregates }: DefaultRole): ClusterRole {
  return {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...labels }, annotations: { [AUTO_UPDATE]: 'true' } },
    ...(aggregates && { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: 'true' } }] } }),
    rules,
  }
}

async function ensureRole(client: Client, wanted: ClusterRole, present: ClusterRole | undefined): Promise<void> {
  if (!present) return void (await client.create(clusterRoleKind, wanted))
  if (present.aggregationRule || present.metadata.annotations?.[AUTO_UPDATE] === 'false') return
  const rules = present.rules ?? []
  const missing = (wanted.rules ?? []).filter((rule) => missingRules(rules, [rule]).length > 0)
  if (missing.length > 0) await client.update(clusterRoleKind, { ...present, rules: [...rules, ...missing] })
}

async function ensureBinding(client: Client, { name, subjects }: DefaultBinding, present: ClusterRoleBinding | undefined): Promise<void> {
  const roleRef = { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name }
  const metadata = { name, labels: LABELS, annotations: { [AUTO_UPDATE]: 'true' } }
  if (!present) return void (await client.create(clusterRoleBindingKind, { metadata, roleRef, subjects }))
  if (present.metadata.annotations?.[AUTO_UPDATE] === 'false' || present.roleRef.name !== name) return
  const isSame = (a: Subject, b: Subject): boolean => a.kind === b.kind && a.name === b.name && a.namespace === b.namespace
  const known = present.subjects ?? []
  const missing = subjects.filter((subject) => !known.some((other) => isSame(other, subject)))
  if (missing.length > 0) await client.update(clusterRoleBindingKind, { ...present, subjects: [...known, ...missing] })
}
