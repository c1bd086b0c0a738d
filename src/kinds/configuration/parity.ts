import { below, enforced, type ParityTable } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'
import { revisionTemplateParity } from '../revision/parity.js'

export const configurationParity: ParityTable = [
  ...below('spec', revisionTemplateParity),
  ...below('status', statusParity),
  ...enforced('status.latestCreatedRevisionName', 'status.latestReadyRevisionName'),
]
