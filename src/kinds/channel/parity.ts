import { below, enforced, type ParityTable, refused, stored } from '../../apimachinery/parity.js'
import {
  addressParity,
  channelTemplateParity,
  deliveryParity,
  deliveryStatusParity,
  policiesParity,
  statusParity,
  subscriberStatusParity,
} from '../duck-parity.js'

export const channelParity: ParityTable = [
  ...below('spec.channelTemplate', channelTemplateParity),
  ...below('spec.delivery', deliveryParity),
  ...refused('as on a cluster: Subscriptions are written into the channel that a Channel makes', 'spec.subscribers[].*'),
  ...below('status', [...statusParity, ...addressParity, ...deliveryStatusParity, ...policiesParity]),
  ...below('status.subscribers[]', subscriberStatusParity),
  ...enforced('status.channel.apiVersion', 'status.channel.kind', 'status.channel.name', 'status.channel.namespace'),
  ...stored('no controller writes it, on a cluster neither', 'status.channel.address', 'status.channel.group'),
]
