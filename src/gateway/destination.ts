import type { Random } from '../base/random.js'
import { type HostRoute, hostName, matchPath, type Routes, type Target } from './routes.js'
import { chooseTarget } from './split.js'
import type { Front } from './stream-front.js'

/** Where a request goes, and what changes about it on the way. */
export interface Destination {
  readonly target: Target
  /** Replace the client's headers of the same name (lower case). */
  readonly headers: ReadonlyMap<string, string>
  /** The Host the application sees. */
  readonly host: string
}

/** A way into the gateway: a listener, and which routes it serves. */
export interface Entrance {
  /** `host` as it came, with port. */
  find(host: string): HostRoute | undefined
  /** Who answers inside this process for a host that no route is for. */
  inside?(host: string): InsideHandler | undefined
  /** Where a host leads that nobody above is for: a core Service's. */
  service?(host: string): Target | undefined
}

/** Answers a request inside this process, whichever protocol it came by. */
export type InsideHandler = (request: Front) => void

const ORIGINAL_HOST = 'k-original-host'

/**
 * Host, path, headers, split: which revision a request goes to; undefined when no route fits. A host without a route may be
 * a core Service's. A path that rewrites the host
 * (a DomainMapping's) is followed once into the cluster-local routes, and the application still sees the host the client
 * asked for, which K-Original-Host carries on a cluster.
 *
 * @see knative/serving v1.23 pkg/reconciler/domainmapping/resources/ingress.go
 */
export function destinationOf(
  request: { host: string; originalHost: string; target: string; headerValue: (name: string) => string | undefined },
  entrance: Entrance,
  deps: { routes: Pick<Routes, 'find'>; random: Random },
): Destination | undefined {
  const route = entrance.find(request.host)
  if (!route) return serviceDestination(request, entrance)
  const path = matchPath(route, request.target, request.headerValue)
  if (!path) return undefined
  const target = chooseTarget(path.targets, deps.random)
  if (path.rewriteHost === undefined && target.headers.size === 0) {
    return { target, headers: target.headers, host: request.originalHost || request.host }
  }

  const inner = path.rewriteHost === undefined ? undefined : deps.routes.find('ClusterLocal', hostName(path.rewriteHost))
  const innerPath = inner && matchPath(inner, request.target, request.headerValue)
  const innerTarget = innerPath && chooseTarget(innerPath.targets, deps.random)
  const headers = new Map([...target.headers, ...(innerTarget?.headers ?? [])])
  const host = headers.get(ORIGINAL_HOST) || request.originalHost || path.rewriteHost || request.host
  headers.delete(ORIGINAL_HOST)
  return { target: innerTarget ?? target, headers, host }
}

function serviceDestination({ host }: { host: string }, entrance: Entrance): Destination | undefined {
  const target = entrance.service && !entrance.inside?.(host) ? entrance.service(host) : undefined
  return target && { target, headers: target.headers, host }
}
