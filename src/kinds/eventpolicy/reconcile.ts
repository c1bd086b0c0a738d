import { conditionsOf } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { refusals } from '../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { isEnabled } from '../eventing-config.js'
import { EVENTING_CONTROLLER_USER } from '../eventing-labels.js'
import { type AuthStatus, wokenByConfig } from '../eventing-status.js'
import { eventPolicyKind } from './kind.js'
import { EVENT_POLICY_CONDITIONS, EVENT_POLICY_REASONS, type EventPolicy, type PolicySource } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'clock' | 'configMap' | 'event' | 'track'>

/**
 * Finds the identities that a policy admits. Where it applies is the addressables' business (eventing-policies.ts).
 * @see knative/eventing v1.22 pkg/reconciler/eventpolicy/eventpolicy.go
 */
export function createEventPolicyController(): Controller<EventPolicy> {
  return {
    kind: eventPolicyKind,
    actsAs: EVENTING_CONTROLLER_USER,
    wokenBy: [wokenByConfig()],
    create: (deps) => (policy) => reconcileEventPolicy(policy, deps),
  }
}

async function reconcileEventPolicy(policy: EventPolicy, deps: Deps): Promise<Outcome<EventPolicy>> {
  const conditions = conditionsOf(policy, EVENT_POLICY_CONDITIONS, deps.clock.now())
  const { from: _, ...status } = policy.status ?? {}
  if (!isEnabled(deps.configMap, 'authentication-oidc')) {
    conditions.isFalse('AuthenticationEnabled', EVENT_POLICY_REASONS.authenticationDisabled, '')
    return { status: { ...status, conditions: conditions.list() } }
  }
  conditions.isTrue('AuthenticationEnabled')

  const from: string[] = []
  for (const source of policy.spec?.from ?? []) {
    const found = await subjectsOf(source, policy, deps)
    if ('problem' in found) {
      const problem = `could not resolve subjects from reference: ${found.problem}`
      conditions.isFalse('SubjectsResolved', EVENT_POLICY_REASONS.subjectsNotResolved, problem)
      deps.event(policy, 'Warning', 'InternalError', `failed to resolve .spec.from[].ref: ${problem}`)
      return { status: { ...status, conditions: conditions.list() } }
    }
    from.push(...found.subjects)
  }
  conditions.isTrue('SubjectsResolved')
  return { status: { ...status, ...(from.length > 0 && { from }), conditions: conditions.list() } }
}

async function subjectsOf(
  { ref, sub }: PolicySource,
  policy: EventPolicy,
  { track }: Deps,
): Promise<{ subjects: string[] } | { problem: string }> {
  if (!ref) return { subjects: sub ? [sub] : [] }
  const namespace = ref.namespace ?? policy.metadata.namespace ?? ''
  const { object, kind } = await track({ ...ref, namespace }, policy.metadata)
  const name = `${namespace}/${ref.name}`
  if (!object) {
    const why = kind ? refusals.notFound(kind, ref.name).message : refusals.noSuchResource().message
    return { problem: `could not resolve auth status: failed to get authenticatable ${name}: failed to get object ${name}: ${why}` }
  }
  const auth = (object as KubeObject & { status?: AuthStatus }).status?.auth
  if (!auth) return { problem: `could not resolve auth status: .status.auth is missing in object ${name}` }
  const accounts = [...(auth.serviceAccountNames ?? []), ...(auth.serviceAccountName ? [auth.serviceAccountName] : [])]
  return { subjects: accounts.map((account) => `system:serviceaccount:${namespace}:${account}`) }
}
