import { refText } from '../apimachinery/object.js'
import type { Informer } from '../client/informer.js'
import { type Endpoint, type EndpointSlice, SERVICE_NAME_LABEL } from '../kinds/core/endpointslice/schema.js'
import { loopbackPortsOf, PORTS_ANNOTATION, type Pod } from '../kinds/core/pod/schema.js'

/** A ready endpoint of a core Service: a Pod, or an address that someone wrote by hand. */
export interface ReadyAddress {
  /** The Pod and the port: what makes it the same from one change to the next. */
  readonly key: string
  /** '' where there is no Pod, as for the name. */
  readonly podUid: string
  readonly podName: string
  /** The endpoint's own address, which for a Pod nobody dials: instances are kept in its order. */
  readonly address: string
  /** Where it really listens: on 127.0.0.1, if it is a Pod. */
  readonly host: string
  readonly port: number
}

export interface Endpoints {
  /** The ready Pods of a Revision's core Service ("namespace/name"), in the order of their addresses. */
  of(service: string): readonly ReadyAddress[]
  /**
   * What is ready behind a port of any core Service, by the port's name ('' where it has none); while nothing is, those that
   * are ending and still answer. With a host name, as a StatefulSet's Pods have one, only the endpoint of that name.
   * @see kubernetes/kubernetes v1.35 pkg/proxy/topology.go CategorizeEndpoints
   */
  behind(service: string, portName: string, hostname?: string): readonly ReadyAddress[]
  /** Calls back with the Service whose ready Pods may have changed. */
  onChange(listener: (service: string) => void): void
  stop(): void
}

/** The address all Pods listen on: they are workloads of this machine. */
const LOOPBACK = '127.0.0.1'
/** What Pods have for addresses. An endpoint in it that is no Pod's has nobody behind it on this machine. */
const POD_NETWORK = '10.244.'
/** What kube-proxy leads to; slices of names are for others. */
const DIALLED = ['IPv4', 'IPv6']

/** The ports of a queue-proxy, under the names its Service gives them. @see knative/networking pkg/apis/networking/register.go */
const REQUEST_PORTS: Readonly<Record<string, number>> = { http: 8012, http2: 8013 }

/**
 * Which Pods are ready behind a Service, from its EndpointSlices, and which loopback port each is reached on, from the
 * Pod's own annotation. The two come by different watches: a Pod that is not known yet counts once it is.
 */
export function createEndpoints(slices: Informer<EndpointSlice>, pods: Informer<Pod>): Endpoints {
  const slicesOf = new Map<string, Map<string, EndpointSlice>>()
  const servicesOf = new Map<string, Set<string>>()
  const listeners = new Set<(service: string) => void>()
  const tell = (service: string): void => {
    for (const listener of listeners) listener(service)
  }
  /** "namespace/name" of the Pods, or their address where that is all an endpoint says. */
  const podsIn = (slice: EndpointSlice | undefined): string[] =>
    (slice?.endpoints ?? []).map(({ addresses, targetRef }) =>
      targetRef?.kind === 'Pod' && targetRef.name
        ? refText({ namespace: targetRef.namespace ?? slice?.metadata.namespace, name: targetRef.name })
        : (addresses[0] ?? ''),
    )

  const stopSlices = slices.onChange(({ type, object, previous }) => {
    const service = serviceOf(object)
    const before = previous && serviceOf(previous)
    for (const old of new Set([before, service])) {
      if (old === undefined) continue
      slicesOf.get(old)?.delete(object.metadata.name)
      for (const pod of podsIn(previous)) servicesOf.get(pod)?.delete(old)
    }
    if (type !== 'DELETED' && service !== undefined) {
      const known = slicesOf.get(service) ?? new Map<string, EndpointSlice>()
      slicesOf.set(service, known.set(object.metadata.name, object))
      // One Pod may be in several slices of a Service while they are rearranged.
      for (const slice of known.values()) for (const pod of podsIn(slice)) entry(servicesOf, pod).add(service)
    }
    for (const pod of podsIn(previous)) if (servicesOf.get(pod)?.size === 0) servicesOf.delete(pod)
    if (service !== undefined && slicesOf.get(service)?.size === 0) slicesOf.delete(service)
    for (const changed of new Set([before, service])) if (changed !== undefined) tell(changed)
  })
  const stopPods = pods.onChange(({ type, object, previous }) => {
    const isSame =
      type === 'MODIFIED' &&
      previous?.metadata.annotations?.[PORTS_ANNOTATION] === object.metadata.annotations?.[PORTS_ANNOTATION] &&
      previous?.metadata.deletionTimestamp === object.metadata.deletionTimestamp &&
      previous?.status?.podIP === object.status?.podIP
    if (isSame) return
    const behind = new Set([refText(object.metadata), object.status?.podIP ?? ''].flatMap((pod) => [...(servicesOf.get(pod) ?? [])]))
    for (const service of behind) tell(service)
  })

  const podOf = ({ addresses, targetRef }: Endpoint, slice: EndpointSlice): Pod | undefined => {
    if (targetRef?.kind === 'Pod' && targetRef.name)
      return pods.get({ namespace: targetRef.namespace ?? slice.metadata.namespace, name: targetRef.name })
    return addresses[0]?.startsWith(POD_NETWORK) ? pods.list().find(({ status }) => status?.podIP === addresses[0]) : undefined
  }
  const addressOf = (endpoint: Endpoint, slice: EndpointSlice, port: number): ReadyAddress | undefined => {
    const [address = ''] = endpoint.addresses
    const pod = podOf(endpoint, slice)
    if (pod) {
      const loopbackPort = loopbackOf(pod, port)
      const podUid = pod.metadata.uid ?? refText(pod.metadata)
      const identity = { key: `${podUid}:${loopbackPort}`, podUid, podName: pod.metadata.name }
      return loopbackPort === undefined ? undefined : { ...identity, address, host: LOOPBACK, port: loopbackPort }
    }
    if (endpoint.targetRef?.kind === 'Pod' || address === '' || address.startsWith(POD_NETWORK)) return undefined
    return { key: `${address}:${port}`, podUid: '', podName: '', address, host: address, port }
  }

  return {
    of(service) {
      const ready = new Map<string, ReadyAddress>()
      for (const slice of slicesOf.get(service)?.values() ?? []) {
        const port = requestPort(slice)
        if (port === undefined) continue
        for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
          // A condition that is not there means ready. @see k8s.io/api/discovery/v1 EndpointConditions
          if (conditions?.ready === false || targetRef?.kind !== 'Pod' || !targetRef.name) continue
          const pod = pods.get({ namespace: targetRef.namespace ?? slice.metadata.namespace, name: targetRef.name })
          if (!pod || pod.metadata.deletionTimestamp) continue
          const loopbackPort = loopbackPortsOf(pod)[port]
          if (loopbackPort === undefined) continue
          const podUid = pod.metadata.uid ?? refText(pod.metadata)
          const key = `${podUid}:${loopbackPort}`
          const address = addresses[0] ?? ''
          ready.set(key, { key, podUid, podName: pod.metadata.name, address, host: LOOPBACK, port: loopbackPort })
        }
      }
      return inOrder(ready)
    },
    behind(service, portName, hostname) {
      const ready = new Map<string, ReadyAddress>()
      const ending = new Map<string, ReadyAddress>()
      for (const slice of slicesOf.get(service)?.values() ?? []) {
        const port = slice.ports?.find(({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP')?.port
        if (port === undefined || !DIALLED.includes(slice.addressType)) continue
        for (const endpoint of slice.endpoints ?? []) {
          if (hostname !== undefined && endpoint.hostname !== hostname) continue
          const address = addressOf(endpoint, slice, port)
          if (!address) continue
          const { ready: isReady = true, serving = isReady, terminating = false } = endpoint.conditions ?? {}
          const isEnding = terminating || podOf(endpoint, slice)?.metadata.deletionTimestamp !== undefined
          if (isReady && !isEnding) ready.set(address.key, address)
          else if (serving && isEnding) ending.set(address.key, address)
        }
      }
      return inOrder(ready.size > 0 ? ready : ending)
    },
    onChange: (listener) => void listeners.add(listener),
    stop() {
      stopSlices()
      stopPods()
    },
  }
}

function inOrder(addresses: ReadonlyMap<string, ReadyAddress>): ReadyAddress[] {
  return [...addresses.values()].sort((one, other) => compare(one.address, other.address) || compare(one.key, other.key))
}

function serviceOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[SERVICE_NAME_LABEL]
  return name === undefined ? undefined : refText({ namespace: slice.metadata.namespace, name })
}

/** The port that requests go to; a Pod may serve others for metrics and probes. */
function requestPort(slice: EndpointSlice): number | undefined {
  for (const name of ['http', 'http2']) {
    const named = slice.ports?.find((port) => port.name === name)
    if (named) return named.port ?? REQUEST_PORTS[name]
  }
  return slice.ports?.find(({ port }) => Object.values(REQUEST_PORTS).includes(port ?? 0))?.port
}

/**
 * Where a port of a Pod is reached: undefined as long as the Pod has no ports at all. A Pod that declares none is told one to
 * listen on, so that is the one it means, whatever the Service calls it; beside declared ones an undeclared port is itself.
 */
function loopbackOf(pod: Pod, containerPort: number): number | undefined {
  const ports = loopbackPortsOf(pod)
  const [first] = Object.values(ports)
  if (first === undefined) return undefined
  return ports[containerPort] ?? (pod.spec.containers.some((container) => container.ports?.length) ? containerPort : first)
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

function entry(map: Map<string, Set<string>>, key: string): Set<string> {
  const known = map.get(key) ?? new Set<string>()
  map.set(key, known)
  return known
}
