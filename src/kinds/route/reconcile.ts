import { conditionsOf, readyCondition } from '../../apimachinery/conditions.js'
import type { KubeObject, ObjectRef } from '../../apimachinery/object.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { configurationKind } from '../configuration/kind.js'
import { configMapKind } from '../core/configmap/kind.js'
import { endpointsKind } from '../core/endpoints/kind.js'
import { coreServiceKind } from '../core/service/kind.js'
import { kingressKind } from '../kingress/kind.js'
import type { KIngress } from '../kingress/schema.js'
import { isLeftover } from '../leftover.js'
import { revisionKind } from '../revision/kind.js'
import { semanticEqual } from '../semantic-equal.js'
import { KNATIVE_SERVING_NAMESPACE, ROUTE_LABEL, ROUTES_ANNOTATION, SERVICE_LABEL, SERVING_CONTROLLER_USER } from '../serving-labels.js'
import { kingressName, serviceHost } from '../serving-names.js'
import { DomainError, hostsFor, type TargetHost } from './domains.js'
import { kingressFor } from './ingress.js'
import { routeKind } from './kind.js'
import { labelTargets, unlabelTargets } from './labeler.js'
import { ensurePlaceholders, placeholdersOf } from './placeholder-services.js'
import { ROUTE_CONDITIONS, ROUTE_FINALIZER, ROUTE_REASONS, type Route, type TrafficTarget } from './schema.js'
import { DEFAULT_TARGET, planTraffic, type RevisionTarget, type TrafficPlan } from './traffic.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer'>

const WATCHED_CONFIG: ReadonlySet<string> = new Set(['config-domain', 'config-network', 'config-features', 'kn-local'])

/**
 * Finds out which Revisions take a Route's traffic and tells the gateway by a KIngress.
 * @see knative/serving v1.23 pkg/reconciler/route/route.go, pkg/reconciler/labeler
 */
export function createRouteController(): Controller<Route> {
  return {
    kind: routeKind,
    actsAs: SERVING_CONTROLLER_USER,
    owns: [kingressKind, coreServiceKind],
    wokenBy: [
      { kind: configurationKind, wakes: routesUsing },
      { kind: revisionKind, wakes: routesUsing },
      // A stranger with the name of a placeholder goes away.
      { kind: coreServiceKind, wakes: byLabelOrName },
      { kind: kingressKind, wakes: byLabelOrName },
      {
        kind: configMapKind,
        wakes: ({ metadata }, all) =>
          metadata.namespace === KNATIVE_SERVING_NAMESPACE && WATCHED_CONFIG.has(metadata.name)
            ? all.list().map((route) => route.metadata)
            : [],
      },
    ],
    create: (deps) => (route) => (route.metadata.deletionTimestamp ? finalize(route, deps) : reconcileRoute(route, deps)),
  }
}

const byLabelOrName: Wake['wakes'] = ({ metadata }) => [
  { namespace: metadata.namespace, name: metadata.labels?.[ROUTE_LABEL] ?? metadata.name },
]

/** Routes that an object says use it, and, for one that nobody can have marked yet, those that name it. */
const routesUsing: Wake['wakes'] = (object, all) => {
  const { namespace, name, annotations, labels } = object.metadata
  const names = new Set((annotations?.[ROUTES_ANNOTATION] ?? '').split(',').filter(Boolean))
  if (labels?.[SERVICE_LABEL]) names.add(labels[SERVICE_LABEL])
  const refs: ObjectRef[] = [...names].map((route) => ({ namespace, name: route }))
  const isNew = (object as KubeObject & { status?: unknown }).status === undefined
  if (!isNew) return refs
  const namesIt = (route: KubeObject): boolean =>
    (route as Route).spec.traffic?.some(({ configurationName, revisionName }) => configurationName === name || revisionName === name) ??
    false
  return [
    ...refs,
    ...all
      .list(namespace)
      .filter(namesIt)
      .map(({ metadata }) => metadata),
  ]
}

async function finalize(route: Route, deps: Deps): Promise<Outcome<Route>> {
  await unlabelTargets(route, deps)
  await setFinalizers(
    route,
    (route.metadata.finalizers ?? []).filter((finalizer) => finalizer !== ROUTE_FINALIZER),
    deps,
  )
  return {}
}

/** With the version that was read: someone else's finalizer is never overwritten. */
async function setFinalizers({ metadata }: Route, finalizers: string[], { client }: Deps): Promise<void> {
  const body = { metadata: { finalizers, resourceVersion: metadata.resourceVersion } }
  await client.patch(routeKind, metadata, { type: 'application/merge-patch+json', body })
}

async function reconcileRoute(route: Route, deps: Deps): Promise<Outcome<Route>> {
  const { clock, event } = deps
  if (!route.metadata.finalizers?.includes(ROUTE_FINALIZER)) {
    await setFinalizers(route, [...(route.metadata.finalizers ?? []), ROUTE_FINALIZER], deps)
    event(route, 'Normal', 'FinalizerUpdate', `Updated "${route.metadata.name}" finalizers`)
    // The write wakes this Route again, at its new version.
    return {}
  }
  const conditions = conditionsOf(route, ROUTE_CONDITIONS, clock.now())
  const status: NonNullable<Route['status']> = { ...route.status }
  if (route.metadata.generation !== status.observedGeneration) {
    conditions.isUnknown('IngressReady', ROUTE_REASONS.ingressNotConfigured, 'Ingress has not yet been reconciled.')
  }
  await assign(route, status, conditions, deps)
  const next = {
    ...status,
    ...(route.metadata.generation !== undefined && { observedGeneration: route.metadata.generation }),
    conditions: conditions.list(),
  }
  await labelTargets({ ...route, status: next }, deps)
  return { status: next }
}

/** Fills `status` and `conditions`. On a problem with the targets, the traffic stays where it was. */
async function assign(
  route: Route,
  status: NonNullable<Route['status']>,
  conditions: ReturnType<typeof conditionsOf>,
  deps: Deps,
): Promise<void> {
  const { client, configMap } = deps
  const { namespace, name } = route.metadata
  const result = await planTraffic(route, {
    configuration: (wanted) => client.find(configurationKind, { namespace, name: wanted }),
    revision: (wanted) => client.find(revisionKind, { namespace, name: wanted }),
  })

  const placeholders = placeholdersOf(route, deps)
  let hosts: ReadonlyMap<string, TargetHost>
  try {
    hosts = hostsFor(route, 'plan' in result ? result.plan.targets.keys() : [], placeholders, configMap)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    conditions.isFalse('AllTrafficAssigned', ROUTE_REASONS.errorConfig, error.message)
    return
  }
  const main = hosts.get(DEFAULT_TARGET)!
  status.url = main.url
  if ('problem' in result) {
    const { problem } = result
    if (problem.status === 'False') conditions.isFalse('AllTrafficAssigned', problem.reason, problem.message)
    else conditions.isUnknown('AllTrafficAssigned', problem.reason, problem.message)
    return
  }
  conditions.isTrue('AllTrafficAssigned')
  status.address = { url: `http://${serviceHost(name, namespace ?? '')}` }
  conditions.isTrue('CertificateProvisioned', {
    reason: ROUTE_REASONS.tlsNotEnabled,
    message: main.isLocal ? 'TLS is not enabled for cluster-local' : 'external-domain-tls is not enabled',
  })

  const present = await client.find(kingressKind, { namespace, name: kingressName(name) })
  const stranger = await ensurePlaceholders(route, [...hosts.values()], placeholders, present, deps)
  if (stranger) {
    const leftover =
      stranger.kind === 'Service'
        ? await isLeftover(client, coreServiceKind, route, stranger.name)
        : await isLeftover(client, endpointsKind, route, stranger.name)
    if (leftover) return
    conditions.isFalse(
      'IngressReady',
      ROUTE_REASONS.notOwned,
      `There is an existing placeholder ${stranger.kind} "${stranger.name}" that we do not own.`,
    )
    return
  }
  const kingress = await ensureKIngress(route, result.plan, hosts, deps)
  const ready = kingress && kingress.status?.observedGeneration === kingress.metadata.generation ? readyCondition(kingress) : undefined
  if (ready) conditions.follows('IngressReady', ready)
  else conditions.isUnknown('IngressReady', ROUTE_REASONS.ingressNotConfigured, 'Ingress has not yet been reconciled.')
  status.traffic = result.plan.flat.map((target) => shownTarget(target, hosts))
}

async function ensureKIngress(
  route: Route,
  plan: TrafficPlan,
  hosts: ReadonlyMap<string, TargetHost>,
  { client, configMap, event }: Deps,
): Promise<KIngress | undefined> {
  const wanted = kingressFor(route, plan, hosts, configMap)
  const { labels, annotations } = wanted.metadata
  const owned = await ensureOwned(client, kingressKind, route, wanted, {
    change: (existing) =>
      semanticEqual(existing.spec, wanted.spec) &&
      semanticEqual(existing.metadata.labels, labels) &&
      semanticEqual(existing.metadata.annotations, annotations)
        ? existing
        : {
            ...existing,
            spec: wanted.spec,
            metadata: { ...existing.metadata, ...(labels && { labels }), ...(annotations && { annotations }) },
          },
  })
  if (owned?.result === 'created') event(route, 'Normal', 'Created', `Created Ingress "${wanted.metadata.name}"`)
  return owned?.object
}

function shownTarget(
  { tag, revisionName, percent, latestRevision }: RevisionTarget,
  hosts: ReadonlyMap<string, TargetHost>,
): TrafficTarget {
  return { ...(tag && { tag, url: hosts.get(tag)!.url }), revisionName, percent, latestRevision }
}
