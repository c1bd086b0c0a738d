import type { PolicyRule } from '../../../apimachinery/rbac.js'
import { labelSelectorMatches } from '../../../apimachinery/selectors.js'
import type { Controller } from '../../../controller/reconcile.js'
import { isSameJson } from '../../../controller/same-json.js'
import { clusterRoleKind } from './kind.js'
import type { ClusterRole } from './schema.js'

/**
 * Keeps the rules of aggregated ClusterRoles (`admin`, `edit`, `view` …) those of the roles they select.
 * @see kubernetes/kubernetes v1.35 pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go
 */
export function createClusterRoleController(): Controller<ClusterRole> {
  return {
    kind: clusterRoleKind,
    actsAs: 'system:serviceaccount:kube-system:clusterrole-aggregation-controller',
    // Any role may come to be selected, or no longer be.
    wokenBy: [
      {
        kind: clusterRoleKind,
        wakes: (_, all) =>
          all
            .list()
            .filter((role) => (role as ClusterRole).aggregationRule)
            .map(({ metadata }) => ({ name: metadata.name })),
      },
    ],
    create:
      ({ client, informer }) =>
      async (role) => {
        if (!role.aggregationRule) return {}
        const rules = aggregatedRules(role, informer(clusterRoleKind).list())
        if (!isSameJson(rules, role.rules ?? [])) await client.update(clusterRoleKind, { ...role, rules })
        return {}
      },
  }
}

/** The rules of all selected roles but the role itself, in the order of selectors and of names, each once. */
export function aggregatedRules({ metadata, aggregationRule }: ClusterRole, roles: readonly ClusterRole[]): PolicyRule[] {
  const byName = [...roles].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const found = new Map<string, PolicyRule>()
  for (const selector of aggregationRule?.clusterRoleSelectors ?? [])
    for (const role of byName) {
      if (role.metadata.name === metadata.name || !labelSelectorMatches(selector, role.metadata.labels ?? {})) continue
      for (const rule of role.rules ?? []) {
        const key = JSON.stringify([rule.verbs, rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs])
        if (!found.has(key)) found.set(key, rule)
      }
    }
  return [...found.values()]
}
