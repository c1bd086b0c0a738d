import type { DeliverySpec } from '../../apimachinery/delivery-spec.js'
import type { Kind } from '../../apimachinery/kind.js'
import { controllerReference, type Draft } from '../../apimachinery/object.js'
import { isAlreadyExists, StatusError } from '../../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../../controller/reconcile.js'
import { configMapKind } from '../core/configmap/kind.js'
import { isDerivative } from '../deep-derivative.js'
import { channelTemplateFrom, type DefaultChannelTemplate } from '../eventing-config.js'
import { BROKER_EVERYTHING_LABEL, BROKER_LABEL, SCOPE_ANNOTATION } from '../eventing-labels.js'
import { NO_SUCH_KIND } from '../messaging-channels.js'
import type { Channelable } from '../messaging-schema.js'
import { childName } from '../serving-names.js'
import type { Broker } from './schema.js'

/** The channel behind a Broker, which carries its events to the Triggers' Subscriptions. */

type Deps = Pick<ReconcilerDeps, 'client' | 'informer' | 'track'>

/** The one channel of a Broker. */
export function brokerChannelName(broker: string): string {
  return childName(broker, '-kne-trigger')
}

/**
 * Which channel a Broker's configuration asks for.
 * @see knative/eventing v1.22 pkg/reconciler/broker/broker.go, getChannelTemplate
 */
export function channelTemplateOf(
  { spec }: Broker,
  { informer }: Pick<Deps, 'informer'>,
): { template: DefaultChannelTemplate; problem?: undefined } | { template?: undefined; problem: string } {
  const { kind, namespace, name } = spec?.config ?? {}
  if (!namespace || !name) return { problem: 'Broker.Spec.Config name and namespace are required' }
  if (kind !== 'ConfigMap') return { problem: 'Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion: v1]' }
  const config = informer(configMapKind).get({ namespace, name })
  return config ? channelTemplateFrom(config.data ?? {}) : { problem: `configmap ${JSON.stringify(name)} not found` }
}

/**
 * The channel as it is now, made or brought in line where it has to be. What the API refuses is a problem; throws what another
 * try may cure.
 */
export async function ensureBrokerChannel(
  broker: Broker,
  template: DefaultChannelTemplate,
  deps: Deps,
): Promise<{ channel: Channelable; kind: Kind; problem?: undefined } | { channel?: undefined; problem: string }> {
  const { client, track } = deps
  const { namespace } = broker.metadata
  const wanted = channelFor(broker, template)
  const name = wanted.metadata.name!
  const tracked = await track({ apiVersion: template.apiVersion, kind: template.kind, namespace, name }, broker.metadata)
  if (!tracked.kind) return { problem: NO_SUCH_KIND }
  const kind = tracked.kind as Kind<Channelable>
  try {
    const channel = (tracked.object as Channelable | undefined) ?? (await create(wanted, kind, deps))
    const isAsWanted =
      isDerivative(wanted.spec.delivery, channel.spec?.delivery) && isDerivative(wanted.metadata.annotations, channel.metadata.annotations)
    if (isAsWanted) return { channel, kind }
    const { delivery: _, ...spec } = channel.spec ?? {}
    const next: Channelable = {
      ...channel,
      metadata: { ...channel.metadata, annotations: { ...channel.metadata.annotations, ...wanted.metadata.annotations } },
      spec: { ...spec, ...(wanted.spec.delivery && { delivery: wanted.spec.delivery }) },
    }
    return { channel: await client.update(kind, next), kind }
  } catch (error) {
    if (error instanceof StatusError && error.code >= 400 && error.code < 500 && error.code !== 409) return { problem: error.message }
    throw error
  }
}

async function create(wanted: Draft<Channelable>, kind: Kind<Channelable>, { client }: Deps): Promise<Channelable> {
  try {
    return await client.create(kind, wanted)
  } catch (error) {
    // Made since the cache was filled.
    if (!isAlreadyExists(error)) throw error
    return client.get(kind, { namespace: wanted.metadata.namespace, name: wanted.metadata.name! })
  }
}

function channelFor(broker: Broker, template: DefaultChannelTemplate): Draft<Channelable> {
  const { namespace, name, annotations } = broker.metadata
  const delivery = broker.spec?.delivery ?? (template.spec?.['delivery'] as DeliverySpec | undefined)
  const handedOn = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith('messaging.knative.dev'))
  return {
    metadata: {
      name: brokerChannelName(name),
      ...(namespace && { namespace }),
      labels: { [BROKER_LABEL]: name, [BROKER_EVERYTHING_LABEL]: 'true' },
      annotations: { [SCOPE_ANNOTATION]: 'cluster', ...Object.fromEntries(handedOn) },
      ownerReferences: [controllerReference(broker)],
    },
    spec: { ...template.spec, ...(delivery && { delivery }) },
  }
}
