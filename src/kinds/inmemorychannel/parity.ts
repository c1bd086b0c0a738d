import { below, type ParityTable } from '../../apimachinery/parity.js'
import {
  addressParity,
  deliveryParity,
  deliveryStatusParity,
  policiesParity,
  statusParity,
  subscriberParity,
  subscriberStatusParity,
} from '../duck-parity.js'

export const inMemoryChannelParity: ParityTable = [
  ...below('spec.delivery', deliveryParity),
  ...below('spec.subscribers[]', subscriberParity),
  ...below('status', [...statusParity, ...addressParity, ...deliveryStatusParity, ...policiesParity]),
  ...below('status.subscribers[]', subscriberStatusParity),
]
