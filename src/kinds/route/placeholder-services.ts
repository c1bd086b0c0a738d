import type { Draft } from '../../apimachinery/object.js'
import { isNotFound } from '../../apimachinery/status-error.js'
import { ensureOwned } from '../../controller/owned.js'
import type { ReconcilerDeps } from '../../controller/reconcile.js'
import { endpointsKind } from '../core/endpoints/kind.js'
import { coreServiceKind } from '../core/service/kind.js'
import type { CoreService, ServicePort } from '../core/service/schema.js'
import type { KIngress, LoadBalancerIngress } from '../kingress/schema.js'
import { semanticEqual } from '../semantic-equal.js'
import { mapWithout, ROUTE_LABEL, VISIBILITY_LABEL } from '../serving-labels.js'
import type { TargetHost } from './domains.js'
import type { Route } from './schema.js'

/**
 * One core Service per target, so that its name resolves inside the cluster to whatever routes for it.
 * @see knative/serving v1.23 pkg/reconciler/route/resources/service.go
 */

type Deps = Pick<ReconcilerDeps, 'client' | 'event'>

/** The Services of a Route as they are. */
export function placeholdersOf({ metadata }: Route, { informer }: Pick<ReconcilerDeps, 'informer'>): readonly CoreService[] {
  return informer(coreServiceKind).labelled(ROUTE_LABEL, metadata.name, metadata.namespace)
}

/**
 * Brings the placeholders in line with the targets and with what the KIngress says about its load balancer, and deletes
 * those whose target is gone. Returns the name of a Service or Endpoints that a stranger has; then nothing was deleted.
 */
export async function ensurePlaceholders(
  route: Route,
  hosts: readonly TargetHost[],
  present: readonly CoreService[],
  kingress: KIngress | undefined,
  deps: Deps,
): Promise<{ kind: 'Service' | 'Endpoint'; name: string } | undefined> {
  const balancer = balancerOf(kingress)
  for (const host of hosts) {
    const wanted = serviceFor(route, host, balancer)
    const owned = await ensureOwned(deps.client, coreServiceKind, route, wanted, { change: (existing) => corrected(existing, wanted) })
    if (!owned) return { kind: 'Service', name: host.name }
    if (owned.result === 'created') deps.event(route, 'Normal', 'Created', `Created placeholder service "${host.name}"`)
    if (balancer?.ip && !(await ensureEndpoints(route, host.name, balancer.ip, deps))) return { kind: 'Endpoint', name: host.name }
  }
  const names = new Set(hosts.map(({ name }) => name))
  for (const { metadata } of present) {
    if (names.has(metadata.name)) continue
    await deps.client.delete(coreServiceKind, metadata).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
  return undefined
}

/** The private load balancer is preferred. Throws when there is more than one. */
function balancerOf(kingress: KIngress | undefined): LoadBalancerIngress | undefined {
  const { privateLoadBalancer, publicLoadBalancer } = kingress?.status ?? {}
  const ingress = privateLoadBalancer?.ingress?.length ? privateLoadBalancer.ingress : (publicLoadBalancer?.ingress ?? [])
  if (ingress.length > 1) throw new Error('more than one ingress are specified in status(LoadBalancer) of Ingress')
  return ingress[0]
}

const HTTP2_PORT: ServicePort = { name: 'http2', port: 80, targetPort: 80, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' }
const HTTP_PORT: ServicePort = { name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }

function serviceFor({ metadata }: Route, { name, host }: TargetHost, balancer: LoadBalancerIngress | undefined): Draft<CoreService> {
  return {
    metadata: {
      name,
      labels: { ...mapWithout(metadata.labels, (key) => key === VISIBILITY_LABEL), [ROUTE_LABEL]: metadata.name },
      annotations: { ...metadata.annotations },
    },
    spec: specFor(host, balancer),
  }
}

function specFor(host: string, balancer: LoadBalancerIngress | undefined): CoreService['spec'] {
  if (!balancer) return { type: 'ExternalName', externalName: host, ports: [HTTP2_PORT] }
  if (balancer.ip) return { type: 'ClusterIP', clusterIP: 'None', ports: [HTTP2_PORT] }
  if (balancer.domain) return { type: 'ExternalName', externalName: balancer.domain, ports: [HTTP2_PORT] }
  if (balancer.domainInternal) {
    return { type: 'ExternalName', externalName: balancer.domainInternal, sessionAffinity: 'None', ports: [HTTP2_PORT] }
  }
  return { type: 'ClusterIP', ports: [HTTP_PORT] }
}

/** Fields that the API server fills in, and labels that users add, stay. */
function corrected(existing: CoreService, { spec, metadata }: Draft<CoreService>): CoreService {
  const isRight =
    Object.entries(spec).every(([field, value]) => semanticEqual(existing.spec[field], value)) &&
    semanticEqual(existing.metadata.annotations, metadata.annotations)
  if (isRight) return existing
  const isSameType = existing.spec.type === spec.type
  return {
    ...existing,
    metadata: { ...existing.metadata, ...(metadata.annotations && { annotations: metadata.annotations }) },
    spec: isSameType ? { ...existing.spec, ...spec } : spec,
  }
}

async function ensureEndpoints(route: Route, name: string, ip: string, { client }: Deps): Promise<boolean> {
  const subsets = [{ addresses: [{ ip }], ports: [{ name: 'http2', port: 80, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' }] }]
  const labels = { [ROUTE_LABEL]: route.metadata.name }
  return (await ensureOwned(client, endpointsKind, route, { metadata: { name, labels }, subsets })) !== undefined
}
