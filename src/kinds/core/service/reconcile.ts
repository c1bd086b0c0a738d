import { createHash } from 'node:crypto'
import type { KubeObject } from '../../../apimachinery/object.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import { ensureOwned } from '../../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { isSameJson } from '../../../controller/same-json.js'
import { endpointsKind } from '../endpoints/kind.js'
import type { Endpoints } from '../endpoints/schema.js'
import { endpointSliceKind } from '../endpointslice/kind.js'
import { type EndpointSlice, SERVICE_NAME_LABEL } from '../endpointslice/schema.js'
import { podKind } from '../pod/kind.js'
import { type EndpointGroup, groupsFor, groupsFromSubsets, subsetsFrom } from './endpoints.js'
import { coreServiceKind } from './kind.js'
import type { CoreService } from './schema.js'

const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
const SKIP_MIRROR_LABEL = 'endpointslice.kubernetes.io/skip-mirror'
/** Endpoints that are a lock of leader election name no endpoints. */
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader'
const ENDPOINTS_MANAGED_BY_LABEL = 'endpoints.kubernetes.io/managed-by'
const HEADLESS_LABEL = 'service.kubernetes.io/headless'
const OWN = 'endpointslice-controller.k8s.io'
const MIRRORED = 'endpointslicemirroring-controller.k8s.io'
/** --max-endpoints-per-slice. */
const ENDPOINTS_PER_SLICE = 100
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * Keeps the EndpointSlices and Endpoints of services: from Pods where there is a selector, from hand-written Endpoints
 * where there is none.
 * @see kubernetes/kubernetes v1.35 pkg/controller/{endpoint,endpointslice,endpointslicemirroring}
 */
export function createCoreServiceController(): Controller<CoreService> {
  return {
    kind: coreServiceKind,
    actsAs: 'system:serviceaccount:kube-system:endpointslice-controller',
    awaited: 'work',
    eventSource: { component: 'endpoint-slice-controller' },
    wokenBy: [
      {
        kind: podKind,
        wakes: ({ metadata: { namespace, labels } }, all) =>
          all
            .list(namespace)
            .filter((service) => selects(service as CoreService, labels))
            .map(({ metadata }) => metadata),
      },
      { kind: endpointsKind, wakes: ({ metadata }) => [metadata] },
      {
        kind: endpointSliceKind,
        wakes({ metadata }) {
          const name = metadata.labels?.[SERVICE_NAME_LABEL]
          return name ? [{ namespace: metadata.namespace, name }] : []
        },
      },
    ],
    create(deps) {
      deps.informer(coreServiceKind).onChange(({ type, object }) => {
        if (type === 'DELETED') deps.busy(removeEndpoints(deps, object))
      })
      return (service) => reconcile(deps, service)
    },
  }
}

async function reconcile(deps: ReconcilerDeps, service: CoreService): Promise<Outcome<CoreService>> {
  const { spec, metadata } = service
  if (spec.type === 'ExternalName') {
    await keepSlices(deps, service, [])
    return {}
  }
  if (!hasSelector(service)) {
    const endpoints = deps.informer(endpointsKind).get(metadata)
    const isMirrored = endpoints && isToMirror(endpoints) && !isManagedEndpoints(endpoints)
    const slices = isMirrored ? slicesFor(endpoints, metadata.name, groupsFromSubsets(endpoints.subsets), { managedBy: MIRRORED }) : []
    await keepSlices(deps, service, isMirrored ? slices.map((draft) => ({ owner: endpoints, draft })) : [])
    if (endpoints && isManagedEndpoints(endpoints)) await removeEndpoints(deps, service)
    return {}
  }
  const pods = deps
    .informer(podKind)
    .list(metadata.namespace)
    .filter((pod) => selects(service, pod.metadata.labels))
  const groups = groupsFor(service, pods)
  // A service always has a slice, if only to say that nobody is there.
  const shown = groups.length > 0 ? groups : [{ addressType: 'IPv4' as const, ports: [], endpoints: [] }]
  const slices = slicesFor(service, metadata.name, shown, { managedBy: OWN, headless: spec.clusterIP === 'None' })
  await keepSlices(
    deps,
    service,
    slices.map((draft) => ({ owner: service, draft })),
  )
  await keepEndpoints(deps, service, groups)
  return {}
}

type SliceDraft = Omit<EndpointSlice, 'apiVersion' | 'kind'>

function slicesFor(
  owner: KubeObject,
  serviceName: string,
  groups: readonly EndpointGroup[],
  { managedBy, headless = false }: { managedBy: string; headless?: boolean },
): SliceDraft[] {
  const labels = {
    ...withoutReserved(owner.metadata.labels),
    [SERVICE_NAME_LABEL]: serviceName,
    [MANAGED_BY_LABEL]: managedBy,
    ...(headless && { [HEADLESS_LABEL]: '' }),
  }
  return groups.flatMap(({ addressType, ports, endpoints }, groupIndex) => {
    const place = `${owner.metadata.uid}/${groupIndex}${addressType === 'IPv6' ? '/IPv6' : ''}`
    const chunks: (typeof endpoints)[] = []
    for (let start = 0; start === 0 || start < endpoints.length; start += ENDPOINTS_PER_SLICE)
      chunks.push(endpoints.slice(start, start + ENDPOINTS_PER_SLICE))
    return chunks.map((chunk, chunkIndex) => ({
      metadata: {
        namespace: owner.metadata.namespace!,
        name: `${serviceName}-${suffixFor(`${place}/${chunkIndex}`)}`,
        labels,
      },
      addressType,
      endpoints: chunk,
      ports,
    }))
  })
}

async function keepSlices(
  deps: ReconcilerDeps,
  service: CoreService,
  wanted: readonly { owner: KubeObject; draft: SliceDraft }[],
): Promise<void> {
  const { client } = deps
  const { namespace, name } = service.metadata
  const present = deps
    .informer(endpointSliceKind)
    .labelled(SERVICE_NAME_LABEL, name, namespace)
    .filter(({ metadata }) => [OWN, MIRRORED].includes(metadata.labels?.[MANAGED_BY_LABEL] ?? ''))
  for (const { owner, draft } of wanted) {
    const existing = present.find(({ metadata }) => metadata.name === draft.metadata.name)
    await ensureOwned(client, endpointSliceKind, owner, draft, {
      existing,
      change: (slice) => ({
        ...slice,
        metadata: { ...slice.metadata, labels: draft.metadata.labels! },
        endpoints: draft.endpoints,
        ports: draft.ports!,
      }),
    })
  }
  for (const { metadata } of present) {
    if (wanted.some(({ draft }) => draft.metadata.name === metadata.name)) continue
    await client.delete(endpointSliceKind, metadata).catch(unlessGone)
  }
}

async function keepEndpoints({ client, informer }: ReconcilerDeps, service: CoreService, groups: readonly EndpointGroup[]): Promise<void> {
  const { namespace, name } = service.metadata
  const subsets = subsetsFrom(groups)
  const labels = {
    ...service.metadata.labels,
    [ENDPOINTS_MANAGED_BY_LABEL]: 'endpoint-controller',
    ...(service.spec.clusterIP === 'None' && { [HEADLESS_LABEL]: '' }),
  }
  const present = informer(endpointsKind).get({ namespace, name })
  if (!present) {
    await client.create(endpointsKind, {
      metadata: { ...(namespace && { namespace }), name, labels },
      ...(subsets.length > 0 && { subsets }),
    })
  } else if (!isSameJson(present.subsets ?? [], subsets) || !isSameJson(present.metadata.labels, labels)) {
    await client.update(endpointsKind, { ...present, metadata: { ...present.metadata, labels }, subsets })
  }
}

/** Endpoints have no owner upstream either: they go because their service did. */
async function removeEndpoints({ client, log }: ReconcilerDeps, { metadata: { namespace, name } }: CoreService): Promise<void> {
  await client.delete(endpointsKind, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) log.warn('endpoints of a deleted service remain', { namespace, name, error })
  })
}

function hasSelector({ spec }: CoreService): boolean {
  return Object.keys(spec.selector ?? {}).length > 0
}

function selects(service: CoreService, labels: Readonly<Record<string, string>> | undefined): boolean {
  return hasSelector(service) && Object.entries(service.spec.selector!).every(([key, value]) => labels?.[key] === value)
}

function isToMirror({ metadata: { labels, annotations } }: Endpoints): boolean {
  return labels?.[SKIP_MIRROR_LABEL] !== 'true' && annotations?.[LEADER_ANNOTATION] === undefined
}

function isManagedEndpoints({ metadata }: Endpoints): boolean {
  return metadata.labels?.[ENDPOINTS_MANAGED_BY_LABEL] === 'endpoint-controller'
}

function withoutReserved(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const reserved = [SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL]
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !reserved.includes(key)))
}

/** Looks like a generated name, but is the same each time: so a slice is never made twice. */
function suffixFor(text: string): string {
  const bytes = createHash('sha256').update(text).digest()
  return Array.from({ length: 5 }, (_, index) => SUFFIX_LETTERS[bytes[index]! % SUFFIX_LETTERS.length]).join('')
}

function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error
}
