import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { Reach } from '../delivery/send.js'
import type { EndpointSlice } from '../kinds/core/endpointslice/schema.js'
import { SERVICE_NAME_LABEL } from '../kinds/core/endpointslice/schema.js'
import { loopbackPortsOf, type Pod } from '../kinds/core/pod/schema.js'
import type { CoreService } from '../kinds/core/service/schema.js'

/** A name inside the cluster: service, namespace, with or without the cluster's domain. */
const CLUSTER_NAME = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?$/
const LOOPBACK = '127.0.0.1'
const DEFAULT_PORTS: Record<string, number> = { 'http:': 80, 'https:': 443 }
const HTTPS_PORT = 443

/**
 * Where a URL that is in an object leads to on this machine. Names inside the cluster: the cluster-local listener, but for those
 * with https, whose TLS is a Pod's own: there one of the Service's Pods, at its loopback port; Eventing's own servers have a listener
 * with TLS. Names below the domains of Routes:
 * the external listener. All else is the network's. `name.namespace`, and for those in a namespace `name`, are inside the cluster
 * when there is such a Service, as they are for a Pod's resolver; the listener knows no bare name, so that leads to a Pod too.
 */
export function createReach(deps: {
  services: Informer<CoreService>
  slices: Informer<EndpointSlice>
  pods: Informer<Pod>
  /** Of Routes: the keys of config-domain. */
  domains: () => readonly string[]
  ports: () => { external: number; clusterLocal: number; clusterLocalTls: number }
  /** Whether a core Service is one of Eventing's own servers, which speak TLS at port 443. */
  speaksTls: (service: { namespace: string; name: string }) => boolean
  random: Random
}): (url: URL, namespace?: string) => Reach {
  const { services, slices, pods } = deps

  const portOfPod = (namespace: string, service: string, port: number): number | undefined => {
    const found = services.get({ namespace, name: service })
    if (!found || found.spec.type === 'ExternalName') return undefined
    const portName = found.spec.ports?.find((each) => each.port === port)?.name ?? ''
    const loopbacks = slices.list(namespace).flatMap(({ metadata, ports = [], endpoints }) => {
      if (metadata.labels?.[SERVICE_NAME_LABEL] !== service) return []
      const target = ports.find(({ name = '' }) => name === portName)?.port
      if (target === undefined) return []
      return (endpoints ?? []).flatMap(({ conditions, targetRef }) => {
        if (conditions?.ready === false || targetRef?.kind !== 'Pod') return []
        return loopbackPortsOf(pods.get({ namespace, name: targetRef.name ?? '' }))[target] ?? []
      })
    })
    return loopbacks[Math.floor(deps.random.float() * loopbacks.length)]
  }

  const clusterName = (hostname: string, from: string | undefined): { service: string; namespace: string } | undefined => {
    const [, service, namespace] = CLUSTER_NAME.exec(hostname) ?? []
    if (service !== undefined && namespace !== undefined) return { service, namespace }
    const [name = '', given = from, ...more] = hostname.split('.')
    if (given === undefined || more.length > 0 || !services.get({ namespace: given, name })) return undefined
    return { service: name, namespace: given }
  }

  return (url, from) => {
    const hostHeader = url.host
    const hostname = url.hostname.replace(/^\[|\]$/g, '')
    const port = Number(url.port) || DEFAULT_PORTS[url.protocol]!
    const name = clusterName(hostname, from)
    if (name) {
      const isPod = url.protocol === 'https:' || !hostname.includes('.')
      const direct = isPod ? portOfPod(name.namespace, name.service, port) : undefined
      const isTls = url.protocol === 'https:' && port === HTTPS_PORT && deps.speaksTls({ namespace: name.namespace, name: name.service })
      const { clusterLocal, clusterLocalTls } = deps.ports()
      return { host: LOOPBACK, port: direct ?? (isTls ? clusterLocalTls : clusterLocal), hostHeader }
    }
    if (deps.domains().some((domain) => hostname.endsWith(`.${domain}`))) return { host: LOOPBACK, port: deps.ports().external, hostHeader }
    // Resolvers need not know names below localhost. @see RFC 6761 section 6.3
    return { host: hostname.endsWith('.localhost') ? LOOPBACK : hostname, port, hostHeader }
  }
}
