import { goDurationMs } from '../base/duration.js'
import { KNATIVE_SERVING_NAMESPACE } from './serving-labels.js'
import { CLUSTER_DOMAIN } from './serving-names.js'

/**
 * What Serving's ConfigMaps say, with Knative's defaults where a key is absent or bad.
 *
 * @see knative/serving v1.23 pkg/apis/config, pkg/deployment, pkg/gc, pkg/autoscaler/config
 * @see knative/networking pkg/config
 */

/** `data` of a ConfigMap as it is now, {} when there is none: reconcilers and webhooks both have one. */
export type ReadConfigMap = (namespace: string, name: string) => Readonly<Record<string, string>>

const read = (configMap: ReadConfigMap, name: string): Readonly<Record<string, string>> => configMap(KNATIVE_SERVING_NAMESPACE, name)

const integer = (text: string | undefined, fallback: number, least = 0): number => {
  const value = text !== undefined && /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) && value >= least ? value : fallback
}
const boolean = (text: string | undefined, fallback: boolean): boolean =>
  text?.toLowerCase() === 'true' ? true : text?.toLowerCase() === 'false' ? false : fallback
const durationSeconds = (text: string | undefined, fallbackSeconds: number): number => {
  const ms = text === undefined ? undefined : goDurationMs(text)
  return ms === undefined || ms <= 0 || ms % 1000 !== 0 ? fallbackSeconds : ms / 1000
}

export interface DefaultsConfig {
  revisionTimeoutSeconds: number
  maxRevisionTimeoutSeconds: number
  revisionResponseStartTimeoutSeconds: number
  revisionIdleTimeoutSeconds: number
  /** Quantities for containers that name none; absent keys are unset. */
  requests: Readonly<Record<string, string>>
  limits: Readonly<Record<string, string>>
  containerNameTemplate: string
  initContainerNameTemplate: string
  containerConcurrency: number
  containerConcurrencyMaxLimit: number
  allowContainerConcurrencyZero: boolean
  /** undefined: leave the field to Kubernetes (`default`). */
  enableServiceLinks: boolean | undefined
}

export function defaultsConfig(configMap: ReadConfigMap): DefaultsConfig {
  const data = read(configMap, 'config-defaults')
  const revisionTimeoutSeconds = integer(data['revision-timeout-seconds'], 300, 1)
  const quantities = (which: 'request' | 'limit'): Record<string, string> =>
    Object.fromEntries(
      ['cpu', 'memory', 'ephemeral-storage'].flatMap((resource) => {
        const quantity = data[`revision-${resource}-${which}`]
        return quantity ? [[resource, quantity]] : []
      }),
    )
  return {
    revisionTimeoutSeconds,
    maxRevisionTimeoutSeconds: Math.max(integer(data['max-revision-timeout-seconds'], 600, 1), revisionTimeoutSeconds),
    revisionResponseStartTimeoutSeconds: integer(data['revision-response-start-timeout-seconds'], revisionTimeoutSeconds),
    revisionIdleTimeoutSeconds: integer(data['revision-idle-timeout-seconds'], 0),
    requests: quantities('request'),
    limits: quantities('limit'),
    containerNameTemplate: data['container-name-template'] || 'user-container',
    initContainerNameTemplate: data['init-container-name-template'] || 'init-container',
    containerConcurrency: integer(data['container-concurrency'], 0),
    containerConcurrencyMaxLimit: integer(data['container-concurrency-max-limit'], 1000, 1),
    allowContainerConcurrencyZero: boolean(data['allow-container-concurrency-zero'], true),
    enableServiceLinks: data['enable-service-links'] === 'default' ? undefined : boolean(data['enable-service-links'], false),
  }
}

export type Flag = 'Enabled' | 'Allowed' | 'Disabled'

const ENABLED_BY_DEFAULT: ReadonlySet<string> = new Set(['multi-container', 'kubernetes.podspec-volumes-emptydir'])

/** A flag of config-features; unknown words leave it at its default. */
export function feature(configMap: ReadConfigMap, name: string): Flag {
  const word = read(configMap, 'config-features')[name]?.toLowerCase()
  if (word === 'enabled') return 'Enabled'
  if (word === 'allowed') return 'Allowed'
  if (word === 'disabled') return 'Disabled'
  return ENABLED_BY_DEFAULT.has(name) ? 'Enabled' : 'Disabled'
}

/** secure-pod-defaults has a value of its own between the usual two. */
export function securePodDefaults(configMap: ReadConfigMap): 'Disabled' | 'AllowRootBounded' | 'Enabled' {
  const word = read(configMap, 'config-features')['secure-pod-defaults']?.toLowerCase()
  return word === 'enabled' ? 'Enabled' : word === 'allowrootbounded' ? 'AllowRootBounded' : 'Disabled'
}

export interface DeploymentConfig {
  queueSidecarImage: string
  registriesSkippingTagResolving: ReadonlySet<string>
  progressDeadlineSeconds: number
  /** cpu, memory, ephemeral-storage; only what is set. */
  queueSidecarRequests: Readonly<Record<string, string>>
  queueSidecarLimits: Readonly<Record<string, string>>
  queueSidecarRootCa: string
  queueSidecarTls: { minVersion: string; maxVersion: string; cipherSuites: string; curvePreferences: string }
  spreadOverNodes: boolean
  runtimeClassName: string
  podIsAlwaysSchedulable: boolean
}

/** Shown in every Revision's Pod; nothing of that name is ever run here. */
export const QUEUE_SIDECAR_IMAGE = 'gcr.io/knative-releases/knative.dev/serving/cmd/queue'

export function deploymentConfig(configMap: ReadConfigMap): DeploymentConfig {
  const data = read(configMap, 'config-deployment')
  const quantities = (which: 'request' | 'limit', fallback: Record<string, string>): Record<string, string> => {
    const found: Record<string, string> = { ...fallback }
    for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
      const quantity = data[`queue-sidecar-${resource}-${which}`]
      if (quantity) found[resource] = quantity
    }
    return found
  }
  const registries = data['registries-skipping-tag-resolving'] ?? 'kind.local,ko.local,dev.local'
  return {
    queueSidecarImage: data['queue-sidecar-image'] || QUEUE_SIDECAR_IMAGE,
    registriesSkippingTagResolving: new Set(registries.split(',').map((registry) => registry.trim())),
    progressDeadlineSeconds: durationSeconds(data['progress-deadline'], 600),
    queueSidecarRequests: quantities('request', { cpu: '25m' }),
    queueSidecarLimits: quantities('limit', {}),
    queueSidecarRootCa: data['queue-sidecar-rootca'] ?? '',
    queueSidecarTls: {
      minVersion: data['queue-sidecar-tls-min-version'] ?? '',
      maxVersion: data['queue-sidecar-tls-max-version'] ?? '',
      cipherSuites: data['queue-sidecar-tls-cipher-suites'] ?? '',
      curvePreferences: data['queue-sidecar-tls-curve-preferences'] ?? '',
    },
    spreadOverNodes: (data['default-affinity-type'] ?? 'prefer-spread-revision-over-nodes') === 'prefer-spread-revision-over-nodes',
    // A YAML map of name to selector is the other form; which of several classes applies makes no difference on one node.
    runtimeClassName: /^[a-z0-9.-]*$/.test(data['runtime-class-name'] ?? '') ? (data['runtime-class-name'] ?? '') : '',
    podIsAlwaysSchedulable: boolean(data['pod-is-always-schedulable'], false),
  }
}

export interface NetworkConfig {
  ingressClass: string
  domainTemplate: string
  tagTemplate: string
  httpOption: 'Enabled' | 'Redirected'
  defaultExternalScheme: string
}

/** The class of the gateway built into the emulator. */
export const INGRESS_CLASS = 'kn-local.ingress.networking.knative.dev'
export const DEFAULT_DOMAIN_TEMPLATE = '{{.Name}}.{{.Namespace}}.{{.Domain}}'

export function networkConfig(configMap: ReadConfigMap): NetworkConfig {
  const data = read(configMap, 'config-network')
  return {
    ingressClass: data['ingress-class'] || data['ingress.class'] || INGRESS_CLASS,
    domainTemplate: data['domain-template'] || data['domainTemplate'] || DEFAULT_DOMAIN_TEMPLATE,
    tagTemplate: data['tag-template'] || data['tagTemplate'] || '{{.Tag}}-{{.Name}}',
    httpOption: (data['http-protocol'] ?? data['httpProtocol'])?.toLowerCase() === 'redirected' ? 'Redirected' : 'Enabled',
    defaultExternalScheme: data['default-external-scheme'] || 'http',
  }
}

export interface AutoscalerConfig {
  class: string
  initialScale: number
  allowZeroInitialScale: boolean
  minScale: number
  /** 0: no ceiling. */
  maxScale: number
  maxScaleLimit: number
}

export const KPA_CLASS = 'kpa.autoscaling.knative.dev'
export const HPA_CLASS = 'hpa.autoscaling.knative.dev'

/** The part of config-autoscaler that admission and the PodAutoscaler's reconciler need; the algorithm reads its own. */
export function autoscalerConfig(configMap: ReadConfigMap): AutoscalerConfig {
  const data = read(configMap, 'config-autoscaler')
  const allowZeroInitialScale = boolean(data['allow-zero-initial-scale'], false)
  return {
    class: data['pod-autoscaler-class'] || KPA_CLASS,
    initialScale: integer(data['initial-scale'], 1, allowZeroInitialScale ? 0 : 1),
    allowZeroInitialScale,
    minScale: integer(data['min-scale'], 0),
    maxScale: integer(data['max-scale'], 0),
    maxScaleLimit: integer(data['max-scale-limit'], 0),
  }
}

export interface GcConfig {
  /** undefined: disabled. */
  retainSinceCreateMs: number | undefined
  retainSinceLastActiveMs: number | undefined
  minNonActiveRevisions: number
  /** undefined: disabled. */
  maxNonActiveRevisions: number | undefined
}

export function gcConfig(configMap: ReadConfigMap): GcConfig {
  const data = read(configMap, 'config-gc')
  const retention = (key: string, fallbackMs: number): number | undefined => {
    const text = data[key]
    if (text === 'disabled') return undefined
    const ms = text === undefined ? undefined : goDurationMs(text)
    return ms === undefined || ms < 0 ? fallbackMs : ms
  }
  const minNonActiveRevisions = integer(data['min-non-active-revisions'], 20)
  return {
    retainSinceCreateMs: retention('retain-since-create-time', 48 * 3_600_000),
    retainSinceLastActiveMs: retention('retain-since-last-active-time', 15 * 3_600_000),
    minNonActiveRevisions,
    maxNonActiveRevisions:
      data['max-non-active-revisions'] === 'disabled'
        ? undefined
        : Math.max(integer(data['max-non-active-revisions'], 1000), minNonActiveRevisions),
  }
}

/** Where this emulator is reached from outside: our own ConfigMap `kn-local`. */
export interface LocalConfig {
  /** undefined when URLs need none: the key is absent, or 80. */
  externalPort: number | undefined
}

export function localConfig(configMap: ReadConfigMap): LocalConfig {
  const port = integer(read(configMap, 'kn-local')['external-port'], 80, 1)
  return { externalPort: port === 80 ? undefined : port }
}

/** logging.revision-url-template of config-observability with the Revision's uid filled in; '' when unset. */
export function logUrl(configMap: ReadConfigMap, revisionUid: string): string {
  return (read(configMap, 'config-observability')['logging.revision-url-template'] ?? '').replaceAll('${REVISION_UID}', revisionUid)
}

export interface DomainEntry {
  domain: string
  selector: Readonly<Record<string, string>>
}

/** config-domain: one entry per domain, and `svc.cluster.local` for everyone when no entry takes every Route. */
export function domainConfig(configMap: ReadConfigMap): readonly DomainEntry[] {
  const entries = Object.entries(read(configMap, 'config-domain'))
    .filter(([domain]) => domain !== '_example')
    .map(([domain, text]) => ({ domain, selector: selectorOf(text) }))
  const hasDefault = entries.some(({ selector }) => Object.keys(selector).length === 0)
  return hasDefault ? entries : [...entries, { domain: `svc.${CLUSTER_DOMAIN}`, selector: {} }]
}

/** Reads the one YAML shape that config-domain's values have: `selector:` with a map of plain strings, in block or flow style. */
function selectorOf(text: string): Record<string, string> {
  const selector: Record<string, string> = {}
  const plain = (word: string): string => word.trim().replace(/^(["'])(.*)\1$/, '$2')
  const add = (pair: string): void => {
    const colon = pair.indexOf(':')
    if (colon > 0 && pair.slice(colon + 1).trim() !== '') selector[plain(pair.slice(0, colon))] = plain(pair.slice(colon + 1))
  }
  const flow = /^\s*selector:\s*\{(.*)\}\s*$/m.exec(text)
  if (flow) {
    flow[1]!.split(',').forEach(add)
    return selector
  }
  let inside = false
  for (const line of text.split('\n')) {
    if (/^selector:\s*(#.*)?$/.test(line)) inside = true
    else if (/^\S/.test(line)) inside = false
    else if (inside && !/^\s*#/.test(line)) add(line)
  }
  return selector
}

/**
 * Fills the fields of a Go template as Knative's name templates use them: `{{.Name}}`, `{{.Labels.app}}`,
 * `{{index .Annotations "key"}}`. Anything else in braces throws, as it does there.
 */
export function renderTemplate(template: string, fields: Readonly<Record<string, string | Readonly<Record<string, string>>>>): string {
  return template.replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (whole, expression: string) => {
    const path = /^\.(\w+)(?:\.([\w-]+))?$/.exec(expression) ?? /^index \.(\w+) "([^"]*)"$/.exec(expression)
    const value = path ? fields[path[1]!] : undefined
    const found =
      typeof value === 'string' ? (path![2] === undefined ? value : undefined) : path?.[2] && value ? (value[path[2]] ?? '') : undefined
    if (found === undefined) throw new Error(`template: cannot evaluate ${whole}`)
    return found
  })
}
