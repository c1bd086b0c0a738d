import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'

export const serverlessServiceParity: ParityTable = [
  ...enforced('spec.mode', 'spec.protocolType', 'spec.objectRef.name'),
  ...stored('there is one activator, and it takes all', 'spec.numActivators'),
  ...stored('a Deployment of the same namespace', 'spec.objectRef.apiVersion', 'spec.objectRef.kind', 'spec.objectRef.namespace'),
  ...below('status', statusParity),
  ...enforced('status.privateServiceName', 'status.serviceName'),
]
