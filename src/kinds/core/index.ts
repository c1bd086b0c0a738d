import type { ServedKind } from '../../apimachinery/kind.js'
import type { Controller } from '../../controller/reconcile.js'
import type { Engines } from '../engines.js'
import { createApiServiceController } from './apiservice/reconcile.js'
import { apiServiceServed } from './apiservice/served.js'
import { certificateSigningRequestServed } from './certificatesigningrequest/served.js'
import { createClusterRoleController } from './clusterrole/reconcile.js'
import { clusterRoleServed } from './clusterrole/served.js'
import { clusterRoleBindingServed } from './clusterrolebinding/served.js'
import { configMapServed } from './configmap/served.js'
import { controllerRevisionServed } from './controllerrevision/served.js'
import { createCronJobController } from './cronjob/reconcile.js'
import { cronJobServed } from './cronjob/served.js'
import { createCustomResourceDefinitionController } from './customresourcedefinition/reconcile.js'
import { customResourceDefinitionServed } from './customresourcedefinition/served.js'
import { createDaemonSetController } from './daemonset/reconcile.js'
import { daemonSetServed } from './daemonset/served.js'
import { createDeploymentController } from './deployment/reconcile.js'
import { deploymentServed } from './deployment/served.js'
import { endpointsServed } from './endpoints/served.js'
import { endpointSliceServed } from './endpointslice/served.js'
import { groupEventServed } from './event/events-group.js'
import { eventServed } from './event/served.js'
import { firstAutoscalerServed } from './horizontalpodautoscaler/first-version.js'
import { createHorizontalPodAutoscalerController } from './horizontalpodautoscaler/reconcile.js'
import { horizontalPodAutoscalerServed } from './horizontalpodautoscaler/served.js'
import { ingressServed } from './ingress/served.js'
import { ingressClassServed } from './ingressclass/served.js'
import { createJobController } from './job/reconcile.js'
import { jobServed } from './job/served.js'
import { leaseServed } from './lease/served.js'
import { limitRangeServed } from './limitrange/served.js'
import { mutatingWebhookConfigurationServed } from './mutatingwebhookconfiguration/served.js'
import { createNamespaceController } from './namespace/reconcile.js'
import { namespaceServed } from './namespace/served.js'
import { networkPolicyServed } from './networkpolicy/served.js'
import { nodeServed } from './node/served.js'
import { createPersistentVolumeController } from './persistentvolume/reconcile.js'
import { persistentVolumeServed } from './persistentvolume/served.js'
import { createPersistentVolumeClaimController } from './persistentvolumeclaim/reconcile.js'
import { persistentVolumeClaimServed } from './persistentvolumeclaim/served.js'
import { createPodController } from './pod/reconcile.js'
import { podServed } from './pod/served.js'
import { createPodDisruptionBudgetController } from './poddisruptionbudget/reconcile.js'
import { podDisruptionBudgetServed } from './poddisruptionbudget/served.js'
import { priorityClassServed } from './priorityclass/served.js'
import { createReplicaSetController } from './replicaset/reconcile.js'
import { replicaSetServed } from './replicaset/served.js'
import { createReplicationControllerController } from './replicationcontroller/reconcile.js'
import { replicationControllerServed } from './replicationcontroller/served.js'
import { createResourceQuotaController } from './resourcequota/reconcile.js'
import { resourceQuotaServed } from './resourcequota/served.js'
import { roleServed } from './role/served.js'
import { roleBindingServed } from './rolebinding/served.js'
import { runtimeClassServed } from './runtimeclass/served.js'
import { secretServed } from './secret/served.js'
import { createCoreServiceController } from './service/reconcile.js'
import { coreServiceServed } from './service/served.js'
import { createTokenController } from './serviceaccount/reconcile.js'
import { serviceAccountServed } from './serviceaccount/served.js'
import { createStatefulSetController } from './statefulset/reconcile.js'
import { statefulSetServed } from './statefulset/served.js'
import { storageClassServed } from './storageclass/served.js'
import { validatingWebhookConfigurationServed } from './validatingwebhookconfiguration/served.js'

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
  statefulSetServed,
  daemonSetServed,
  controllerRevisionServed,
  jobServed,
  cronJobServed,
  persistentVolumeServed,
  persistentVolumeClaimServed,
  storageClassServed,
  podDisruptionBudgetServed,
  horizontalPodAutoscalerServed,
  firstAutoscalerServed,
  replicationControllerServed,
  leaseServed,
  customResourceDefinitionServed,
  roleServed,
  roleBindingServed,
  clusterRoleServed,
  clusterRoleBindingServed,
  groupEventServed,
  resourceQuotaServed,
  limitRangeServed,
  mutatingWebhookConfigurationServed,
  validatingWebhookConfigurationServed,
  apiServiceServed,
  priorityClassServed,
  runtimeClassServed,
  ingressServed,
  ingressClassServed,
  networkPolicyServed,
  certificateSigningRequestServed,
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
    createStatefulSetController(),
    createDaemonSetController(),
    createJobController(),
    createCronJobController(),
    createPodDisruptionBudgetController(engines),
    createHorizontalPodAutoscalerController(engines),
    createReplicationControllerController(),
    createPersistentVolumeController(),
    createPersistentVolumeClaimController(),
    createTokenController(engines),
    createClusterRoleController(),
    createResourceQuotaController(engines),
    createApiServiceController(),
  ]
}
