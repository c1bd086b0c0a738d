import { below, type ParityTable } from '../../apimachinery/parity.js'
import {
  addressParity,
  channelTemplateParity,
  childParity,
  deliveryParity,
  destinationParity,
  policiesParity,
  statusParity,
} from '../duck-parity.js'

export const sequenceParity: ParityTable = [
  ...below('spec.steps[]', destinationParity),
  ...below('spec.steps[].delivery', deliveryParity),
  ...below('spec.channelTemplate', channelTemplateParity),
  ...below('spec.reply', destinationParity),
  ...below('status', [...statusParity, ...addressParity, ...policiesParity]),
  ...below('status.channelStatuses[]', childParity('channel')),
  ...below('status.subscriptionStatuses[]', childParity('subscription')),
]
