import { below, enforced, type ParityTable, stored } from '../../apimachinery/parity.js'
import { statusParity } from '../duck-parity.js'

const NO_TLS = 'the gateway has no TLS'

export const kingressParity: ParityTable = [
  ...enforced('spec.rules[].*'),
  ...stored(`${NO_TLS}: nothing to redirect to`, 'spec.httpOption'),
  ...stored(NO_TLS, 'spec.tls[].*'),
  ...below('status', statusParity),
  ...enforced('status.publicLoadBalancer.ingress[].domainInternal', 'status.privateLoadBalancer.ingress[].domainInternal'),
  ...stored('the gateway is found by its name inside the cluster', 'status.publicLoadBalancer.*', 'status.privateLoadBalancer.*'),
]
