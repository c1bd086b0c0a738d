import { below, enforced, type ParityTable } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'

export const eventPolicyParity: ParityTable = [
  ...enforced('spec.to[].ref.*', 'spec.to[].selector.*', 'spec.from[].ref.*', 'spec.from[].sub', 'spec.filters[].*'),
  ...below('status', statusParity),
  ...enforced('status.from'),
]
