import { below, enforced, type ParityTable, refused, stored } from '../../apimachinery/parity.js'
import { addressParity, conditionsParity, deliveryParity } from '../duck-parity.js'

const NOT_READ = 'the data plane of RequestReply does not read it, on a cluster neither'

export const requestReplyParity: ParityTable = [
  ...enforced('spec.brokerRef.kind', 'spec.brokerRef.name', 'spec.replyAttribute', 'spec.correlationAttribute', 'spec.timeout'),
  ...refused('as on a cluster: the Broker is in the same namespace', 'spec.brokerRef.namespace'),
  ...stored('of a Broker, kind and name are enough', 'spec.brokerRef.address', 'spec.brokerRef.apiVersion', 'spec.brokerRef.group'),
  ...below(
    'spec.delivery',
    deliveryParity.map((row) => ({ ...row, state: 'stored', note: NOT_READ })),
  ),
  ...below('status', [...conditionsParity, ...addressParity]),
  ...enforced('status.annotations', 'status.desiredReplicas', 'status.readyReplicas'),
  ...stored('EventPolicies are not implemented for RequestReply, on a cluster neither', 'status.policies[].*'),
]
