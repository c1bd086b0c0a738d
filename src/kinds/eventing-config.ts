import { parse } from 'yaml'
import type { DeliverySpec } from '../apimachinery/delivery-spec.js'
import type { KReference } from '../apimachinery/destination.js'
import { isJsonObject, ownValue } from '../apimachinery/json.js'
import type { LabelSelector } from '../apimachinery/object.js'
import { EVENTING_NAMESPACE, MT_CHANNEL_BROKER_CLASS } from './eventing-labels.js'
import type { ReadConfigMap } from './serving-config.js'

export type { ReadConfigMap }

/**
 * What Eventing's ConfigMaps say, with Knative's defaults where a key is absent or bad.
 * @see knative/eventing v1.22 pkg/apis/feature, pkg/apis/config, config/core/configmaps
 */

const read = (configMap: ReadConfigMap, name: string): Readonly<Record<string, string>> => configMap(EVENTING_NAMESPACE, name)

/** What texts of ConfigMaps last said: there are few, and they are asked for at every reconcile. Nobody changes them. */
const parsed = new Map<string, Record<string, unknown> | undefined>()
const MOST_PARSED = 50

/** YAML in a ConfigMap's value as an object; undefined when there is none, or it is none. */
function yamlObject(text: string | undefined): Record<string, unknown> | undefined {
  if (!text) return undefined
  if (parsed.has(text)) return parsed.get(text)
  const value = parsedObject(text)
  if (parsed.size >= MOST_PARSED) parsed.clear()
  parsed.set(text, value)
  return value
}

function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Flags of config-features with the value they have when nobody sets them. */
const FLAG_DEFAULTS = {
  'kreference-group': 'disabled',
  'delivery-retryafter': 'disabled',
  'delivery-timeout': 'enabled',
  'kreference-mapping': 'disabled',
  'transport-encryption': 'disabled',
  'eventtype-auto-create': 'disabled',
  'authentication-oidc': 'disabled',
  'default-authorization-mode': 'allow-same-namespace',
  'cross-namespace-event-links': 'disabled',
  'new-apiserversource-filters': 'disabled',
} as const

export type EventingFlag = keyof typeof FLAG_DEFAULTS

/** The ConfigMap that holds the flags: a change of it concerns every object of Eventing. */
export const FEATURES_CONFIG = 'config-features'

/** A flag in lower case, as it is now. */
export function eventingFlag(configMap: ReadConfigMap, flag: EventingFlag): string {
  return (read(configMap, FEATURES_CONFIG)[flag] || FLAG_DEFAULTS[flag]).trim().toLowerCase()
}

export function isEnabled(configMap: ReadConfigMap, flag: EventingFlag): boolean {
  return eventingFlag(configMap, flag) === 'enabled'
}

export type TransportEncryption = 'disabled' | 'permissive' | 'strict'

/** Whether Eventing's data plane listens with TLS beside http (permissive), or instead of it (strict). */
export function transportEncryption(configMap: ReadConfigMap): TransportEncryption {
  const mode = eventingFlag(configMap, 'transport-encryption')
  return mode === 'permissive' || mode === 'strict' ? mode : 'disabled'
}

/** default-authorization-mode as conditions spell it. */
export function authorizationMode(configMap: ReadConfigMap): 'Allow-All' | 'Deny-All' | 'Allow-Same-Namespace' {
  const mode = eventingFlag(configMap, 'default-authorization-mode')
  return mode === 'allow-all' ? 'Allow-All' : mode === 'deny-all' ? 'Deny-All' : 'Allow-Same-Namespace'
}

/** Of RequestReplies that name none: an ISO 8601 duration. */
export function requestReplyTimeout(configMap: ReadConfigMap): string {
  return read(configMap, FEATURES_CONFIG)['requestreply-default-timeout'] || 'PT30S'
}

/** Rules for delivery specs and references, as the flags are now. */
export function deliveryRules(configMap: ReadConfigMap): { allowsTimeout: boolean; allowsRetryAfter: boolean; allowsGroup: boolean } {
  return {
    allowsTimeout: isEnabled(configMap, 'delivery-timeout'),
    allowsRetryAfter: isEnabled(configMap, 'delivery-retryafter'),
    allowsGroup: isEnabled(configMap, 'kreference-group'),
  }
}

/** Where the configuration of a Broker is, and how it delivers. */
export interface BrokerConfig extends Partial<KReference> {
  delivery?: DeliverySpec
}

interface BrokerDefaultsEntry extends BrokerConfig {
  brokerClass?: string
  disallowDifferentNamespaceConfig?: boolean
  brokerClasses?: Record<string, BrokerConfig>
}

export interface BrokerDefaults {
  /** The class of Brokers in a namespace that name none. */
  classIn(namespace: string): string | undefined
  /** What a Broker of a class gets in a namespace; undefined: nothing is set up. */
  configFor(namespace: string, brokerClass: string): BrokerConfig | undefined
  /** Whether a Broker may be configured by an object of another namespace. */
  allowsOtherNamespace(namespace: string): boolean
}

export const BROKER_DEFAULTS_CONFIG = 'config-br-defaults'

/** config-br-defaults. @see knative/eventing v1.22 pkg/apis/config/defaults.go */
export function brokerDefaults(configMap: ReadConfigMap): BrokerDefaults {
  const config = yamlObject(read(configMap, BROKER_DEFAULTS_CONFIG)['default-br-config'])
  const cluster = config && (config['clusterDefault'] as BrokerDefaultsEntry | undefined)
  const byNamespace = config && isJsonObject(config['namespaceDefaults']) ? config['namespaceDefaults'] : {}
  const entryOf = (namespace: string): BrokerDefaultsEntry | undefined => {
    const entry = ownValue(byNamespace, namespace)
    return isJsonObject(entry) ? (entry as BrokerDefaultsEntry) : undefined
  }
  const ofClass = (entry: BrokerDefaultsEntry | undefined, brokerClass: string): BrokerConfig | undefined => {
    const found = isJsonObject(entry?.brokerClasses) ? ownValue(entry.brokerClasses, brokerClass) : undefined
    return isJsonObject(found) ? (found as BrokerConfig) : undefined
  }
  return {
    classIn: (namespace) => entryOf(namespace)?.brokerClass || cluster?.brokerClass,
    configFor(namespace, brokerClass) {
      const entry = entryOf(namespace)
      return (
        ofClass(entry, brokerClass) ?? (entry?.brokerClass === brokerClass ? entry : undefined) ?? ofClass(cluster, brokerClass) ?? cluster
      )
    },
    allowsOtherNamespace: (namespace) =>
      entryOf(namespace)?.disallowDifferentNamespaceConfig !== true && cluster?.disallowDifferentNamespaceConfig !== true,
  }
}

/** Which channels are made where nobody says which. */
export interface DefaultChannelTemplate {
  apiVersion: string
  kind: string
  spec?: Record<string, unknown>
}

export const CHANNEL_DEFAULTS_CONFIG = 'default-ch-webhook'

/**
 * default-ch-webhook: that of a namespace, else that of the cluster; undefined when it names none.
 * @see knative/eventing v1.22 pkg/apis/messaging/config/channel_defaults.go
 */
export function defaultChannelTemplate(configMap: ReadConfigMap, namespace: string): DefaultChannelTemplate | undefined {
  const config = yamlObject(read(configMap, CHANNEL_DEFAULTS_CONFIG)['default-ch-config'])
  const byNamespace = config && isJsonObject(config['namespaceDefaults']) ? config['namespaceDefaults'] : {}
  const template = ownValue(byNamespace, namespace) ?? config?.['clusterDefault']
  return isJsonObject(template) ? (template as unknown as DefaultChannelTemplate) : undefined
}

/**
 * The channel template in a Broker's ConfigMap. `problem` is worded as the Broker's condition words it.
 * @see knative/eventing v1.22 pkg/apis/messaging/v1 and pkg/reconciler/broker/resources, NewConfigFromConfigMap
 */
export function channelTemplateFrom(
  data: Readonly<Record<string, string>>,
): { template: DefaultChannelTemplate; problem?: undefined } | { template?: undefined; problem: string } {
  const text = data['channel-template-spec'] ?? data['channelTemplateSpec']
  if (text === undefined) return { problem: 'failed to find channelTemplate' }
  if (text.trim() === '') return { problem: 'empty or missing value for config' }
  const template = yamlObject(text)
  if (!template) return { problem: `ConfigMap's value could not be unmarshaled. error converting YAML to JSON: ${JSON.stringify(text)}` }
  return { template: template as unknown as DefaultChannelTemplate }
}

export const SUGAR_CONFIG = 'config-sugar'

/** A selector of config-sugar; undefined: off. An empty selector selects everything. */
export function sugarSelector(configMap: ReadConfigMap, key: 'namespace-selector' | 'trigger-selector'): LabelSelector | undefined {
  return yamlObject(read(configMap, SUGAR_CONFIG)[key]) as LabelSelector | undefined
}

/** ConfigMaps of a fresh installation, but for config-sugar: here the classic label works at once. */
export const EVENTING_CONFIG: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [BROKER_DEFAULTS_CONFIG]: {
    'default-br-config': [
      'clusterDefault:',
      `  brokerClass: ${MT_CHANNEL_BROKER_CLASS}`,
      '  apiVersion: v1',
      '  kind: ConfigMap',
      '  name: config-br-default-channel',
      `  namespace: ${EVENTING_NAMESPACE}`,
      '  delivery:',
      '    retry: 10',
      '    backoffPolicy: exponential',
      '    backoffDelay: PT0.2S',
      '',
    ].join('\n'),
  },
  'config-br-default-channel': {
    'channel-template-spec': ['apiVersion: messaging.knative.dev/v1', 'kind: InMemoryChannel', ''].join('\n'),
  },
  [CHANNEL_DEFAULTS_CONFIG]: {
    'default-ch-config': [
      'clusterDefault:',
      '  apiVersion: messaging.knative.dev/v1',
      '  kind: InMemoryChannel',
      'namespaceDefaults:',
      '  some-namespace:',
      '    apiVersion: messaging.knative.dev/v1',
      '    kind: InMemoryChannel',
      '',
    ].join('\n'),
  },
  'config-ping-defaults': { 'data-max-size': '-1' },
  [FEATURES_CONFIG]: {
    ...FLAG_DEFAULTS,
    'oidc-discovery-base-url': 'https://kubernetes.default.svc',
    'requestreply-default-timeout': 'PT30S',
  },
  [SUGAR_CONFIG]: {
    'namespace-selector': injectionSelector(),
    'trigger-selector': injectionSelector(),
  },
  'config-kreference-mapping': {},
  'config-imc-event-dispatcher': { MaxIdleConnections: '1000', MaxIdleConnectionsPerHost: '100' },
  'config-observability': {},
  'config-logging': {
    'zap-logger-config': '{"level":"info","encoding":"json"}',
    'loglevel.controller': 'info',
    'loglevel.webhook': 'info',
  },
  'config-leader-election': {},
  'config-tracing': {},
}

function injectionSelector(): string {
  return ['matchExpressions:', '- key: eventing.knative.dev/injection', '  operator: In', '  values: [enabled]', ''].join('\n')
}
