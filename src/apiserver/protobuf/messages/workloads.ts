/**
 * What runs and scales Pods. In the notation of ../notation.ts.
 *
 * @see k8s.io/api/{apps,batch,autoscaling,policy,scheduling} generated.proto and types.go, as of Kubernetes v1.37
 */
export const WORKLOADS = `
package apps: apps/v1
kind Deployment: metadata 1 meta.ObjectMeta, spec 2 DeploymentSpec, status 3 DeploymentStatus
DeploymentSpec: replicas! 1 int32, selector! 2 meta.LabelSelector, template 3 core.PodTemplateSpec, strategy 4 DeploymentStrategy,
  minReadySeconds 5 int32, revisionHistoryLimit! 6 int32, paused 7 bool, progressDeadlineSeconds! 9 int32
DeploymentStrategy: type 1, rollingUpdate! 2 RollingUpdateDeployment
RollingUpdateDeployment: maxUnavailable! 1 intOrString, maxSurge! 2 intOrString
DeploymentStatus: observedGeneration 1 int64, replicas 2 int32, updatedReplicas 3 int32, readyReplicas 7 int32, availableReplicas 4 int32,
  unavailableReplicas 5 int32, terminatingReplicas! 9 int32, conditions 6 DeploymentCondition[], collisionCount! 8 int32
DeploymentCondition: type! 1, status! 2, lastUpdateTime 6 time, lastTransitionTime 7 time, reason 4, message 5
kind ReplicaSet: metadata 1 meta.ObjectMeta, spec 2 ReplicaSetSpec, status 3 ReplicaSetStatus
ReplicaSetSpec: replicas! 1 int32, minReadySeconds 4 int32, selector! 2 meta.LabelSelector, template 3 core.PodTemplateSpec
ReplicaSetStatus: replicas! 1 int32, fullyLabeledReplicas 2 int32, readyReplicas 4 int32, availableReplicas 5 int32,
  terminatingReplicas! 7 int32, observedGeneration 3 int64, conditions 6 ReplicaSetCondition[]
ReplicaSetCondition: type! 1, status! 2, lastTransitionTime 3 time, reason 4, message 5
kind StatefulSet: metadata 1 meta.ObjectMeta, spec 2 StatefulSetSpec, status 3 StatefulSetStatus
StatefulSetSpec: replicas! 1 int32, selector! 2 meta.LabelSelector, template 3 core.PodTemplateSpec,
  volumeClaimTemplates 4 core.PersistentVolumeClaim[], serviceName! 5, podManagementPolicy 6, updateStrategy 7 StatefulSetUpdateStrategy,
  revisionHistoryLimit! 8 int32, minReadySeconds 9 int32,
  persistentVolumeClaimRetentionPolicy! 10 StatefulSetPersistentVolumeClaimRetentionPolicy, ordinals! 11 StatefulSetOrdinals
StatefulSetUpdateStrategy: type 1, rollingUpdate! 2 RollingUpdateStatefulSetStrategy
RollingUpdateStatefulSetStrategy: partition! 1 int32, maxUnavailable! 2 intOrString
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted 1, whenScaled 2
StatefulSetOrdinals: start! 1 int32
StatefulSetStatus: observedGeneration 1 int64, replicas! 2 int32, readyReplicas 3 int32, currentReplicas 4 int32, updatedReplicas 5 int32,
  currentRevision 6, updateRevision 7, collisionCount! 9 int32, conditions 10 StatefulSetCondition[], availableReplicas! 11 int32
StatefulSetCondition: type! 1, status! 2, lastTransitionTime 3 time, reason 4, message 5
kind DaemonSet: metadata 1 meta.ObjectMeta, spec 2 DaemonSetSpec, status 3 DaemonSetStatus
DaemonSetSpec: selector! 1 meta.LabelSelector, template 2 core.PodTemplateSpec, updateStrategy 3 DaemonSetUpdateStrategy,
  minReadySeconds 4 int32, revisionHistoryLimit! 6 int32
DaemonSetUpdateStrategy: type 1, rollingUpdate! 2 RollingUpdateDaemonSet
RollingUpdateDaemonSet: maxUnavailable! 1 intOrString, maxSurge! 2 intOrString
DaemonSetStatus: currentNumberScheduled! 1 int32, numberMisscheduled! 2 int32, desiredNumberScheduled! 3 int32, numberReady! 4 int32,
  observedGeneration 5 int64, updatedNumberScheduled 6 int32, numberAvailable 7 int32, numberUnavailable 8 int32, collisionCount! 9 int32,
  conditions 10 DaemonSetCondition[]
DaemonSetCondition: type! 1, status! 2, lastTransitionTime 3 time, reason 4, message 5
kind ControllerRevision: metadata 1 meta.ObjectMeta, data 2 object, revision! 3 int64
package batch: batch/v1
kind Job: metadata 1 meta.ObjectMeta, spec 2 JobSpec, status 3 JobStatus
JobSpec: parallelism! 1 int32, completions! 2 int32, activeDeadlineSeconds! 3 int64, podFailurePolicy! 11 PodFailurePolicy,
  successPolicy! 16 SuccessPolicy, backoffLimit! 7 int32, backoffLimitPerIndex! 12 int32, maxFailedIndexes! 13 int32,
  selector! 4 meta.LabelSelector, manualSelector! 5 bool, template 6 core.PodTemplateSpec, ttlSecondsAfterFinished! 8 int32,
  completionMode! 9, suspend! 10 bool, podReplacementPolicy! 14, managedBy! 15
PodFailurePolicy: rules 1 PodFailurePolicyRule[]
PodFailurePolicyRule: action! 1, onExitCodes! 2 PodFailurePolicyOnExitCodesRequirement,
  onPodConditions 3 PodFailurePolicyOnPodConditionsPattern[]
PodFailurePolicyOnExitCodesRequirement: containerName! 1, operator! 2, values 3 int32[]
PodFailurePolicyOnPodConditionsPattern: type! 1, status! 2
SuccessPolicy: rules 1 SuccessPolicyRule[]
SuccessPolicyRule: succeededIndexes! 1, succeededCount! 2 int32
JobStatus: conditions 1 JobCondition[], startTime 2 time, completionTime 3 time, active 4 int32, succeeded 5 int32, failed 6 int32,
  terminating! 11 int32, completedIndexes 7, failedIndexes! 10, uncountedTerminatedPods! 8 UncountedTerminatedPods, ready! 9 int32
JobCondition: type! 1, status! 2, lastProbeTime 3 time, lastTransitionTime 4 time, reason 5, message 6
UncountedTerminatedPods: succeeded 1 string[], failed 2 string[]
kind CronJob: metadata 1 meta.ObjectMeta, spec 2 CronJobSpec, status 3 CronJobStatus
CronJobSpec: schedule! 1, timeZone! 8, startingDeadlineSeconds! 2 int64, concurrencyPolicy 3, suspend! 4 bool,
  jobTemplate 5 JobTemplateSpec, successfulJobsHistoryLimit! 6 int32, failedJobsHistoryLimit! 7 int32
JobTemplateSpec: metadata 1 meta.ObjectMeta, spec 2 JobSpec
CronJobStatus: active 1 core.ObjectReference[], lastScheduleTime 4 time, lastSuccessfulTime 5 time
package autoscaling: autoscaling/v1
kind HorizontalPodAutoscaler: metadata 1 meta.ObjectMeta, spec 2 HorizontalPodAutoscalerSpec, status 3 HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerSpec: scaleTargetRef 1 CrossVersionObjectReference, minReplicas! 2 int32, maxReplicas! 3 int32,
  targetCPUUtilizationPercentage! 4 int32
CrossVersionObjectReference: kind! 1, name! 2, apiVersion 3
HorizontalPodAutoscalerStatus: observedGeneration! 1 int64, lastScaleTime 2 time, currentReplicas! 3 int32, desiredReplicas! 4 int32,
  currentCPUUtilizationPercentage! 5 int32
kind Scale: metadata 1 meta.ObjectMeta, spec 2 ScaleSpec, status 3 ScaleStatus
ScaleSpec: replicas 1 int32
ScaleStatus: replicas! 1 int32, selector 2
package autoscalingv2: autoscaling/v2
kind HorizontalPodAutoscaler: metadata 1 meta.ObjectMeta, spec 2 HorizontalPodAutoscalerSpec, status 3 HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerSpec: scaleTargetRef 1 CrossVersionObjectReference, minReplicas! 2 int32, maxReplicas! 3 int32,
  metrics 4 MetricSpec[], behavior! 5 HorizontalPodAutoscalerBehavior
CrossVersionObjectReference: kind! 1, name! 2, apiVersion 3
MetricSpec: type! 1, object! 2 ObjectMetricSource, pods! 3 PodsMetricSource, resource! 4 ResourceMetricSource,
  containerResource! 7 ContainerResourceMetricSource, external! 5 ExternalMetricSource
ObjectMetricSource: describedObject 1 CrossVersionObjectReference, target 2 MetricTarget, metric 3 MetricIdentifier
MetricTarget: type! 1, value 2 quantity, averageValue 3 quantity, averageUtilization! 4 int32
MetricIdentifier: name! 1, selector! 2 meta.LabelSelector
PodsMetricSource: metric 1 MetricIdentifier, target 2 MetricTarget
ResourceMetricSource: name! 1, target 2 MetricTarget
ContainerResourceMetricSource: name! 1, target 2 MetricTarget, container! 3
ExternalMetricSource: metric 1 MetricIdentifier, target 2 MetricTarget
HorizontalPodAutoscalerBehavior: scaleUp! 1 HPAScalingRules, scaleDown! 2 HPAScalingRules
HPAScalingRules: stabilizationWindowSeconds! 3 int32, selectPolicy! 1, policies 2 HPAScalingPolicy[], tolerance 4 quantity
HPAScalingPolicy: type! 1, value! 2 int32, periodSeconds! 3 int32
HorizontalPodAutoscalerStatus: observedGeneration! 1 int64, lastScaleTime 2 time, currentReplicas 3 int32, desiredReplicas! 4 int32,
  currentMetrics 5 MetricStatus[], conditions 6 HorizontalPodAutoscalerCondition[]
MetricStatus: type! 1, object! 2 ObjectMetricStatus, pods! 3 PodsMetricStatus, resource! 4 ResourceMetricStatus,
  containerResource! 7 ContainerResourceMetricStatus, external! 5 ExternalMetricStatus
ObjectMetricStatus: metric 1 MetricIdentifier, current 2 MetricValueStatus, describedObject 3 CrossVersionObjectReference
MetricValueStatus: value 1 quantity, averageValue 2 quantity, averageUtilization! 3 int32
PodsMetricStatus: metric 1 MetricIdentifier, current 2 MetricValueStatus
ResourceMetricStatus: name! 1, current 2 MetricValueStatus
ContainerResourceMetricStatus: name! 1, current 2 MetricValueStatus, container! 3
ExternalMetricStatus: metric 1 MetricIdentifier, current 2 MetricValueStatus
HorizontalPodAutoscalerCondition: type! 1, status! 2, lastTransitionTime 3 time, reason 4, message 5, observedGeneration! 6 int64
package policy: policy/v1
kind PodDisruptionBudget: metadata 1 meta.ObjectMeta, spec 2 PodDisruptionBudgetSpec, status 3 PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: minAvailable! 1 intOrString, selector! 2 meta.LabelSelector, maxUnavailable! 3 intOrString,
  unhealthyPodEvictionPolicy! 4
PodDisruptionBudgetStatus: observedGeneration 1 int64, disruptedPods 2 map<time>, disruptionsAllowed! 3 int32, currentHealthy! 4 int32,
  desiredHealthy! 5 int32, expectedPods! 6 int32, conditions 7 meta.Condition[]
kind Eviction: metadata 1 meta.ObjectMeta, deleteOptions! 2 meta.DeleteOptions
package scheduling: scheduling.k8s.io/v1
kind PriorityClass: metadata 1 meta.ObjectMeta, value! 2 int32, globalDefault 3 bool, description 4, preemptionPolicy! 5
`
