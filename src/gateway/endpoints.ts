import { refText } from '../apimachinery/object.js'
import type { Informer } from '../client/informer.js'
import { type EndpointSlice, SERVICE_NAME_LABEL } from '../kinds/core/endpointslice/schema.js'
import { PORTS_ANNOTATION, type Pod } from '../kinds/core/pod/schema.js'

/** A ready Pod behind a core Service. */
export interface ReadyAddress {
  /** The Pod and the port: what makes it the same from one change to the next. */
  readonly key: string
  readonly podUid: string
  readonly podName: string
  /** The Pod's own address, which nobody dials: instances are kept in its order. */
  readonly address: string
  /** Where it really listens, on 127.0.0.1. */
  readonly port: number
}

export interface Endpoints {
  /** The ready Pods of a core Service ("namespace/name"), in the order of their addresses. */
  of(service: string): readonly ReadyAddress[]
  /** Calls back with the Service whose ready Pods may have changed. */
  onChange(listener: (service: string) => void): void
  stop(): void
}

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
  const podsIn = (slice: EndpointSlice | undefined): string[] =>
    (slice?.endpoints ?? []).flatMap(({ targetRef }) =>
      targetRef?.kind === 'Pod' && targetRef.name
        ? [refText({ namespace: targetRef.namespace ?? slice?.metadata.namespace, name: targetRef.name })]
        : [],
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
      previous?.metadata.deletionTimestamp === object.metadata.deletionTimestamp
    if (!isSame) for (const service of servicesOf.get(refText(object.metadata)) ?? []) tell(service)
  })

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
          const loopbackPort = portsOf(pod)[port]
          if (loopbackPort === undefined) continue
          const podUid = pod.metadata.uid ?? refText(pod.metadata)
          const key = `${podUid}:${loopbackPort}`
          ready.set(key, { key, podUid, podName: pod.metadata.name, address: addresses[0] ?? '', port: loopbackPort })
        }
      }
      return [...ready.values()].sort((one, other) => compare(one.address, other.address) || compare(one.key, other.key))
    },
    onChange: (listener) => void listeners.add(listener),
    stop() {
      stopSlices()
      stopPods()
    },
  }
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

/** Container port to loopback port; empty when the annotation is not there yet or is no such object. */
function portsOf(pod: Pod): Readonly<Record<number, number>> {
  const text = pod.metadata.annotations?.[PORTS_ANNOTATION]
  if (!text) return {}
  try {
    const ports: unknown = JSON.parse(text)
    if (typeof ports !== 'object' || ports === null) return {}
    return Object.fromEntries(Object.entries(ports).filter(([, port]) => Number.isInteger(port) && port > 0 && port < 65536))
  } catch {
    return {}
  }
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
