import { refusals, StatusError } from '../apimachinery/status-error.js'
import type { FindProxyTarget, ProxyTarget } from '../apiserver/streams/proxy.js'
import type { Informer } from '../client/informer.js'
import type { Reach } from '../delivery/send.js'
import { type EndpointSlice, SERVICE_NAME_LABEL } from '../kinds/core/endpointslice/schema.js'
import { loopbackPortsOf, type Pod } from '../kinds/core/pod/schema.js'
import type { CoreService, ServicePort } from '../kinds/core/service/schema.js'

const LOOPBACK = '127.0.0.1'
const DEFAULT_PORTS = { http: 80, https: 443 }

type Scheme = ProxyTarget['scheme']

/** A ready endpoint's Pod, and the port that is meant in it. */
interface PodPort {
  pod: Pod
  port: number
}

/**
 * Where `services/proxy` and `pods/proxy` lead: the loopback port of a Pod, of a Service's ready ones each in turn, or the cluster-local
 * listener for a Service that has other endpoints: Knative's own, whose Pods do not exist here. A port that a Pod does not have is refused
 * as on a cluster, and never becomes that port of this machine.
 *
 * Pods are sent the Host that the client wrote, as upstream sends it; only the listener has to be told which name is meant.
 *
 * @see kubernetes/kubernetes v1.35 pkg/registry/core/service/storage/storage.go and pkg/registry/core/pod/strategy.go, ResourceLocation
 */
export function createFindProxyTarget(deps: {
  services: Informer<CoreService>
  slices: Informer<EndpointSlice>
  pods: Informer<Pod>
  reach: (url: URL, namespace?: string) => Reach
}): FindProxyTarget {
  const { services, slices, pods, reach } = deps
  /** By what a Service is at the moment, so that it is forgotten with it. */
  const turns = new WeakMap<CoreService, number>()

  const endpointsOf = (namespace: string, name: string, portName: string): { behind: PodPort[]; isElsewhere: boolean } => {
    const behind: PodPort[] = []
    let isElsewhere = false
    for (const { ports = [], endpoints } of slices.labelled(SERVICE_NAME_LABEL, name, namespace)) {
      const port = ports.find((each) => (each.name ?? '') === portName)?.port
      if (port === undefined) continue
      for (const { conditions, targetRef } of endpoints ?? []) {
        if (conditions?.ready === false) continue
        if (targetRef?.kind !== 'Pod') isElsewhere = true
        const pod = targetRef?.kind === 'Pod' ? pods.get({ namespace, name: targetRef.name ?? '' }) : undefined
        if (pod) behind.push({ pod, port })
      }
    }
    return { behind, isElsewhere }
  }

  const serviceTarget = (namespace: string, name: string, wanted: string | undefined, scheme: Scheme): ProxyTarget => {
    const service = services.get({ namespace, name })
    if (!service) throw refusals.notFound({ group: '', plural: 'services' }, name)
    const port = servicePort(service, wanted)
    const noEndpoints = (): StatusError => unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
    if (!port || service.spec.type === 'ExternalName') throw noEndpoints()

    const { behind, isElsewhere } = endpointsOf(namespace, name, port.name ?? '')
    if (behind.length > 0) {
      const turn = turns.get(service) ?? 0
      turns.set(service, turn + 1)
      const chosen = behind[turn % behind.length]!
      return podTarget(chosen, scheme, loopbackBehindService(chosen))
    }
    if (!isElsewhere) throw noEndpoints()
    return { scheme, ...reach(new URL(`${scheme}://${name}.${namespace}.svc.cluster.local:${port.port}`)) }
  }

  return ({ what, namespace, name, port: wanted, scheme = 'http' }) => {
    if (what === 'services') return serviceTarget(namespace, name, wanted, scheme)
    const pod = pods.get({ namespace, name })
    if (!pod) throw refusals.notFound({ group: '', plural: 'pods' }, name)
    const text = wanted ?? String(firstPort(pod) ?? DEFAULT_PORTS[scheme])
    if (!pod.status?.podIP) throw refusals.badRequest('address not allowed')
    // Of the names that ports have in a Pod upstream knows nothing.
    if (!isNumber(text)) throw unavailable(`error trying to reach service: dial tcp: lookup tcp/${text}: unknown port`)
    const port = Number(text)
    return podTarget({ pod, port }, scheme, loopbackPortsOf(pod)[port])
  }
}

function servicePort({ metadata, spec: { ports = [] } }: CoreService, wanted: string | undefined): ServicePort | undefined {
  if (wanted === undefined) return ports.length === 1 ? ports[0] : ports.find(({ name }) => !name)
  const found = ports.find(isNumber(wanted) ? ({ port }) => port === Number(wanted) : ({ name }) => name === wanted)
  if (found) return found
  const shown = isNumber(wanted) ? wanted : JSON.stringify(wanted)
  throw unavailable(`no service port ${shown} found for service ${JSON.stringify(metadata.name)}`)
}

function podTarget({ pod, port }: PodPort, scheme: Scheme, loopback: number | undefined): ProxyTarget {
  const { podIP = '', phase } = pod.status ?? {}
  // What has ended has left its loopback port to whoever comes next.
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  if (loopback === undefined || isOver)
    throw unavailable(`error trying to reach service: dial tcp ${podIP}:${port}: connect: connection refused`)
  return { scheme, host: LOOPBACK, port: loopback }
}

/** A Pod that declares no port is told one to listen on: that is the one it means, whatever its Service calls it. */
function loopbackBehindService({ pod, port }: PodPort): number | undefined {
  const ports = loopbackPortsOf(pod)
  return ports[port] ?? (firstPort(pod) === undefined ? Object.values(ports)[0] : undefined)
}

function firstPort({ spec }: Pod): number | undefined {
  return spec.containers.find(({ ports }) => ports?.length)?.ports?.[0]?.containerPort
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text)
}

function unavailable(message: string): StatusError {
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message })
}
