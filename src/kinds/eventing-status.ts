import type { Conditions } from '../apimachinery/conditions.js'
import type { DeliverySpec, DeliveryStatus } from '../apimachinery/delivery-spec.js'
import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'
import { isAlreadyExists } from '../apimachinery/status-error.js'
import type { ReconcilerDeps, Wake } from '../controller/reconcile.js'
import { configMapKind } from './core/configmap/kind.js'
import { serviceAccountKind } from './core/serviceaccount/kind.js'
import { FEATURES_CONFIG, isEnabled } from './eventing-config.js'
import { EVENTING_NAMESPACE, OIDC_LABEL } from './eventing-labels.js'
import { setDeadLetterSink } from './messaging-status.js'
import { childName } from './serving-names.js'

/** What several of Eventing's reconcilers say in their statuses. */

/** Wakes everything when a flag changes, or one of `others`, ConfigMaps of the system namespace. */
export function wokenByConfig(...others: readonly string[]): Wake {
  const names = new Set([FEATURES_CONFIG, ...others])
  return {
    kind: configMapKind,
    wakes: ({ metadata }, all) =>
      metadata.namespace === EVENTING_NAMESPACE && names.has(metadata.name) ? all.list().map((object) => object.metadata) : [],
  }
}

/** What DeadLetterSinkResolved says where none is wanted. */
export const NO_DEAD_LETTER_SINK = { reason: 'DeadLetterSinkNotConfigured', message: 'No dead letter sink is configured.' } as const

/**
 * Resolves a dead letter sink into status and condition. Returns what went wrong, which ends most reconciles.
 * @param reason of the condition when it cannot be resolved.
 */
export async function resolveDeadLetterSink(
  object: KubeObject & { status?: DeliveryStatus },
  delivery: DeliverySpec | undefined,
  status: DeliveryStatus,
  conditions: Conditions,
  reason: string,
  { resolveUri }: Pick<ReconcilerDeps, 'resolveUri'>,
): Promise<string | undefined> {
  const sink = delivery?.deadLetterSink
  const resolved = sink && (await resolveUri(sink, object))
  setDeadLetterSink(status, resolved?.address)
  if (!resolved) conditions.isTrue('DeadLetterSinkResolved', NO_DEAD_LETTER_SINK)
  else if (resolved.problem === undefined) conditions.isTrue('DeadLetterSinkResolved')
  else conditions.isFalse('DeadLetterSinkResolved', reason, resolved.problem)
  return resolved?.problem
}

/** OIDC audience of an addressable. */
export function audienceOf({ kind, metadata }: KubeObject, group: string): string {
  return `${group}/${kind}/${metadata.namespace}/${metadata.name}`.toLowerCase()
}

/** Under which account an object sends, in its status. */
export interface AuthStatus {
  auth?: { serviceAccountName?: string; serviceAccountNames?: string[] }
}

/**
 * The ServiceAccount by which an object shows who it is, where authentication-oidc is on; sets condition OIDCIdentityCreated and
 * `status.auth`. Returns what went wrong.
 * @see knative/eventing v1.22 pkg/auth/serviceaccount.go, SetupOIDCServiceAccount
 */
export async function reconcileIdentity(
  object: KubeObject,
  kind: Kind,
  status: AuthStatus,
  conditions: Conditions,
  { client, configMap }: Pick<ReconcilerDeps, 'client' | 'configMap'>,
): Promise<string | undefined> {
  const { namespace, name } = object.metadata
  const ref = { namespace, name: childName(name, `-oidc-${kind.group}-${kind.kind}`).toLowerCase() }
  const present = await client.find(serviceAccountKind, ref)
  const isOwn = present?.metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === object.metadata.uid)

  if (!isEnabled(configMap, 'authentication-oidc')) {
    if (present && isOwn) await client.delete(serviceAccountKind, ref)
    delete status.auth
    conditions.isTrue('OIDCIdentityCreated', { reason: 'authentication-oidc feature disabled', message: '' })
    return undefined
  }
  status.auth = { serviceAccountName: ref.name }
  if (present && !isOwn) {
    const problem = `service account ${ref.name} not owned by ${kind.kind} ${name}`
    conditions.isFalse('OIDCIdentityCreated', 'Unable to resolve service account for OIDC authentication', problem)
    return problem
  }
  if (!present) {
    const metadata = {
      ...ref,
      labels: { [OIDC_LABEL]: 'enabled' },
      annotations: { description: `Service Account for OIDC Authentication for ${kind.kind} ${JSON.stringify(name)}` },
      ownerReferences: [
        { apiVersion: object.apiVersion, kind: kind.kind, name, uid: object.metadata.uid!, controller: true, blockOwnerDeletion: false },
      ],
    }
    await client.create(serviceAccountKind, { metadata }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }
  conditions.isTrue('OIDCIdentityCreated')
  return undefined
}
