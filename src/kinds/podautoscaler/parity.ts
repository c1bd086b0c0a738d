import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'

export const podAutoscalerParity: ParityTable = [
  ...enforced('spec.containerConcurrency', 'spec.reachability', 'spec.protocolType', 'spec.scaleTargetRef.name'),
  ...stored('what is scaled is a Deployment', 'spec.scaleTargetRef.apiVersion', 'spec.scaleTargetRef.kind'),
  ...below('status', statusParity),
  ...enforced('status.actualScale', 'status.desiredScale', 'status.metricsServiceName', 'status.serviceName'),
]
