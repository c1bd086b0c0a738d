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

export const parallelParity: ParityTable = [
  ...below('spec.branches[].filter', destinationParity),
  ...below('spec.branches[].subscriber', destinationParity),
  ...below('spec.branches[].reply', destinationParity),
  ...below('spec.branches[].delivery', deliveryParity),
  ...below('spec.channelTemplate', channelTemplateParity),
  ...below('spec.reply', destinationParity),
  ...below('status', [...statusParity, ...flowAddressParity, ...policiesParity]),
  ...below('status.ingressChannelStatus', childParity('channel')),
  ...below('status.branchStatuses[].filterChannelStatus', childParity('channel')),
  ...below('status.branchStatuses[].filterSubscriptionStatus', childParity('subscription')),
  ...below('status.branchStatuses[].subscriberSubscriptionStatus', childParity('subscription')),
]
