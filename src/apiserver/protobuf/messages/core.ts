/**
 * The core group but for Pods and volumes. In the notation of ../notation.ts.
 *
 * @see k8s.io/api/core/v1 generated.proto and types.go, as of Kubernetes v1.37
 */
export const CORE = `
package core: v1
kind ConfigMap: metadata 1 meta.ObjectMeta, immutable! 4 bool, data 2 map<string>, binaryData 3 map<bytes>
kind Secret: metadata 1 meta.ObjectMeta, immutable! 5 bool, data 2 map<bytes>, stringData 4 map<string>, type 3
kind Namespace: metadata 1 meta.ObjectMeta, spec 2 NamespaceSpec, status 3 NamespaceStatus
NamespaceSpec: finalizers 1 string[]
NamespaceStatus: phase 1, conditions 2 NamespaceCondition[]
NamespaceCondition: type! 1, status! 2, lastTransitionTime 4 time, reason 5, message 6
kind ServiceAccount: metadata 1 meta.ObjectMeta, secrets 2 ObjectReference[], imagePullSecrets 3 LocalObjectReference[],
  automountServiceAccountToken! 4 bool
ObjectReference: kind 1, namespace 2, name 3, uid 4, apiVersion 5, resourceVersion 6, fieldPath 7
LocalObjectReference: name 1
kind Service: metadata 1 meta.ObjectMeta, spec 2 ServiceSpec, status 3 ServiceStatus
ServiceSpec: ports 1 ServicePort[], selector 2 map<string>, clusterIP 3, clusterIPs 18 string[], type 4, externalIPs 5 string[],
  sessionAffinity 7, loadBalancerIP 8, loadBalancerSourceRanges 9 string[], externalName 10, externalTrafficPolicy 11,
  healthCheckNodePort 12 int32, publishNotReadyAddresses 13 bool, sessionAffinityConfig! 14 SessionAffinityConfig, ipFamilies 19 string[],
  ipFamilyPolicy! 17, allocateLoadBalancerNodePorts! 20 bool, loadBalancerClass! 21, internalTrafficPolicy! 22, trafficDistribution! 23
ServicePort: name 1, protocol 2, appProtocol! 6, port! 3 int32, targetPort 4 intOrString, nodePort 5 int32
SessionAffinityConfig: clientIP! 1 ClientIPConfig
ClientIPConfig: timeoutSeconds! 1 int32
ServiceStatus: loadBalancer 1 LoadBalancerStatus, conditions 2 meta.Condition[]
LoadBalancerStatus: ingress 1 LoadBalancerIngress[]
LoadBalancerIngress: ip 1, hostname 2, ipMode! 3, ports 4 PortStatus[]
PortStatus: port! 1 int32, protocol! 2, error! 3
kind Endpoints: metadata 1 meta.ObjectMeta, subsets 2 EndpointSubset[]
EndpointSubset: addresses 1 EndpointAddress[], notReadyAddresses 2 EndpointAddress[], ports 3 EndpointPort[]
EndpointAddress: ip! 1, hostname 3, nodeName! 4, targetRef! 2 ObjectReference
EndpointPort: name 1, port! 2 int32, protocol 3, appProtocol! 4
kind Event: metadata 1 meta.ObjectMeta, involvedObject 2 ObjectReference, reason 3, message 4, source 5 EventSource, firstTimestamp 6 time,
  lastTimestamp 7 time, count 8 int32, type 9, eventTime 10 microTime, series! 11 EventSeries, action 12, related! 13 ObjectReference,
  reportingComponent! 14, reportingInstance! 15
EventSource: component 1, host 2
EventSeries: count 1 int32, lastObservedTime 2 microTime
kind Binding: metadata 1 meta.ObjectMeta, target 2 ObjectReference
kind Node: metadata 1 meta.ObjectMeta, spec 2 NodeSpec, status 3 NodeStatus
NodeSpec: podCIDR 1, podCIDRs 7 string[], providerID 3, unschedulable 4 bool, taints 5 Taint[], configSource! 6 NodeConfigSource,
  externalID 2, podPreemptionPolicy! 8 NodePodPreemptionPolicy
Taint: key! 1, value 2, effect! 3, timeAdded 4 time
NodeConfigSource: configMap! 2 ConfigMapNodeConfigSource
ConfigMapNodeConfigSource: namespace! 1, name! 2, uid 3, resourceVersion 4, kubeletConfigKey! 5
NodePodPreemptionPolicy: disableResizePreemption 1 string[]
NodeStatus: capacity 1 map<quantity>, allocatable 2 map<quantity>, phase 3, conditions 4 NodeCondition[], addresses 5 NodeAddress[],
  daemonEndpoints 6 NodeDaemonEndpoints, nodeInfo 7 NodeSystemInfo, images 8 ContainerImage[], volumesInUse 9 string[],
  volumesAttached 10 AttachedVolume[], config! 11 NodeConfigStatus, runtimeHandlers 12 NodeRuntimeHandler[], features! 13 NodeFeatures,
  declaredFeatures 14 string[]
NodeCondition: type! 1, status! 2, lastHeartbeatTime 3 time, lastTransitionTime 4 time, reason 5, message 6
NodeAddress: type! 1, address! 2
NodeDaemonEndpoints: kubeletEndpoint 1 DaemonEndpoint
DaemonEndpoint: Port! 1 int32
NodeSystemInfo: machineID! 1, systemUUID! 2, bootID! 3, kernelVersion! 4, osImage! 5, containerRuntimeVersion! 6, kubeletVersion! 7,
  kubeProxyVersion! 8, operatingSystem! 9, architecture! 10, swap! 11 NodeSwapStatus, runningInUserNamespace! 12 bool
NodeSwapStatus: capacity! 1 int64
ContainerImage: names 1 string[], sizeBytes 2 int64
AttachedVolume: name! 1, devicePath! 2
NodeConfigStatus: assigned! 1 NodeConfigSource, active! 2 NodeConfigSource, lastKnownGood! 3 NodeConfigSource, error 4
NodeRuntimeHandler: name! 1, features! 2 NodeRuntimeHandlerFeatures
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts! 1 bool, userNamespaces! 2 bool
NodeFeatures: supplementalGroupsPolicy! 1 bool
kind ResourceQuota: metadata 1 meta.ObjectMeta, spec 2 ResourceQuotaSpec, status 3 ResourceQuotaStatus
ResourceQuotaSpec: hard 1 map<quantity>, scopes 2 string[], scopeSelector! 3 ScopeSelector
ScopeSelector: matchExpressions 1 ScopedResourceSelectorRequirement[]
ScopedResourceSelectorRequirement: scopeName! 1, operator! 2, values 3 string[]
ResourceQuotaStatus: hard 1 map<quantity>, used 2 map<quantity>
kind LimitRange: metadata 1 meta.ObjectMeta, spec 2 LimitRangeSpec
LimitRangeSpec: limits 1 LimitRangeItem[]
LimitRangeItem: type! 1, max 2 map<quantity>, min 3 map<quantity>, default 4 map<quantity>, defaultRequest 5 map<quantity>,
  maxLimitRequestRatio 6 map<quantity>
kind ReplicationController: metadata 1 meta.ObjectMeta, spec 2 ReplicationControllerSpec, status 3 ReplicationControllerStatus
ReplicationControllerSpec: replicas! 1 int32, minReadySeconds 4 int32, selector 2 map<string>, template! 3 PodTemplateSpec
ReplicationControllerStatus: replicas! 1 int32, fullyLabeledReplicas 2 int32, readyReplicas 4 int32, availableReplicas 5 int32,
  observedGeneration 3 int64, conditions 6 ReplicationControllerCondition[]
ReplicationControllerCondition: type! 1, status! 2, lastTransitionTime 3 time, reason 4, message 5
TopologySelectorTerm: matchLabelExpressions 1 TopologySelectorLabelRequirement[]
TopologySelectorLabelRequirement: key! 1, values 2 string[]
kind List: metadata 1 meta.ListMeta, items 2 object[]
`
