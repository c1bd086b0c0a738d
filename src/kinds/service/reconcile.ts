import { conditionsOf, readyCondition } from '../../apimachinery/conditions.js'
import type { KubeObject, ObjectRef } from '../../apimachinery/object.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, ReconcilerDeps } from '../../controller/reconcile.js'
import { configurationKind } from '../configuration/kind.js'
import { nameConflict } from '../configuration/revisions.js'
import type { Configuration } from '../configuration/schema.js'
import { isLeftover } from '../leftover.js'
import { routeKind } from '../route/kind.js'
import type { Route } from '../route/schema.js'
import { semanticEqual } from '../semantic-equal.js'
import { ROUTES_ANNOTATION, SERVING_CONTROLLER_USER } from '../serving-labels.js'
import { notOwnedMessage } from '../serving-names.js'
import { configurationFor, routeFor } from './children.js'
import { serviceKind } from './kind.js'
import { SERVICE_CONDITIONS, SERVICE_REASONS, type Service } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'event'>

/**
 * Keeps a Configuration and a Route of the Service's name, and shows what became of them.
 * @see knative/serving v1.23 pkg/reconciler/service/service.go
 */
export function createServiceController(): Controller<Service> {
  return {
    kind: serviceKind,
    actsAs: SERVING_CONTROLLER_USER,
    owns: [configurationKind, routeKind],
    wokenBy: [
      // A stranger of the Service's name that goes away makes room.
      { kind: configurationKind, wakes: sameName },
      { kind: routeKind, wakes: sameName },
    ],
    create: (deps) => (service) => reconcileService(service, deps),
  }
}

const sameName = ({ metadata }: KubeObject): readonly ObjectRef[] => [{ namespace: metadata.namespace, name: metadata.name }]

async function reconcileService(service: Service, deps: Deps): Promise<{ status: NonNullable<Service['status']> }> {
  const conditions = conditionsOf(service, SERVICE_CONDITIONS, deps.clock.now())
  const status: NonNullable<Service['status']> = { ...service.status }
  const outcome = () => ({ status: { ...status, conditions: conditions.list() } })
  const { name } = service.metadata

  const configuration = await ensureConfiguration(service, deps)
  if (!configuration) {
    if (await isLeftover(deps.client, configurationKind, service, name)) return outcome()
    conditions.isFalse('ConfigurationsReady', SERVICE_REASONS.notOwned, notOwnedMessage('Configuration', name))
    return outcome()
  }
  if (!isObserved(configuration)) {
    conditions.isUnknown(
      'ConfigurationsReady',
      SERVICE_REASONS.outOfDate,
      'The Configuration is still working to reflect the latest desired specification.',
    )
    // Traffic must never be sent to a name that the Configuration is about to refuse.
    if (configuration.spec.template.metadata?.name) return outcome()
  } else {
    const { latestCreatedRevisionName, latestReadyRevisionName } = configuration.status!
    if (latestCreatedRevisionName) status.latestCreatedRevisionName = latestCreatedRevisionName
    if (latestReadyRevisionName) status.latestReadyRevisionName = latestReadyRevisionName
    conditions.follows('ConfigurationsReady', readyCondition(configuration))
  }

  if (await nameConflict(configuration, deps.client)) {
    conditions.isFalse(
      'RoutesReady',
      SERVICE_REASONS.revisionNameTaken,
      `The revision name "${configuration.spec.template.metadata?.name}" is taken by a conflicting Revision, so traffic will not be migrated`,
    )
    return outcome()
  }

  const route = await ensureRoute(service, deps)
  if (!route) {
    if (await isLeftover(deps.client, routeKind, service, name)) return outcome()
    conditions.isFalse('RoutesReady', SERVICE_REASONS.notOwned, notOwnedMessage('Route', name))
    return outcome()
  }
  if (!isObserved(route)) {
    conditions.isUnknown(
      'RoutesReady',
      SERVICE_REASONS.outOfDate,
      'The Route is still working to reflect the latest desired specification.',
    )
    return outcome()
  }
  for (const field of ['url', 'address', 'traffic'] as const) {
    if (route.status![field]) Object.assign(status, { [field]: route.status![field] })
    else delete status[field]
  }
  conditions.follows('RoutesReady', readyCondition(route))
  if (readyCondition(route)?.status === 'True' && !isMigrated(route, configuration)) {
    conditions.isUnknown('RoutesReady', SERVICE_REASONS.trafficNotMigrated, 'Traffic is not yet migrated to the latest revision.')
  }
  return outcome()
}

const isObserved = (child: Configuration | Route): boolean => child.status?.observedGeneration === child.metadata.generation

/** The Configuration as wanted, drift of spec, labels and annotations undone; undefined when a stranger has its name. */
async function ensureConfiguration(service: Service, { client, event }: Deps): Promise<Configuration | undefined> {
  const owned = await ensureOwned(client, configurationKind, service, configurationFor(service, undefined), {
    change: (existing) => corrected(existing, configurationFor(service, existing.metadata.annotations?.[ROUTES_ANNOTATION])),
  })
  if (owned?.result === 'created') event(service, 'Normal', 'Created', `Created Configuration "${service.metadata.name}"`)
  return owned?.object
}

async function ensureRoute(service: Service, { client, event }: Deps): Promise<Route | undefined> {
  const wanted = routeFor(service)
  const owned = await ensureOwned(client, routeKind, service, wanted, { change: (existing) => corrected(existing, wanted) })
  if (owned?.result === 'created') event(service, 'Normal', 'Created', `Created Route "${service.metadata.name}"`)
  return owned?.object
}

function corrected<T extends Configuration | Route>(existing: T, wanted: Pick<T, 'spec'> & { metadata: Partial<T['metadata']> }): T {
  const { labels, annotations } = wanted.metadata
  const isRight =
    semanticEqual(existing.spec, wanted.spec) &&
    semanticEqual(existing.metadata.labels, labels) &&
    semanticEqual(existing.metadata.annotations, annotations)
  if (isRight) return existing
  return {
    ...existing,
    spec: wanted.spec,
    metadata: { ...existing.metadata, ...(labels && { labels }), ...(annotations && { annotations }) },
  }
}

/** Whether the Route sends what the Service asks for, entry by entry, the Configuration standing for its latest ready Revision. */
function isMigrated(route: Route, configuration: Configuration): boolean {
  const wanted = route.spec.traffic ?? []
  const sent = route.status?.traffic ?? []
  const latest = configuration.status?.latestReadyRevisionName
  return (
    wanted.length === sent.length &&
    wanted.every((target, index) => {
      const { tag, percent, revisionName } = sent[index]!
      const wantedRevision = target.configurationName === configuration.metadata.name ? latest : target.revisionName
      return revisionName === wantedRevision && (tag ?? '') === (target.tag ?? '') && (percent ?? 0) === (target.percent ?? 0)
    })
  )
}
