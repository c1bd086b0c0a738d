import type { KubeObject } from '../../apimachinery/object.js'
import { labelSelectorMatches } from '../../apimachinery/selectors.js'
import type { EventPolicy } from './schema.js'

/**
 * Whether a policy is about an object of its namespace. Groups and kinds are compared without case, versions not at all.
 * @see knative/eventing v1.22 pkg/auth/event_policy.go, GetEventPoliciesForResource
 */
export function appliesTo({ metadata, spec }: EventPolicy, object: KubeObject): boolean {
  if (metadata.namespace !== object.metadata.namespace) return false
  const { to = [] } = spec ?? {}
  if (to.length === 0) return true
  return to.some(({ ref, selector }) => {
    if (ref) return ref.name === object.metadata.name && isSameKind(ref, object)
    return selector !== undefined && isSameKind(selector, object) && labelSelectorMatches(selector, object.metadata.labels)
  })
}

function isSameKind(wanted: { apiVersion: string; kind: string }, { apiVersion, kind }: KubeObject): boolean {
  const group = (text: string): string => (text.includes('/') ? text.slice(0, text.indexOf('/')).toLowerCase() : '')
  return wanted.kind.toLowerCase() === kind.toLowerCase() && group(wanted.apiVersion) === group(apiVersion)
}
