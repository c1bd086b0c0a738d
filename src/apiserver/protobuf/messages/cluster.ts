/**
 * Networking, leases, Events of the newer group, storage classes. In the notation of ../notation.ts.
 *
 * @see k8s.io/api/{networking,discovery,coordination,events,storage}/v1 generated.proto and types.go, as of Kubernetes v1.37
 */
export const CLUSTER = `
package networking: networking.k8s.io/v1
kind Ingress: metadata 1 meta.ObjectMeta, spec 2 IngressSpec, status 3 IngressStatus
IngressSpec: ingressClassName! 4, defaultBackend! 1 IngressBackend, tls 2 IngressTLS[], rules 3 IngressRule[]
IngressBackend: service! 4 IngressServiceBackend, resource! 3 core.TypedLocalObjectReference
IngressServiceBackend: name! 1, port 2 ServiceBackendPort
ServiceBackendPort: name 1, number 2 int32
IngressTLS: hosts 1 string[], secretName 2
IngressRule: host 1, ... 2 IngressRuleValue
IngressRuleValue: http! 1 HTTPIngressRuleValue
HTTPIngressRuleValue: paths 1 HTTPIngressPath[]
HTTPIngressPath: path 1, pathType! 3, backend 2 IngressBackend
IngressStatus: loadBalancer 1 IngressLoadBalancerStatus
IngressLoadBalancerStatus: ingress 1 IngressLoadBalancerIngress[]
IngressLoadBalancerIngress: ip 1, hostname 2, ports 4 IngressPortStatus[]
IngressPortStatus: port! 1 int32, protocol! 2, error! 3
kind IngressClass: metadata 1 meta.ObjectMeta, spec 2 IngressClassSpec
IngressClassSpec: controller 1, parameters! 2 IngressClassParametersReference
IngressClassParametersReference: apiGroup! 1, kind! 2, name! 3, scope! 4, namespace! 5
kind NetworkPolicy: metadata 1 meta.ObjectMeta, spec 2 NetworkPolicySpec
NetworkPolicySpec: podSelector 1 meta.LabelSelector, ingress 2 NetworkPolicyIngressRule[], egress 3 NetworkPolicyEgressRule[],
  policyTypes 4 string[]
NetworkPolicyIngressRule: ports 1 NetworkPolicyPort[], from 2 NetworkPolicyPeer[]
NetworkPolicyPort: protocol! 1, port! 2 intOrString, endPort! 3 int32
NetworkPolicyPeer: podSelector! 1 meta.LabelSelector, namespaceSelector! 2 meta.LabelSelector, ipBlock! 3 IPBlock
IPBlock: cidr! 1, except 2 string[]
NetworkPolicyEgressRule: ports 1 NetworkPolicyPort[], to 2 NetworkPolicyPeer[]
package discovery: discovery.k8s.io/v1
kind EndpointSlice: metadata 1 meta.ObjectMeta, addressType! 4, endpoints 2 Endpoint[], ports 3 EndpointPort[]
Endpoint: addresses 1 string[], conditions 2 EndpointConditions, hostname! 3, targetRef! 4 core.ObjectReference,
  deprecatedTopology 5 map<string>, nodeName! 6, zone! 7, hints! 8 EndpointHints
EndpointConditions: ready! 1 bool, serving! 2 bool, terminating! 3 bool
EndpointHints: forZones 1 ForZone[], forNodes 2 ForNode[]
ForZone: name! 1
ForNode: name! 1
EndpointPort: name! 1, protocol! 2, port! 3 int32, appProtocol! 4
package coordination: coordination.k8s.io/v1
kind Lease: metadata 1 meta.ObjectMeta, spec 2 LeaseSpec
LeaseSpec: holderIdentity! 1, leaseDurationSeconds! 2 int32, acquireTime 3 microTime, renewTime 4 microTime, leaseTransitions! 5 int32,
  strategy! 6, preferredHolder! 7
package events: events.k8s.io/v1
kind Event: metadata 1 meta.ObjectMeta, eventTime 2 microTime, series! 3 EventSeries, reportingController 4, reportingInstance 5, action 6,
  reason 7, regarding 8 core.ObjectReference, related! 9 core.ObjectReference, note 10, type 11, deprecatedSource 12 core.EventSource,
  deprecatedFirstTimestamp 13 time, deprecatedLastTimestamp 14 time, deprecatedCount 15 int32
EventSeries: count! 1 int32, lastObservedTime 2 microTime
package storage: storage.k8s.io/v1
kind StorageClass: metadata 1 meta.ObjectMeta, provisioner! 2, parameters 3 map<string>, reclaimPolicy! 4, mountOptions 5 string[],
  allowVolumeExpansion! 6 bool, volumeBindingMode! 7, allowedTopologies 8 core.TopologySelectorTerm[]
`
