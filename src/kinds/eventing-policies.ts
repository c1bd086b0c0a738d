import { type Conditions, isReady } from '../apimachinery/conditions.js'
import type { AppliedEventPolicies } from '../apimachinery/destination.js'
import type { KubeObject } from '../apimachinery/object.js'
import type { ReconcilerDeps, Wake } from '../controller/reconcile.js'
import { authorizationMode, isEnabled } from './eventing-config.js'
import { wokenByConfig } from './eventing-status.js'
import { appliesTo } from './eventpolicy/applies.js'
import { eventPolicyKind } from './eventpolicy/kind.js'
import type { EventPolicy } from './eventpolicy/schema.js'

/** Of every addressable's controller: policies that come to apply or no longer do, and flags. */
export const eventPolicyWakes: readonly Wake[] = [
  {
    kind: eventPolicyKind,
    wakes: (policy, all) =>
      all
        .list(policy.metadata.namespace)
        .filter((object) => appliesTo(policy as EventPolicy, object))
        .map(({ metadata }) => metadata),
  },
  wokenByConfig(),
]

/** The EventPolicies that apply to an addressable, by name. */
export function policiesFor(object: KubeObject, { informer }: Pick<ReconcilerDeps, 'informer'>): EventPolicy[] {
  return informer(eventPolicyKind)
    .list(object.metadata.namespace)
    .filter((policy) => appliesTo(policy, object))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

/**
 * Says which EventPolicies apply to an addressable: condition EventPoliciesReady and `status.policies`.
 * @see knative/eventing v1.22 pkg/auth/event_policy.go, UpdateStatusWithEventPolicies
 */
export function markEventPolicies(
  object: KubeObject,
  status: AppliedEventPolicies,
  conditions: Conditions,
  { informer, configMap }: Pick<ReconcilerDeps, 'informer' | 'configMap'>,
): void {
  const applying = policiesFor(object, { informer })
  const ready = applying.filter(isReady)
  delete status.policies
  if (ready.length > 0) status.policies = ready.map(({ apiVersion, metadata }) => ({ apiVersion, name: metadata.name }))
  if (applying.length > ready.length) {
    const names = applying.filter((policy) => !isReady(policy)).map(({ metadata }) => metadata.name)
    conditions.isFalse('EventPoliciesReady', 'EventPoliciesNotReady', `event policies ${names.join(', ')} are not ready`)
  } else if (ready.length > 0) {
    conditions.isTrue('EventPoliciesReady')
  } else if (isEnabled(configMap, 'authentication-oidc')) {
    const message = `Default authz mode is ${JSON.stringify(authorizationMode(configMap))}`
    conditions.isTrue('EventPoliciesReady', { reason: 'DefaultAuthorizationMode', message })
  } else {
    const message = 'Feature "authentication-oidc" must be enabled to support Authorization'
    conditions.isTrue('EventPoliciesReady', { reason: 'OIDCDisabled', message })
  }
}
