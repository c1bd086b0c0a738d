import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { referenceParity, statusParity } from '../duck-parity.js'

const shared: ParityTable = [
  ...below(
    'spec.reference',
    referenceParity.filter(({ field }) => field !== 'address'),
  ),
  ...stored('what is referred to is only looked up', 'spec.reference.address'),
  ...stored('for people to read, on a cluster too', 'spec.description'),
  ...below('status', statusParity),
]

const FOR_DISCOVERY = 'for discovery: kept, converted and shown; nothing acts on it, on a cluster neither'

export const eventTypeV1beta3Parity: ParityTable = [...stored(FOR_DISCOVERY, 'spec.attributes[].*'), ...shared]

/** Of v1beta1 and v1beta2, whose fields are the same. */
export const eventTypeParity: ParityTable = [
  ...enforced('spec.type'),
  ...stored(FOR_DISCOVERY, 'spec.source', 'spec.schema', 'spec.schemaData', 'spec.broker'),
  ...shared,
]
