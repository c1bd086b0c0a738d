import { below, enforced, type ParityTable, stored } from '../apimachinery/parity.js'

/** Parity of the parts that many of Knative's kinds share. */

const NOBODY_WRITES_IT = 'no controller writes it, on a cluster neither'
const TRIGGERS_ONLY = "without effect on a cluster too: only a Trigger's counts"

/** Of a status that has conditions. */
export const conditionsParity: ParityTable = [...enforced('conditions[].*', 'observedGeneration')]

/** The same, of a kind whose annotations in the status nobody writes. */
export const statusParity: ParityTable = [...conditionsParity, ...stored(NOBODY_WRITES_IT, 'annotations')]

export const referenceParity: ParityTable = enforced('address', 'apiVersion', 'group', 'kind', 'name', 'namespace')

export const destinationParity: ParityTable = [...enforced('CACerts', 'audience', 'uri'), ...below('ref', referenceParity)]

/** Of everything but Triggers. */
export const deliveryParity: ParityTable = [
  ...enforced('backoffDelay', 'backoffPolicy', 'retry', 'retryAfterMax', 'timeout'),
  ...below('deadLetterSink', destinationParity),
  ...stored(TRIGGERS_ONLY, 'format'),
]

export const triggerDeliveryParity: ParityTable = [...deliveryParity.filter(({ field }) => field !== 'format'), ...enforced('format')]

/** Of the status of what receives events. */
export const addressParity: ParityTable = enforced('address.*', 'addresses[].*')

/** Of Sequence and Parallel, which show one address of their first channel. */
export const flowAddressParity: ParityTable = [...enforced('address.*'), ...stored(NOBODY_WRITES_IT, 'addresses[].*')]

export const deliveryStatusParity: ParityTable = enforced('deadLetterSinkAudience', 'deadLetterSinkCACerts', 'deadLetterSinkUri')

export const policiesParity: ParityTable = enforced('policies[].*')

/** One Subscription in the spec of a channel. */
export const subscriberParity: ParityTable = [
  ...enforced('uid', 'generation', 'name', 'namespace'),
  ...enforced('subscriberUri', 'subscriberCACerts', 'subscriberAudience', 'replyUri', 'replyCACerts', 'replyAudience'),
  ...enforced('auth.serviceAccountName'),
  ...stored('the list is for sources with several identities', 'auth.serviceAccountNames'),
  ...below('delivery', deliveryParity),
]

/** What a channel says of one subscriber. */
export const subscriberStatusParity: ParityTable = [
  ...enforced('uid', 'observedGeneration', 'ready', 'message'),
  ...stored(NOBODY_WRITES_IT, 'auth.*'),
]

export const channelTemplateParity: ParityTable = enforced('apiVersion', 'kind', 'spec')

/** A reference to a channel or Subscription in the status of a flow, and whether that is ready. */
export function childParity(child: 'channel' | 'subscription'): ParityTable {
  return [
    ...enforced(`${child}.apiVersion`, `${child}.kind`, `${child}.name`, `${child}.namespace`, 'ready.*'),
    ...stored(NOBODY_WRITES_IT, `${child}.fieldPath`, `${child}.resourceVersion`, `${child}.uid`),
  ]
}
