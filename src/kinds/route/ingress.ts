import type { Draft } from '../../apimachinery/object.js'
import type { IngressPath, IngressRule, IngressSplit, KIngress } from '../kingress/schema.js'
import { feature, networkConfig, type ReadConfigMap } from '../serving-config.js'
import {
  annotationOf,
  CERTIFICATE_CLASS_KEYS,
  HTTP_PROTOCOL_KEYS,
  INGRESS_CLASS_KEYS,
  LAST_APPLIED_ANNOTATION,
  mapWithout,
  ROLLOUT_ANNOTATION,
  ROUTE_LABEL,
  ROUTE_NAMESPACE_LABEL,
  TAG_TO_HOST_ANNOTATION,
} from '../serving-labels.js'
import { CLUSTER_DOMAIN, kingressName, serviceHost } from '../serving-names.js'
import type { TargetHost } from './domains.js'
import type { Route } from './schema.js'
import { DEFAULT_TARGET, type RevisionTarget, type TrafficPlan } from './traffic.js'

/**
 * What the gateway is told about a Route.
 * @see knative/serving v1.23 pkg/reconciler/route/resources/ingress.go
 */

export const TAG_HEADER = 'Knative-Serving-Tag'
const DEFAULT_ROUTE_HEADER = 'Knative-Serving-Default-Route'

/** Throws when an annotation asks for a protocol that does not exist. */
export function kingressFor(
  route: Route,
  plan: TrafficPlan,
  hosts: ReadonlyMap<string, TargetHost>,
  configMap: ReadConfigMap,
): Draft<KIngress> & { metadata: { name: string } } {
  const { metadata } = route
  return {
    metadata: {
      name: kingressName(metadata.name),
      labels: { ...metadata.labels, [ROUTE_LABEL]: metadata.name, [ROUTE_NAMESPACE_LABEL]: metadata.namespace ?? '' },
      annotations: annotationsFor(route, plan, hosts, configMap),
    },
    spec: { httpOption: httpOptionOf(route, configMap), rules: rulesFor(route, plan, hosts, configMap) },
  }
}

function annotationsFor(
  { metadata }: Route,
  plan: TrafficPlan,
  hosts: ReadonlyMap<string, TargetHost>,
  configMap: ReadConfigMap,
): Record<string, string> {
  // One spelling of a class is enough; the older one is what ingress implementations look for.
  const doubles: readonly string[] = [...INGRESS_CLASS_KEYS, CERTIFICATE_CLASS_KEYS[0]]
  const tags = [...hosts].filter(([tag]) => tag !== DEFAULT_TARGET).sort(byName)
  const tagToHost = Object.fromEntries(
    tags.map(([tag, { name, isLocal, host }]) => [tag, [serviceHost(name, metadata.namespace ?? ''), ...(isLocal ? [] : [host])]]),
  )
  return {
    ...mapWithout(metadata.annotations, (key) => key === LAST_APPLIED_ANNOTATION || doubles.includes(key)),
    [INGRESS_CLASS_KEYS[1]]: annotationOf(metadata.annotations, INGRESS_CLASS_KEYS)?.value ?? networkConfig(configMap).ingressClass,
    [ROLLOUT_ANNOTATION]: JSON.stringify(rolloutOf(plan)),
    ...(tags.length > 0 && { [TAG_TO_HOST_ANNOTATION]: JSON.stringify(tagToHost) }),
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0)

/** The state of a rollout that is done: each Configuration's share goes to its latest Revision as a whole. */
function rolloutOf({ targets }: TrafficPlan): object {
  const configurations = [...targets].sort(byName).flatMap(([tag, list]) =>
    list
      .filter(({ latestRevision }) => latestRevision)
      .sort((a, b) => (a.configurationName < b.configurationName ? -1 : 1))
      .map(({ configurationName, revisionName, percent }) => ({
        configurationName,
        ...(tag && { tag }),
        percent,
        revisions: [{ revisionName, percent }],
      })),
  )
  return { ...(configurations.length > 0 && { configurations }) }
}

function httpOptionOf({ metadata }: Route, configMap: ReadConfigMap): 'Enabled' | 'Redirected' {
  const asked = annotationOf(metadata.annotations, HTTP_PROTOCOL_KEYS)?.value
  if (!asked) return networkConfig(configMap).httpOption
  if (asked.toLowerCase() === 'enabled') return 'Enabled'
  if (asked.toLowerCase() === 'redirected') return 'Redirected'
  throw new Error(`incorrect http-protocol annotation: ${asked}`)
}

function rulesFor(route: Route, plan: TrafficPlan, hosts: ReadonlyMap<string, TargetHost>, configMap: ReadConfigMap): IngressRule[] {
  const namespace = route.metadata.namespace ?? ''
  const routesByHeader = feature(configMap, 'tag-header-based-routing') !== 'Disabled'
  return [...plan.targets].sort(byName).flatMap(([tag, list]) => {
    const target = hosts.get(tag)!
    const rule = (ruleHosts: string[], visibility: 'ClusterLocal' | 'ExternalIP'): IngressRule => {
      const plain: IngressPath = { splits: splitsFor(list, namespace) }
      if (!routesByHeader) return { hosts: ruleHosts, visibility, http: { paths: [plain] } }
      if (tag !== DEFAULT_TARGET)
        return { hosts: ruleHosts, visibility, http: { paths: [{ ...plain, appendHeaders: { [TAG_HEADER]: tag } }] } }
      const tagged = [...plan.targets]
        .sort(byName)
        // From outside, a tag that is hidden cannot be asked for by header either.
        .filter(([name]) => name !== DEFAULT_TARGET && (visibility === 'ClusterLocal' || !hosts.get(name)!.isLocal))
        .map(([name, other]): IngressPath => ({ headers: { [TAG_HEADER]: { exact: name } }, splits: splitsFor(other, namespace) }))
      return { hosts: ruleHosts, visibility, http: { paths: [...tagged, { ...plain, appendHeaders: { [DEFAULT_ROUTE_HEADER]: 'true' } }] } }
    }
    const { name, isLocal, host } = target
    const localHosts = [`${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`]
    return [rule(localHosts, 'ClusterLocal'), ...(isLocal ? [] : [rule([host], 'ExternalIP')])]
  })
}

const HTTP_PORT = 80
const H2C_PORT = 81

function splitsFor(list: readonly RevisionTarget[], namespace: string): IngressSplit[] {
  return list
    .filter(({ percent }) => percent > 0)
    .map(({ revisionName, percent, protocol }) => ({
      serviceNamespace: namespace,
      serviceName: revisionName,
      servicePort: protocol === 'h2c' ? H2C_PORT : HTTP_PORT,
      percent,
      appendHeaders: { 'Knative-Serving-Revision': revisionName, 'Knative-Serving-Namespace': namespace },
    }))
}
