import { groupVersion, type Kind } from '../../apimachinery/kind.js'
import { type Draft, isControlledBy } from '../../apimachinery/object.js'
import { ensureOwned } from '../../controller/owned.js'
import type { ReconcilerDeps } from '../../controller/reconcile.js'
import { EVENTING_NAMESPACE } from '../eventing-labels.js'
import { eventPolicyKind } from '../eventpolicy/kind.js'
import type { EventPolicy } from '../eventpolicy/schema.js'
import type { Channelable } from '../messaging-schema.js'
import { childName } from '../serving-names.js'
import { brokerKind } from './kind.js'
import type { Broker } from './schema.js'

/**
 * With OIDC, nobody but the ingress may send to a Broker's channel: an EventPolicy of the Broker's says so.
 * @see knative/eventing v1.22 pkg/reconciler/broker/resources/eventpolicy.go
 */
export async function ensureChannelPolicy(
  broker: Broker,
  channel: Channelable,
  kind: Kind,
  isWanted: boolean,
  { client, informer }: Pick<ReconcilerDeps, 'client' | 'informer'>,
): Promise<void> {
  const { namespace, name } = broker.metadata
  const ref = { namespace, name: childName(name, `-ep-${channel.metadata.name}`) }
  if (!isWanted) {
    const present = informer(eventPolicyKind).get(ref)
    if (present && isControlledBy(present, broker)) await client.delete(eventPolicyKind, ref)
    return
  }
  const draft: Draft<EventPolicy> = {
    metadata: {
      ...(namespace && { namespace }),
      name: ref.name,
      labels: {
        'eventing.knative.dev/broker-group': brokerKind.group,
        'eventing.knative.dev/broker-version': brokerKind.version,
        'eventing.knative.dev/broker-kind': brokerKind.kind,
        'eventing.knative.dev/broker-name': name,
      },
    },
    spec: {
      to: [{ ref: { apiVersion: groupVersion(kind), kind: kind.kind, name: channel.metadata.name } }],
      from: [{ sub: `system:serviceaccount:${EVENTING_NAMESPACE}:mt-broker-ingress-oidc` }],
    },
  }
  await ensureOwned(client, eventPolicyKind, broker, draft)
}
