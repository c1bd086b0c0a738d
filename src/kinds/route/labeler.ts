import { isFailed, isReady } from '../../apimachinery/conditions.js'
import type { Kind } from '../../apimachinery/kind.js'
import { type KubeObject, timestamp } from '../../apimachinery/object.js'
import { isNotFound } from '../../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../../controller/reconcile.js'
import { configurationKind } from '../configuration/kind.js'
import { revisionKind } from '../revision/kind.js'
import {
  CONFIGURATION_LABEL,
  nameListWith,
  ROUTES_ANNOTATION,
  ROUTING_STATE_LABEL,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  type RoutingState,
} from '../serving-labels.js'
import type { Route } from './schema.js'

/**
 * Tells Configurations and Revisions which Routes use them: that is what keeps a Revision's minimum scale, and keeps it
 * from being collected.
 *
 * @see knative/serving v1.23 pkg/reconciler/labeler
 */

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'informer'>

/** Marks what `route` (with the status that is about to be written) sends traffic to, and unmarks the rest once it is settled. */
export async function labelTargets(route: Route, deps: Deps): Promise<void> {
  const { namespace } = route.metadata
  const configurations = deps.informer(configurationKind)
  const revisions = deps.informer(revisionKind)
  const wantedConfigurations = new Set<string>()
  const wantedRevisions = new Set<string>()

  for (const target of [...(route.spec.traffic ?? []), ...(route.status?.traffic ?? [])]) {
    if (target.revisionName) {
      const revision = revisions.get({ namespace, name: target.revisionName })
      if (!revision) continue
      wantedRevisions.add(target.revisionName)
      const owner = revision.metadata.labels?.[CONFIGURATION_LABEL]
      if (owner) wantedConfigurations.add(owner)
    } else if (target.configurationName) {
      wantedConfigurations.add(target.configurationName)
      const latest = configurations.get({ namespace, name: target.configurationName })?.status?.latestCreatedRevisionName
      if (latest) wantedRevisions.add(latest)
    }
  }
  await mark(configurationKind, route, wantedConfigurations, deps)
  await mark(revisionKind, route, wantedRevisions, deps)
  // Until the new targets are known to work (or not to), the old ones must stay as they are.
  if (!isReady(route) && !isFailed(route)) return
  await unmark(configurationKind, route, wantedConfigurations, deps)
  await unmark(revisionKind, route, wantedRevisions, deps)
}

/** Forgets a Route that is going away. */
export async function unlabelTargets(route: Route, deps: Deps): Promise<void> {
  await unmark(configurationKind, route, new Set(), deps)
  await unmark(revisionKind, route, new Set(), deps)
}

async function mark<T extends KubeObject>(kind: Kind<T>, route: Route, names: ReadonlySet<string>, deps: Deps): Promise<void> {
  for (const name of names) {
    const object = deps.informer(kind).get({ namespace: route.metadata.namespace, name })
    if (object)
      await patchRoutes(kind, object, nameListWith(object.metadata.annotations?.[ROUTES_ANNOTATION], route.metadata.name, true), deps)
  }
}

async function unmark<T extends KubeObject>(kind: Kind<T>, route: Route, wanted: ReadonlySet<string>, deps: Deps): Promise<void> {
  for (const object of deps.informer(kind).list(route.metadata.namespace)) {
    const routes = object.metadata.annotations?.[ROUTES_ANNOTATION]
    if (!routes?.includes(route.metadata.name) || wanted.has(object.metadata.name)) continue
    if (routes.split(',').includes(route.metadata.name))
      await patchRoutes(kind, object, nameListWith(routes, route.metadata.name, false), deps)
  }
}

async function patchRoutes<T extends KubeObject>(kind: Kind<T>, { metadata }: T, routes: string, { client, clock }: Deps): Promise<void> {
  const state: RoutingState = routes ? 'active' : 'reserve'
  const isStateKept = kind.kind !== revisionKind.kind || metadata.labels?.[ROUTING_STATE_LABEL] === state
  if (isStateKept && (metadata.annotations?.[ROUTES_ANNOTATION] ?? '') === routes) return
  const body = {
    metadata: {
      annotations: {
        [ROUTES_ANNOTATION]: routes || null,
        ...(!isStateKept && { [ROUTING_STATE_MODIFIED_ANNOTATION]: timestamp(clock.now()) }),
      },
      ...(!isStateKept && { labels: { [ROUTING_STATE_LABEL]: state } }),
    },
  }
  await client.patch(kind, metadata, { type: 'application/merge-patch+json', body }).catch((error: unknown) => {
    // Deleted meanwhile: nothing is left to be told.
    if (!isNotFound(error)) throw error
  })
}
