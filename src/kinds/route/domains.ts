import { subdomain } from '../../apimachinery/names.js'
import type { CoreService } from '../core/service/schema.js'
import { domainConfig, localConfig, networkConfig, type ReadConfigMap, renderTemplate } from '../serving-config.js'
import { CLUSTER_LOCAL_VISIBILITY, VISIBILITY_LABEL } from '../serving-labels.js'
import { CLUSTER_DOMAIN, serviceHost } from '../serving-names.js'
import type { Route } from './schema.js'
import { DEFAULT_TARGET } from './traffic.js'

/**
 * The hosts of a Route and who may see them.
 * @see knative/serving v1.23 pkg/reconciler/route/{domains,visibility}
 */

export interface TargetHost {
  /** Of the placeholder Service, and the first label of the host: the Route's name, with the tag where there is one. */
  name: string
  /** Reached inside the cluster only. */
  isLocal: boolean
  /** Without a port: what KIngresses and Host headers carry. */
  host: string
  /** For status: with the scheme, and for public hosts with the emulator's port unless it is 80. */
  url: string
}

/** A template or a host that makes no domain name; goes into the condition as it is. */
export class DomainError extends Error {
  override readonly name = 'DomainError'
}

/**
 * Every host of a Route, by tag. `placeholders` are the Route's own Services: one with the visibility label keeps its
 * target inside the cluster. Throws DomainError.
 */
export function hostsFor(
  route: Route,
  tags: Iterable<string>,
  placeholders: readonly CoreService[],
  configMap: ReadConfigMap,
): ReadonlyMap<string, TargetHost> {
  const domain = domainFor(route, configMap)
  const isRouteLocal = domain === LOCAL_DOMAIN
  const isHidden = (name: string): boolean =>
    placeholders.some(({ metadata }) => metadata.name === name && Boolean(metadata.labels?.[VISIBILITY_LABEL]))
  const hosts = new Map<string, TargetHost>()
  for (const tag of new Set([DEFAULT_TARGET, ...tags])) {
    const name = targetName(route, tag, configMap)
    const isLocal = isRouteLocal || isHidden(name)
    hosts.set(tag, hostFor(route, name, isLocal, domain, configMap))
  }
  return hosts
}

const LOCAL_DOMAIN = `svc.${CLUSTER_DOMAIN}`

/** The domain for a Route's labels: the entry of config-domain with the most matching terms, ties by name. */
function domainFor({ metadata }: Route, configMap: ReadConfigMap): string {
  const labels = metadata.labels ?? {}
  if (labels[VISIBILITY_LABEL] === CLUSTER_LOCAL_VISIBILITY) return LOCAL_DOMAIN
  const terms = (selector: Readonly<Record<string, string>>): number => Object.keys(selector).length
  return domainConfig(configMap)
    .filter(({ selector }) => Object.entries(selector).every(([key, value]) => labels[key] === value))
    .sort((a, b) => terms(b.selector) - terms(a.selector) || (a.domain < b.domain ? -1 : 1))[0]!.domain
}

function targetName({ metadata }: Route, tag: string, configMap: ReadConfigMap): string {
  return tag === DEFAULT_TARGET ? metadata.name : rendered(networkConfig(configMap).tagTemplate, { Name: metadata.name, Tag: tag })
}

function hostFor({ metadata }: Route, name: string, isLocal: boolean, domain: string, configMap: ReadConfigMap): TargetHost {
  const namespace = metadata.namespace ?? ''
  if (isLocal) {
    const host = serviceHost(name, namespace)
    return { name, isLocal, host, url: `http://${host}` }
  }
  const { domainTemplate, defaultExternalScheme } = networkConfig(configMap)
  const host = rendered(domainTemplate, {
    Name: name,
    Namespace: namespace,
    Domain: domain,
    Labels: metadata.labels ?? {},
    Annotations: metadata.annotations ?? {},
  })
  const problems = host.includes('.') ? subdomain(host) : ['should be a domain with at least two segments separated by dots']
  if (problems.length > 0) throw new DomainError(`invalid domain name "${host}": ${problems.join(', ')}`)
  const { externalPort } = localConfig(configMap)
  return { name, isLocal, host, url: `${defaultExternalScheme}://${host}${externalPort === undefined ? '' : `:${externalPort}`}` }
}

function rendered(template: string, fields: Parameters<typeof renderTemplate>[1]): string {
  try {
    return renderTemplate(template, fields)
  } catch (error) {
    throw new DomainError((error as Error).message)
  }
}
