import { type CustomResourceDefinition, isDefinition } from '../../../apimachinery/custom-resource.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { type Draft, timestamp } from '../../../apimachinery/object.js'
import { isAlreadyExists, isNotFound } from '../../../apimachinery/status-error.js'
import type { Client } from '../../../client/client.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { customResourceDefinitionKind } from '../customresourcedefinition/kind.js'
import { endpointSliceKind } from '../endpointslice/kind.js'
import { SERVICE_NAME_LABEL } from '../endpointslice/schema.js'
import { coreServiceKind } from '../service/kind.js'
import { apiServiceKind } from './kind.js'
import { type APIService, type APIServiceCondition, AUTOMANAGED_LABEL } from './schema.js'

/** Priorities of Kubernetes' own groups (kubernetes v1.35 pkg/controlplane/apiserver/aggregator.go); others by what comes last. */
const GROUP_PRIORITY: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
}
const OTHER_GROUP_PRIORITY = 15_000
const CORE_VERSION_PRIORITY = 1
const VERSION_PRIORITY = 15
/** What versions of definitions get (kube-aggregator pkg/controllers/autoregister, crdregistration_controller.go). */
const DEFINED_GROUP_PRIORITY = 1000
const DEFINED_VERSION_PRIORITY = 100

/** Who writes what the server registers by itself. */
export const AGGREGATOR = 'system:serviceaccount:kube-system:kube-aggregator'

/** The registration of Kubernetes' own groups does not register itself. */
const UNREGISTERED = 'apiregistration.k8s.io'

/** Makes sure that every version of the server's own groups is listed. Those of definitions are kept by the controller. */
export async function publishApiServices(client: Client, kinds: readonly ServedKind[]): Promise<void> {
  const versions = new Set<string>()
  for (const { kind, builtIn } of kinds) if (builtIn && kind.group !== UNREGISTERED) versions.add(`${kind.version}.${kind.group}`)
  await Promise.all(
    [...versions].map(async (name) => {
      const [version, group] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
      const groupPriorityMinimum = GROUP_PRIORITY[group] ?? OTHER_GROUP_PRIORITY
      await ensure(client, group, version, 'onstart', {
        groupPriorityMinimum,
        versionPriority: group === '' ? CORE_VERSION_PRIORITY : VERSION_PRIORITY,
      })
    }),
  )
}

/**
 * Keeps what is listed in step with the definitions, and says of each entry whether its group answers. Requests are not passed on to
 * other servers here, so one that names a Service is never Available: which step fails first is told in upstream's order.
 * @see kubernetes/kube-aggregator v0.35 pkg/controllers/status/remote/remote_available_controller.go
 */
export function createApiServiceController(): Controller<APIService> {
  return {
    kind: apiServiceKind,
    actsAs: AGGREGATOR,
    wokenBy: [
      {
        kind: coreServiceKind,
        wakes: ({ metadata: { namespace, name } }, all) => servedBy(all.list() as readonly APIService[], namespace, name),
      },
      {
        kind: endpointSliceKind,
        wakes({ metadata: { namespace, labels } }, all) {
          const name = labels?.[SERVICE_NAME_LABEL]
          return name === undefined ? [] : servedBy(all.list() as readonly APIService[], namespace, name)
        },
      },
    ],
    create(deps) {
      const definitions = deps.informer(customResourceDefinitionKind)
      definitions.onChange(({ object }) => deps.busy(keepGroup(deps, object.spec.group, definitions.list())))
      return (apiService) => reconcile(deps, apiService)
    },
  }
}

function servedBy(all: readonly APIService[], namespace: string | undefined, name: string): { name: string }[] {
  return all
    .filter(({ spec: { service } }) => service?.name === name && service.namespace === namespace)
    .map(({ metadata }) => ({ name: metadata.name }))
}

async function keepGroup({ client, log }: ReconcilerDeps, group: string, definitions: readonly CustomResourceDefinition[]): Promise<void> {
  const wanted = new Set(
    definitions
      .filter(
        (definition) =>
          definition.spec.group === group && isDefinition(definition, 'Established') && !definition.metadata.deletionTimestamp,
      )
      .flatMap(({ spec }) => spec.versions.filter(({ served }) => served).map(({ name }) => name)),
  )
  try {
    for (const version of wanted)
      await ensure(client, group, version, 'true', {
        groupPriorityMinimum: DEFINED_GROUP_PRIORITY,
        versionPriority: DEFINED_VERSION_PRIORITY,
      })
    for (const { metadata, spec } of await client.list(apiServiceKind)) {
      if (metadata.labels?.[AUTOMANAGED_LABEL] !== 'true' || spec.group !== group || wanted.has(spec.version ?? '')) continue
      await client.delete(apiServiceKind, { name: metadata.name }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
  } catch (error) {
    log.warn('an APIService could not be kept in step with its definition', { group, error })
  }
}

/** One that is there is left as it is: whoever made it wants to answer themselves. */
async function ensure(
  client: Client,
  group: string,
  version: string,
  automanaged: string,
  priorities: Pick<APIService['spec'], 'groupPriorityMinimum' | 'versionPriority'>,
): Promise<void> {
  const name = `${version}.${group}`
  if (await client.find(apiServiceKind, { name })) return
  const draft: Draft<APIService> = {
    metadata: { name, labels: { [AUTOMANAGED_LABEL]: automanaged } },
    spec: { ...(group && { group }), version, ...priorities },
  }
  await client.create(apiServiceKind, draft).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
}

async function reconcile(deps: ReconcilerDeps, apiService: APIService): Promise<Outcome<APIService>> {
  const found = await availability(deps, apiService)
  const before = apiService.status?.conditions?.find(({ type }) => type === 'Available')
  const lastTransitionTime = before?.status === found.status ? before.lastTransitionTime : undefined
  const condition: APIServiceCondition = {
    lastTransitionTime: lastTransitionTime ?? timestamp(deps.clock.now()),
    message: found.message,
    reason: found.reason,
    status: found.status,
    type: 'Available',
  }
  return { status: { conditions: [condition] } }
}

type Availability = { status: 'True' | 'False'; reason: string; message: string }

async function availability({ client }: ReconcilerDeps, { spec }: APIService): Promise<Availability> {
  const { service } = spec
  if (!service) return { status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
  const unavailable = (reason: string, message: string): Availability => ({ status: 'False', reason, message })
  const { namespace, name = '', port: wanted } = service
  const found = await client.find(coreServiceKind, { namespace, name })
  const where = `service/${name} in ${JSON.stringify(namespace ?? '')}`
  if (!found) return unavailable('ServiceNotFound', `${where} is not present`)
  const port = found.spec.ports?.find((each) => each.port === wanted)
  if (found.spec.type !== 'ExternalName') {
    if (!port) return unavailable('ServicePortError', `${where} is not listening on port ${wanted}`)
    const slices = await client.list(endpointSliceKind, namespace, { labelSelector: `${SERVICE_NAME_LABEL}=${name}` })
    const portName = port.name ?? ''
    if (slices.length === 0) return unavailable('EndpointsNotFound', `cannot find endpointslices for ${where}`)
    const isReady = slices.some(
      ({ endpoints, ports }) =>
        (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false) &&
        (ports ?? []).some((each) => (each.name ?? '') === portName && each.port !== undefined),
    )
    if (!isReady)
      return unavailable('MissingEndpoints', `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`)
  }
  return unavailable('FailedDiscoveryCheck', `${where} is not asked: this server passes no requests on to other API servers`)
}
