import type { ServedKind } from '../../apimachinery/kind.js'
import type { Controller } from '../../controller/reconcile.js'
import type { Engines } from '../engines.js'
import { createClusterRoleController } from './clusterrole/reconcile.js'
import { clusterRoleServed } from './clusterrole/served.js'
import { clusterRoleBindingServed } from './clusterrolebinding/served.js'
import { configMapServed } from './configmap/served.js'
import { createCustomResourceDefinitionController } from './customresourcedefinition/reconcile.js'
import { customResourceDefinitionServed } from './customresourcedefinition/served.js'
import { createDeploymentController } from './deployment/reconcile.js'
import { deploymentServed } from './deployment/served.js'
import { endpointsServed } from './endpoints/served.js'
import { endpointSliceServed } from './endpointslice/served.js'
import { eventServed } from './event/served.js'
import { leaseServed } from './lease/served.js'
import { createNamespaceController } from './namespace/reconcile.js'
import { namespaceServed } from './namespace/served.js'
import { nodeServed } from './node/served.js'
import { createPodController } from './pod/reconcile.js'
import { podServed } from './pod/served.js'
import { createReplicaSetController } from './replicaset/reconcile.js'
import { replicaSetServed } from './replicaset/served.js'
import { roleServed } from './role/served.js'
import { roleBindingServed } from './rolebinding/served.js'
import { secretServed } from './secret/served.js'
import { createCoreServiceController } from './service/reconcile.js'
import { coreServiceServed } from './service/served.js'
import { createTokenController } from './serviceaccount/reconcile.js'
import { serviceAccountServed } from './serviceaccount/served.js'

/** Kubernetes' own kinds, one line each. */
export const coreServedKinds: readonly ServedKind[] = [
  namespaceServed,
  configMapServed,
  secretServed,
  serviceAccountServed,
  nodeServed,
  eventServed,
  podServed,
  coreServiceServed,
  endpointsServed,
  endpointSliceServed,
  deploymentServed,
  replicaSetServed,
  leaseServed,
  customResourceDefinitionServed,
  roleServed,
  roleBindingServed,
  clusterRoleServed,
  clusterRoleBindingServed,
]

/** Their controllers, with the engines that Pods and namespaces need. */
export function coreControllers(engines: Engines): readonly Controller[] {
  return [
    createNamespaceController(engines),
    createCustomResourceDefinitionController(engines),
    // In the order in which a Pod's change wakes them: its endpoints first, since a held request may be waiting for those.
    createCoreServiceController(),
    createPodController(engines),
    createReplicaSetController(),
    createDeploymentController(),
    createTokenController(engines),
    createClusterRoleController(),
  ]
}
