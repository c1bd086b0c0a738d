import { below, enforced, type ParityTable, refused, stored } from '../../apimachinery/parity.js'
import { addressParity, conditionsParity, deliveryParity } from '../duck-parity.js'

const NO_DATA_PLANE = 'RequestReply has no data plane here, and is not ready without one'

export const requestReplyParity: ParityTable = [
  ...enforced('spec.brokerRef.kind', 'spec.brokerRef.name', 'spec.replyAttribute'),
  ...refused('as on a cluster: the Broker is in the same namespace', 'spec.brokerRef.namespace'),
  ...stored('of a Broker, kind and name are enough', 'spec.brokerRef.address', 'spec.brokerRef.apiVersion', 'spec.brokerRef.group'),
  ...stored(NO_DATA_PLANE, 'spec.correlationAttribute', 'spec.timeout'),
  ...below(
    'spec.delivery',
    deliveryParity.map((row) => ({ ...row, state: 'stored', note: NO_DATA_PLANE })),
  ),
  ...below('status', [...conditionsParity, ...addressParity]),
  ...enforced('status.annotations', 'status.desiredReplicas', 'status.readyReplicas'),
  ...stored('EventPolicies are not implemented for RequestReply, on a cluster neither', 'status.policies[].*'),
]
