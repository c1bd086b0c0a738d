import { type Conditions, conditionsOf } from '../../apimachinery/conditions.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { deploymentKind } from '../core/deployment/kind.js'
import { endpointsKind } from '../core/endpoints/kind.js'
import type { Endpoints } from '../core/endpoints/schema.js'
import { coreServiceKind } from '../core/service/kind.js'
import type { CoreService } from '../core/service/schema.js'
import { semanticEqual } from '../semantic-equal.js'
import { REVISION_LABEL, SERVING_CONTROLLER_USER, SKS_LABEL } from '../serving-labels.js'
import { serverlessServiceKind } from './kind.js'
import { SERVERLESS_SERVICE_CONDITIONS, type ServerlessService } from './schema.js'
import { activatorSubsets, privateServiceFor, publicEndpointsFor, publicServiceFor, publicSubsets } from './services.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock'>

const NOT_READY = 'K8s Service is not ready'

/**
 * Keeps the two core Services of a Revision and points the public one at its Pods, or at the activator.
 * @see knative/serving v1.23 pkg/reconciler/serverlessservice/serverlessservice.go
 */
export function createServerlessServiceController(): Controller<ServerlessService> {
  return {
    kind: serverlessServiceKind,
    actsAs: SERVING_CONTROLLER_USER,
    owns: [coreServiceKind, endpointsKind],
    wokenBy: [
      // The private Endpoints belong to the Service, not to us; without its labels on them, only the name tells.
      {
        kind: endpointsKind,
        wakes({ metadata }, all) {
          const { namespace, labels } = metadata
          if (labels?.[SKS_LABEL]) return [{ namespace, name: labels[SKS_LABEL] }]
          const isPrivate = (sks: KubeObject): boolean => (sks as ServerlessService).status?.privateServiceName === metadata.name
          return all
            .list(namespace)
            .filter(isPrivate)
            .map((sks) => sks.metadata)
        },
      },
      {
        kind: coreServiceKind,
        wakes: ({ metadata }) =>
          metadata.labels?.[SKS_LABEL] ? [{ namespace: metadata.namespace, name: metadata.labels[SKS_LABEL] }] : [],
      },
      {
        kind: deploymentKind,
        wakes: ({ metadata }) =>
          metadata.labels?.[REVISION_LABEL] ? [{ namespace: metadata.namespace, name: metadata.labels[REVISION_LABEL] }] : [],
      },
    ],
    create: (deps) => (sks) => reconcileServerlessService(sks, deps),
  }
}

async function reconcileServerlessService(sks: ServerlessService, deps: Deps): Promise<Outcome<ServerlessService>> {
  const { client } = deps
  const { namespace } = sks.metadata
  const conditions = conditionsOf(sks, SERVERLESS_SERVICE_CONDITIONS, deps.clock.now())
  const status: NonNullable<ServerlessService['status']> = { ...sks.status }
  const outcome = () => ({ status: { ...status, conditions: conditions.list() } })
  const notOwned = (kind: string, name: string) => {
    conditions.isFalse('EndpointsPopulated', 'NotOwned', `Resource ${name} of type ${kind} is not owned by SKS`)
    return outcome()
  }

  const deployment = await client.find(deploymentKind, { namespace, name: sks.spec.objectRef.name })
  if (!deployment) {
    // Its creation wakes us.
    conditions.isUnknown('EndpointsPopulated', 'CreatingPrivateService', NOT_READY)
    return outcome()
  }
  const wantedPrivate = privateServiceFor(sks, deployment.spec.selector.matchLabels ?? {})
  const privateService = await ensureOwned(client, coreServiceKind, sks, wantedPrivate, {
    change: (existing) => corrected(existing, wantedPrivate.spec),
  })
  if (!privateService) return notOwned('Service', wantedPrivate.metadata.name)
  if (privateService.result !== 'unchanged') {
    const reason = privateService.result === 'created' ? 'CreatingPrivateService' : 'UpdatingPrivateService'
    conditions.isUnknown('EndpointsPopulated', reason, NOT_READY)
  }
  status.privateServiceName = wantedPrivate.metadata.name

  const wantedPublic = publicServiceFor(sks)
  const publicService = await ensureOwned(client, coreServiceKind, sks, wantedPublic, {
    change: (existing) => corrected(existing, wantedPublic.spec),
  })
  if (!publicService) return notOwned('Service', wantedPublic.metadata.name)
  if (publicService.result === 'created') conditions.isUnknown('EndpointsPopulated', 'CreatingPublicService', NOT_READY)
  status.serviceName = sks.metadata.name

  const backends = await client.find(endpointsKind, { namespace, name: wantedPrivate.metadata.name })
  const hasReadyPods = backends?.subsets?.some(({ addresses }) => (addresses?.length ?? 0) > 0) ?? false
  const usesPods = hasReadyPods && sks.spec.mode === 'Serve'
  const subsets = usesPods ? publicSubsets(sks, backends!.subsets!) : activatorSubsets(sks)
  const endpoints = await ensureOwned(client, endpointsKind, sks, publicEndpointsFor(sks, subsets), {
    change: (existing: Endpoints) => (semanticEqual(existing.subsets, subsets) ? existing : { ...existing, subsets }),
  })
  if (!endpoints) return notOwned('Endpoints', sks.metadata.name)
  if (endpoints.result === 'created') conditions.isUnknown('EndpointsPopulated', 'CreatingPublicEndpoints', NOT_READY)

  markEndpoints(conditions, hasReadyPods, !hasReadyPods || sks.spec.mode === 'Proxy')
  return outcome()
}

function markEndpoints(conditions: Conditions, hasReadyPods: boolean, isBackedByActivator: boolean): void {
  if (hasReadyPods) conditions.isTrue('EndpointsPopulated')
  else conditions.isUnknown('EndpointsPopulated', 'NoHealthyBackends', NOT_READY)
  conditions.info({
    type: 'ActivatorEndpointsPopulated',
    status: isBackedByActivator ? 'True' : 'False',
    reason: 'ActivatorEndpointsPopulated',
    message: 'Revision is backed by Activator',
  })
}

/** Only what the draft names is ours: addresses and families are the API server's. */
function corrected(existing: CoreService, wanted: CoreService['spec']): CoreService {
  const isRight = Object.entries(wanted).every(([field, value]) => semanticEqual(existing.spec[field], value))
  return isRight ? existing : { ...existing, spec: { ...existing.spec, ...wanted } }
}
