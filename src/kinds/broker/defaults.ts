import type { DeliverySpec } from '../../apimachinery/delivery-spec.js'
import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import { defaultReference } from '../../apimachinery/destination.js'
import { deepCopy } from '../../apimachinery/json.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { type BrokerConfig, brokerDefaults } from '../eventing-config.js'
import { BROKER_CLASS_ANNOTATION } from '../eventing-labels.js'
import type { Broker } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1/broker_defaults.go */
export function defaultBroker(draft: Broker, { configMap }: Pick<AdmissionContext<Broker>, 'configMap'>): void {
  const { metadata } = draft
  const namespace = metadata.namespace ?? ''
  const defaults = brokerDefaults(configMap)
  const brokerClass = metadata.annotations?.[BROKER_CLASS_ANNOTATION] || defaults.classIn(namespace)
  if (brokerClass) metadata.annotations = { ...metadata.annotations, [BROKER_CLASS_ANNOTATION]: brokerClass }

  draft.spec ??= {}
  const { spec } = draft
  // With a configuration of its own, a Broker is looked up under the kind of that, which is no class: the namespace's entry is missed.
  const entry = defaults.configFor(namespace, spec.config ? spec.config.kind : (brokerClass ?? ''))
  if (!spec.config && entry) spec.config = referenceIn(entry)
  defaultReference(spec.config, namespace)
  if (!spec.delivery && entry?.delivery) spec.delivery = deliveryIn(entry.delivery)
  defaultDelivery(spec.delivery, namespace)
}

function referenceIn({ kind = '', namespace, name = '', apiVersion }: BrokerConfig): NonNullable<NonNullable<Broker['spec']>['config']> {
  return { kind, name, ...(namespace && { namespace }), ...(apiVersion && { apiVersion }) }
}

/** Only these four fields are taken over; timeout and the others are not. */
function deliveryIn({ deadLetterSink, retry, backoffPolicy, backoffDelay }: DeliverySpec): DeliverySpec {
  return {
    ...(deadLetterSink && { deadLetterSink: deepCopy(deadLetterSink) }),
    ...(retry !== undefined && { retry }),
    ...(backoffPolicy && { backoffPolicy }),
    ...(backoffDelay && { backoffDelay }),
  }
}
