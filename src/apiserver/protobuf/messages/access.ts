/**
 * Who someone is, and what they may do. In the notation of ../notation.ts.
 *
 * @see k8s.io/api/{authentication,authorization,rbac}/v1 generated.proto and types.go, as of Kubernetes v1.37
 */
export const ACCESS = `
package authentication: authentication.k8s.io/v1
kind TokenRequest: metadata 1 meta.ObjectMeta, spec 2 TokenRequestSpec, status 3 TokenRequestStatus
TokenRequestSpec: audiences 1 string[], expirationSeconds! 4 int64, boundObjectRef! 3 BoundObjectReference,
  attestations 5 map<AttestationValue>
BoundObjectReference: kind 1, apiVersion 2, name 3, uid 4
AttestationValue: either 1 string[]
TokenRequestStatus: token! 1, expirationTimestamp 2 time
kind TokenReview: metadata 1 meta.ObjectMeta, spec 2 TokenReviewSpec, status 3 TokenReviewStatus
TokenReviewSpec: token 1, audiences 2 string[]
TokenReviewStatus: authenticated 1 bool, user 2 UserInfo, audiences 4 string[], error 3
UserInfo: username 1, uid 2, groups 3 string[], extra 4 map<ExtraValue>
ExtraValue: either 1 string[]
kind SelfSubjectReview: metadata 1 meta.ObjectMeta, status 2 SelfSubjectReviewStatus
SelfSubjectReviewStatus: userInfo 1 UserInfo
package authorization: authorization.k8s.io/v1
kind SelfSubjectAccessReview: metadata 1 meta.ObjectMeta, spec 2 SelfSubjectAccessReviewSpec, status 3 SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec: resourceAttributes! 1 ResourceAttributes, nonResourceAttributes! 2 NonResourceAttributes
ResourceAttributes: namespace 1, verb 2, group 3, version 4, resource 5, subresource 6, name 7, fieldSelector! 8 FieldSelectorAttributes,
  labelSelector! 9 LabelSelectorAttributes
FieldSelectorAttributes: rawSelector 1, requirements 2 meta.FieldSelectorRequirement[]
LabelSelectorAttributes: rawSelector 1, requirements 2 meta.LabelSelectorRequirement[]
NonResourceAttributes: path 1, verb 2
SubjectAccessReviewStatus: allowed! 1 bool, denied 4 bool, reason 2, evaluationError 3
kind SelfSubjectRulesReview: metadata 1 meta.ObjectMeta, spec 2 SelfSubjectRulesReviewSpec, status 3 SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec: namespace 1
SubjectRulesReviewStatus: resourceRules 1 ResourceRule[], nonResourceRules 2 NonResourceRule[], incomplete! 3 bool, evaluationError 4
ResourceRule: verbs 1 string[], apiGroups 2 string[], resources 3 string[], resourceNames 4 string[]
NonResourceRule: verbs 1 string[], nonResourceURLs 2 string[]
kind SubjectAccessReview: metadata 1 meta.ObjectMeta, spec 2 SubjectAccessReviewSpec, status 3 SubjectAccessReviewStatus
SubjectAccessReviewSpec: resourceAttributes! 1 ResourceAttributes, nonResourceAttributes! 2 NonResourceAttributes, user 3,
  groups 4 string[], extra 5 map<ExtraValue>, uid 6
ExtraValue: either 1 string[]
kind LocalSubjectAccessReview: metadata 1 meta.ObjectMeta, spec 2 SubjectAccessReviewSpec, status 3 SubjectAccessReviewStatus
package rbac: rbac.authorization.k8s.io/v1
kind Role: metadata 1 meta.ObjectMeta, rules 2 PolicyRule[]
PolicyRule: verbs 1 string[], apiGroups 2 string[], resources 3 string[], resourceNames 4 string[], nonResourceURLs 5 string[]
kind RoleBinding: metadata 1 meta.ObjectMeta, subjects 2 Subject[], roleRef 3 RoleRef
Subject: kind! 1, apiGroup 2, name! 3, namespace 4
RoleRef: apiGroup! 1, kind! 2, name! 3
kind ClusterRole: metadata 1 meta.ObjectMeta, rules 2 PolicyRule[], aggregationRule! 3 AggregationRule
AggregationRule: clusterRoleSelectors 1 meta.LabelSelector[]
kind ClusterRoleBinding: metadata 1 meta.ObjectMeta, subjects 2 Subject[], roleRef 3 RoleRef
`
