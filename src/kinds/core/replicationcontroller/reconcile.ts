import type { Controller } from '../../../controller/reconcile.js'
import { podKind } from '../pod/kind.js'
import { keepReplicas } from '../replicaset/reconcile.js'
import { replicationControllerKind } from './kind.js'
import type { ReplicationController } from './schema.js'

/**
 * The forerunner of ReplicaSets, and the same but for its selector.
 * @see kubernetes/kubernetes v1.35 pkg/controller/replication/conversion.go
 */
export function createReplicationControllerController(): Controller<ReplicationController> {
  return {
    kind: replicationControllerKind,
    actsAs: 'system:serviceaccount:kube-system:replication-controller',
    eventSource: { component: 'replication-controller' },
    owns: [podKind],
    create: (deps) => async (controller) => {
      const { selector = {}, ...spec } = controller.spec
      const { status, requeueAfterMs } = await keepReplicas(deps, { ...controller, spec: { ...spec, selector: { matchLabels: selector } } })
      return { status, requeueAfterMs }
    },
  }
}
