import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { requestReplyTimeout } from '../eventing-config.js'
import { BROKER_LABEL } from '../eventing-labels.js'
import type { RequestReply } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1alpha1/requestreply_defaults.go */
export function defaultRequestReply(draft: RequestReply, { configMap }: Pick<AdmissionContext<RequestReply>, 'configMap'>): void {
  const { metadata } = draft
  draft.spec ??= {} as RequestReply['spec']
  const { spec } = draft
  spec.correlationAttribute ||= 'correlationid'
  spec.replyAttribute ||= 'replyid'
  spec.timeout ??= requestReplyTimeout(configMap)
  defaultDelivery(spec.delivery, metadata.namespace)
  if (spec.brokerRef?.name) metadata.labels = { ...metadata.labels, [BROKER_LABEL]: spec.brokerRef.name }
}
