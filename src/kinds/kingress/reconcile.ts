import { conditionsOf } from '../../apimachinery/conditions.js'
import type { Controller } from '../../controller/reconcile.js'
import { SERVING_CONTROLLER_USER } from '../serving-labels.js'
import { kingressKind } from './kind.js'
import { KINGRESS_CONDITIONS, type KIngress, PRIVATE_GATEWAY_HOST, PUBLIC_GATEWAY_HOST } from './schema.js'

/**
 * Says that the gateway routes by this KIngress: it watches them itself and has no set-up of its own that could fail.
 * On a cluster, the ingress implementation says so (net-kourier, net-istio, net-contour).
 */
export function createKIngressController(): Controller<KIngress> {
  return {
    kind: kingressKind,
    actsAs: SERVING_CONTROLLER_USER,
    create:
      ({ clock }) =>
      async (kingress) => {
        const conditions = conditionsOf(kingress, KINGRESS_CONDITIONS, clock.now())
        conditions.isTrue('NetworkConfigured')
        conditions.isTrue('LoadBalancerReady')
        return {
          status: {
            ...kingress.status,
            conditions: conditions.list(),
            publicLoadBalancer: { ingress: [{ domainInternal: PUBLIC_GATEWAY_HOST }] },
            privateLoadBalancer: { ingress: [{ domainInternal: PRIVATE_GATEWAY_HOST }] },
          },
        }
      },
  }
}
