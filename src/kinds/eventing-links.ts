import type { KReference } from '../apimachinery/destination.js'
import { type FieldError, fieldError } from '../apimachinery/field-error.js'
import type { AdmissionContext } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'

/**
 * Who subscribes to something in another namespace needs the verb knsubscribe on it there. The path is not a field's, but so it is
 * told: `spec.BrokerNamespace`. Relative to `spec`.
 * @see knative/eventing v1.22 pkg/crossnamespace/validation.go
 */
export function notAllowedToSubscribe(
  target: KReference,
  referrer: KubeObject,
  { user, isAllowed }: Pick<AdmissionContext, 'user' | 'isAllowed'>,
): FieldError | undefined {
  const { kind, name, namespace, apiVersion = '' } = target
  if (!namespace || namespace === referrer.metadata.namespace) return undefined
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  if (isAllowed({ verb: 'knsubscribe', group, resource: `${kind.toLowerCase()}s`, namespace, name })) return undefined
  return fieldError(`user ${user.name} is not authorized to get target resource in namespace: ${namespace}`, `${kind}Namespace`)
}
