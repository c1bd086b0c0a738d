import { type ObjectRef, refText } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { CoreService, ServicePort } from '../kinds/core/service/schema.js'
import type { Gate, RevisionLimits } from './activator.js'
import { pickInstance, type Turn } from './breaker.js'
import type { Endpoints, ReadyAddress } from './endpoints.js'
import { createInstance, type Instance } from './instance.js'
import { hostName, type Target } from './routes.js'

/** One port of a core Service: which of its ready endpoints gets the next request or connection. Nobody waits here. */
export interface ServiceGate extends Gate {
  readonly counter: undefined
  /** What a request is answered while no endpoint is ready. */
  readonly whyRefused: string
  /** A ready endpoint, its place taken; 'full' when there is none. */
  enter(): Instance | 'full'
  /** Another one than `instance`, which could not be reached; undefined when there is none. */
  enterAnother(waiter: unknown, instance: Instance): Instance | undefined
}

export interface CoreServices {
  /**
   * Where a request to a name inside the cluster goes, `host` as it came, with port: `name.namespace.svc.cluster.local`,
   * `name.namespace.svc` or `name.namespace`, and a Pod's own name below the first two. Undefined when no Service has that name.
   */
  target(host: string): Target | undefined
  /** The way to a port of a Service. */
  gate(service: ObjectRef, port: ServicePort): ServiceGate
  stop(): void
}

/** Set for Revisions by Knative; the names of both core Services of a Revision lead to it as its routes do. */
const REVISION_OWNER = 'ServerlessService'
const HTTP_PORT = 80
/** What says that a port speaks HTTP without TLS: its name, as service meshes read it, or the application's protocol. */
const HTTP = /^(kubernetes\.io\/)?(http|http2|h2c|grpc|ws)(-|$)/

const NO_HEADERS: ReadonlyMap<string, string> = new Map()
const NO_LIMITS: RevisionLimits = {
  containerConcurrency: 0,
  timeoutMs: Number.POSITIVE_INFINITY,
  responseStartTimeoutMs: 0,
  idleTimeoutMs: 0,
  isBounded: false,
}

/** The names of core Services and the endpoints behind them: what DNS and kube-proxy are on a cluster. */
export function createCoreServices(deps: {
  services: Informer<CoreService>
  endpoints: Endpoints
  random: Random
  /** Real time. */
  clock: Clock
  onGone(instance: Instance): void
}): CoreServices {
  const { services, endpoints } = deps
  /** By Service, then by port and host name; they appear with the first request and go with the Service. */
  const gates = new Map<string, Map<string, RefreshableGate>>()

  const forget = (service: string): void => {
    for (const gate of gates.get(service)?.values() ?? []) gate.stop()
    gates.delete(service)
  }
  const stopServices = services.onChange(({ type, object, previous }) => {
    if (type === 'DELETED' || previous?.metadata.uid !== object.metadata.uid) forget(refText(object.metadata))
  })
  endpoints.onChange((service) => {
    for (const gate of gates.get(service)?.values() ?? []) gate.refresh()
  })

  const gateOf = ({ namespace, name }: ObjectRef, portName: string, hostname?: string): ServiceGate => {
    const service = refText({ namespace, name })
    const known = gates.get(service) ?? new Map<string, RefreshableGate>()
    gates.set(service, known)
    const key = `${portName}/${hostname ?? ''}`
    const ready = () => endpoints.behind(service, portName, hostname)
    const affinityMs = () => affinityMsOf(services.get({ namespace, name }))
    const gate = known.get(key) ?? createServiceGate({ ...deps, name, ready, affinityMs })
    known.set(key, gate)
    return gate
  }

  return {
    target(host) {
      const parsed = serviceName(hostName(host))
      const service = parsed && services.get(parsed)
      // An alias leads to wherever it says; Knative's are Routes' and channels', whose names are known by themselves.
      if (!service || service.spec.type === 'ExternalName') return undefined
      const { namespace = '', name, ownerReferences } = service.metadata
      const owner = ownerReferences?.find(({ controller, kind }) => controller && kind === REVISION_OWNER)
      if (owner) {
        const http2 = service.spec.ports?.[0]?.name === 'http2'
        return { namespace, name: owner.name, key: `${namespace}/${owner.name}`, http2, upTo: 100, service: undefined, headers: NO_HEADERS }
      }
      const gate = gateOf(service.metadata, portFor(service, portOf(host))?.name ?? '', parsed.hostname)
      return { namespace, name, key: '', http2: false, upTo: 100, service: gate, headers: NO_HEADERS }
    },
    gate: (service, { name = '' }) => gateOf(service, name),
    stop() {
      stopServices()
      for (const service of [...gates.keys()]) forget(service)
    },
  }
}

/**
 * The port of a Service that a request is for, of those that carry TCP: the one the Host names; else, since all Services share one
 * listener here whose own port the Host may have, 80; else the first that says it speaks HTTP; else the first.
 */
export function portFor({ spec }: CoreService, hostPort: number | undefined): ServicePort | undefined {
  const ports = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP')
  const numbered = (wanted: number | undefined) => ports.find(({ port }) => port === wanted)
  return numbered(hostPort) ?? numbered(HTTP_PORT) ?? ports.find(speaksHttp) ?? ports[0]
}

function speaksHttp({ name = '', appProtocol }: ServicePort): boolean {
  return HTTP.test(appProtocol ?? name)
}

function serviceName(host: string): { namespace: string; name: string; hostname?: string } | undefined {
  const labels = host.split('.')
  if (labels.at(-1) === 'local' && labels.at(-2) === 'cluster') labels.length -= 2
  const isFull = labels.at(-1) === 'svc'
  if (isFull) labels.length -= 1
  const [name, namespace] = labels.slice(-2)
  if (!name || !namespace) return undefined
  if (labels.length === 2) return { namespace, name }
  return isFull && labels.length === 3 ? { namespace, name, hostname: labels[0]! } : undefined
}

function portOf(host: string): number | undefined {
  const port = /:(\d{1,5})$/.exec(host)?.[1]
  return port === undefined ? undefined : Number(port)
}

interface RefreshableGate extends ServiceGate {
  refresh(): void
  stop(): void
}

/** All clients are this machine, hence one: with affinity they stay with one endpoint. 0: each goes its own way. */
function affinityMsOf(service: CoreService | undefined): number {
  if (service?.spec.sessionAffinity !== 'ClientIP') return 0
  return (service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 0) * 1000
}

function createServiceGate(deps: {
  name: string
  ready: () => readonly ReadyAddress[]
  affinityMs: () => number
  random: Random
  clock: Clock
  onGone(instance: Instance): void
}): RefreshableGate {
  const turn: Turn = { next: 0 }
  let ready: readonly Instance[] = []
  let last: { instance: Instance; atMs: number } | undefined
  const take = (except?: Instance): Instance | undefined => {
    const affinityMs = deps.affinityMs()
    const nowMs = affinityMs > 0 ? deps.clock.now() : 0
    const stays = last && last.instance !== except && !last.instance.isGone && nowMs - last.atMs < affinityMs
    const instance = stays ? last!.instance : pickInstance(ready, 0, turn, deps.random, except)
    if (!instance) return undefined
    if (affinityMs > 0) last = { instance, atMs: nowMs }
    instance.inFlight++
    return instance
  }
  const letGo = (instance: Instance): void => {
    instance.isGone = true
    deps.onGone(instance)
  }

  const gate: RefreshableGate = {
    counter: undefined,
    limits: NO_LIMITS,
    whyRefused: `no endpoints available for service ${JSON.stringify(deps.name)}`,
    get readyCount() {
      return ready.length
    },
    waitingCount: 0,
    enter: () => take() ?? 'full',
    enterAnother: (_waiter, instance) => take(instance),
    leave(instance) {
      instance.inFlight--
    },
    forget() {},
    refresh() {
      const before = new Map(ready.map((instance) => [instance.key, instance]))
      ready = deps.ready().map((address) => {
        const known = before.get(address.key) ?? createInstance(address)
        before.delete(address.key)
        return known
      })
      for (const instance of before.values()) letGo(instance)
    },
    stop() {
      for (const instance of ready) letGo(instance)
      ready = []
    },
  }
  gate.refresh()
  return gate
}
