import type { Draft } from '../../apimachinery/object.js'
import type { Configuration } from '../configuration/schema.js'
import type { Route } from '../route/schema.js'
import {
  LAST_APPLIED_ANNOTATION,
  mapWithout,
  nameListWith,
  ROLLOUT_DURATION_KEYS,
  ROUTES_ANNOTATION,
  SERVICE_LABEL,
  SERVICE_UID_LABEL,
} from '../serving-labels.js'
import type { Service } from './schema.js'

/**
 * The two children of a Service; both have its name.
 * @see knative/serving v1.23 pkg/reconciler/service/resources
 */

/** `routes` is what the Configuration's annotation says so far: other Routes may use it too. */
export function configurationFor(
  { metadata, spec }: Service,
  routes: string | undefined,
): Draft<Configuration> & { metadata: { name: string } } {
  return {
    metadata: {
      name: metadata.name,
      labels: { ...metadata.labels, [SERVICE_LABEL]: metadata.name, [SERVICE_UID_LABEL]: metadata.uid! },
      annotations: {
        ...mapWithout(
          metadata.annotations,
          (key) => key === LAST_APPLIED_ANNOTATION || (ROLLOUT_DURATION_KEYS as readonly string[]).includes(key),
        ),
        [ROUTES_ANNOTATION]: nameListWith(routes, metadata.name, true),
      },
    },
    spec: { template: spec.template },
  }
}

export function routeFor({ metadata, spec }: Service): Draft<Route> & { metadata: { name: string } } {
  return {
    metadata: {
      name: metadata.name,
      labels: { ...metadata.labels, [SERVICE_LABEL]: metadata.name },
      annotations: mapWithout(metadata.annotations, (key) => key === LAST_APPLIED_ANNOTATION),
    },
    spec: {
      traffic: (spec.traffic ?? []).map((target) => (target.revisionName ? target : { ...target, configurationName: metadata.name })),
    },
  }
}
