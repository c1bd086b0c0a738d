import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { addressParity, conditionsParity, deliveryParity, deliveryStatusParity, policiesParity } from '../duck-parity.js'

export const brokerParity: ParityTable = [
  ...enforced('spec.config.apiVersion', 'spec.config.group', 'spec.config.kind', 'spec.config.name', 'spec.config.namespace'),
  ...stored('a ConfigMap has no address', 'spec.config.address'),
  ...below('spec.delivery', deliveryParity),
  ...below('status', [...conditionsParity, ...addressParity, ...deliveryStatusParity, ...policiesParity, ...enforced('annotations')]),
]
