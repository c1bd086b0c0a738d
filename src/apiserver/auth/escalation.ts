import { deepEqual } from '../../apimachinery/json.js'
import type { Identity } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { type BindingObject, type PolicyRule, RBAC_GROUP, type RoleObject } from '../../apimachinery/rbac.js'
import { refusals } from '../../apimachinery/status-error.js'
import { type Authorizer, PRIVILEGED_GROUP } from './authorizer.js'
import { compactRules, missingRules, quotedList, ruleText } from './rules.js'

/** A write of an object of the RBAC group, and by whom. */
export interface GrantingWrite {
  plural: string
  object: KubeObject
  /** What is stored, on an update. */
  old: KubeObject | undefined
  user: Identity
}

const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * Refuses writes by which someone would hand out what they do not hold: rules of a role without the verb `escalate`,
 * bindings without `bind`. Throws 403, and 404 for a binding to a role that does not exist.
 * @see kubernetes/kubernetes v1.35 pkg/registry/rbac/role/policybased/storage.go and its three siblings
 */
export function refuseEscalation(authorizer: Authorizer, { plural, object, old, user }: GrantingWrite): void {
  if (user.groups.includes(PRIVILEGED_GROUP) || (old && onlyLetsGo(object, old))) return
  const { name, namespace } = object.metadata
  const resource = { group: RBAC_GROUP, plural }
  const requireHeld = (rules: readonly PolicyRule[], text?: string): void => {
    const held = authorizer.rulesFor(user, namespace)
    const missing = missingRules(held.rules, rules)
    if (missing.length > 0) throw refusals.forbidden(resource, name, text ?? notHeld(user, missing, held.problems))
  }

  if (plural === 'roles' || plural === 'clusterroles') {
    const escalate = { verb: 'escalate', group: RBAC_GROUP, resource: plural, namespace, name: old ? name : undefined }
    if (authorizer.authorize(user, escalate).allowed) return
    const { rules, aggregationRule } = object as RoleObject
    requireHeld(rules ?? [])
    // What an aggregated role will hold one day is anybody's guess.
    if (aggregationRule) requireHeld(FULL_AUTHORITY, 'must have cluster-admin privileges to use the aggregationRule')
    return
  }
  if (plural !== 'rolebindings' && plural !== 'clusterrolebindings') return
  const { roleRef } = object as BindingObject
  const role = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  if (authorizer.authorize(user, { verb: 'bind', group: RBAC_GROUP, resource: role, namespace, name: roleRef.name }).allowed) return
  requireHeld(authorizer.rulesOf(roleRef, namespace))
}

function notHeld(user: Identity, missing: readonly PolicyRule[], problems: readonly string[]): string {
  const texts = [...new Set(compactRules(missing).map(ruleText))].sort()
  const resolution = problems.length > 0 ? `; resolution errors: [${problems.join(', ')}]` : ''
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`
  return `${who} is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}${resolution}`
}

/** Whether a write changes nothing but what the garbage collector has to change before the object can go. */
function onlyLetsGo(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ metadata, ...others }: KubeObject): object => {
    const { finalizers: _, ownerReferences: __, managedFields: ___, ...kept } = metadata
    return { ...others, metadata: kept }
  }
  return deepEqual(rest(object), rest(old))
}
