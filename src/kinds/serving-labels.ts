/**
 * Label and annotation keys of Knative Serving, as users and tools know them.
 *
 * @see knative/serving v1.23 pkg/apis/serving/register.go
 * @see knative/networking pkg/apis/networking/register.go
 */

export const SERVING_GROUP = 'serving.knative.dev'

export const CREATOR_ANNOTATION = 'serving.knative.dev/creator'
export const LAST_MODIFIER_ANNOTATION = 'serving.knative.dev/lastModifier'
export const ROUTES_ANNOTATION = 'serving.knative.dev/routes'
export const ROUTING_STATE_MODIFIED_ANNOTATION = 'serving.knative.dev/routingStateModified'
export const LAST_PINNED_ANNOTATION = 'serving.knative.dev/lastPinned'
export const NO_GC_ANNOTATION = 'serving.knative.dev/no-gc'
/** The kebab-case spelling wins over the older one when both are there; so in every list of keys below. */
export const ROLLOUT_DURATION_KEYS = ['serving.knative.dev/rollout-duration', 'serving.knative.dev/rolloutDuration'] as const
export const PROGRESS_DEADLINE_KEYS = ['serving.knative.dev/progress-deadline', 'serving.knative.dev/progressDeadline'] as const

export const SERVICE_LABEL = 'serving.knative.dev/service'
export const SERVICE_UID_LABEL = 'serving.knative.dev/serviceUID'
export const CONFIGURATION_LABEL = 'serving.knative.dev/configuration'
export const CONFIGURATION_UID_LABEL = 'serving.knative.dev/configurationUID'
export const CONFIGURATION_GENERATION_LABEL = 'serving.knative.dev/configurationGeneration'
export const REVISION_LABEL = 'serving.knative.dev/revision'
export const REVISION_UID_LABEL = 'serving.knative.dev/revisionUID'
export const ROUTE_LABEL = 'serving.knative.dev/route'
export const ROUTE_NAMESPACE_LABEL = 'serving.knative.dev/routeNamespace'
export const ROUTING_STATE_LABEL = 'serving.knative.dev/routingState'
export const DEPLOYMENT_HASH_LABEL = 'serving.knative.dev/deployment-hash'
export const APP_LABEL = 'app'

export const VISIBILITY_LABEL = 'networking.knative.dev/visibility'
export const CLUSTER_LOCAL_VISIBILITY = 'cluster-local'
export const INGRESS_CLASS_KEYS = ['networking.knative.dev/ingress-class', 'networking.knative.dev/ingress.class'] as const
export const CERTIFICATE_CLASS_KEYS = ['networking.knative.dev/certificate-class', 'networking.knative.dev/certificate.class'] as const
export const HTTP_PROTOCOL_KEYS = ['networking.knative.dev/http-protocol', 'networking.knative.dev/httpOption'] as const
export const ROLLOUT_ANNOTATION = 'networking.internal.knative.dev/rollout'
export const TAG_TO_HOST_ANNOTATION = 'networking.internal.knative.dev/tag-to-host'
export const SKS_LABEL = 'networking.internal.knative.dev/serverlessservice'
export const SERVICE_TYPE_LABEL = 'networking.internal.knative.dev/serviceType'

export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'
export const DEFAULT_CONTAINER_ANNOTATION = 'kubectl.kubernetes.io/default-container'

export const QUEUE_SIDECAR_PREFIX = 'queue.sidecar.serving.knative.dev/'
export const QUEUE_SIDECAR_PERCENTAGE_KEYS = [
  'queue.sidecar.serving.knative.dev/resource-percentage',
  'queue.sidecar.serving.knative.dev/resourcePercentage',
] as const

/** Whether traffic can reach a Revision: `active` keeps its minimum scale and is never collected. */
export type RoutingState = 'active' | 'reserve' | 'pending'

export const KNATIVE_SERVING_NAMESPACE = 'knative-serving'

/** Who Serving's controllers and its autoscaler are to the API server. */
export const SERVING_CONTROLLER_USER = 'system:serviceaccount:knative-serving:controller'

type StringMap = Readonly<Record<string, string>>

/** The first of several spellings of one annotation that is present: its key as the user wrote it, and its value. */
export function annotationOf(annotations: StringMap | undefined, keys: readonly string[]): { key: string; value: string } | undefined {
  const key = keys.find((candidate) => annotations?.[candidate] !== undefined)
  return key === undefined ? undefined : { key, value: annotations![key]! }
}

/** A copy without the keys for which `drop` holds. */
export function mapWithout(map: StringMap | undefined, drop: (key: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !drop(key)))
}

/** A comma separated list with `name` in (or out), sorted as the labeler keeps it; '' when nothing is left. */
export function nameListWith(list: string | undefined, name: string, isIn: boolean): string {
  const names = new Set((list ?? '').split(',').filter(Boolean))
  if (isIn) names.add(name)
  else names.delete(name)
  return [...names].sort().join(',')
}
