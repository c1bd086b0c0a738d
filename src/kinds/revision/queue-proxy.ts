import { parseQuantity } from '../../apimachinery/quantity.js'
import type { Container, ContainerPort, EnvVar, Probe } from '../core/pod/schema.js'
import { QUEUE_PROXY } from '../core/pod/schema.js'
import { deploymentConfig, feature, type ReadConfigMap } from '../serving-config.js'
import {
  annotationOf,
  CONFIGURATION_LABEL,
  KNATIVE_SERVING_NAMESPACE,
  QUEUE_SIDECAR_PERCENTAGE_KEYS,
  QUEUE_SIDECAR_PREFIX,
  SERVICE_LABEL,
} from '../serving-labels.js'
import { protocolOf, type Revision, servingContainer, userPort } from './schema.js'

/**
 * The sidecar of every Revision's Pod, as a cluster shows it. Nothing of it runs here: the gateway does its work, and the
 * Pod's controller judges its readiness by SERVING_READINESS_PROBE.
 *
 * @see knative/serving v1.23 pkg/reconciler/revision/resources/queue.go
 */
export function queueProxyFor(revision: Revision, configMap: ReadConfigMap): Container {
  const config = deploymentConfig(configMap)
  const isH2c = protocolOf(revision.spec) === 'h2c'
  const servingPort: ContainerPort = { name: 'queue-port', containerPort: isH2c ? QUEUE_PORTS.h2c : QUEUE_PORTS.http1, protocol: 'TCP' }
  return {
    name: QUEUE_PROXY,
    image: config.queueSidecarImage,
    ports: [
      { name: 'http-autometric', containerPort: QUEUE_PORTS.autoscalerMetrics, protocol: 'TCP' },
      { name: 'http-usermetric', containerPort: QUEUE_PORTS.userMetrics, protocol: 'TCP' },
      servingPort,
      { name: 'https-port', containerPort: QUEUE_PORTS.https, protocol: 'TCP' },
    ],
    env: environment(revision, configMap, servingPort.containerPort),
    resources: resourcesFor(revision, configMap),
    readinessProbe: sidecarProbe(servingContainer(revision.spec).readinessProbe, servingPort.containerPort),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }
}

/** @see knative/serving v1.23 pkg/networking/constants.go */
export const QUEUE_PORTS = { http1: 8012, h2c: 8013, https: 8112, admin: 8022, autoscalerMetrics: 9090, userMetrics: 9091 } as const

function environment(revision: Revision, configMap: ReadConfigMap, servingPort: number): EnvVar[] {
  const { metadata, spec } = revision
  const { queueSidecarRootCa, queueSidecarTls } = deploymentConfig(configMap)
  const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'Configuration')
  const isOn = (flag: string): string => String(feature(configMap, flag) === 'Enabled')
  const values: Record<string, string | { fieldPath: string; apiVersion?: string }> = {
    SERVING_NAMESPACE: metadata.namespace ?? '',
    SERVING_SERVICE: metadata.labels?.[SERVICE_LABEL] ?? '',
    SERVING_CONFIGURATION: owner?.name ?? metadata.labels?.[CONFIGURATION_LABEL] ?? '',
    SERVING_REVISION: metadata.name,
    QUEUE_SERVING_PORT: String(servingPort),
    QUEUE_SERVING_TLS_PORT: String(QUEUE_PORTS.https),
    CONTAINER_CONCURRENCY: String(spec.containerConcurrency ?? 0),
    REVISION_TIMEOUT_SECONDS: String(spec.timeoutSeconds ?? 0),
    REVISION_RESPONSE_START_TIMEOUT_SECONDS: String(spec.responseStartTimeoutSeconds ?? 0),
    REVISION_IDLE_TIMEOUT_SECONDS: String(spec.idleTimeoutSeconds ?? 0),
    SERVING_POD: { fieldPath: 'metadata.name' },
    SERVING_POD_IP: { fieldPath: 'status.podIP' },
    SERVING_LOGGING_CONFIG: '',
    SERVING_LOGGING_LEVEL: '',
    USER_PORT: String(userPort(spec)),
    SYSTEM_NAMESPACE: KNATIVE_SERVING_NAMESPACE,
    SERVING_READINESS_PROBE: JSON.stringify(userReadinessProbe(revision)),
    HOST_IP: { apiVersion: 'v1', fieldPath: 'status.hostIP' },
    ENABLE_HTTP2_AUTO_DETECTION: isOn('autodetect-http2'),
    ENABLE_HTTP_FULL_DUPLEX: String(metadata.annotations?.['features.knative.dev/http-full-duplex']?.toLowerCase() === 'enabled'),
    ENABLE_MULTI_CONTAINER_PROBES: isOn('multi-container-probing'),
    ROOT_CA: queueSidecarRootCa,
    QUEUE_PROXY_TLS_MIN_VERSION: queueSidecarTls.minVersion,
    QUEUE_PROXY_TLS_MAX_VERSION: queueSidecarTls.maxVersion,
    QUEUE_PROXY_TLS_CIPHER_SUITES: queueSidecarTls.cipherSuites,
    QUEUE_PROXY_TLS_CURVE_PREFERENCES: queueSidecarTls.curvePreferences,
    OBSERVABILITY_CONFIG: '',
  }
  return Object.entries(values).map(([name, value]) =>
    typeof value === 'string' ? { name, value } : { name, valueFrom: { fieldRef: value } },
  )
}

/**
 * The user's readiness probe as the sidecar carries it out: against the serving port on its own loopback. An exec probe
 * stays with the container, and the sidecar then only connects.
 */
export function userReadinessProbe({ spec }: Revision): Probe {
  const port = userPort(spec)
  const { exec, ...probe }: Probe = servingContainer(spec).readinessProbe ?? { tcpSocket: { port: 0 }, successThreshold: 1 }
  const numbered = (given: number | string | undefined): number => (typeof given === 'number' && given !== 0 ? given : port)
  const placed: Probe = probe.httpGet
    ? {
        ...probe,
        httpGet: { ...probe.httpGet, host: '127.0.0.1', port: numbered(probe.httpGet.port), scheme: probe.httpGet.scheme || 'HTTP' },
      }
    : probe.grpc
      ? { ...probe, grpc: { ...probe.grpc, port: probe.grpc.port || port } }
      : { ...probe, tcpSocket: { port: exec ? port : numbered(probe.tcpSocket?.port), host: '127.0.0.1' } }
  return (placed.periodSeconds ?? 0) > 0 && (placed.timeoutSeconds ?? 0) < 1 ? { ...placed, timeoutSeconds: 1 } : placed
}

/** What the kubelet asks the sidecar itself, in the user's rhythm. */
function sidecarProbe(user: Probe | undefined, port: number): Probe {
  const timing: Probe = {}
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    if (user?.[field] !== undefined) timing[field] = user[field]
  }
  return { ...timing, httpGet: { port, httpHeaders: [{ name: 'K-Network-Probe', value: 'queue' }] } }
}

/** Bounds of what the percentage annotation may ask for: cpu in thousandths, memory in bytes. */
const MEBI = 1_048_576
const PERCENTAGE_BOUNDS = {
  requests: { cpu: { least: 25, most: 100 }, memory: { least: 50 * MEBI, most: 200 * MEBI } },
  limits: { cpu: { least: 40, most: 500 }, memory: { least: 200 * MEBI, most: 500 * MEBI } },
} as const

const RESOURCE_DEFAULTS = { requests: { cpu: '25m', memory: '400Mi' }, limits: { cpu: '1000m', memory: '800Mi' } } as const

/** Explicit annotations win over the percentage of the user's container, that over the cluster's configuration. */
function resourcesFor(revision: Revision, configMap: ReadConfigMap): NonNullable<Container['resources']> {
  const config = deploymentConfig(configMap)
  const { annotations } = revision.metadata
  const fallback = feature(configMap, 'queueproxy.resource-defaults') === 'Enabled' ? RESOURCE_DEFAULTS : { requests: {}, limits: {} }
  const quantities = (kind: 'requests' | 'limits'): Record<string, string> => {
    const configured = kind === 'requests' ? config.queueSidecarRequests : config.queueSidecarLimits
    const found: Record<string, string> = { ...fallback[kind], ...configured, ...shareOfUser(revision, kind) }
    for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
      const explicit = annotations?.[`${QUEUE_SIDECAR_PREFIX}${resource}-resource-${kind === 'requests' ? 'request' : 'limit'}`]
      if (explicit) found[resource] = explicit
    }
    return found
  }
  const [requests, limits] = [quantities('requests'), quantities('limits')]
  return { ...(Object.keys(requests).length > 0 && { requests }), ...(Object.keys(limits).length > 0 && { limits }) }
}

function shareOfUser(revision: Revision, kind: 'requests' | 'limits'): Record<string, string> {
  const percentage = Number(annotationOf(revision.metadata.annotations, QUEUE_SIDECAR_PERCENTAGE_KEYS)?.value ?? Number.NaN)
  const given = servingContainer(revision.spec).resources?.[kind]
  if (Number.isNaN(percentage) || !given) return {}
  const shares: Record<string, string> = {}
  for (const resource of ['cpu', 'memory'] as const) {
    const nanos = given[resource] === undefined ? undefined : parseQuantity(given[resource])
    if (!nanos) continue
    const { least, most } = PERCENTAGE_BOUNDS[kind][resource]
    const units = Number(nanos) / (resource === 'cpu' ? 1e6 : 1e9)
    const share = Math.floor(Math.min(most, Math.max(least, (units * percentage) / 100)))
    shares[resource] = resource === 'cpu' ? `${share}m` : share % MEBI === 0 ? `${share / MEBI}Mi` : String(share)
  }
  return shares
}
