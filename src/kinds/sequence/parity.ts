import { below, type ParityTable } from '../../apimachinery/parity.js'
import {
  channelTemplateParity,
  childParity,
  deliveryParity,
  destinationParity,
  flowAddressParity,
  policiesParity,
  statusParity,
} from '../duck-parity.js'

export const sequenceParity: ParityTable = [
  ...below('spec.steps[]', destinationParity),
  ...below('spec.steps[].delivery', deliveryParity),
  ...below('spec.channelTemplate', channelTemplateParity),
  ...below('spec.reply', destinationParity),
  ...below('status', [...statusParity, ...flowAddressParity, ...policiesParity]),
  ...below('status.channelStatuses[]', childParity('channel')),
  ...below('status.subscriptionStatuses[]', childParity('subscription')),
]
