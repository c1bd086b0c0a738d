import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import { defaultDestination } from '../../apimachinery/destination.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { isEnabled } from '../eventing-config.js'
import { BROKER_LABEL, INJECTION_KEY, OLD_INJECTION_ANNOTATION } from '../eventing-labels.js'
import type { Trigger } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1/trigger_defaults.go */
export function defaultTrigger(draft: Trigger, { configMap, warn }: Pick<AdmissionContext<Trigger>, 'configMap' | 'warn'>): void {
  const { metadata } = draft
  draft.spec ??= {}
  const { spec } = draft
  spec.filter ??= {}
  defaultDestination(spec.subscriber, metadata.namespace)
  defaultDelivery(spec.delivery, metadata.namespace)
  const ofReference = isEnabled(configMap, 'cross-namespace-event-links') ? spec.brokerRef?.name : undefined
  const broker = ofReference ?? spec.broker
  if (broker) metadata.labels = { ...metadata.labels, [BROKER_LABEL]: broker }
  if (metadata.annotations?.[OLD_INJECTION_ANNOTATION] !== undefined)
    warn(`annotation ${OLD_INJECTION_ANNOTATION} is no longer a part of Knative: use the label ${INJECTION_KEY} instead`)
}
