import { type ObjectRef, refText } from '../apimachinery/object.js'
import type { Informer } from '../client/informer.js'
import type { IngressPath, IngressRule, IngressSplit, KIngress } from '../kinds/kingress/schema.js'
import { PORT_ANNOTATION } from '../kinds/service/schema.js'
import type { ServiceGate } from './core-services.js'

/** One split of a path: where a request may go, and which headers it then carries. */
export interface Target {
  readonly namespace: string
  /** The revision's name: splits point to its public Service, which bears the same. */
  readonly name: string
  /** "namespace/name" of the revision. */
  readonly key: string
  /** The application speaks HTTP/2 without TLS. */
  readonly http2: boolean
  /** Sum of the percents up to and with this split. */
  readonly upTo: number
  /** Where it goes to a core Service's endpoints as they are, without what Knative does on the way. */
  readonly service: ServiceGate | undefined
  /** Headers the application gets in place of the client's of the same name, names in lower case. */
  readonly headers: ReadonlyMap<string, string>
}

export interface PathRoute {
  readonly prefix: string
  /** All must match exactly; names in lower case. */
  readonly match: readonly (readonly [name: string, value: string])[]
  readonly rewriteHost: string | undefined
  readonly targets: readonly Target[]
}

/** Of one rule: the most specific path first. */
export type HostRoute = readonly PathRoute[]

export type Visibility = 'ExternalIP' | 'ClusterLocal'

export interface Routes {
  /** `host` in lower case, without port. */
  find(visibility: Visibility, host: string): HostRoute | undefined
  /** The first rule of an Ingress that is visible outside, for its Service's own loopback port. */
  firstExternal(ingress: string): HostRoute | undefined
  /** The loopback ports asked for by Ingresses, by "namespace/name"; calls back for every change, first for those known. */
  onPort(listener: (ingress: string, port: number | undefined) => void): void
  stop(): void
}

/** These say which revision is meant; gateway and activator consume them. @see knative/serving v1.23 pkg/activator/activator.go */
const CONSUMED_HEADERS = new Set(['knative-serving-revision', 'knative-serving-namespace'])

const HTTP2_PORTS = new Set<number | string>([81, 'http2', 'h2c'])

/** What one Ingress brings in, built once per change of that Ingress and never modified. */
interface Built {
  readonly createdAt: string
  readonly hosts: readonly { visibility: Visibility; host: string; route: HostRoute }[]
  readonly firstExternal: HostRoute | undefined
  readonly port: number | undefined
}

/**
 * The route table: host to rule, kept by the KIngresses. Each rule is immutable and swapped in whole, in one step, when
 * its Ingress changes; no other Ingress is looked at. A host that two Ingresses claim belongs to the older one.
 *
 * @see knative/networking pkg/apis/networking/v1alpha1/ingress_types.go
 */
export function createRoutes(kingresses: Informer<KIngress>): Routes {
  const built = new Map<string, Built>()
  const tables = { ExternalIP: new Map<string, HostRoute>(), ClusterLocal: new Map<string, HostRoute>() }
  /** Who claims a host, the oldest Ingress first; most have one. */
  const claims = { ExternalIP: new Map<string, string[]>(), ClusterLocal: new Map<string, string[]>() }
  const portListeners = new Set<(ingress: string, port: number | undefined) => void>()

  const settle = (visibility: Visibility, host: string): void => {
    const owner = claims[visibility].get(host)?.[0]
    const route = owner && built.get(owner)?.hosts.find((entry) => entry.visibility === visibility && entry.host === host)?.route
    if (route) tables[visibility].set(host, route)
    else tables[visibility].delete(host)
  }
  const isOlder = (one: string, other: string): number => {
    const [oneAt, otherAt] = [built.get(one)?.createdAt ?? '', built.get(other)?.createdAt ?? '']
    if (oneAt !== otherAt) return oneAt < otherAt ? -1 : 1
    return one < other ? -1 : 1
  }
  const remove = (key: string): Built | undefined => {
    const old = built.get(key)
    built.delete(key)
    for (const { visibility, host } of old?.hosts ?? []) {
      const left = (claims[visibility].get(host) ?? []).filter((owner) => owner !== key)
      if (left.length > 0) claims[visibility].set(host, left)
      else claims[visibility].delete(host)
      settle(visibility, host)
    }
    return old
  }
  const put = (key: string, entry: Built): void => {
    built.set(key, entry)
    for (const { visibility, host } of entry.hosts) {
      const owners = claims[visibility].get(host) ?? []
      if (!owners.includes(key)) claims[visibility].set(host, [...owners, key].sort(isOlder))
      settle(visibility, host)
    }
  }

  const stop = kingresses.onChange(({ type, object, previous }) => {
    const key = refText(object.metadata)
    const isSame = previous && sameRules(previous, object) && built.has(key)
    if (type !== 'DELETED' && isSame) return
    const old = remove(key)
    const entry = type === 'DELETED' ? undefined : build(object)
    if (entry) put(key, entry)
    if (old?.port !== entry?.port) for (const listener of portListeners) listener(key, entry?.port)
  })

  return {
    find: (visibility, host) => tables[visibility].get(host),
    firstExternal: (ingress) => built.get(ingress)?.firstExternal,
    onPort(listener) {
      portListeners.add(listener)
      for (const [key, { port }] of built) if (port !== undefined) listener(key, port)
    },
    stop,
  }
}

/** Status changes come as often as spec changes; they route nothing anew. */
function sameRules(previous: KIngress, object: KIngress): boolean {
  const same = previous.spec === object.spec || JSON.stringify(previous.spec) === JSON.stringify(object.spec)
  return same && previous.metadata.annotations?.[PORT_ANNOTATION] === object.metadata.annotations?.[PORT_ANNOTATION]
}

function build(kingress: KIngress): Built {
  const { namespace, creationTimestamp, annotations } = kingress.metadata
  const hosts: { visibility: Visibility; host: string; route: HostRoute }[] = []
  let firstExternal: HostRoute | undefined
  for (const rule of kingress.spec?.rules ?? []) {
    const route = hostRouteFrom(rule, { namespace, name: '' })
    const visibility = rule.visibility === 'ClusterLocal' ? 'ClusterLocal' : 'ExternalIP'
    if (visibility === 'ExternalIP') firstExternal ??= route
    for (const host of rule.hosts ?? []) hosts.push({ visibility, host: host.toLowerCase(), route })
  }
  const port = Number(annotations?.[PORT_ANNOTATION])
  const isPort = Number.isInteger(port) && port > 0 && port < 65536
  // A Service that is only visible inside the cluster gets no listener of its own.
  return { createdAt: creationTimestamp ?? '', hosts, firstExternal, port: isPort && firstExternal ? port : undefined }
}

/** Longest prefix first, and of equal ones that with more headers, so that the first match is the right one. */
function hostRouteFrom(rule: IngressRule, owner: ObjectRef): HostRoute {
  const paths = (rule.http?.paths ?? []).map((path) => pathRouteFrom(path, owner)).filter((path) => path.targets.length > 0)
  return paths.sort((one, other) => other.prefix.length - one.prefix.length || other.match.length - one.match.length)
}

function pathRouteFrom(path: IngressPath, owner: ObjectRef): PathRoute {
  const wanted = (path.splits ?? []).filter((split) => share(split, path.splits.length) > 0)
  let upTo = 0
  const targets = wanted.map((split): Target => {
    upTo += share(split, path.splits.length)
    const namespace = split.serviceNamespace || (owner.namespace ?? '')
    return {
      namespace,
      name: split.serviceName,
      key: `${namespace}/${split.serviceName}`,
      http2: HTTP2_PORTS.has(split.servicePort),
      upTo,
      service: undefined,
      headers: appended({ ...path.appendHeaders, ...split.appendHeaders }),
    }
  })
  const match = Object.entries(path.headers ?? {}).map(([name, { exact }]) => [name.toLowerCase(), exact] as const)
  return { prefix: path.path === '/' ? '' : (path.path ?? ''), match, rewriteHost: path.rewriteHost || undefined, targets }
}

/** A single split may leave its percent out and then gets everything. */
function share(split: IngressSplit, count: number): number {
  return split.percent ?? (count === 1 ? 100 : 0)
}

/** Ingresses come from whoever may write them: what could break out of its header line stays away. */
function appended(headers: Record<string, string>): ReadonlyMap<string, string> {
  const kept = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    const isClean = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    if (isClean && !CONSUMED_HEADERS.has(name.toLowerCase())) kept.set(name.toLowerCase(), value)
  }
  return kept
}

/**
 * The path of a host that a request takes: longest prefix, then headers; undefined when none fits.
 * `headerValue` is asked only where a path cares for headers.
 */
export function matchPath(route: HostRoute, target: string, headerValue: (name: string) => string | undefined): PathRoute | undefined {
  for (const path of route) {
    if (path.prefix !== '' && !target.startsWith(path.prefix)) continue
    if (path.match.length === 0 || path.match.every(([name, value]) => headerValue(name) === value)) return path
  }
  return undefined
}

/** A Host header's name as the table has it: lower case, without port and without the dot that ends a full name. */
export function hostName(host: string): string {
  let end = host.length
  if (host.charCodeAt(0) === 0x5b) {
    const bracket = host.indexOf(']')
    if (bracket !== -1) end = bracket + 1
  } else {
    const colon = host.indexOf(':')
    if (colon !== -1) end = colon
  }
  if (end > 1 && host.charCodeAt(end - 1) === 0x2e) end--
  const name = end === host.length ? host : host.slice(0, end)
  return name.toLowerCase()
}
