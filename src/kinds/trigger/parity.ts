import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { deliveryStatusParity, destinationParity, statusParity, triggerDeliveryParity } from '../duck-parity.js'

export const triggerParity: ParityTable = [
  ...enforced('spec.broker', 'spec.brokerRef.*', 'spec.filter.attributes', 'spec.filters[].*'),
  ...stored('a Broker has one address for all Triggers', 'spec.brokerRef.address'),
  ...below('spec.subscriber', destinationParity),
  ...below('spec.delivery', triggerDeliveryParity),
  ...below('status', [...statusParity, ...deliveryStatusParity]),
  ...enforced('status.subscriberUri', 'status.subscriberCACerts', 'status.subscriberAudience', 'status.auth.serviceAccountName'),
  ...stored('the list is for sources with several identities', 'status.auth.serviceAccountNames'),
]
