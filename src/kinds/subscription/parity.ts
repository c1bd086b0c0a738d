import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { deliveryParity, destinationParity, statusParity } from '../duck-parity.js'

export const subscriptionParity: ParityTable = [
  ...enforced('spec.channel.apiVersion', 'spec.channel.group', 'spec.channel.kind', 'spec.channel.name', 'spec.channel.namespace'),
  ...stored('the channel is found by its name', 'spec.channel.address'),
  ...below('spec.subscriber', destinationParity),
  ...below('spec.reply', destinationParity),
  ...below('spec.delivery', deliveryParity),
  ...below('status', statusParity),
  ...enforced('status.physicalSubscription.*', 'status.auth.serviceAccountName'),
]
