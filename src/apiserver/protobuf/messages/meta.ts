/**
 * What every object carries, and options of calls. In the notation of ../notation.ts.
 *
 * @see k8s.io/apimachinery/pkg/apis/meta/v1 generated.proto and types.go, as of Kubernetes v1.37
 */
export const META = `
package meta: meta.k8s.io/v1
ObjectMeta: name 1, generateName 2, namespace 3, selfLink 4, uid 5, resourceVersion 6, generation 7 int64, creationTimestamp 8 time,
  deletionTimestamp 9 time, deletionGracePeriodSeconds! 10 int64, labels 11 map<string>, annotations 12 map<string>,
  ownerReferences 13 OwnerReference[], finalizers 14 string[], managedFields 17 ManagedFieldsEntry[]
OwnerReference: apiVersion! 5, kind! 1, name! 3, uid! 4, controller! 6 bool, blockOwnerDeletion! 7 bool
ManagedFieldsEntry: manager 1, operation 2, apiVersion 3, time 4 time, fieldsType 6, fieldsV1! 7 json, subresource 8
Condition: type! 1, status! 2, observedGeneration 3 int64, lastTransitionTime 4 time, reason! 5, message! 6
LabelSelector: matchLabels 1 map<string>, matchExpressions 2 LabelSelectorRequirement[]
LabelSelectorRequirement: key! 1, operator! 2, values 3 string[]
kind DeleteOptions: gracePeriodSeconds! 1 int64, preconditions! 2 Preconditions, orphanDependents! 3 bool, propagationPolicy! 4,
  dryRun 5 string[], ignoreStoreReadErrorWithClusterBreakingPotential! 6 bool
Preconditions: uid! 1, resourceVersion! 2
FieldSelectorRequirement: key! 1, operator! 2, values 3 string[]
ListMeta: selfLink 1, resourceVersion 2, continue 3, remainingItemCount! 4 int64, shardInfo! 5 ShardInfo
ShardInfo: selector! 1
`
