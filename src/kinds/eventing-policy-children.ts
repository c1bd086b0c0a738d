import { groupVersion, type Kind } from '../apimachinery/kind.js'
import type { Draft, KubeObject } from '../apimachinery/object.js'
import { ensureOwned } from '../controller/owned.js'
import type { ReconcilerDeps } from '../controller/reconcile.js'
import { isEnabled } from './eventing-config.js'
import { policiesFor } from './eventing-policies.js'
import { eventPolicyKind } from './eventpolicy/kind.js'
import type { EventPolicy, PolicySource } from './eventpolicy/schema.js'
import { removeOthers } from './flows-children.js'
import type { Channelable } from './messaging-schema.js'
import { childName } from './serving-names.js'
import { subscriptionKind } from './subscription/kind.js'

/**
 * EventPolicies that a Channel, Sequence or Parallel keeps for the channels it is made of, so that these let in whom it lets in,
 * and its own Subscriptions. Filters of policies are not handed on, as on a cluster.
 * @see knative/eventing v1.22 pkg/reconciler/{channel,sequence,parallel}/resources/eventpolicy.go
 */

type Deps = Pick<ReconcilerDeps, 'client' | 'configMap' | 'informer'>

export interface PolicyChild {
  readonly name: string
  /** The channel that it is about. */
  readonly channel: string
  readonly from: readonly PolicySource[]
}

/** Makes `owner` have these policies for channels of `kind`, while authentication-oidc is on, and no others. */
export async function ensurePolicies(
  owner: KubeObject,
  kind: Kind<Channelable>,
  children: readonly PolicyChild[],
  labels: Record<string, string>,
  deps: Deps,
): Promise<void> {
  const wanted = isEnabled(deps.configMap, 'authentication-oidc') ? children : []
  for (const { name, channel, from } of wanted) {
    const draft: Draft<EventPolicy> = {
      metadata: { name, labels },
      spec: { to: [{ ref: { apiVersion: groupVersion(kind), kind: kind.kind, name: channel } }], from: [...from] },
    }
    await ensureOwned(deps.client, eventPolicyKind, owner, draft)
  }
  await removeOthers(owner, eventPolicyKind, new Set(wanted.map(({ name }) => name)), deps)
}

/** One copy of each policy of a Channel, for the channel that it has made. */
export function policiesOfChannel(channel: KubeObject, backing: string, deps: Deps): PolicyChild[] {
  return policiesFor(channel, deps).map(({ metadata, spec }) => ({
    name: childName(`${metadata.name}-`, backing),
    channel: backing,
    from: spec?.from ?? [],
  }))
}

export function labelsOfChannel({ group, version, kind }: Kind, name: string): Record<string, string> {
  const prefix = 'messaging.knative.dev/channel'
  return { [`${prefix}-group`]: group, [`${prefix}-version`]: version, [`${prefix}-kind`]: kind, [`${prefix}-name`]: name }
}

/** Whoever answers into a channel inside of a flow: a Subscription of the flow's own. */
export function fromSubscription(name: string, namespace: string | undefined): PolicySource {
  return { ref: { apiVersion: groupVersion(subscriptionKind), kind: subscriptionKind.kind, name, ...(namespace && { namespace }) } }
}
