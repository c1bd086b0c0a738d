import { Flags } from '@oclif/core'
import type { Destination, KReference } from '../../apimachinery/destination.js'
import type { Draft } from '../../apimachinery/object.js'
import type { Broker } from '../../kinds/broker/schema.js'
import { BROKER_CLASS_ANNOTATION } from '../../kinds/eventing-labels.js'
import { usageError } from '../arguments.js'
import { conditionLines } from '../print/conditions.js'
import { attribute, block, type DescribeOptions, metadataRows, nested } from '../print/describe.js'
import { type DeliveryFlagValues, deliveryFrom } from './delivery.js'

/** What only a new Broker can be given: both never change. */
export const brokerFlags = {
  class: Flags.string({ description: "Class of the broker, such as 'MTChannelBasedBroker'." }),
  'broker-config': Flags.string({
    description:
      'What the broker is configured by, together with --class: NAME of a ConfigMap, KIND:NAME[:NAMESPACE] with the kinds cm, sc (Secret) and rmq (RabbitmqCluster), or APIVERSION:KIND:NAME[:NAMESPACE].',
  }),
}

export interface BrokerFlagValues extends DeliveryFlagValues {
  class?: string | undefined
  'broker-config'?: string | undefined
}

/** The Broker that `broker create` asks for. Throws a usage error in kn's words. */
export function brokerFrom(
  { namespace, name }: { namespace: string; name: string },
  flags: BrokerFlagValues,
  deadLetterSink: Destination | undefined,
): Draft<Broker> {
  const configText = flags['broker-config']
  if (configText !== undefined && flags.class === undefined) throw usageError('cannot set broker-config without setting class')
  const config = configText === undefined ? undefined : configReferenceFrom(configText)
  const delivery = deliveryFrom(undefined, flags, deadLetterSink)
  return {
    metadata: { name, namespace, ...(flags.class && { annotations: { [BROKER_CLASS_ANNOTATION]: flags.class } }) },
    spec: { ...(config && { config }), ...(delivery && { delivery }) },
  }
}

const CONFIG_MAP = { kind: 'ConfigMap', apiVersion: 'v1' } as const
const SECRET = { kind: 'Secret', apiVersion: 'v1' } as const
const RABBITMQ_CLUSTER = { kind: 'RabbitmqCluster', apiVersion: 'rabbitmq.com/v1beta1' } as const

/** Kinds that `--broker-config` knows without their API version, in any case. */
const CONFIG_KINDS: ReadonlyMap<string, Pick<KReference, 'kind' | 'apiVersion'>> = new Map<string, Pick<KReference, 'kind' | 'apiVersion'>>(
  [
    ['cm', CONFIG_MAP],
    ['configmap', CONFIG_MAP],
    ['sc', SECRET],
    ['secret', SECRET],
    ['rmq', RABBITMQ_CLUSTER],
    ['rabbitmq', RABBITMQ_CLUSTER],
    ['rabbitmqcluster', RABBITMQ_CLUSTER],
  ],
)

/**
 * What `--broker-config` refers to. Three parts are a known kind with name and namespace, or else API version, kind and name.
 * @see knative/client pkg/commands/broker/config_flags.go
 */
export function configReferenceFrom(text: string): KReference {
  const [first = '', second, third, ...rest] = text.split(':')
  if (second === undefined) return { ...CONFIG_MAP, name: first }
  const known = CONFIG_KINDS.get(first.toLowerCase())
  if (third === undefined) {
    if (known) return { ...known, name: second }
    throw usageError(
      `APIVersion could not be determined for kind ${JSON.stringify(first)}. Provide config in format: "<apiVersion>:<kind>:<name>:<namespace>"`,
    )
  }
  if (rest.length > 0) return { apiVersion: first, kind: second, name: third, namespace: rest.join(':') }
  return known ? { ...known, name: second, namespace: third } : { apiVersion: first, kind: second, name: third }
}

/** Where a Broker takes events; '' while it has no address. */
export function brokerUrl({ status }: Broker): string {
  return status?.address?.url ?? ''
}

/** `kn broker describe`, for people. */
export function brokerText(broker: Broker, options: DescribeOptions): string {
  const address = [attribute('Address', ''), ...nested([attribute('URL', brokerUrl(broker))])]
  const conditions = conditionLines(broker.status?.conditions, options)
  return `${block(metadataRows(broker.metadata, options))}\n${block(address)}\n${conditions.join('\n')}\n`
}
