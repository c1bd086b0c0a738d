import type { Identity } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { type BindingObject, type PolicyRule, RBAC_GROUP, type RoleObject, type RoleRef, type Subject } from '../../apimachinery/rbac.js'
import { refusals, type StatusError } from '../../apimachinery/status-error.js'
import type { Store } from '../../store/store.js'
import type { Attributes } from './attributes.js'
import { ruleAllows } from './rules.js'

export interface Decision {
  allowed: boolean
  /** Which binding allows it, or which roles that are bound to the user do not exist; '' where there is nothing to say. */
  reason: string
}

export interface Authorizer {
  /** Cheap: what a user may do is worked out once and kept until an RBAC object changes. */
  authorize(user: Identity, attributes: Attributes): Decision
  /** Everything that bindings give a user at the cluster scope and, when one is named, in a namespace. */
  rulesFor(user: Identity, namespace: string | undefined): { rules: readonly PolicyRule[]; problems: readonly string[] }
  /** The rules of the role that a binding refers to. Throws 404 when there is none. */
  rulesOf(role: RoleRef, namespace: string | undefined): readonly PolicyRule[]
}

/** Its members may do everything, whatever the bindings say (apiserver pkg/authentication/user, SystemPrivilegedGroup). */
export const PRIVILEGED_GROUP = 'system:masters'

/** So many users are remembered; with more, all are forgotten. Ours are a handful. */
const MOST_USERS = 500

const RESOURCES = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'] as const
const storedAs = (plural: (typeof RESOURCES)[number]): string => `${plural}.${RBAC_GROUP}`

/** A rule with the binding it comes from, in words. */
interface Grant {
  rule: PolicyRule
  source: string
}

interface Granted {
  grants: readonly Grant[]
  problems: readonly string[]
}

interface UserGrants {
  cluster: Granted
  byNamespace: Map<string, Granted>
}

/**
 * Decides by the RBAC objects in the store.
 * @see kubernetes/kubernetes v1.35 plugin/pkg/auth/authorizer/rbac/rbac.go
 */
export function createAuthorizer({ store }: { store: Store }): Authorizer {
  const users = new Map<string, UserGrants>()
  let seen: readonly (readonly KubeObject[])[] = []

  /** The store keeps a list until the next change of its resource, so that the same array means the same objects. */
  const forgetIfChanged = (): void => {
    const now = RESOURCES.map((plural) => store.list(storedAs(plural)).items)
    if (now.every((items, index) => items === seen[index] || (items.length === 0 && seen[index]?.length === 0))) return
    seen = now
    users.clear()
  }

  const rulesOf = ({ kind, name }: RoleRef, namespace: string | undefined): readonly PolicyRule[] => {
    const isCluster = kind === 'ClusterRole'
    const key = isCluster ? { resource: storedAs('clusterroles'), name } : { resource: storedAs('roles'), namespace, name }
    const role = store.get(key) as RoleObject | undefined
    if (!role) throw refusals.notFound({ group: RBAC_GROUP, plural: isCluster ? 'clusterrole' : 'role' }, name)
    return role.rules ?? []
  }

  const grantedBy = (bindings: readonly BindingObject[], user: Identity, namespace: string | undefined): Granted => {
    const grants: Grant[] = []
    const problems: string[] = []
    for (const binding of bindings) {
      const subject = (binding.subjects ?? []).find((candidate) => isMeant(candidate, user, namespace))
      if (!subject) continue
      try {
        const source = describe(binding, subject, namespace)
        for (const rule of rulesOf(binding.roleRef, namespace)) grants.push({ rule, source })
      } catch (error) {
        problems.push((error as StatusError).message)
      }
    }
    return { grants, problems }
  }

  const clusterGrants = (user: Identity): UserGrants => {
    forgetIfChanged()
    const key = JSON.stringify([user.name, ...user.groups])
    const known = users.get(key)
    if (known) return known
    if (users.size >= MOST_USERS) users.clear()
    const bindings = store.list(storedAs('clusterrolebindings')).items as readonly BindingObject[]
    const made: UserGrants = { cluster: grantedBy(bindings, user, undefined), byNamespace: new Map() }
    users.set(key, made)
    return made
  }

  const namespaceGrants = (all: UserGrants, user: Identity, namespace: string): Granted => {
    const known = all.byNamespace.get(namespace)
    if (known) return known
    const bindings = store.list(storedAs('rolebindings'), namespace).items as readonly BindingObject[]
    const made = grantedBy(bindings, user, namespace)
    // Names that a caller makes up cost a little each time rather than memory.
    if (bindings.length > 0) all.byNamespace.set(namespace, made)
    return made
  }

  return {
    rulesOf,
    authorize(user, attributes) {
      if (user.groups.includes(PRIVILEGED_GROUP)) return { allowed: true, reason: '' }
      const all = clusterGrants(user)
      const allows = ({ rule }: Grant): boolean => ruleAllows(rule, attributes)
      let grant = all.cluster.grants.find(allows)
      let { problems } = all.cluster
      const namespace = 'path' in attributes ? undefined : attributes.namespace
      if (!grant && namespace) {
        const inside = namespaceGrants(all, user, namespace)
        grant = inside.grants.find(allows)
        problems = [...problems, ...inside.problems]
      }
      if (grant) return { allowed: true, reason: `RBAC: allowed by ${grant.source}` }
      return { allowed: false, reason: problems.length > 0 ? `RBAC: ${aggregated(problems)}` : '' }
    },
    rulesFor(user, namespace) {
      const all = clusterGrants(user)
      const granted = namespace ? [all.cluster, namespaceGrants(all, user, namespace)] : [all.cluster]
      return {
        rules: granted.flatMap(({ grants }) => grants.map(({ rule }) => rule)),
        problems: granted.flatMap(({ problems }) => problems),
      }
    },
  }
}

function isMeant({ kind, name, namespace }: Subject, user: Identity, bindingNamespace: string | undefined): boolean {
  switch (kind) {
    case 'User':
      return user.name === name
    case 'Group':
      return user.groups.includes(name)
    case 'ServiceAccount': {
      const home = namespace || bindingNamespace
      return home !== undefined && user.name === `system:serviceaccount:${home}:${name}`
    }
    default:
      return false
  }
}

/** `RoleBinding "readers/shop" of ClusterRole "view" to ServiceAccount "robot/shop"`. */
function describe({ metadata, roleRef }: BindingObject, subject: Subject, namespace: string | undefined): string {
  const binding = namespace
    ? `RoleBinding ${JSON.stringify(`${metadata.name}/${namespace}`)}`
    : `ClusterRoleBinding ${JSON.stringify(metadata.name)}`
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name
  return `${binding} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(who)}`
}

/** Several errors in one text, as apimachinery's Aggregate joins them: each once. */
function aggregated(problems: readonly string[]): string {
  const distinct = [...new Set(problems)]
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`
}
